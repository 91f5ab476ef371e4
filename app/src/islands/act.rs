use super::busy_until_alive;
use super::question::Question;
use crate::browser::fetch::{Answer, Unreachable};
use crate::browser::{api, page};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

/// One request that changes something, and the words around it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Action {
    pub method: String,
    pub path: String,
    pub body: String,
    pub label: String,
    /// What the button is called for those who hear it without its surroundings; the label, if empty.
    pub spoken: String,
    pub title: String,
    pub about: String,
    pub no: String,
    pub yes: String,
}

/// A button that asks before it acts. The page shows afterwards what has become of it.
#[island]
pub fn Act(action: Action) -> impl IntoView {
    let busy = busy_until_alive();
    let question = Question::new();
    let Action { method, path, body, label, spoken, title, about, no, yes } = action;
    let spoken = (!spoken.is_empty()).then_some(spoken);
    let grave = method == "DELETE";
    let class = if grave { "button danger" } else { "button plain" };
    let request = StoredValue::new((method, path, body));
    let act = move || {
        busy.set(true);
        spawn_local(async move {
            let (method, path, body) = request.get_value();
            let body = Some(body.as_str()).filter(|body| !body.is_empty());
            busy.set(show(api::call(&method, &path, body).await));
        });
    };
    view! {
        <button class=class type="button" disabled=busy aria-label=spoken on:click=move |_| question.ask()>
            {label}
        </button>
        {question.view(title, about, [no, yes], grave, act)}
    }
}

pub const FAILED: &str = "That did not work, and nothing was changed. Try again.";

/// Shows what has become of a request: the page as it is now, or why nothing was changed. `true`: another
/// page is on its way, so buttons go on waiting.
pub fn show(answer: Result<Answer, Unreachable>) -> bool {
    match answer {
        // Somebody else did it already: it is done all the same.
        Ok(answer) if answer.is_ok() || answer.status == 404 => page::reload(),
        // The page of sign-in is on its way.
        Ok(answer) if answer.status == 401 => {}
        Ok(answer) => {
            page::say(&answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.title));
            return false;
        }
        Err(_) => {
            page::say(FAILED);
            return false;
        }
    }
    true
}
