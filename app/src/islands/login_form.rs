use super::facts;
use super::form::{Alert, FormHandle, FormStep, PasswordField, Submit, wake};
use crate::browser::passkey_sign_in::{self, Outcome};
use crate::browser::sealed_post::{PostError, sealed_post};
use crate::browser::{clock, page, passkeys};
use crate::text::refusal;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::Code;
use wire::envelope::EnvelopeKind;
use wire::login::Credentials;
use wire::paths;
use zeroize::Zeroizing;

/// The sign-in form. Before hydration its button is disabled and its password field has no name, so that the password
/// cannot be sent in plain text.
#[island]
pub fn LoginForm() -> impl IntoView {
    wake(|form| {
        page::carry_fragment();
        if let Some((left, incident)) = facts::closed() {
            let until = clock::now() + left;
            form.say(&refusal::closed(Some(&clock::local_time(until)), &incident));
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
    view! {
        <form class="form" method="post" on:submit=submit>
            <Alert />
            <label for="username">"Name"</label>
            <input
                id="username"
                name="username"
                autocomplete="username webauthn"
                autocapitalize="none"
                spellcheck="false"
                autofocus
                required
            />
            <PasswordField autocomplete="current-password" described_by="caps" />
            <label for="code">
                "One-time code" <span class="hint">" (if your account has one)"</span>
            </label>
            <input
                id="code"
                autocomplete="one-time-code"
                autocapitalize="off"
                spellcheck="false"
                maxlength="40"
            />
            <Submit label="Sign in" />
            <button id="passkey" class="button plain wide" type="button" hidden on:click=move |_| with_passkey()>
                "Sign in with a passkey"
            </button>
            <p id="unbound" class="hint"></p>
        </form>
    }
}

/// Offers passkeys in the name's field.
fn offer(form: FormHandle) {
    spawn_local(passkey_sign_in::offer(move |outcome| finish(&form, outcome)));
}

/// Asks for a passkey, whether or not guesses have closed the way with a password.
fn with_passkey() {
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
fn submit(event: SubmitEvent) {
    event.prevent_default();
    let Some(form) = FormHandle::find() else { return };
    let (Some(name), Some(password)) = (form.input("#username"), form.input("#password")) else { return };
    let Some(code) = form.input("#code") else { return };
    if !form.start() {
        return;
    }
    form.show_password(false);
    let given = Some(code.value()).filter(|code| !code.is_empty());
    let typed = Credentials { username: name.value().trim().to_owned(), password: password.value(), code: given };
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
                let missing =
                    matches!(&refused, PostError::Problem(problem) if problem.code == Code::SecondFactorRequired);
                let field = if missing { &code } else { &password };
                let _ = field.focus();
                field.select();
            }
        }
    });
}
