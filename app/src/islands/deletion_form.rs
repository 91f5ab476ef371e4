use super::facts;
use super::form::{Alert, FormHandle, FormStep, PasswordField, Submit, wake};
use crate::browser::passkey_managers::AccountSignals;
use crate::browser::sealed_post::post_with_proof;
use crate::browser::{api, page};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::envelope::EnvelopeKind;
use wire::password::Deletion;
use wire::paths;
use zeroize::Zeroizing;

/// The form that deletes the person's own account.
#[island]
pub fn DeletionForm() -> impl IntoView {
    wake(|form| form.set_step(FormStep::Ready));
    view! {
        <form class="form" method="post" on:submit=submit>
            <Alert />
            // Password managers learn whose password it is.
            <input type="text" autocomplete="username" value=facts::username() readonly hidden />
            <PasswordField label="Your password" autocomplete="current-password" described_by="caps" />
            <Submit label="Delete account" />
        </form>
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: SubmitEvent) {
    event.prevent_default();
    let Some(form) = FormHandle::find() else { return };
    let Some(field) = form.input("#password") else { return };
    if !form.start() {
        return;
    }
    form.show_password(false);
    let plaintext = Zeroizing::new(serde_json::to_vec(&Deletion { password: field.value() }).unwrap_or_default());
    spawn_local(async move {
        match api::call("GET", paths::SESSION, None).await {
            Ok(answer) if answer.status == 401 => return,
            _ => {}
        }
        let managers = AccountSignals::load().await;
        let sealed = || form.set_step(FormStep::Checking);
        let Some(answer) = post_with_proof(EnvelopeKind::Deletion, paths::ACCOUNT_DELETE, &plaintext, sealed).await
        else {
            return;
        };
        match answer {
            Ok(()) => {
                if let Some(managers) = managers {
                    managers.tell_deleted().await;
                }
                page::go(&[paths::LOGIN_PAGE, "?why=deleted"].concat());
            }
            Err(refused) => form.refused(&refused),
        }
    });
}
