//! A sealed message and its answer: sign-in and sign-up.

use crate::browser::fetch::{self, Answer, Unreachable};
use crate::browser::{clock, dpop, keys, sealing, session};
use futures::future::join;
use wire::challenge::Challenge;
use wire::envelope::Kind;
use wire::{Code, Problem, paths};

/// Why it was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// No answer came.
    Unreachable,
    /// It was taken, but the browser did not keep the cookies.
    NoCookies,
    /// The server says why.
    Problem(Box<Problem>),
    /// An answer that is none of ours, or a message that could not be sealed.
    Broken,
}

impl From<Unreachable> for Refusal {
    fn from(Unreachable: Unreachable) -> Self {
        Self::Unreachable
    }
}

/// Seals `plaintext` and posts it; calls `sealed` when the message is on its way. A key that ran out
/// or changed meanwhile is nobody's fault: we get a new one and try again.
pub async fn sealed_post(kind: Kind, path: &str, plaintext: &[u8], mut sealed: impl FnMut()) -> Result<(), Refusal> {
    // Both take their time and neither needs the other.
    let (keys, mut first) = join(keys::keys(), async { Some(challenge().await) }).await;
    let mut tries = 3;
    loop {
        let challenge = match first.take() {
            Some(first) => first?,
            None => challenge().await?,
        };
        let body = sealing::seal(kind, &challenge, keys.as_ref(), plaintext).ok_or(Refusal::Broken)?;
        let proof = match &keys {
            Some(keys) => dpop::proof(keys, path, Some(&challenge.short_key), challenge.now).await,
            None => None,
        };
        sealed();
        let answer = fetch::send("POST", path, Some(&body), proof.as_deref()).await?;
        tries -= 1;
        match answer.code() {
            // What signs nobody in leaves no cookie to look for.
            _ if answer.is_ok() && !matches!(kind, Kind::Login | Kind::Signup) => return Ok(()),
            _ if answer.is_ok() => return if session::kept().await? { Ok(()) } else { Err(Refusal::NoCookies) },
            Some(Code::ShortKeyExpired | Code::ShortKeyMismatch | Code::DeviceMismatch) if tries > 0 => {}
            Some(Code::AlreadyReceived) => return arrived_before(answer).await,
            _ => return Err(refusal(&answer)),
        }
    }
}

async fn challenge() -> Result<Challenge, Refusal> {
    let answer = fetch::get(paths::CHALLENGE).await?;
    if !answer.is_ok() {
        return Err(refusal(&answer));
    }
    answer.challenge().ok_or(Refusal::Broken)
}

/// The connection broke and the browser sent the message again: the first one counts. It may still
/// be on the server's desk.
async fn arrived_before(answer: Answer) -> Result<(), Refusal> {
    for _ in 0..3 {
        if fetch::get(paths::SESSION).await?.is_ok() {
            return Ok(());
        }
        clock::sleep(1_000).await;
    }
    Err(refusal(&answer))
}

fn refusal(answer: &Answer) -> Refusal {
    answer.problem().map_or(Refusal::Broken, |problem| Refusal::Problem(Box::new(problem)))
}
