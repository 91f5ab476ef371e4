//! Tickets for services.

use crate::browser::api;
use crate::browser::user_key::UserKeyError;
use wire::paths;
use wire::tickets::{IssuedTicket, TicketRequest};

/// Requests a ticket under this version of the user key, or under the current one.
pub async fn issue(service: &str, version: Option<u32>) -> Result<IssuedTicket, UserKeyError> {
    let request = TicketRequest { service: service.to_owned(), version };
    let request = serde_json::to_string(&request).map_err(|_| UserKeyError::Unreadable)?;
    let answer = api::call("POST", paths::TICKETS, Some(&request)).await?;
    if !answer.is_ok() {
        return Err(UserKeyError::Refused(answer.text("title").unwrap_or_default()));
    }
    let issued = || {
        Some(IssuedTicket {
            ticket: answer.text("ticket")?,
            jti: answer.text("jti")?,
            version: u32::try_from(answer.number("version")?).ok()?,
            expires_at: answer.number("expires_at")?,
            key_until: answer.number("key_until")?,
        })
    };
    issued().ok_or(UserKeyError::Unreadable)
}
