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

/// The dialog that asks for the password or a code when a request needs a fresh proof of the person. Then the request is
/// sent again, and the page keeps what the person typed.
#[island]
pub fn ProveAgain() -> impl IntoView {
    // Whether it asks for a code instead of the password. `None`: it is closed.
    let asks = RwSignal::new(None::<bool>);
    Effect::new(move |_| {
        fresh_proof::register(move |proofs| asks.set(Some(!proofs.iter().any(|proof| proof == "password"))));
    });
    view! { {move || asks.get().map(|by_code| dialog(by_code, asks))} }
}

fn dialog(by_code: bool, asks: RwSignal<Option<bool>>) -> impl IntoView {
    let (field, dialog) = (NodeRef::<Input>::new(), NodeRef::<Dialog>::new());
    let (busy, said) = (RwSignal::new(false), RwSignal::new(String::new()));
    dialog.on_load(|dialog| {
        // Fails only if it is open already.
        let _ = dialog.show_modal();
    });
    let close = move |proven| {
        asks.set(None);
        fresh_proof::finish(proven);
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let secret = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        busy.set(true);
        said.set(String::new());
        spawn_local(async move {
            match prove(by_code, secret).await {
                Ok(()) => close(true),
                Err(reason) => {
                    said.set(reason);
                    busy.set(false);
                }
            }
        });
    };
    let (about, label, complete) = if by_code {
        ("Enter the code of your authenticator app, or a recovery code.", "Code", "one-time-code")
    } else {
        ("Enter your password.", "Your password", "current-password")
    };
    view! {
        <dialog node_ref=dialog aria-labelledby="prove-again" on:close=move |_| close(false)>
            <h2 id="prove-again">"Confirm that it is you"</h2>
            <form on:submit=submit>
                <p>{about} " What you were doing continues by itself."</p>
                <label for="proof">{label}</label>
                <input
                    id="proof"
                    node_ref=field
                    type=if by_code { "text" } else { "password" }
                    autocomplete=complete
                    autocapitalize="off"
                    spellcheck="false"
                    required
                    autofocus
                />
                <p class="odd-line" role="alert">{said}</p>
                <div class="choices">
                    <button class="button plain" type="button" on:click=move |_| close(false)>
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
