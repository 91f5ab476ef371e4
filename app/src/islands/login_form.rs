use super::facts;
use super::form::{Alert, Face, PasswordField, Step, Submit, wake};
use crate::browser::sealed_post::sealed_post;
use crate::browser::{clock, page};
use crate::words::refusal;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::envelope::Kind;
use wire::login::Credentials;
use wire::paths;
use zeroize::Zeroizing;

/// The sign-in form. Before hydration its button is disabled and its password field has no name, so that the password
/// cannot be sent in plain text.
#[island]
pub fn LoginForm() -> impl IntoView {
    wake(|face| {
        page::carry_fragment();
        if let Some((left, incident)) = facts::closed() {
            let until = clock::now() + left;
            face.say(&refusal::closed(Some(&clock::local_time(until)), &incident));
            face.pause(until);
        } else {
            face.set_step(Step::Ready);
        }
        face.warn_unbound();
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
    let Some(face) = Face::find() else { return };
    let (Some(name), Some(password)) = (face.input("#username"), face.input("#password")) else { return };
    if !face.start() {
        return;
    }
    face.show_password(false);
    let typed = Credentials { username: name.value().trim().to_owned(), password: password.value() };
    let plaintext = Zeroizing::new(serde_json::to_vec(&typed).unwrap_or_default());
    spawn_local(async move {
        let sealed = || face.set_step(Step::Checking);
        match sealed_post(Kind::Login, paths::LOGIN, &plaintext, sealed).await {
            Ok(()) => {
                password.set_value("");
                page::go(&page::next());
            }
            Err(refused) => {
                face.refused(&refused);
                let _ = password.focus();
                password.select();
            }
        }
    });
}
