use super::aside::carry_fragment;
use super::facts;
use super::form::{FormHandle, FormStep, local_time, wake};
use crate::browser::passkey_sign_in::{self, Outcome};
use crate::browser::sealed_post::{PostError, sealed_post};
use crate::browser::{clock, page, passkeys};
use crate::text::refusal;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Event;
use wire::Code;
use wire::envelope::EnvelopeKind;
use wire::login::Credentials;
use wire::paths;
use zeroize::Zeroizing;

/// Hydrates the sign-in form of its page. The server renders the form alone, because code that renders it again would
/// add to the time that people wait for the page.
#[island]
pub fn LoginForm() -> impl IntoView {
    wake(|form| {
        carry_fragment();
        form.on("submit", submit);
        form.on_part("#passkey", "click", with_passkey);
        if let Some((left, incident)) = facts::closed() {
            let until = clock::now() + left;
            form.say(&refusal::closed(Some(&local_time(until)), &incident));
            form.pause(until);
        } else {
            form.set_step(FormStep::Ready);
        }
        form.warn_unbound();
        if passkeys::supported() {
            if let Some(button) = form.part("#passkey") {
                // Fails only for an invalid name.
                let _ = button.remove_attribute("hidden");
            }
            offer(form);
        }
    });
}

/// Offers passkeys in the name's field.
fn offer(form: FormHandle) {
    spawn_local(passkey_sign_in::offer(move |outcome| finish(&form, outcome)));
}

/// Asks for a passkey, even if sign-in with a password is blocked after wrong guesses. It also completes a pending
/// sign-in that needs a passkey.
fn with_passkey(_: Event) {
    let Some(form) = FormHandle::find() else { return };
    spawn_local(async move {
        let outcome = passkey_sign_in::sign_in(false).await;
        let over = !matches!(outcome, Outcome::SignedIn);
        finish(&form, outcome);
        if over {
            offer(form);
        }
    });
}

fn finish(form: &FormHandle, outcome: Outcome) {
    match outcome {
        Outcome::SignedIn => page::go(&page::next()),
        Outcome::Refused(refused) => form.refused(&refused),
        Outcome::Cancelled | Outcome::Expired => {}
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: Event) {
    event.prevent_default();
    let Some(form) = FormHandle::find() else { return };
    let (Some(name), Some(password)) = (form.input("#username"), form.input("#password")) else { return };
    let Some(code) = form.input("#code") else { return };
    if !form.start() {
        return;
    }
    form.show_password(false);
    passkeys::note_filled(&password);
    let given = Some(code.value()).filter(|code| !code.is_empty());
    let remember = form.input("#remember").is_some_and(|remember| remember.checked());
    let username = name.value().trim().to_owned();
    let typed = Credentials { username, password: password.value(), code: given, remember, factor: facts::factor() };
    let plaintext = Zeroizing::new(serde_json::to_vec(&typed).unwrap_or_default());
    spawn_local(async move {
        let sealed = || form.set_step(FormStep::Checking);
        match sealed_post(EnvelopeKind::Login, paths::LOGIN, &plaintext, sealed).await {
            Ok(()) => {
                password.set_value("");
                page::go(&page::next());
            }
            Err(refused) => {
                form.refused(&refused);
                code.set_value("");
                let waits = match &refused {
                    PostError::Problem(problem) if problem.code == Code::SecondFactorRequired => Some(problem),
                    _ => None,
                };
                if waits.is_some_and(|problem| passkey_sign_in::finishes(problem)) {
                    // The strongest one that the account has. Its button can be pressed with Enter.
                    form.focus("#passkey");
                    return;
                }
                let field = if waits.is_some() { &code } else { &password };
                let _ = field.focus();
                field.select();
            }
        }
    });
}
