//! The wait for a fresh proof of the person, which a request needs (RFC 9470). The page stays unchanged meanwhile.

use crate::browser::passkeys;
use futures::channel::oneshot::{Sender, channel};
use std::cell::RefCell;

type Open = Box<dyn Fn(OfferedProofs)>;

thread_local! {
    /// The function that opens the dialog for these kinds of proof.
    static OPEN: RefCell<Option<Open>> = const { RefCell::new(None) };
    /// The requests that wait. One proof serves all of them.
    static WAITING: RefCell<Vec<Sender<bool>>> = const { RefCell::new(Vec::new()) };
}

/// Registers the page's dialog.
pub(crate) fn register(open: impl Fn(OfferedProofs) + 'static) {
    OPEN.set(Some(Box::new(open)));
}

/// The kinds of proof that the dialog offers.
#[expect(clippy::struct_excessive_bools, reason = "each is offered independently")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OfferedProofs {
    pub(crate) password: bool,
    pub(crate) totp: bool,
    pub(crate) recovery_code: bool,
    pub(crate) passkey: bool,
}

impl OfferedProofs {
    /// `passkeys`: whether this page may use them.
    fn of(proofs: &[String], passkeys: bool) -> Self {
        let has = |kind: &str| proofs.iter().any(|proof| proof == kind);
        Self {
            password: has("password"),
            totp: has("totp"),
            recovery_code: has("recovery_code"),
            passkey: passkeys && has("passkey"),
        }
    }

    /// Whether the dialog can ask for one of them. If this page cannot use the required passkey, the sign-in page
    /// explains it, so that no recovery code is wasted.
    fn can_ask(self, proofs: &[String]) -> bool {
        let needs_passkey = proofs.iter().any(|proof| proof == "passkey");
        self.password || self.totp || self.passkey || (self.recovery_code && !needs_passkey)
    }

    /// Whether the person types something.
    pub(crate) fn typed(self) -> bool {
        self.password || self.totp || self.recovery_code
    }
}

/// Asks the person, and waits for the answer: whether the proof was given. `None`: this page has no dialog for that.
pub(crate) async fn ask(proofs: Vec<String>) -> Option<bool> {
    let offered = OfferedProofs::of(&proofs, passkeys::supported());
    if !offered.can_ask(&proofs) || OPEN.with_borrow(Option::is_none) {
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
                open(offered);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialog_offers_what_this_page_can_use() {
        let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
        for (proofs, passkeys, can_ask) in [
            (kinds(&["password"]), false, true),
            (kinds(&["totp", "recovery_code"]), false, true),
            (kinds(&["recovery_code"]), false, true),
            (kinds(&["passkey"]), true, true),
            (kinds(&["passkey"]), false, false),
            (kinds(&["passkey", "recovery_code"]), true, true),
            (kinds(&["passkey", "recovery_code"]), false, false),
            (kinds(&["passkey", "totp"]), false, true),
            (kinds(&[]), true, false),
        ] {
            assert_eq!(OfferedProofs::of(&proofs, passkeys).can_ask(&proofs), can_ask, "{proofs:?} {passkeys}");
        }
        assert!(!OfferedProofs::of(&kinds(&["passkey"]), true).typed());
    }
}
