use super::facts;
use super::form::{FormHandle, FormStep, wake};
use crate::browser::sealed_post::sealed_post;
use crate::browser::{fragment, page};
use crate::text::link;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::RefCell;
use web_sys::Event;
use wire::envelope::EnvelopeKind;
use wire::password::PasswordReset;
use wire::paths;
use zeroize::Zeroizing;

thread_local! {
    /// The link's code; it is secret, so it is removed from the page.
    static CODE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The form that sets a new password with a one-time link.
#[island]
pub fn ResetForm() -> impl IntoView {
    wake(|form| {
        form.on("submit", submit);
        let code = fragment::take("code");
        if code.is_none() {
            form.say(link::NO_LINK);
            return;
        }
        CODE.set(code);
        form.set_step(FormStep::Ready);
    });
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: Event) {
    event.prevent_default();
    let Some(form) = FormHandle::find() else { return };
    let Some(password) = form.new_password(facts::password_min()) else { return };
    if !form.start() {
        return;
    }
    form.show_password(false);
    let request = PasswordReset { code: CODE.with_borrow(Clone::clone).unwrap_or_default(), password };
    let plaintext = Zeroizing::new(serde_json::to_vec(&request).unwrap_or_default());
    spawn_local(async move {
        let sealed = || form.set_step(FormStep::Checking);
        match sealed_post(EnvelopeKind::Reset, paths::RESET, &plaintext, sealed).await {
            Ok(()) => page::go(&[paths::LOGIN_PAGE, "?why=password_set"].concat()),
            Err(refused) => form.refused(&refused),
        }
    });
}
