use crate::components::When;
use crate::text::{trigger, wait};
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::bans::Ban;
use wire::paths;

/// One ban in a list, with a form that lifts it while it is in force.
#[component]
pub fn BanCard(now: i64, ban: Ban) -> impl IntoView {
    let Ban { id, incident, address, scope, trigger, reason, evidence, since, until, in_force, made_by, .. } = ban;
    let scope = if in_force { trigger::scope(&scope) } else { trigger::past_scope(&scope) };
    let end = match ban.lifted_at {
        Some(at) => {
            let by = named(ban.lifted_by.unwrap_or_default());
            view! { "lifted by " {by} " " <When now at /> }.into_any()
        }
        None if in_force => view! { <Countdown now until /> }.into_any(),
        None => view! { "expired " <When now at=until /> }.into_any(),
    };
    let lift = in_force.then(|| view! { <Lift id address=address.clone() /> });
    view! {
        <li class="device ban">
            <div>
                <h3 class="figures">{address} " " <span class="badge">{trigger::name(&trigger).to_owned()}</span></h3>
                <p><bdi>{reason}</bdi> {(!evidence.is_empty()).then(|| view! { <span class="quiet">" Evidence: " <bdi>{evidence}</bdi> "."</span> })}</p>
                <p class="small quiet">
                    {scope} " \u{b7} " {end} " \u{b7} since " <When now at=since /> " by " {named(made_by)}
                    " \u{b7} incident " <code>{incident}</code>
                </p>
                {ban.lift_reason.map(|reason| view! { <p class="small quiet">"Reason for lifting: " <bdi>{reason}</bdi></p> })}
            </div>
            {lift}
        </li>
    }
}

/// Returns a text for authors that are not people.
pub fn named(by: String) -> String {
    if matches!(by.as_str(), "engine" | "command line") { format!("the {by}") } else { isolated(&by) }
}

/// The remaining time, counted down by the browser.
#[component]
pub fn Countdown(now: i64, until: i64) -> impl IntoView {
    view! {
        <span class="figures" data-until=until.to_string()>
            {wait::span(until - now)}
        </span>
        " left"
    }
}

#[component]
fn Lift(id: String, address: String) -> impl IntoView {
    let path = format!("{}/{id}", paths::BANS);
    let field = format!("why-{id}");
    let done = format!("{}?done=lifted", paths::BANS_PAGE);
    view! {
        <details class="act">
            <summary class="button plain" aria-label=format!("Lift the bans on {address}")>
                "Lift"
            </summary>
            <form method="post" action=path data-method="DELETE" data-done=done class="form">
                <label for=field.clone()>"Reason"</label>
                <input id=field name="reason" maxlength="200" required />
                <button class="button danger" type="submit" disabled>
                    "Lift ban"
                </button>
            </form>
        </details>
    }
}
