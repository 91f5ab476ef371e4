use super::busy_until_alive;
use crate::browser::fetch::{FetchResponse, Unreachable};
use crate::browser::{api, page};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::paths;
use wire::second_factor::FirstCode;

const FAILED: &str = "That did not work, and nothing was changed. Try again.";

/// A generator of one-time codes that waits for its first code.
#[derive(Debug, Clone, Default)]
struct Waiting {
    id: String,
    secret: String,
    qr: String,
}

/// Sets up one-time codes, and makes recovery codes, which are shown once.
#[island]
pub fn SecondFactorForm(enrolled: bool) -> impl IntoView {
    let busy = busy_until_alive();
    let waiting = RwSignal::new(Waiting::default());
    let codes = RwSignal::new(String::new());
    let field = NodeRef::<Input>::new();
    let begin = move |_| {
        busy.set(true);
        spawn_local(async move {
            if let Some(answer) = taken(api::call("POST", paths::TOTP, Some("{}")).await) {
                let text = |name| answer.text(name).unwrap_or_default();
                waiting.set(Waiting { id: text("id"), secret: text("secret"), qr: text("qr") });
            }
            busy.set(false);
        });
    };
    let confirm = move |event: SubmitEvent| {
        event.prevent_default();
        let code = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let first = FirstCode { id: waiting.with_untracked(|waiting| waiting.id.clone()), code };
        let body = serde_json::to_string(&first).unwrap_or_default();
        busy.set(true);
        spawn_local(async move {
            if let Some(answer) = taken(api::call("POST", paths::CONFIRM_TOTP, Some(&body)).await) {
                show(&answer, codes);
            }
            busy.set(false);
        });
    };
    let again = move |_| {
        busy.set(true);
        spawn_local(async move {
            if let Some(answer) = taken(api::call("POST", paths::RECOVERY_CODES, Some("{}")).await) {
                show(&answer, codes);
            }
            busy.set(false);
        });
    };
    let label = if enrolled { "Set up on another device" } else { "Set up one-time codes" };
    let is_waiting = move || waiting.with(|waiting| !waiting.id.is_empty()) && codes.with(String::is_empty);
    view! {
        <div class="choices" hidden=move || is_waiting() || !codes.with(String::is_empty)>
            <button class="button plain" type="button" disabled=busy on:click=begin>
                {label}
            </button>
            {enrolled
                .then(|| {
                    view! {
                        <button class="button plain" type="button" disabled=busy on:click=again>
                            "New recovery codes"
                        </button>
                    }
                })}
        </div>
        <form class="form" hidden=move || !is_waiting() on:submit=confirm>
            <p>"Scan this picture with an authenticator app, or type the secret into it."</p>
            <div class="qr" inner_html=move || waiting.with(|waiting| waiting.qr.clone())></div>
            <p class="small figures secret">{move || waiting.with(|waiting| waiting.secret.clone())}</p>
            <label for="first-code">"The six digits that the app shows"</label>
            <input
                id="first-code"
                node_ref=field
                autocomplete="one-time-code"
                inputmode="numeric"
                maxlength="7"
                spellcheck="false"
                required
            />
            <button class="button" type="submit" disabled=busy>
                "Turn on"
            </button>
        </form>
        <div hidden=move || codes.with(String::is_empty)>
            <p>
                "Save these recovery codes where you will find them without this device. Each signs you in once in place of \
                 a one-time code. They are shown only now."
            </p>
            <pre class="figures recovery-codes">{codes}</pre>
            <div class="choices">
                <button class="button plain" type="button" on:click=move |_| page::print()>
                    "Print"
                </button>
                <button class="button" type="button" on:click=move |_| page::reload()>
                    "Done"
                </button>
            </div>
        </div>
    }
}

/// Returns an answer that was a success; otherwise says why it was none.
fn taken(answer: Result<FetchResponse, Unreachable>) -> Option<FetchResponse> {
    match answer {
        Ok(answer) if answer.is_ok() => {
            page::say("");
            return Some(answer);
        }
        Ok(answer) => page::say(&answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.title)),
        Err(_) => page::say(FAILED),
    }
    None
}

/// Shows the recovery codes of an answer, or the updated page if it has none.
fn show(answer: &FetchResponse, codes: RwSignal<String>) {
    let made = answer.texts("recovery_codes").join("\n");
    if made.is_empty() {
        page::reload();
    }
    codes.set(made);
}
