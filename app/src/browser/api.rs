//! Requests of a signed-in person.

use crate::browser::fetch::{self, FetchResponse, Unreachable};
#[cfg(any(feature = "ssr", feature = "signed-in"))]
use crate::browser::fresh_proof;
use crate::browser::keys::DeviceKeys;
use crate::browser::session::{self, Renewal};
use crate::browser::{clock, dpop, keys, page};
use std::cell::RefCell;
use wire::Code;

thread_local! {
    /// The server's last nonce, for the next proof.
    static NONCE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sends a request. If it may change something, it carries a proof of this browser's key (RFC 9449), if there is one,
/// because a bound session changes nothing without. An expired session is renewed and the request repeated, without the
/// person noticing. If the session is over, or this browser has lost its key, the page goes to sign-in. If the server
/// demands a fresh proof of the person, a dialog asks for it, and the request is repeated.
pub async fn call(method: &str, path: &str, body: Option<&str>) -> Result<FetchResponse, Unreachable> {
    let keys = if method == "GET" { None } else { keys::keys().await };
    let mut renewed = false;
    #[cfg(any(feature = "ssr", feature = "signed-in"))]
    let mut confirmations = 1;
    loop {
        // A page with a single request was rendered with a nonce for it.
        let nonce = NONCE.with_borrow(Clone::clone).or_else(|| page::fact("nonce"));
        let proof = prove(keys.as_ref(), method, path, nonce.as_deref()).await?;
        let answer = fetch::send(method, path, body, proof.as_deref()).await?;
        let newer = answer.nonce.is_some() && answer.nonce != nonce;
        if newer {
            NONCE.set(answer.nonce.clone());
        }
        match answer.code() {
            Some(Code::UseDpopNonce) if newer => {}
            Some(Code::NoSession) if !renewed => match session::renew().await? {
                Renewal::Good => renewed = true,
                Renewal::Over(why) => return Ok(signing_in(answer, why)),
            },
            #[cfg(any(feature = "ssr", feature = "signed-in"))]
            Some(Code::InsufficientUserAuthentication) if confirmations > 0 => {
                confirmations -= 1;
                match fresh_proof::ask(answer.texts("proofs")).await {
                    // The same request again.
                    Some(true) => {}
                    // As any refusal: the page stays, and so does what the person typed.
                    Some(false) => return Ok(answer.refused()),
                    None => return Ok(signing_in(answer, session::CONFIRM)),
                }
            }
            // Afterwards the person repeats the change.
            Some(Code::InsufficientUserAuthentication) => return Ok(signing_in(answer, session::CONFIRM)),
            Some(Code::BadProof) => return Ok(signing_in(answer, session::KEY_GONE)),
            _ => return Ok(answer),
        }
    }
}

async fn prove(
    keys: Option<&DeviceKeys>,
    method: &str,
    path: &str,
    nonce: Option<&str>,
) -> Result<Option<String>, Unreachable> {
    match keys {
        Some(keys) => dpop::proof(keys, method, path, nonce, clock::now()).await.map(Some).ok_or(Unreachable),
        None => Ok(None),
    }
}

fn signing_in(answer: FetchResponse, why: &str) -> FetchResponse {
    page::sign_in(why);
    answer
}
