use super::aside::carry_fragment;
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
use wire::paths;
use wire::signup::NewAccount;
use zeroize::Zeroizing;

thread_local! {
    /// The set-up link's code; it is secret, so it is removed from the page.
    static CODE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Connects the form that creates an account and signs in with it.
#[island]
pub fn SignupForm() -> impl IntoView {
    wake(|form| {
        form.on("submit", submit);
        form.warn_unbound();
        // The fragment of an app's URL is not a code.
        let elsewhere = page::fact("next").is_some_and(|next| next != paths::DASHBOARD_PAGE);
        let code = if elsewhere { None } else { fragment::take("code") };
        carry_fragment();
        match page::fact("needs").as_deref() {
            Some("setup") if code.is_none() => return form.say(link::NO_CODE),
            Some("invitation") if code.is_none() => return form.say(link::NO_INVITATION),
            _ => {}
        }
        CODE.set(code);
        form.set_step(FormStep::Ready);
    });
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: Event) {
    event.prevent_default();
    let Some(form) = FormHandle::find() else { return };
    let (Some(name), Some(field)) = (form.input("#username"), form.input("#password")) else { return };
    let Some(password) = form.new_password(facts::password_min()) else { return };
    if !form.start() {
        return;
    }
    form.show_password(false);
    let username = name.value().trim().to_owned();
    let account = NewAccount { username, password, code: CODE.with_borrow(Clone::clone) };
    let plaintext = Zeroizing::new(serde_json::to_vec(&account).unwrap_or_default());
    spawn_local(async move {
        let sealed = || form.set_step(FormStep::Checking);
        match sealed_post(EnvelopeKind::Signup, paths::SIGNUP, &plaintext, sealed).await {
            Ok(()) => {
                field.set_value("");
                page::go(&page::next());
            }
            Err(refused) => form.refused(&refused),
        }
    });
}
