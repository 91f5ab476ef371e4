//! Requests of a person who is signed in.

use crate::browser::fetch::{self, Answer, Unreachable};
use crate::browser::page;
use crate::browser::session::{self, Renewal};
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
