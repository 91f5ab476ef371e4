//! Decrypts and verifies tickets.

use domain::encoding::from_base64url;
use domain::thumbprint::Thumbprint;
use domain::{UnixMs, UnixSeconds};
use jwe::PrivateKey;
use serde::Deserialize;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use verify::{Revocations, TokenError, UnverifiedToken, Verifier};
use wire::tickets::{SEALED_TYP, TYP, TicketClaims, TicketHeader};
use wire::time::CloseReason;
use zeroize::Zeroizing;

/// Maximum length of a ticket in characters.
const LONGEST_TICKET: usize = 3072;
/// Interval of log lines about different clocks.
const SAY_EVERY_MS: u64 = 60_000;

/// A verifier of tickets, with the service's key and the auth server's public keys.
#[derive(Debug)]
pub(crate) struct TicketVerifier {
    key: PrivateKey,
    kid: String,
    verifier: Verifier,
    /// The time of the last log line about different clocks.
    said: AtomicI64,
}

/// The holder of a ticket, and its end.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketHolder {
    pub sub: String,
    pub sid: String,
    /// Thumbprint of the client's key.
    pub jkt: Thumbprint,
    /// The user key's version.
    pub version: u32,
    /// The end of that version.
    pub until: UnixMs,
}

/// A ticket's content. Its key is needed only at the start of a connection.
pub struct OpenedTicket {
    pub holder: TicketHolder,
    /// The id of the key that signed it.
    pub kid: String,
    /// The ticket's expiry.
    pub expires_at: UnixMs,
    pub jti: String,
    pub user_key: Zeroizing<[u8; 32]>,
}

impl TicketVerifier {
    pub(crate) fn new(key: PrivateKey, verifier: Verifier) -> Self {
        Self { kid: jwe::thumbprint(&key.public()).to_string(), key, verifier, said: AtomicI64::new(i64::MIN) }
    }

    /// Returns the auth server's revocations, if they are checked.
    pub(crate) fn revocations(&self) -> Option<&Revocations> {
        self.verifier.revocations.as_ref()
    }

    pub(crate) async fn open(&self, ticket: &str, now: UnixMs) -> Result<OpenedTicket, CloseReason> {
        if ticket.len() > LONGEST_TICKET {
            return Err(CloseReason::TooLarge);
        }
        let inner = self.unseal(ticket).ok_or(CloseReason::BadTicket)?;
        let claims = match self.verifier.verify::<TicketClaims>(&inner, TYP, now).await {
            Ok(claims) => claims,
            Err(error) => {
                if matches!(error, TokenError::Expired | TokenError::TooEarly) {
                    self.warn_of_clocks(&inner, now);
                }
                return Err(refusal(&error));
            }
        };
        let user_key = from_base64url(&claims.user_key.k).map(Zeroizing::new).ok_or(CloseReason::BadTicket)?;
        let user_key = <[u8; 32]>::try_from(user_key.as_slice()).map_err(|_| CloseReason::BadTicket)?;
        let until = UnixSeconds::from_seconds(claims.user_key.until).to_millis();
        if now >= until {
            return Err(CloseReason::KeyEnded);
        }
        let holder = TicketHolder {
            sub: claims.sub,
            sid: claims.sid,
            jkt: Thumbprint::parse(&claims.cnf.jkt).ok_or(CloseReason::BadTicket)?,
            version: claims.user_key.version,
            until,
        };
        let kid =
            UnverifiedToken::parse(&inner, TYP, LONGEST_TICKET).map_err(|error| refusal(&error))?.kid().to_owned();
        let expires_at = UnixSeconds::from_seconds(claims.exp).to_millis();
        Ok(OpenedTicket { holder, kid, expires_at, jti: claims.jti, user_key: Zeroizing::new(user_key) })
    }

    /// Logs both clocks once a minute; old tickets from strangers cause this too.
    fn warn_of_clocks(&self, ticket: &str, now: UnixMs) {
        let before = self.said.load(Ordering::Relaxed);
        if now.since(UnixMs::from_millis(before)).unsigned_abs() < SAY_EVERY_MS
            || self.said.compare_exchange(before, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        if let Some(TicketTimes { iat, exp }) = times(ticket) {
            let (made, ends, here) = (moment(iat), moment(exp), moment(now.to_seconds()));
            tracing::warn!(
                made,
                ends,
                here,
                "a ticket is out of its time. If the auth server made it just now, one of the two clocks is wrong"
            );
        }
    }

    fn unseal(&self, ticket: &str) -> Option<Zeroizing<String>> {
        let sealed = jwe::parse::<TicketHeader>(ticket).ok()?;
        let header = sealed.header();
        if header.typ != SEALED_TYP || header.cty != "JWT" || header.kid != self.kid {
            return None;
        }
        let content = sealed.open(&*self.key.agree(sealed.epk()).ok()?).ok()?;
        std::str::from_utf8(&content).ok().map(|text| Zeroizing::new(text.to_owned()))
    }
}

fn refusal(error: &TokenError) -> CloseReason {
    match error {
        // From the future or expired: a ticket opens connections for minutes only.
        TokenError::Expired | TokenError::TooEarly => CloseReason::TicketExpired,
        TokenError::NoKeys(_) | TokenError::NoRevocations(_) => CloseReason::Unavailable,
        other => {
            tracing::debug!(cause = %other, "a ticket was refused");
            CloseReason::BadTicket
        }
    }
}

/// The validity of a ticket.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct TicketTimes {
    iat: UnixSeconds,
    exp: UnixSeconds,
}

/// Returns the times of a ticket with a valid signature.
fn times(ticket: &str) -> Option<TicketTimes> {
    let claims = Zeroizing::new(from_base64url(ticket.split('.').nth(1)?)?);
    serde_json::from_slice(&claims).ok()
}

/// Formats a time as RFC 3339 in UTC.
fn moment(at: UnixSeconds) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(at.as_seconds()).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| at.to_string())
}

impl fmt::Debug for TicketHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visit({}, session {}, key {})", self.sub, self.sid, self.version)
    }
}

impl fmt::Debug for OpenedTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::encoding::base64url;

    #[test]
    fn the_times_of_a_ticket_are_read_and_written() {
        let ticket = format!("e30.{}.sig", base64url(br#"{"iat":1795240000,"exp":1795240060,"sub":"ada"}"#));
        let TicketTimes { iat, exp } = times(&ticket).unwrap();
        assert_eq!((moment(iat), moment(exp)), ("2026-11-21T05:46:40Z".to_owned(), "2026-11-21T05:47:40Z".to_owned()));
        assert_eq!(times("no ticket"), None);
        assert_eq!(moment(UnixSeconds::MAX), i64::MAX.to_string());
    }
}
