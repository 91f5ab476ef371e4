//! Keeping the session good, for all tabs at once.

use crate::browser::fetch::{self, Unreachable};
use crate::browser::{clock, dpop, keys, locks, page};
use wire::{Code, paths};

/// How an attempt to renew ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The session is good.
    Good,
    /// It is over; the word is the `why` of the sign-in page.
    Over(&'static str),
}

/// The `why` of a browser that has lost its key.
pub const KEY_GONE: &str = "key_gone";
const ENDED: Renewal = Renewal::Over("ended");

/// Makes the session good if it can be. Tabs come here one after the other, and all but the first
/// find the work done.
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
    // A second time only for a nonce that ran out in between.
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

/// Whether the browser keeps our cookies. Some refuse them on plain http, even on localhost; without
/// this question a person would go round in circles between our pages.
pub async fn kept() -> Result<bool, Unreachable> {
    Ok(page::is_https() || fetch::get(paths::SESSION).await?.is_ok())
}
