//! `/dashboard/audit`, for administrators.

use crate::flows::{self, audit_log};
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use crate::http::{audit, request};
use app::Content;
use app::components::{HoursChart, Options, When, owned};
use app::islands::LiveRefusals;
use app::text::names::joined;
use app::text::plain::plain;
use app::text::query::query;
use app::view::Site;
use domain::bidi::isolated;
use leptos::prelude::*;
use store::audit::AuditEvent;
use wire::audit::{AuditEntry, AuditPage};
use wire::paths;
use wire::refusals::RefusalCounts;

#[derive(Debug, Clone)]
struct AuditView {
    filter: AuditFilter,
    /// The reason why the filter is invalid.
    wrong: Option<String>,
    audit: AuditPage,
    hours: RefusalCounts,
    /// The kinds of events.
    events: Vec<&'static str>,
}

/// The filter of the audit log, as typed.
#[derive(Debug, Clone, Default)]
struct AuditFilter {
    user: String,
    event: String,
    outcome: String,
    since: String,
    until: String,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let (store, now) = (&*request.state.store, request.state.now());
    let filter: audit_log::AuditQuery = request::query(request.uri).unwrap_or_default();
    let (audit, wrong) = match filter.search(store, audit::PAGE, now).await {
        Ok(search) => (audit_log::page(store, &search).await?, None),
        Err(audit_log::AuditQueryError::Store(error)) => return Err(error.into()),
        Err(wrong) => (AuditPage { entries: Vec::new(), next: None }, Some(format!("{wrong}."))),
    };
    let audit_log::AuditQuery { user, event, outcome, since, until, .. } = filter;
    let view = AuditView {
        filter: AuditFilter { user, event, outcome, since, until },
        wrong,
        audit,
        hours: flows::refusals::hours(store, now).await?,
        events: AuditEvent::ALL.iter().map(|event| event.as_str()).collect(),
    };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: AuditView) -> impl IntoView {
    let now = site.now;
    let AuditView { filter, wrong, audit, hours, events } = view;
    let said = wrong.unwrap_or_else(|| "Every recorded event of this site, newest first.".to_owned());
    let with = |before: &String| {
        let AuditFilter { user, event, outcome, since, until } = &filter;
        query(&[
            ("user", user),
            ("event", event),
            ("outcome", outcome),
            ("since", since),
            ("until", until),
            ("before", before),
        ])
    };
    let file = format!("{}?{}", paths::AUDIT_FILE, with(&String::new()));
    let more = audit.next.as_ref().map(|next| format!("{}?{}", paths::AUDIT_PAGE, with(next)));
    view! {
        <header>
            <h1>"Audit"</h1>
            <a class="button plain" href=file download="audit.csv">
                "Export as CSV"
            </a>
        </header>
        <div class="columns">
            <section class="panel">
                <h2>"Refusals in the last 24 hours"</h2>
                <HoursChart hours />
            </section>
            <section class="panel">
                <h2>"Live refusals"</h2>
                <LiveRefusals />
            </section>
        </div>
        <p id="said" role="status" class="quiet">
            {said}
        </p>
        <Filters filter=filter.clone() events />
        <Trail entries=audit.entries now />
        {more.map(|path| view! { <p class="link-line"><a href=path>"Older entries"</a></p> })}
    }
}

#[component]
fn Filters(filter: AuditFilter, events: Vec<&'static str>) -> impl IntoView {
    let AuditFilter { user, event, outcome, since, until } = filter;
    let any = [(String::new(), "Any event".to_owned())];
    let named = events.into_iter().map(|word| (word.to_owned(), plain(word)));
    let outcomes = [("", "Any outcome"), ("ok", "Success"), ("invalid_credentials", "Wrong name or password")];
    view! {
        <form class="form row-form filters" method="get" action=paths::AUDIT_PAGE role="search">
            <div>
                <label for="user">"Account"</label>
                <input id="user" name="user" value=user maxlength="100" autocomplete="off" spellcheck="false" />
            </div>
            <div>
                <label for="event">"Event"</label>
                <Options id="event" chosen=event options=any.into_iter().chain(named).collect() />
            </div>
            <div>
                <label for="outcome">"Outcome"</label>
                <Options id="outcome" chosen=outcome options=owned(&outcomes) />
            </div>
            <div>
                <label for="since">"From"</label>
                <input id="since" name="since" type="date" value=since />
            </div>
            <div>
                <label for="until">"To"</label>
                <input id="until" name="until" type="date" value=until />
            </div>
            <button class="button plain" type="submit">
                "Filter"
            </button>
        </form>
    }
}

#[component]
fn Trail(entries: Vec<AuditEntry>, now: i64) -> impl IntoView {
    if entries.is_empty() {
        return view! {
            <p class="panel">
                "No event matches this filter. " <a href=paths::AUDIT_PAGE>"Show all events"</a>
            </p>
        }
        .into_any();
    }
    let row = move |entry: AuditEntry| {
        let what = match entry.outcome.as_str() {
            "ok" => plain(&entry.event),
            outcome => format!("{}: {}", plain(&entry.event), plain(outcome).to_lowercase()),
        };
        let whom = entry.user.or(entry.user_id).unwrap_or_default();
        let about = [whom, entry.about].into_iter().filter(|text| !text.is_empty());
        let about = joined(&about.collect::<Vec<_>>());
        let by = entry.by.or(entry.by_id).map(|by| format!(" by {}", isolated(&by)));
        // The command line has no address.
        let from = [entry.address.trim_matches('-'), &entry.device].join(" ");
        view! {
            <tr role="row">
                <td role="cell"><When now at=entry.at /></td>
                <td role="cell">{what} {by}</td>
                <td role="cell" class="figures">{about}</td>
                <td role="cell" class="figures quiet">{from}</td>
            </tr>
        }
    };
    // A scrollable region must be reachable by keyboard.
    view! {
        <div class="scroll" role="region" aria-label="Audit log" tabindex="0">
            <table role="table">
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Time"</th>
                        <th role="columnheader" scope="col">"Event"</th>
                        <th role="columnheader" scope="col">"Target"</th>
                        <th role="columnheader" scope="col">"Source"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{entries.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::{NOW, rendered};
    use app::dashboard::DashboardPage;
    use wire::refusals::ByTrigger;

    fn audit() -> AuditView {
        let hours =
            |trigger: &str, count| ByTrigger { trigger: trigger.to_owned(), hours: vec![count; 24], total: count * 24 };
        AuditView {
            filter: AuditFilter { user: "\"><i>".to_owned(), ..AuditFilter::default() },
            wrong: Some("'<i>' is no time.".to_owned()),
            audit: AuditPage { entries: Vec::new(), next: None },
            hours: RefusalCounts { since: NOW, triggers: vec![hours("flood", 2), hours("spray", 0)] },
            events: vec!["login"],
        }
    }

    #[test]
    fn what_was_typed_stays_in_its_field() {
        let view = audit();
        let html = rendered(DashboardPage::Audit, Content::new(move |site| show(site, view)));
        assert_eq!(html.matches(r#"value="&quot;"#).count(), 1, "{html}");
    }
}
