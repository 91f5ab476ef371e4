//! Keeps the session valid for all tabs.

use crate::browser::fetch::{self, Unreachable};
use crate::browser::{clock, dpop, keys, locks, page};
use wire::{Code, paths};

/// The result of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The session is valid.
    Good,
    /// It has ended, with the `why` of the sign-in page.
    Over(&'static str),
}

/// The `why` of a browser that has lost its key.
pub const KEY_GONE: &str = "key_gone";
/// The `why` of a person who must be authenticated again.
pub const CONFIRM: &str = "confirm";
const ENDED: Renewal = Renewal::Over("ended");

/// Renews the session if possible. Tabs do this one after the other, and all but the first find it renewed.
pub async fn renew() -> Result<Renewal, Unreachable> {
    let _alone = locks::hold("postern-refresh").await;
    let asked = fetch::get(paths::SESSION).await?;
    match asked.status {
        200 => Ok(Renewal::Good),
        401 => refresh(asked.nonce).await,
        _ => Err(Unreachable),
    }
}

async fn refresh(mut nonce: Option<String>) -> Result<Renewal, Unreachable> {
    let keys = keys::keys().await;
    // The second attempt is for an expired nonce only.
    for _ in 0..2 {
        let proof = match &keys {
            Some(keys) => dpop::proof(keys, "POST", paths::REFRESH, nonce.as_deref(), clock::now()).await,
            None => None,
        };
        let answer = fetch::send("POST", paths::REFRESH, Some("{}"), proof.as_deref()).await?;
        if answer.is_ok() {
            return Ok(if kept().await? { Renewal::Good } else { ENDED });
        }
        match answer.code() {
            Some(Code::UseDpopNonce) => nonce = answer.nonce,
            Some(Code::BadProof) => return Ok(Renewal::Over(KEY_GONE)),
            Some(Code::SessionEnded | Code::NoSession) => return Ok(ENDED),
            _ => return Err(Unreachable),
        }
    }
    Err(Unreachable)
}

/// Whether the browser stores our cookies. Some refuse them on plain http, even on localhost. Without this check a
/// person would be redirected endlessly.
pub async fn kept() -> Result<bool, Unreachable> {
    Ok(page::is_https() || fetch::get(paths::SESSION).await?.is_ok())
}
