use super::facts;
use super::form::{Alert, FormHandle, FormStep, PasswordField, Strength, Submit, judge, wake};
use crate::browser::sealed_post::post_with_proof;
use crate::browser::{api, page};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::envelope::EnvelopeKind;
use wire::password::PasswordChange;
use wire::paths;
use zeroize::Zeroizing;

/// The form that changes the person's own password.
#[island]
pub fn PasswordForm() -> impl IntoView {
    wake(|form| form.set_step(FormStep::Ready));
    view! {
        <form class="form" method="post" on:submit=submit>
            <Alert />
            // Password managers learn whose password it is.
            <input type="text" autocomplete="username" value=facts::username() readonly hidden />
            <label for="old">"Current password"</label>
            <input id="old" type="password" autocomplete="current-password" autocapitalize="off" required />
            <PasswordField label="New password" autocomplete="new-password" described_by="strength caps" />
            <Strength />
            <Submit label="Change password" />
        </form>
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: SubmitEvent) {
    event.prevent_default();
    let Some(form) = FormHandle::find() else { return };
    let (Some(old), Some(new)) = (form.input("#old"), form.input("#password")) else { return };
    let Some(password) = form.new_password(facts::password_min()) else { return };
    if !form.start() {
        return;
    }
    form.show_password(false);
    let request = PasswordChange { old: old.value(), new: password };
    let plaintext = Zeroizing::new(serde_json::to_vec(&request).unwrap_or_default());
    spawn_local(async move {
        // The session may have expired while the person typed. It is renewed here, or the page goes to sign-in.
        match api::call("GET", paths::SESSION, None).await {
            Ok(answer) if answer.status == 401 => return,
            _ => {}
        }
        let sealed = || form.set_step(FormStep::Checking);
        let Some(answer) = post_with_proof(EnvelopeKind::Password, paths::PASSWORD, &plaintext, sealed).await else {
            return;
        };
        match answer {
            Ok(()) => {
                old.set_value("");
                new.set_value("");
                judge();
                form.set_step(FormStep::Ready);
                if let Some(place) = page::by_id("changed") {
                    place.set_text_content(Some("Your password was changed. All your other sessions have ended."));
                }
            }
            Err(refused) => form.refused(&refused),
        }
    });
}
