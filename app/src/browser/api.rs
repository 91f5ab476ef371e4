//! Requests of a person who is signed in.

use crate::browser::fetch::{self, Answer, Unreachable};
use crate::browser::session::{self, Renewal};
use crate::browser::{clock, dpop, keys, page};
use wire::Code;

/// One request; if the session has run out meanwhile it is renewed and the request repeated, and
/// nobody notices. If it is over, the page goes to sign-in.
pub async fn call(method: &str, path: &str, body: Option<&str>) -> Result<Answer, Unreachable> {
    let answer = fetch::send(method, path, body, None).await?;
    if answer.status != 401 || answer.code() != Some(Code::NoSession) {
        return Ok(answer);
    }
    match session::renew().await? {
        Renewal::Good => fetch::send(method, path, body, None).await,
        Renewal::Over(why) => {
            page::sign_in(why);
            Ok(answer)
        }
    }
}

/// A `POST` that carries a proof of this browser's key (RFC 9449); otherwise like [`call`].
pub async fn prove(path: &str, body: &str) -> Result<Answer, Unreachable> {
    let keys = keys::keys().await.ok_or(Unreachable)?;
    let mut nonce = None;
    let mut renewed = false;
    loop {
        let proof = dpop::proof(&keys, path, nonce.as_deref(), clock::now()).await.ok_or(Unreachable)?;
        let answer = fetch::send("POST", path, Some(body), Some(&proof)).await?;
        match answer.code() {
            Some(Code::UseDpopNonce) if nonce != answer.nonce => nonce = answer.nonce,
            Some(Code::NoSession) if !renewed => match session::renew().await? {
                Renewal::Good => renewed = true,
                Renewal::Over(why) => {
                    page::sign_in(why);
                    return Ok(answer);
                }
            },
            _ => return Ok(answer),
        }
    }
}
