use super::act::FAILED;
use crate::browser::fresh_proof::OfferedProofs;
use crate::browser::sealed_post::{PostError, confirm_by_passkey, sealed_post};
use crate::browser::{api, fresh_proof};
use crate::text::{no_answer, refusal};
use leptos::ev::SubmitEvent;
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::envelope::EnvelopeKind;
use wire::paths;
use wire::problem::Code;
use wire::second_factor::IdentityConfirmation;
use zeroize::Zeroizing;

/// The message if the browser returns no passkey: the person has cancelled it, or has none here.
const NO_PASSKEY: &str = "No passkey was used. Try again.";
const TOO_LATE: &str = "That took too long. Try again.";

/// The dialog that asks for a fresh proof of the person: the password, a passkey or a code. Then the request is sent
/// again, and the page keeps the text that the person typed.
///
/// It is on the page from the start, because the page's policy (Trusted Types) lets no script make markup.
#[island]
pub fn ProveAgain() -> impl IntoView {
    let (field, dialog) = (NodeRef::<Input>::new(), NodeRef::<Dialog>::new());
    // The field is visible from the start, because the browser gives the focus to nothing that is hidden.
    let most_often = OfferedProofs { password: true, ..OfferedProofs::default() };
    let (offered, busy, said) = (RwSignal::new(most_often), RwSignal::new(false), RwSignal::new(String::new()));
    Effect::new(move |_| {
        fresh_proof::register(move |proofs| {
            offered.set(proofs);
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
    let done = move |proven: Result<(), String>| match proven {
        Ok(()) => {
            fresh_proof::finish(true);
            close();
        }
        Err(reason) => {
            said.set(reason);
            busy.set(false);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let secret = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        busy.set(true);
        said.set(String::new());
        spawn_local(async move { done(prove(!offered.get_untracked().password, secret).await) });
    };
    let with_passkey = move |_| {
        busy.set(true);
        said.set(String::new());
        spawn_local(async move { done(prove_by_passkey().await) });
    };
    let either =
        move |code: &'static str, password: &'static str| move || if offered.get().password { password } else { code };
    view! {
        <dialog node_ref=dialog aria-labelledby="prove-again" on:close=closed>
            <h2 id="prove-again">"Confirm that it is you"</h2>
            <form on:submit=submit>
                <p>{move || question(offered.get())} " Then Postern continues with what you were doing."</p>
                <p hidden=move || !offered.get().passkey>
                    <button class="button" type="button" disabled=busy on:click=with_passkey>
                        "Use a passkey"
                    </button>
                </p>
                <div hidden=move || !offered.get().typed()>
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
                </div>
                <p class:warning-line=move || !said.get().is_empty() role="alert">
                    {said}
                </p>
                <div class="choices">
                    <button class="button plain" type="button" on:click=move |_| close()>
                        "Cancel"
                    </button>
                    <button class="button" type="submit" disabled=busy hidden=move || !offered.get().typed()>
                        "Confirm"
                    </button>
                </div>
            </form>
        </dialog>
    }
}

/// Returns what the person is asked for.
fn question(offered: OfferedProofs) -> &'static str {
    match (offered.passkey, offered.totp, offered.recovery_code) {
        _ if offered.password => "Enter your password.",
        (true, true, _) => "Use a passkey, or enter the code of your authenticator app or a recovery code.",
        (true, false, true) => "Use a passkey, or enter a recovery code.",
        (true, false, false) => "Use a passkey.",
        (false, ..) => "Enter the code of your authenticator app, or a recovery code.",
    }
}

/// Renews a session that has expired while the person looked at the dialog.
async fn stay_signed_in() -> Result<(), String> {
    match api::call("GET", paths::SESSION, None).await {
        Ok(answer) if answer.is_ok() => Ok(()),
        _ => Err(FAILED.to_owned()),
    }
}

/// Asks the browser for a passkey, and sends its assertion, sealed.
async fn prove_by_passkey() -> Result<(), String> {
    stay_signed_in().await?;
    match confirm_by_passkey().await {
        Some(answer) => said_of(answer),
        None => Err(NO_PASSKEY.to_owned()),
    }
}

/// Sends what the person typed, sealed.
async fn prove(by_code: bool, secret: String) -> Result<(), String> {
    stay_signed_in().await?;
    let given = if by_code {
        IdentityConfirmation { password: None, code: Some(secret), passkey: None }
    } else {
        IdentityConfirmation { password: Some(secret), code: None, passkey: None }
    };
    let plaintext = Zeroizing::new(serde_json::to_vec(&given).unwrap_or_default());
    said_of(sealed_post(EnvelopeKind::Confirmation, paths::CONFIRM, &plaintext, || {}).await)
}

/// Returns the message for a refusal.
fn said_of(answer: Result<(), PostError>) -> Result<(), String> {
    match answer {
        Ok(()) => Ok(()),
        Err(PostError::Problem(problem)) if problem.code == Code::ShortKeyExpired => Err(TOO_LATE.to_owned()),
        Err(PostError::Problem(problem)) if problem.code == Code::WrongCredentials => {
            Err(refusal::WRONG_PASSWORD.to_owned())
        }
        Err(PostError::Problem(problem)) => Err(problem.title),
        Err(PostError::Unreachable) => Err(no_answer::UNREACHABLE.to_owned()),
        Err(_) => Err(FAILED.to_owned()),
    }
}
