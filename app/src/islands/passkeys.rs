use super::act::{FAILED, NO_ANSWER, done};
use super::busy_until_alive;
use super::confirm_dialog::ConfirmDialog;
use super::saved_codes::SavedCodes;
use crate::browser::fetch::FetchResponse;
use crate::browser::passkey_managers::{Registered, register, tell_managers};
use crate::browser::{api, page, passkeys};
use domain::bidi::isolated;
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::passkeys::PasskeyChange;
use wire::paths;

/// The button that makes a passkey in this browser. The account may get recovery codes with it, which are shown once.
#[island]
pub fn AddPasskey() -> impl IntoView {
    let busy = RwSignal::new(true);
    let missing = RwSignal::new(false);
    let codes = RwSignal::new(String::new());
    // Effects run in the browser only, after hydration.
    Effect::new(move |_| {
        let supported = passkeys::supported();
        busy.set(!supported);
        missing.set(!supported);
    });
    let add = move |_| {
        busy.set(true);
        show_message("");
        spawn_local(async move {
            busy.set(match register(false).await {
                Ok(Registered::Yes(made)) => {
                    tell_managers().await;
                    if made.is_empty() {
                        page::reload_saying(&done("Add a passkey"));
                    }
                    codes.set(made);
                    true
                }
                Ok(Registered::Already) => {
                    show_failure("The chosen passkey manager has a passkey for this account already.")
                }
                Ok(Registered::Cancelled) => show_failure("No passkey was added."),
                Ok(Registered::Refused(answer)) if answer.status == 401 && answer.code().is_none() => true,
                Ok(Registered::Refused(answer)) => refused(&answer),
                Err(_) => show_failure(NO_ANSWER),
            });
        });
    };
    view! {
        <p class="quiet" hidden=move || !missing.get()>
            "This browser offers no passkeys here. They need a current browser, and the page must be opened with https."
        </p>
        <p>
            <button class="button" type="button" disabled=busy on:click=add>
                "Add a passkey"
            </button>
        </p>
        <SavedCodes codes />
    }
}

/// Shows a message; the button can be used again.
fn show_failure(text: &str) -> bool {
    show_message(text);
    false
}

fn refused(answer: &FetchResponse) -> bool {
    let problem = answer.problem();
    show_failure(&problem.map_or_else(|| FAILED.to_owned(), |problem| problem.detail.unwrap_or(problem.title)))
}

/// Shows a message in this section; the form next to it has its own.
fn show_message(text: &str) {
    if let Some(place) = page::by_id("passkeys-said") {
        place.set_text_content(Some(text));
    }
}

/// The warning before the last one is removed.
const LAST: &str = " It is your last one. If your account or an app needs a passkey, you have to add another one before \
                    you continue there.";

/// The actions on one passkey: another name, and removal. `last`: the account has no other one.
#[island]
pub fn PasskeyActions(id: String, label: String, last: bool) -> impl IntoView {
    let busy = busy_until_alive();
    let (removal, naming) = (ConfirmDialog::new(), ConfirmDialog::new());
    let field = NodeRef::<Input>::new();
    let path = StoredValue::new([paths::PASSKEYS, "/", &id].concat());
    let send = move |method: &'static str, body: Option<String>| {
        busy.set(true);
        spawn_local(async move {
            busy.set(match api::call(method, &path.get_value(), body.as_deref()).await {
                // Another device did it already, which is a success.
                Ok(answer) if answer.is_ok() || answer.status == 404 => {
                    tell_managers().await;
                    page::reload_saying(&done(if method == "DELETE" { "Remove passkey" } else { "Rename passkey" }));
                    true
                }
                // The page is navigating to sign-in.
                Ok(answer) if answer.status == 401 => true,
                Ok(answer) => refused(&answer),
                Err(_) => show_failure(NO_ANSWER),
            });
        });
    };
    let rename = move || {
        let label = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        send("PATCH", serde_json::to_string(&PasskeyChange { label }).ok());
    };
    // Enter in the field does what the button does.
    let enter = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            naming.close();
            rename();
        }
    };
    let shown = isolated(&label);
    let about = |verb: &str| [verb, ": ", &shown].concat();
    view! {
        <div class="choices">
            <button class="button plain" type="button" disabled=busy aria-label=about("Rename") on:click=move |_| naming.ask()>
                "Rename"
            </button>
            <button class="button danger" type="button" disabled=busy aria-label=about("Remove") on:click=move |_| removal.ask()>
                "Remove"
            </button>
        </div>
        {naming
            .view(
                ["Rename ", &shown].concat(),
                view! {
                    <label>
                        <span>"New name"</span>
                        <input node_ref=field maxlength="64" value=label.clone() on:keydown=enter />
                    </label>
                },
                ["Keep name".to_owned(), "Rename".to_owned()],
                false,
                rename,
            )}
        {removal
            .view(
                ["Remove ", &shown, "?"].concat(),
                [
                    "You can no longer sign in with it. Your passkey manager removes it, if it supports that.",
                    if last { LAST } else { "" },
                ]
                    .concat(),
                ["Keep passkey".to_owned(), "Remove passkey".to_owned()],
                true,
                move || send("DELETE", None),
            )}
    }
}
