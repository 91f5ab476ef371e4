use super::act::{FAILED, NO_ANSWER, done};
use super::busy_until_alive;
use super::saved_codes::SavedCodes;
use crate::browser::fetch::{FetchResponse, Unreachable};
use crate::browser::{api, clock, page};
use leptos::ev::SubmitEvent;
use leptos::html::{Input, P};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::paths;
use wire::second_factor::{FactorChange, FirstCode};

/// A generator of one-time codes whose first code has not been entered yet.
#[derive(Debug, Clone, Default)]
struct Waiting {
    id: String,
    secret: String,
    qr: String,
}

/// Sets up one-time codes, decides whether a password needs a passkey, and makes recovery codes, which are shown once.
/// `guarded`: whether it needs one now; `keys`: whether the account has any.
#[island]
pub fn SecondFactorForm(enrolled: bool, guarded: bool, keys: bool) -> impl IntoView {
    let busy = busy_until_alive();
    let waiting = RwSignal::new(Waiting::default());
    let codes = RwSignal::new(String::new());
    let (field, instructions) = (NodeRef::<Input>::new(), NodeRef::<P>::new());
    let begin = move |_| {
        busy.set(true);
        spawn_local(async move {
            if let Some(answer) = taken(api::call("POST", paths::TOTP, Some("{}")).await) {
                let text = |name| answer.text(name).unwrap_or_default();
                waiting.set(Waiting { id: text("id"), secret: text("secret"), qr: text("qr") });
                // The button that was pressed disappears, and the instructions appear.
                clock::sleep(0).await;
                if let Some(next) = instructions.get_untracked() {
                    let _ = next.focus();
                }
            }
            busy.set(false);
        });
    };
    // Each of these may answer with recovery codes.
    let ask = move |method: &'static str, path: &'static str, body: String| {
        busy.set(true);
        spawn_local(async move {
            if let Some(answer) = taken(api::call(method, path, Some(&body)).await) {
                show(&answer, codes);
            }
            busy.set(false);
        });
    };
    let confirm = move |event: SubmitEvent| {
        event.prevent_default();
        let code = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let first = FirstCode { id: waiting.with_untracked(|waiting| waiting.id.clone()), code };
        ask("POST", paths::CONFIRM_TOTP, serde_json::to_string(&first).unwrap_or_default());
    };
    let again = move |_| ask("POST", paths::RECOVERY_CODES, "{}".to_owned());
    let guard = move |_| {
        let change = FactorChange { passkey_after_password: !guarded };
        ask("PATCH", paths::SECOND_FACTORS, serde_json::to_string(&change).unwrap_or_default());
    };
    let guard_label =
        if guarded { "Stop asking for a passkey after the password" } else { "Ask for a passkey after the password" };
    let label = if enrolled { "Set up on another device" } else { "Set up one-time codes" };
    let is_waiting = move || waiting.with(|waiting| !waiting.id.is_empty()) && codes.with(String::is_empty);
    view! {
        <div class="choices" hidden=move || is_waiting() || !codes.with(String::is_empty)>
            <button class="button plain" type="button" disabled=busy on:click=begin>
                {label}
            </button>
            {(keys || guarded)
                .then(|| {
                    view! {
                        <button class="button plain" type="button" disabled=busy on:click=guard>
                            {guard_label}
                        </button>
                    }
                })}
            {(enrolled || keys)
                .then(|| {
                    view! {
                        <button class="button plain" type="button" disabled=busy on:click=again>
                            "New recovery codes"
                        </button>
                    }
                })}
        </div>
        <form class="form" hidden=move || !is_waiting() on:submit=confirm>
            <p node_ref=instructions tabindex="-1">
                "Scan this picture with an authenticator app, or type the secret into it."
            </p>
            {picture(waiting)}
            <p class="small figures secret">{move || waiting.with(|waiting| groups(&waiting.secret))}</p>
            <label for="first-code">"The six digits that the app shows"</label>
            <input
                id="first-code"
                node_ref=field
                autocomplete="one-time-code"
                inputmode="numeric"
                maxlength="20"
                spellcheck="false"
                required
            />
            <button class="button" type="submit" disabled=busy>
                "Turn on"
            </button>
        </form>
        <SavedCodes codes />
    }
}

/// Shows a secret in groups of four, with line breaks between them. The gaps are no characters, so a copy has no blanks.
fn groups(secret: &str) -> impl IntoView + use<> {
    let letters: Vec<char> = secret.chars().collect();
    let group = |four: &[char]| {
        view! {
            <span>{four.iter().collect::<String>()}</span>
            <wbr />
        }
    };
    letters.chunks(4).map(group).collect_view()
}

/// Draws the picture that the server made. The page's policy (Trusted Types) lets no script make markup, but attributes
/// may change.
fn picture(waiting: RwSignal<Waiting>) -> impl IntoView {
    let value = move |name: &str| waiting.with(|waiting| last_value(&waiting.qr, name));
    view! {
        <div class="qr">
            <svg
                class="code"
                role="img"
                aria-label="QR code for your authenticator app"
                viewBox=move || Some(value("viewBox")).filter(|sides| !sides.is_empty())
                shape-rendering="crispEdges"
            >
                <path fill="#fff" d="M0 0h999v999H0z"></path>
                <path d=move || value("d")></path>
            </svg>
        </div>
    }
}

/// Returns the value of the last attribute of this name in a picture of the server.
fn last_value(svg: &str, name: &str) -> String {
    let values = svg.rsplit_once(&[" ", name, "=\""].concat()).and_then(|(_, rest)| rest.split('"').next());
    values.unwrap_or_default().to_owned()
}

/// Returns a successful answer; otherwise shows the reason.
fn taken(answer: Result<FetchResponse, Unreachable>) -> Option<FetchResponse> {
    match answer {
        Ok(answer) if answer.is_ok() => {
            say("");
            return Some(answer);
        }
        Ok(answer) => say(&answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.title)),
        Err(_) => say(NO_ANSWER),
    }
    None
}

/// Shows a message in this section, because the page may be long.
fn say(text: &str) {
    if let Some(place) = page::by_id("factors-said") {
        place.set_text_content(Some(text));
    }
}

/// Shows the recovery codes of an answer, or the updated page if it has none.
fn show(answer: &FetchResponse, codes: RwSignal<String>) {
    let made = answer.texts("recovery_codes").join("\n");
    if made.is_empty() {
        page::reload_saying(&done("Change second factor"));
    }
    codes.set(made);
}
