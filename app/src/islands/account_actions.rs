use super::act::{FAILED, NO_ANSWER, done, show};
use super::busy_until_alive;
use super::confirm_dialog::ConfirmDialog;
use super::one_time_link::OneTimeLink;
use crate::browser::fetch::{FetchResponse, Unreachable};
use crate::browser::{api, page};
use domain::bidi::isolated;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::account::AccountChange;
use wire::paths;

const MAILED: &str = "A link that sets a new password is on its way to the account's address.";
const NOT_MAILED: &str = "The link was not mailed, because this address has reached its limit for this hour.";

/// Says why no link was made.
fn say_why(failed: Result<FetchResponse, Unreachable>) {
    let Ok(answer) = failed else { return page::say(NO_ANSWER) };
    page::say(&answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.title));
}

/// Returns the question before an account's role changes, its explanation, and the label of the button that changes it.
fn role_question(administrator: bool, name: &str) -> (String, &'static str, &'static str) {
    if administrator {
        (
            ["Take the administrator role from ", name, "?"].concat(),
            "The account stays, and can no longer manage this site.",
            "Remove role",
        )
    } else {
        (
            ["Make ", name, " an administrator?"].concat(),
            "Administrators can change and delete every account, and manage bans, clients and keys.",
            "Make administrator",
        )
    }
}

/// An administrator's actions on an account.
#[island]
pub fn AccountActions(
    id: String,
    name: String,
    administrator: bool,
    disabled: bool,
    /// Whether a link can be mailed to the account's address.
    mail: bool,
) -> impl IntoView {
    let busy = busy_until_alive();
    let link = OneTimeLink::new();
    let (question, granting, closing) = (ConfirmDialog::new(), ConfirmDialog::new(), ConfirmDialog::new());
    let path = StoredValue::new([paths::USERS, "/", &id].concat());
    let send = move |method: &'static str, body: Option<String>, label: &'static str| {
        busy.set(true);
        spawn_local(async move {
            busy.set(show(api::call(method, &path.get_value(), body.as_deref()).await, &done(label)));
        });
    };
    let change = move |request: AccountChange, label| send("PATCH", serde_json::to_string(&request).ok(), label);
    let other_role = if administrator { "user" } else { "administrator" };
    let (role_label, disable_label) =
        (if administrator { "Remove admin" } else { "Make admin" }, if disabled { "Enable" } else { "Disable" });
    let set_role =
        move || change(AccountChange { role: Some(other_role.to_owned()), ..AccountChange::default() }, role_label);
    let set_disabled =
        move || change(AccountChange { disabled: Some(!disabled), ..AccountChange::default() }, disable_label);
    // Nothing is lost by enabling an account.
    let close_or_open = move |_| if disabled { set_disabled() } else { closing.ask() };
    let reset = move |_| {
        busy.set(true);
        spawn_local(async move {
            match api::call("POST", &(path.get_value() + "/reset"), Some("{}")).await {
                Ok(answer) if answer.is_ok() => link.show(answer.text("link").unwrap_or_default()),
                Ok(answer) if answer.status == 401 => return,
                failed => say_why(failed),
            }
            busy.set(false);
        });
    };
    let mail_link = move |_| {
        busy.set(true);
        spawn_local(async move {
            match api::call("POST", &(path.get_value() + "/reset"), Some(r#"{"mail":true}"#)).await {
                Ok(answer) if answer.is_ok() && answer.object("mailed").as_bool() == Some(true) => page::say(MAILED),
                Ok(answer) if answer.is_ok() => page::say(NOT_MAILED),
                Ok(answer) if answer.status == 401 => return,
                failed => say_why(failed),
            }
            busy.set(false);
        });
    };
    let name = isolated(&name);
    let about = |verb: &str| [verb, " ", &name].concat();
    let (role_question, role_about, role_yes) = role_question(administrator, &name);
    view! {
        <div class="choices">
            <button class="button plain" type="button" disabled=busy aria-label=about("Reset password for") on:click=reset>
                "Reset password"
            </button>
            {mail
                .then(|| {
                    view! {
                        <button class="button plain" type="button" disabled=busy aria-label=about("Mail a reset link to") on:click=mail_link>
                            "Mail reset link"
                        </button>
                    }
                })}
            <button class="button plain" type="button" disabled=busy aria-label=[role_label, ": ", &name].concat() on:click=move |_| granting.ask()>
                {role_label}
            </button>
            <button class="button plain" type="button" disabled=busy aria-label=about(disable_label) on:click=close_or_open>
                {disable_label}
            </button>
            <button class="button danger" type="button" disabled=busy aria-label=about("Delete") on:click=move |_| question.ask()>
                "Delete"
            </button>
        </div>
        {granting.view(role_question, role_about, ["Cancel".to_owned(), role_yes.to_owned()], false, set_role)}
        {(!disabled)
            .then(|| {
                closing
                    .view(
                        ["Disable ", &name, "?"].concat(),
                        "The account is signed out everywhere, and nobody can sign in to it until it is enabled again.",
                        ["Cancel".to_owned(), "Disable account".to_owned()],
                        false,
                        set_disabled,
                    )
            })}
        {question
            .view(
                ["Delete ", &name, "?"].concat(),
                "The account is signed out everywhere and its name becomes available again. Only an id without a name \
                 stays in the audit log. This cannot be undone.",
                ["Keep account".to_owned(), "Delete account".to_owned()],
                true,
                move || send("DELETE", None, "Delete account"),
            )}
        {link
            .view(
                ["A new password for ", &name].concat(),
                "Give this link to the owner of the account. It sets a new password once, within an hour, and signs \
                 the account out everywhere. It is shown only now.",
            )}
    }
}
