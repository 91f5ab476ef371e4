use super::form::{Alert, Face, PasswordField, Step, Submit, wake};
use crate::browser::sealed_post::sealed_post;
use crate::browser::{api, page};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::envelope::Kind;
use wire::password::Deletion;
use wire::paths;
use zeroize::Zeroizing;

/// The form that deletes the person's own account.
#[island]
pub fn DeletionForm() -> impl IntoView {
    wake(|face| face.set_step(Step::Ready));
    view! {
        <form class="form" method="post" on:submit=submit>
            <Alert />
            <PasswordField label="Your password" autocomplete="current-password" described_by="caps" />
            <Submit label="Delete account" />
        </form>
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: SubmitEvent) {
    event.prevent_default();
    let Some(face) = Face::find() else { return };
    let Some(field) = face.input("#password") else { return };
    if !face.start() {
        return;
    }
    face.show_password(false);
    let plaintext = Zeroizing::new(serde_json::to_vec(&Deletion { password: field.value() }).unwrap_or_default());
    spawn_local(async move {
        match api::call("GET", paths::SESSION, None).await {
            Ok(answer) if answer.status == 401 => return,
            _ => {}
        }
        let sealed = || face.set_step(Step::Checking);
        match sealed_post(Kind::Deletion, paths::ACCOUNT_DELETE, &plaintext, sealed).await {
            Ok(()) => page::go(&[paths::LOGIN_PAGE, "?why=deleted"].concat()),
            Err(refused) => face.refused(&refused),
        }
    });
}
