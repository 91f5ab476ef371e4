use super::act::FAILED;
use crate::browser::sealed_post::{PostError, sealed_post};
use crate::browser::{api, fresh_proof};
use leptos::ev::SubmitEvent;
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::envelope::EnvelopeKind;
use wire::paths;
use wire::second_factor::IdentityConfirmation;
use zeroize::Zeroizing;

/// The dialog that asks for the password or a code when a request needs a fresh proof of the person. Then the request
/// is sent again, and the page keeps what the person typed.
///
/// It is on the page from the start, because the page's policy (Trusted Types) lets no script make markup.
#[island]
pub fn ProveAgain() -> impl IntoView {
    let (field, dialog) = (NodeRef::<Input>::new(), NodeRef::<Dialog>::new());
    let (by_code, busy, said) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(String::new()));
    Effect::new(move |_| {
        fresh_proof::register(move |proofs| {
            by_code.set(!proofs.iter().any(|proof| proof == "password"));
            if let Some(dialog) = dialog.get_untracked() {
                // Fails only if it is open already.
                let _ = dialog.show_modal();
            }
        });
    });
    let empty = move || {
        if let Some(field) = field.get_untracked() {
            field.set_value("");
        }
        said.set(String::new());
        busy.set(false);
    };
    // Also called after Escape. A proof that was given has been reported before.
    let closed = move |_| {
        empty();
        fresh_proof::finish(false);
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let secret = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        busy.set(true);
        said.set(String::new());
        spawn_local(async move {
            match prove(by_code.get_untracked(), secret).await {
                Ok(()) => {
                    fresh_proof::finish(true);
                    close();
                }
                Err(reason) => {
                    said.set(reason);
                    busy.set(false);
                }
            }
        });
    };
    let either = move |code: &'static str, password: &'static str| move || if by_code.get() { code } else { password };
    view! {
        <dialog node_ref=dialog aria-labelledby="prove-again" on:close=closed>
            <h2 id="prove-again">"Confirm that it is you"</h2>
            <form on:submit=submit>
                <p>
                    {either("Enter the code of your authenticator app, or a recovery code.", "Enter your password.")}
                    " What you were doing continues by itself."
                </p>
                <label for="proof">{either("Code", "Your password")}</label>
                <input
                    id="proof"
                    node_ref=field
                    type=either("text", "password")
                    autocomplete=either("one-time-code", "current-password")
                    autocapitalize="off"
                    spellcheck="false"
                    required
                    autofocus
                />
                <p class="odd-line" role="alert">
                    {said}
                </p>
                <div class="choices">
                    <button class="button plain" type="button" on:click=move |_| close()>
                        "Cancel"
                    </button>
                    <button class="button" type="submit" disabled=busy>
                        "Confirm"
                    </button>
                </div>
            </form>
        </dialog>
    }
}

/// Sends the proof, sealed.
async fn prove(by_code: bool, secret: String) -> Result<(), String> {
    // The session may have expired while the person typed.
    match api::call("GET", paths::SESSION, None).await {
        Ok(answer) if answer.is_ok() => {}
        _ => return Err(FAILED.to_owned()),
    }
    let given = if by_code {
        IdentityConfirmation { password: None, code: Some(secret) }
    } else {
        IdentityConfirmation { password: Some(secret), code: None }
    };
    let plaintext = Zeroizing::new(serde_json::to_vec(&given).unwrap_or_default());
    match sealed_post(EnvelopeKind::Confirmation, paths::CONFIRM, &plaintext, || {}).await {
        Ok(()) => Ok(()),
        Err(PostError::Problem(problem)) => Err(problem.title),
        Err(_) => Err(FAILED.to_owned()),
    }
}
