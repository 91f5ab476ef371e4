use super::busy_until_alive;
use crate::browser::{api, page};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Two buttons that send an answer of the page and open the URL in the response. An answer without a body goes back to
/// the dashboard.
#[island]
pub fn Decide(yes: String, no: String) -> impl IntoView {
    let busy = busy_until_alive();
    let send = move |name: &'static str| {
        busy.set(true);
        spawn_local(async move { busy.set(answer(name).await) });
    };
    view! {
        <div class="buttons">
            <button class="button" type="button" disabled=busy on:click=move |_| send("yes")>
                {yes}
            </button>
            <button class="button plain" type="button" disabled=busy on:click=move |_| send("no")>
                {no}
            </button>
        </div>
    }
}

/// Sends an answer. `true`: a navigation has started, so buttons keep waiting.
async fn answer(name: &str) -> bool {
    let (path, body) = (page::fact("path").unwrap_or_default(), page::fact(name).unwrap_or_default());
    if body.is_empty() {
        page::go(wire::paths::DASHBOARD_PAGE);
        return true;
    }
    match api::call("POST", &path, Some(&body)).await {
        Ok(answer) if answer.status == 401 => true,
        Ok(answer) => match answer.text("location") {
            Some(location) => {
                page::go(&location);
                true
            }
            None => {
                let said = answer.problem().map(|problem| problem.detail.unwrap_or(problem.title));
                page::say(&said.unwrap_or_else(|| super::act::FAILED.to_owned()));
                false
            }
        },
        Err(_) => {
            page::say(super::act::NO_ANSWER);
            false
        }
    }
}
