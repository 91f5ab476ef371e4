//! Sign-in with a passkey: in the name's field while the page is open, or by the button.

use crate::browser::fetch;
use crate::browser::sealed_post::{self, PostError};
use crate::browser::{clock, passkeys};
use leptos::task::spawn_local;
use std::cell::{Cell, RefCell};
use web_sys::AbortController;
use wire::{Problem, paths};

/// Interval at which the offer in the name's field is renewed, before its challenge ends.
const RENEW_MS: i32 = 540_000;

thread_local! {
    /// The request in progress. There can be only one, so a new one ends it.
    static PENDING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    /// The number of the newest request.
    static NEWEST: Cell<u32> = const { Cell::new(0) };
    /// The secret of a sign-in whose password was right, and which the next passkey finishes.
    static WAITING: Cell<Option<String>> = const { Cell::new(None) };
}

/// Whether a passkey can finish this sign-in here. Then the next one that is asked for by the button does.
pub fn finishes(problem: &Problem) -> bool {
    let possible = passkeys::supported() && problem.proofs.iter().any(|kind| kind == "passkey");
    WAITING.set(problem.pending.clone().filter(|_| possible));
    possible
}

/// The end of a request.
#[derive(Debug)]
pub enum Outcome {
    SignedIn,
    /// Nobody picked a passkey, or another request took its place.
    Cancelled,
    /// The challenge of an offer has ended.
    Expired,
    Refused(PostError),
}

/// Ends the request in progress and asks for one assertion.
pub async fn sign_in(autofill: bool) -> Outcome {
    let number = begin();
    run(autofill, number).await.unwrap_or_else(Outcome::Refused)
}

/// Offers passkeys in the name's field as long as the page is open. Calls `done` when one was picked, or another
/// request has ended the offer.
pub async fn offer(done: impl Fn(Outcome)) {
    if !passkeys::can_autofill().await {
        return;
    }
    loop {
        match sign_in(true).await {
            Outcome::Expired => {}
            outcome => return done(outcome),
        }
    }
}

/// Ends the request in progress, and returns the number of a new one.
fn begin() -> u32 {
    if let Some(pending) = PENDING.take() {
        pending.abort();
    }
    NEWEST.set(NEWEST.get() + 1);
    NEWEST.get()
}

fn is_newest(number: u32) -> bool {
    NEWEST.get() == number
}

async fn run(autofill: bool, number: u32) -> Result<Outcome, PostError> {
    let answer = fetch::get(paths::PASSKEY_CHALLENGE).await?;
    if !answer.is_ok() {
        return Err(sealed_post::refusal(&answer));
    }
    let challenge = answer.challenge().ok_or(PostError::Broken)?;
    let controller = AbortController::new().map_err(|_| PostError::Broken)?;
    if !is_newest(number) {
        return Ok(Outcome::Cancelled);
    }
    PENDING.set(Some(controller.clone()));
    if autofill {
        let renewed = controller.clone();
        spawn_local(async move {
            clock::sleep(RENEW_MS).await;
            renewed.abort();
        });
    }
    let options = answer.object("options");
    let waiting = if autofill { None } else { WAITING.take() };
    let Ok(assertion) = passkeys::get(&options, autofill, waiting.as_deref(), &controller.signal()).await else {
        let expired = controller.signal().aborted() && is_newest(number);
        return Ok(if expired { Outcome::Expired } else { Outcome::Cancelled });
    };
    PENDING.take();
    sealed_post::post_assertion(&challenge, &assertion).await.map(|()| Outcome::SignedIn)
}
