use super::busy_until_alive;
use super::confirm_dialog::ConfirmDialog;
use crate::browser::fetch::{FetchResponse, Unreachable};
use crate::browser::{api, page};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

/// A request that changes something, with its texts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ConfirmedAction {
    pub method: String,
    pub path: String,
    pub body: String,
    pub label: String,
    /// The button's name for screen readers; the label, if empty.
    pub spoken: String,
    pub title: String,
    pub about: String,
    pub no: String,
    pub yes: String,
}

/// A button that asks for confirmation. The page shows the result afterwards.
#[island]
pub fn Act(action: ConfirmedAction) -> impl IntoView {
    let busy = busy_until_alive();
    let question = ConfirmDialog::new();
    let ConfirmedAction { method, path, body, label, spoken, title, about, no, yes } = action;
    let spoken = (!spoken.is_empty()).then_some(spoken);
    let destructive = method == "DELETE";
    let class = if destructive { "button danger" } else { "button plain" };
    let done = StoredValue::new(done(&yes));
    let request = StoredValue::new((method, path, body));
    let act = move || {
        busy.set(true);
        spawn_local(async move {
            let (method, path, body) = request.get_value();
            let body = Some(body.as_str()).filter(|body| !body.is_empty());
            let answer = api::call(&method, &path, body).await;
            busy.set(done.with_value(|done| show(answer, done)));
        });
    };
    view! {
        <button class=class type="button" disabled=busy aria-label=spoken on:click=move |_| question.ask()>
            {label}
        </button>
        {question.view(title, about, [no, yes], destructive, act)}
    }
}

/// Returns the result of an action for the next page.
pub(super) fn done(label: &str) -> String {
    ["Done: ", label, "."].concat()
}

pub(super) const FAILED: &str = "That did not work, and nothing was changed. Try again.";
pub(super) const NO_ANSWER: &str = "This site did not answer, so it is not certain whether that was done. Check your \
                                    connection, then reload the page and look.";

/// Shows the result of a request: the updated page, which says `done`, or the error. `true`: a navigation has started, so
/// buttons keep waiting.
pub(super) fn show(answer: Result<FetchResponse, Unreachable>, done: &str) -> bool {
    match answer {
        // Another person did it already, which is a success.
        Ok(answer) if answer.is_ok() || answer.status == 404 => page::reload_saying(done),
        // The page is navigating to sign-in.
        Ok(answer) if answer.status == 401 => {}
        Ok(answer) => {
            page::say(&answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.title));
            return false;
        }
        Err(_) => {
            page::say(NO_ANSWER);
            return false;
        }
    }
    true
}
