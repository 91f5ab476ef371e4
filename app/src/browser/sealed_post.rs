//! Encrypted messages and their answers: sign-in and sign-up.

use crate::browser::fetch::{self, FetchResponse, Unreachable};
#[cfg(any(feature = "ssr", feature = "signed-in"))]
use crate::browser::passkeys;
use crate::browser::{clock, dpop, keys, sealing, session};
#[cfg(any(feature = "ssr", feature = "private"))]
use crate::browser::{fresh_proof, page};
use futures::future::join;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::{Code, Problem, paths};

/// The reason why it was refused.
#[derive(Debug)]
pub enum PostError {
    /// No answer arrived.
    Unreachable,
    /// It was accepted, but the browser did not store the cookies.
    NoCookies,
    /// The server's reason.
    Problem(Box<Problem>),
    /// An answer that is not from Postern, or a message that could not be encrypted.
    Broken,
}

impl From<Unreachable> for PostError {
    fn from(Unreachable: Unreachable) -> Self {
        Self::Unreachable
    }
}

/// Encrypts `plaintext` and posts it; calls `sealed` when the message is sent. If the key has expired or changed, gets
/// a new one and tries again.
pub(crate) async fn sealed_post(
    kind: EnvelopeKind,
    path: &str,
    plaintext: &[u8],
    mut sealed: impl FnMut(),
) -> Result<(), PostError> {
    // Both take time and are independent of each other.
    let mut retry_budget = RetryBudget::default();
    let (keys, mut first) = join(keys::keys(), async { Some(challenge(&mut retry_budget).await) }).await;
    let mut tries = 3;
    loop {
        let challenge = match first.take() {
            Some(first) => first?,
            None => challenge(&mut retry_budget).await?,
        };
        let body = sealing::seal(kind, &challenge, keys.as_ref(), plaintext).ok_or(PostError::Broken)?;
        let proof = match &keys {
            Some(keys) => dpop::proof(keys, "POST", path, Some(&challenge.short_key), challenge.now).await,
            None => None,
        };
        sealed();
        let answer = fetch::send("POST", path, Some(&body), proof.as_deref()).await?;
        tries -= 1;
        match answer.code() {
            // A message that signs nobody in sets no cookie to check.
            _ if answer.is_ok() && !matches!(kind, EnvelopeKind::Login | EnvelopeKind::Signup) => return Ok(()),
            _ if answer.is_ok() => return if session::kept().await? { Ok(()) } else { Err(PostError::NoCookies) },
            Some(Code::ShortKeyExpired | Code::ShortKeyMismatch | Code::DeviceMismatch) if tries > 0 => {}
            Some(Code::AlreadyReceived) => return arrived_before(answer).await,
            _ if retry_budget.waits(&answer).await => tries += 1,
            _ => return Err(refusal(&answer)),
        }
    }
}

/// Posts like [`sealed_post`], and again after a fresh proof if the server demands one. `None`: the page goes to sign-in
/// for that.
#[cfg(any(feature = "ssr", feature = "private"))]
pub(crate) async fn post_with_proof(
    kind: EnvelopeKind,
    path: &str,
    plaintext: &[u8],
    sealed: impl Fn(),
) -> Option<Result<(), PostError>> {
    let answer = sealed_post(kind, path, plaintext, &sealed).await;
    let proofs = match &answer {
        Err(PostError::Problem(problem)) if problem.code == Code::InsufficientUserAuthentication => {
            problem.proofs.clone()
        }
        _ => return Some(answer),
    };
    match fresh_proof::ask(proofs).await {
        Some(true) => Some(sealed_post(kind, path, plaintext, &sealed).await),
        Some(false) => Some(answer),
        None => {
            page::sign_in(session::CONFIRM);
            None
        }
    }
}

/// Asks for a passkey, and posts its assertion as a fresh proof of the person. `None`: the person has cancelled it.
///
/// The passkey signs the hash of the message's own `short_key`, so the message is not sealed again with another one.
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub(crate) async fn confirm_by_passkey() -> Option<Result<(), PostError>> {
    let (keys, challenge) = join(keys::keys(), challenge(&mut RetryBudget::default())).await;
    let challenge = match challenge {
        Ok(challenge) => challenge,
        Err(error) => return Some(Err(error)),
    };
    let assertion = passkeys::prove(&challenge.short_key).await?;
    let plaintext = ["{\"passkey\":", &assertion, "}"].concat();
    Some(post_confirmation(&challenge, keys.as_ref(), plaintext.as_bytes()).await)
}

#[cfg(any(feature = "ssr", feature = "signed-in"))]
async fn post_confirmation(
    challenge: &Challenge,
    keys: Option<&keys::DeviceKeys>,
    plaintext: &[u8],
) -> Result<(), PostError> {
    let (kind, path) = (EnvelopeKind::Confirmation, paths::CONFIRM);
    let body = sealing::seal(kind, challenge, keys, plaintext).ok_or(PostError::Broken)?;
    let proof = match keys {
        Some(keys) => dpop::proof(keys, "POST", path, Some(&challenge.short_key), challenge.now).await,
        None => None,
    };
    let answer = fetch::send("POST", path, Some(&body), proof.as_deref()).await?;
    if answer.is_ok() { Ok(()) } else { Err(refusal(&answer)) }
}

/// Encrypts the assertion of a passkey and posts it once. Its challenge is not replaced by another, because the passkey
/// has signed it.
#[cfg(any(feature = "ssr", feature = "login"))]
pub(crate) async fn post_assertion(challenge: &Challenge, assertion: &str) -> Result<(), PostError> {
    let (kind, path, keys) = (EnvelopeKind::Passkey, paths::PASSKEY_LOGIN, keys::keys().await);
    let body = sealing::seal(kind, challenge, keys.as_ref(), assertion.as_bytes()).ok_or(PostError::Broken)?;
    let proof = match &keys {
        Some(keys) => dpop::proof(keys, "POST", path, Some(&challenge.short_key), challenge.now).await,
        None => None,
    };
    let answer = fetch::send("POST", path, Some(&body), proof.as_deref()).await?;
    match answer.code() {
        _ if answer.is_ok() => {
            if session::kept().await? {
                Ok(())
            } else {
                Err(PostError::NoCookies)
            }
        }
        Some(Code::AlreadyReceived) => arrived_before(answer).await,
        _ => Err(refusal(&answer)),
    }
}

async fn challenge(retry_budget: &mut RetryBudget) -> Result<Challenge, PostError> {
    loop {
        let answer = fetch::get(paths::CHALLENGE).await?;
        if answer.is_ok() {
            return answer.challenge().ok_or(PostError::Broken);
        }
        if !retry_budget.waits(&answer).await {
            return Err(refusal(&answer));
        }
    }
}

/// The remaining time that the form may wait automatically, in seconds. It waits for a busy server, and for a short ban
/// caused by another person behind the same address. After that the person decides.
#[derive(Debug)]
struct RetryBudget(u64);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(90)
    }
}

impl RetryBudget {
    /// Maximum length of a ban that the form waits for, in seconds. A longer ban is shown with its countdown.
    const SHORT_BAN: u64 = 3;

    /// Waits as long as the answer says, if waiting helps and there is time left.
    async fn waits(&mut self, answer: &FetchResponse) -> bool {
        let Some(problem) = answer.problem() else { return false };
        let Some(seconds) = problem.retry_after else { return false };
        let helps = match problem.code {
            Code::Busy => true,
            Code::Banned => seconds <= Self::SHORT_BAN,
            _ => false,
        };
        // At least a second each time, because an answer without a wait would be repeated endlessly.
        let seconds = seconds.max(1);
        if !helps || seconds > self.0 {
            return false;
        }
        self.0 -= seconds;
        clock::sleep(i32::try_from(seconds * 1000).unwrap_or(i32::MAX)).await;
        true
    }
}

/// Handles a message that the browser repeated after the connection broke. The first one counts, and may still be in
/// progress.
async fn arrived_before(answer: FetchResponse) -> Result<(), PostError> {
    for _ in 0..3 {
        if fetch::get(paths::SESSION).await?.is_ok() {
            return Ok(());
        }
        clock::sleep(1_000).await;
    }
    Err(refusal(&answer))
}

pub fn refusal(answer: &FetchResponse) -> PostError {
    answer.problem().map_or(PostError::Broken, |problem| PostError::Problem(Box::new(problem)))
}
