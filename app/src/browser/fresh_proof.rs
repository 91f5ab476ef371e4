//! The wait for a fresh proof of the person, which a request needs (RFC 9470). The page stays unchanged meanwhile.

use futures::channel::oneshot::{Sender, channel};
use std::cell::RefCell;

type Open = Box<dyn Fn(Vec<String>)>;

thread_local! {
    /// The function that opens the dialog for these kinds of proof.
    static OPEN: RefCell<Option<Open>> = const { RefCell::new(None) };
    /// The requests that wait. One proof serves all of them.
    static WAITING: RefCell<Vec<Sender<bool>>> = const { RefCell::new(Vec::new()) };
}

/// Registers the page's dialog.
pub(crate) fn register(open: impl Fn(Vec<String>) + 'static) {
    OPEN.set(Some(Box::new(open)));
}

/// Whether the dialog can ask for one of these kinds. A passkey is proven on the sign-in page, and nobody uses up a recovery
/// code instead of it.
fn can_ask(proofs: &[String]) -> bool {
    let has = |kind: &str| proofs.iter().any(|proof| proof == kind);
    has("password") || has("totp") || (has("recovery_code") && !has("passkey"))
}

/// Asks the person, and waits for the answer: whether the proof was given. `None`: this page has no dialog for that.
pub(crate) async fn ask(proofs: Vec<String>) -> Option<bool> {
    if !can_ask(&proofs) || OPEN.with_borrow(Option::is_none) {
        return None;
    }
    let (sender, receiver) = channel();
    let first = WAITING.with_borrow_mut(|waiting| {
        waiting.push(sender);
        waiting.len() == 1
    });
    if first {
        OPEN.with_borrow(|open| {
            if let Some(open) = open {
                open(proofs);
            }
        });
    }
    Some(receiver.await.unwrap_or(false))
}

/// Answers every request that waits.
pub(crate) fn finish(proven: bool) {
    for waiting in WAITING.take() {
        // Its page may have been left.
        let _ = waiting.send(proven);
    }
}
