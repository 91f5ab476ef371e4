use super::facts;
use super::form::{Alert, Face, PasswordField, Step, Strength, Submit, judge, wake};
use crate::browser::page;
use crate::browser::sealed_post::sealed_post;
use crate::words::refusal;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::RefCell;
use wire::envelope::Kind;
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
    wake(|face| {
        let code = page::take_fragment("code");
        if code.is_none() {
            face.say(refusal::NO_LINK);
            return;
        }
        CODE.set(code);
        face.set_step(Step::Ready);
    });
    view! {
        <form class="form" method="post" on:submit=submit on:input=move |_| judge()>
            <Alert />
            <PasswordField label="New password" autocomplete="new-password" described_by="strength caps" />
            <Strength />
            <Submit label="Set password" />
        </form>
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of an event handler")]
fn submit(event: SubmitEvent) {
    event.prevent_default();
    let Some(face) = Face::find() else { return };
    let Some(password) = face.new_password(facts::password_min()) else { return };
    if !face.start() {
        return;
    }
    face.show_password(false);
    let wish = PasswordReset { code: CODE.with_borrow(Clone::clone).unwrap_or_default(), password };
    let plaintext = Zeroizing::new(serde_json::to_vec(&wish).unwrap_or_default());
    spawn_local(async move {
        let sealed = || face.set_step(Step::Checking);
        match sealed_post(Kind::Reset, paths::RESET, &plaintext, sealed).await {
            Ok(()) => page::go(&[paths::LOGIN_PAGE, "?why=password_set"].concat()),
            Err(refused) => face.refused(&refused),
        }
    });
}
