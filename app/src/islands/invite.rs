use super::act::NO_ANSWER;
use super::busy_until_alive;
use super::one_time_link::OneTimeLink;
use crate::browser::{api, page};
use leptos::ev::SubmitEvent;
use leptos::html::{Input, Select};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::account::NewInvitation;
use wire::paths;

/// Creates an invitation.
#[island]
pub fn Invite(site: String, mail: bool) -> impl IntoView {
    let busy = busy_until_alive();
    let link = OneTimeLink::new();
    let (note, role, hours) = (NodeRef::<Input>::new(), NodeRef::<Select>::new(), NodeRef::<Select>::new());
    let email = NodeRef::<Input>::new();
    let invite = move |event: SubmitEvent| {
        event.prevent_default();
        let request = NewInvitation {
            note: note.get_untracked().map(|field| field.value()).unwrap_or_default(),
            role: role.get_untracked().map(|field| field.value()).unwrap_or_default(),
            email: email.get_untracked().map(|field| field.value()).unwrap_or_default(),
            hours: hours.get_untracked().and_then(|field| field.value().parse().ok()).unwrap_or_default(),
        };
        busy.set(true);
        spawn_local(async move {
            let body = serde_json::to_string(&request).unwrap_or_default();
            match api::call("POST", paths::INVITATIONS, Some(&body)).await {
                Ok(answer) if answer.is_ok() => {
                    if answer.object("mailed").as_bool() == Some(false) {
                        page::say(NOT_MAILED);
                    }
                    link.show(answer.text("link").unwrap_or_default());
                }
                Ok(answer) if answer.status == 401 => return,
                Ok(answer) => page::say(&answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.title)),
                Err(_) => page::say(NO_ANSWER),
            }
            busy.set(false);
        });
    };
    view! {
        <form class="panel row-form" on:submit=invite>
            <div>
                <label for="note">"Note" <span class="hint">" (seen by administrators)"</span></label>
                <input id="note" node_ref=note maxlength="100" autocomplete="off" />
            </div>
            {mail
                .then(|| {
                    view! {
                        <div>
                            <label for="email">"Mail the link to" <span class="hint">" (optional)"</span></label>
                            <input id="email" type="email" node_ref=email maxlength="254" autocomplete="off" spellcheck="false" />
                        </div>
                    }
                })}
            <div>
                <label for="role">"Role"</label>
                <select id="role" node_ref=role>
                    <option value="user">"User"</option>
                    <option value="administrator">"Administrator"</option>
                </select>
            </div>
            <div>
                <label for="hours">"Valid for"</label>
                <select id="hours" node_ref=hours>
                    <option value="24">"1 day"</option>
                    <option value="168" selected>
                        "1 week"
                    </option>
                    <option value="720">"30 days"</option>
                </select>
            </div>
            <button class="button" type="submit" disabled=busy>
                "Create invitation"
            </button>
        </form>
        {link
            .view(
                format!("You are invited to {site}"),
                "Open this link to create your account. It works once, until it expires. It is shown only now.",
            )}
    }
}

const NOT_MAILED: &str =
    "The link was not mailed, because this address has reached its limit for this hour. Give it to the person.";
const FAILED: &str = "That did not work, and no invitation was created. Try again.";
