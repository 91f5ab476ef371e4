use super::facts;
use super::form::{Alert, FormHandle, FormStep, PasswordField, Submit, wake};
use crate::browser::sealed_post::sealed_post;
use crate::browser::{clock, page};
use crate::text::refusal;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
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
    });
    view! {
        <form class="form" method="post" on:submit=submit>
            <Alert />
            <label for="username">"Name"</label>
            <input
                id="username"
                name="username"
                autocomplete="username"
                autocapitalize="none"
                spellcheck="false"
                autofocus
                required
            />
            <PasswordField autocomplete="current-password" described_by="caps" />
            <Submit label="Sign in" />
            <p id="unbound" class="hint"></p>
        </form>
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: SubmitEvent) {
    event.prevent_default();
    let Some(form) = FormHandle::find() else { return };
    let (Some(name), Some(password)) = (form.input("#username"), form.input("#password")) else { return };
    if !form.start() {
        return;
    }
    form.show_password(false);
    let typed = Credentials { username: name.value().trim().to_owned(), password: password.value(), code: None };
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
                let _ = password.focus();
                password.select();
            }
        }
    });
}
