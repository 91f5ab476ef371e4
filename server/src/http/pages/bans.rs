//! `/dashboard/bans`, for administrators.

use crate::flows::{self, paging};
use crate::http::ApiError;
use crate::http::bans::BanQuery;
use crate::http::page_request::PageRequest;
use crate::http::request;
use app::Content;
use app::components::{BanCard, Countdown, More, Options, When, named, owned};
use app::islands::Forms;
use app::text::{trigger, wait};
use app::view::Site;
use domain::ban::Trigger;
use leptos::prelude::*;
use serde::Deserialize;
use wire::allowlist::Allowed;
use wire::bans::{Ban, Bans, Explanation};
use wire::paths;

const SPANS: [(&str, &str); 6] = [
    ("15m", "15 minutes"),
    ("1h", "1 hour"),
    ("1d", "1 day"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    ("365d", "1 year"),
];

#[derive(Debug, Clone)]
struct BansView {
    /// The search text as typed.
    word: String,
    trigger: String,
    /// `active`, `over` or `all`.
    state: String,
    bans: Bans,
    /// The address to explain, as typed, and the answer.
    asked: String,
    explanation: Option<Result<Explanation, String>>,
    allowed: Vec<Allowed>,
    /// The entry after which the next part of the allowlist begins.
    more_allowed: Option<String>,
    /// Whether the allowlist was just changed, or a further part of it was asked for.
    allowlist_open: bool,
    /// The triggers of bans.
    triggers: Vec<&'static str>,
    /// The action that was just done.
    done: Option<BansOutcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BansOutcome {
    Made,
    Lifted,
    Allowed,
    Removed,
}

/// Parameters besides the filter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BansPageQuery {
    explain: String,
    done: String,
    /// The last network of the allowlist's previous part.
    allowed_after: String,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let Some(actor) = request.actor() else { return Ok(None) };
    let (store, now) = (actor.store, actor.now);
    let mut filter: BanQuery = request::query(request.uri).unwrap_or_default();
    let asked: BansPageQuery = request::query(request.uri).unwrap_or_default();
    if !matches!(filter.state.as_str(), "over" | "all") {
        "active".clone_into(&mut filter.state);
    }
    if Trigger::parse(&filter.trigger).is_none() {
        filter.trigger.clear();
    }
    let shown = filter.state.clone();
    if filter.state == "all" {
        filter.state.clear();
    }
    let search = filter.search(actor.config.settings.ipv6_prefix, now)?;
    let explanation = match asked.explain.trim() {
        "" => None,
        address => match flows::bans::explain(&actor, address).await {
            Err(flows::bans::BanError::Store(error)) => return Err(error.into()),
            answer => Some(answer.map_err(|error| format!("{error}."))),
        },
    };
    let allowed = flows::allowlist::list(store, now).await?.allowed;
    let (allowed, more_allowed) = paging::page(allowed, |allowed| &allowed.id, &asked.allowed_after);
    let view = BansView {
        bans: flows::bans::list(store, &search).await?,
        word: filter.word,
        trigger: filter.trigger,
        state: shown,
        asked: asked.explain,
        explanation,
        allowed,
        more_allowed,
        allowlist_open: matches!(asked.done.as_str(), "allowed" | "removed") || !asked.allowed_after.is_empty(),
        triggers: Trigger::ALL.iter().map(|trigger| trigger.as_str()).collect(),
        done: match asked.done.as_str() {
            "made" => Some(BansOutcome::Made),
            "lifted" => Some(BansOutcome::Lifted),
            "allowed" => Some(BansOutcome::Allowed),
            "removed" => Some(BansOutcome::Removed),
            _ => None,
        },
    };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: BansView) -> impl IntoView {
    let now = site.now;
    let BansView {
        word,
        trigger,
        state,
        bans,
        asked,
        explanation,
        allowed,
        more_allowed,
        allowlist_open,
        triggers,
        done,
    } = view;
    let said = match done {
        Some(BansOutcome::Made) => "The address is banned.",
        Some(BansOutcome::Lifted) => "The ban was lifted.",
        Some(BansOutcome::Allowed) => "The network is on the allowlist.",
        Some(BansOutcome::Removed) => "The network was removed from the allowlist.",
        None => "Banned addresses, and the reasons.",
    };
    let more = bans.next.map(|next| {
        let query = [("word", &word), ("trigger", &trigger), ("state", &state), ("before", &next)];
        format!("{}?{}", paths::BANS_PAGE, app::text::query::query(&query))
    });
    view! {
        <header>
            <h1 tabindex="-1">"Bans"</h1>
        </header>
        <p id="said" role="status" class="quiet">
            {said}
        </p>
        // The list may be long, so the forms are above it.
        <div class="columns">
            <NewBan />
            <Explain asked explanation now />
            <Allowlist allowed more_allowed open=allowlist_open now />
        </div>
        <Search word=word.clone() trigger=trigger.clone() state=state.clone() triggers />
        <List bans=bans.bans now filtered=!word.is_empty() || !trigger.is_empty() active=state == "active" />
        {more.map(|path| view! { <p class="link-line"><a href=path>"Older bans"</a></p> })}
        <Forms />
    }
}

#[component]
fn Search(word: String, trigger: String, state: String, triggers: Vec<&'static str>) -> impl IntoView {
    let any = [(String::new(), "Any reason".to_owned())];
    let named = triggers.into_iter().map(|word| (word.to_owned(), trigger::name(word).to_owned()));
    let states = [("active", "Active"), ("over", "Ended"), ("all", "All")];
    view! {
        <form class="form row-form filters" method="get" action=paths::BANS_PAGE role="search">
            <div>
                <label for="word">"Address or incident"</label>
                <input id="word" name="word" value=word maxlength="100" autocomplete="off" spellcheck="false" />
            </div>
            <div>
                <label for="trigger">"Reason"</label>
                <Options id="trigger" chosen=trigger options=any.into_iter().chain(named).collect() />
            </div>
            <div>
                <label for="state">"Status"</label>
                <Options id="state" chosen=state options=owned(&states) />
            </div>
            <button class="button plain" type="submit">
                "Search"
            </button>
        </form>
    }
}

#[component]
fn List(bans: Vec<Ban>, now: i64, filtered: bool, active: bool) -> impl IntoView {
    if bans.is_empty() {
        let empty = match (filtered, active) {
            (true, _) => "No ban matches. Search among all bans, or explain an address.",
            (false, true) => "No address is banned.",
            (false, false) => "No bans here yet.",
        };
        return view! { <p class="panel">{empty}</p> }.into_any();
    }
    let cards = bans.into_iter().map(|ban| view! { <BanCard now ban /> }).collect_view();
    view! {
        <section>
            <h2 class="visually-hidden">"Bans found"</h2>
            <ul class="devices">{cards}</ul>
        </section>
    }
    .into_any()
}

#[component]
fn Explain(asked: String, explanation: Option<Result<Explanation, String>>, now: i64) -> impl IntoView {
    let open = explanation.is_some();
    let answer = explanation.map(|explanation| match explanation {
        Ok(explanation) => view! { <Explained explanation now /> }.into_any(),
        Err(wrong) => view! { <p class="warning-line">{wrong}</p> }.into_any(),
    });
    view! {
        <details class="panel fold" id="explain" open=open>
            <summary>
                <h2>"Explain an address"</h2>
            </summary>
            <p class="small quiet">"Shows why an address is banned, and what would ban it next."</p>
            <form class="form" method="get" action=format!("{}#explain", paths::BANS_PAGE)>
                <label for="asked">"Address"</label>
                <input id="asked" name="explain" value=asked maxlength="100" required autocomplete="off" spellcheck="false" />
                <button class="button plain" type="submit">
                    "Explain"
                </button>
            </form>
            {answer}
        </details>
    }
}

#[component]
fn Explained(explanation: Explanation, now: i64) -> impl IntoView {
    let Explanation { address, sign_in_closed_until, everything_closed_until, allowed, bans, rules } = explanation;
    let state = match (everything_closed_until, sign_in_closed_until) {
        (Some(until), _) => view! { " is banned from everything, " <Countdown now until /> "." }.into_any(),
        (None, Some(until)) => view! { " is banned from signing in, " <Countdown now until /> "." }.into_any(),
        (None, None) if allowed.is_empty() => " is not banned.".into_any(),
        (None, None) => " is not banned, because it is on the allowlist.".into_any(),
    };
    let held = bans.into_iter().map(|ban| {
        view! { <li class="event"><bdi>{ban.reason}</bdi> " " <bdi>{ban.evidence}</bdi> " " <code>{ban.incident}</code></li> }
    });
    let rules = rules.into_iter().map(|rule| {
        let next = wait::span(i64::try_from(rule.next_seconds).unwrap_or(i64::MAX / 1000) * 1000);
        view! {
            <tr>
                <th scope="row">{trigger::name(&rule.trigger).to_owned()}</th>
                <td class="figures">{rule.strikes} " of " {rule.threshold}</td>
                <td class="figures">{next}</td>
            </tr>
        }
    });
    view! {
        <p>
            <b class="figures">{address}</b>
            {state}
        </p>
        <ul class="events">{held.collect_view()}</ul>
        <table class="small">
            <caption class="visually-hidden">"What would ban it next"</caption>
            <thead>
                <tr>
                    <th scope="col">"Rule"</th>
                    <th scope="col">"Count"</th>
                    <th scope="col">"Next ban"</th>
                </tr>
            </thead>
            <tbody>{rules.collect_view()}</tbody>
        </table>
    }
}

#[component]
fn NewBan() -> impl IntoView {
    let scopes = [("everything", "Everything"), ("sign-in", "Signing in")];
    view! {
        <details class="panel fold" id="ban">
            <summary>
                <h2>"Ban an address"</h2>
            </summary>
            <form
                class="form"
                method="post"
                action=paths::BANS
                data-method="POST"
                data-done=format!("{}?done=made", paths::BANS_PAGE)
            >
                <label for="address">"Address"</label>
                <input id="address" name="address" maxlength="100" required autocomplete="off" spellcheck="false" />
                <label for="scope">"Scope"</label>
                <Options id="scope" chosen="everything".to_owned() options=owned(&scopes) />
                <label for="for">"Duration"</label>
                <Options id="for" chosen="1d".to_owned() options=owned(&SPANS) />
                <label for="reason">"Reason"</label>
                <input id="reason" name="reason" maxlength="200" required />
                <p class="force" hidden>
                    <input id="force" name="force" type="checkbox" />
                    <label for="force">"Ban it anyway"</label>
                </p>
                <button class="button danger" type="submit" disabled>
                    "Ban address"
                </button>
            </form>
        </details>
    }
}

#[component]
fn Allowlist(
    allowed: Vec<Allowed>,
    more_allowed: Option<String>,
    /// Whether the list is visible before somebody asks for it.
    open: bool,
    now: i64,
) -> impl IntoView {
    let spans: Vec<_> = [(String::new(), "No expiry".to_owned())].into_iter().chain(owned(&SPANS)).collect();
    let empty = allowed.is_empty().then(|| view! { <p class="quiet">"No networks yet."</p> });
    let rows = allowed.into_iter().map(move |allowed| view! { <AllowedRow allowed now /> }).collect_view();
    view! {
        <details class="panel fold first" id="allowlist" open=open>
            <summary>
                <h2>"Allowlist"</h2>
            </summary>
            <p class="small quiet">"Networks that are never banned, such as your own or a monitoring service. Forged requests from them are \
                 still refused."</p>
            {empty}
            <ul class="events">{rows}</ul>
            <More path=paths::BANS_PAGE next=more_allowed name="allowed_after" label="More networks" />
            <form
                class="form row-form"
                method="post"
                action=paths::ALLOWLIST
                data-method="POST"
                data-done=format!("{}?done=allowed", paths::BANS_PAGE)
            >
                <div>
                    <label for="network">"Network or address"</label>
                    <input id="network" name="network" maxlength="100" required autocomplete="off" spellcheck="false" />
                </div>
                <div>
                    <label for="comment">"Comment"</label>
                    <input id="comment" name="comment" maxlength="200" required />
                </div>
                <div>
                    <label for="allowed-for">"Duration"</label>
                    <Options id="allowed-for" name="for" chosen=String::new() options=spans />
                </div>
                <button class="button" type="submit" disabled>
                    "Add"
                </button>
            </form>
        </details>
    }
}

#[component]
fn AllowedRow(allowed: Allowed, now: i64) -> impl IntoView {
    let Allowed { id, network, comment, expires_at, in_force, made_by, created_at } = allowed;
    let until = match expires_at {
        Some(until) if in_force => view! { <Countdown now until /> }.into_any(),
        Some(at) => view! { "expired " <When now at /> }.into_any(),
        None => "no expiry".into_any(),
    };
    let label = format!("Remove {network} from the allowlist");
    view! {
        <li class="event allowed">
            <div>
                <p>
                    <span class="figures">{network}</span>
                    " \u{b7} "
                    <bdi>{comment}</bdi>
                </p>
                <p class="small quiet">{until} " \u{b7} added by " {named(made_by)} " " <When now at=created_at /></p>
            </div>
            <form
                method="post"
                action=format!("{}/{id}", paths::ALLOWLIST)
                data-method="DELETE"
                data-done=format!("{}?done=removed", paths::BANS_PAGE)
            >
                <button class="button plain" type="submit" aria-label=label disabled>
                    "Remove"
                </button>
            </form>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::{NOW, rendered};
    use app::dashboard::DashboardPage;

    fn bans() -> BansView {
        let ban = Ban {
            id: "1".to_owned(),
            incident: "7F3K-2Q".to_owned(),
            address: "203.0.113.7".to_owned(),
            scope: "everything".to_owned(),
            trigger: "manual".to_owned(),
            reason: "<i>scans".to_owned(),
            evidence: String::new(),
            since: NOW - 60_000,
            until: NOW + 720_000,
            in_force: true,
            made_by: "<i>root".to_owned(),
            lifted_at: None,
            lifted_by: None,
            lift_reason: None,
        };
        BansView {
            word: "\"><i>".to_owned(),
            trigger: String::new(),
            state: "active".to_owned(),
            bans: Bans { bans: vec![ban], next: Some("1".to_owned()) },
            asked: "\"><i>".to_owned(),
            explanation: Some(Err("'<i>' is no address.".to_owned())),
            allowed: Vec::new(),
            more_allowed: None,
            allowlist_open: false,
            triggers: vec!["manual"],
            done: None,
        }
    }

    #[test]
    fn what_was_typed_stays_in_its_field() {
        let view = bans();
        let html = rendered(DashboardPage::Bans, Content::new(move |site| show(site, view)));
        assert_eq!(html.matches(r#"value="&quot;"#).count(), 2, "{html}");
    }
}
