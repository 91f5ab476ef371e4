use crate::components::{HourBars, When};
use crate::view::{Backup, SiteFinding, SiteState};
use leptos::prelude::*;
use wire::paths;

/// The audit log of sign-ins.
const SIGN_INS: &str = "/dashboard/audit?event=login";

/// The panel that shows an administrator the state of the site.
#[component]
pub fn SiteStatePanel(site: SiteState, now: i64) -> impl IntoView {
    let SiteState {
        sign_ins,
        refusals,
        bans,
        accounts,
        backup,
        signing_key,
        envelope_key,
        mac_key,
        id_token_key,
        version,
        findings,
    } = site;
    let has_bars = sign_ins.iter().chain(&refusals).any(|count| *count > 0);
    let axis = has_bars.then(|| {
        view! {
            <p class="axis">
                <span>"24 hours ago"</span>
                <span>"now"</span>
            </p>
        }
    });
    let age = move |since: Option<i64>| match since {
        Some(at) => view! { "made " <When now at /> }.into_any(),
        None => "none yet".into_any(),
    };
    let bans = match bans {
        0 => "none in force".to_owned(),
        count => format!("{count} in force"),
    };
    view! {
        <section class="panel first" aria-labelledby="site-state">
            <h2 id="site-state">"This site"</h2>
            <Verdict findings />
            <div class="columns">
                <div>
                    <ul class="chart">
                        <HourBars name="Sign-ins".to_owned() hours=sign_ins path=SIGN_INS />
                        <HourBars name="Refusals".to_owned() hours=refusals path=paths::AUDIT_PAGE />
                    </ul>
                    {axis}
                </div>
                <dl class="facts">
                    <Fact name="Accounts" path=paths::USERS_PAGE.to_owned()>
                        {accounts}
                    </Fact>
                    <Fact name="Bans" path=paths::BANS_PAGE.to_owned()>
                        {bans}
                    </Fact>
                    <Fact name="Last backup" path=format!("{}?event=backup_made", paths::AUDIT_PAGE)>
                        {match backup {
                            Backup::At(at) => view! { <When now at /> }.into_any(),
                            Backup::Never => "none yet".into_any(),
                            Backup::Elsewhere => "by PostgreSQL's own tools".into_any(),
                        }}
                    </Fact>
                    <Fact name="Signing key" path=paths::SERVER_KEYS_PAGE.to_owned()>
                        {age(signing_key)}
                    </Fact>
                    <Fact name="Envelope key" path=paths::SERVER_KEYS_PAGE.to_owned()>
                        {age(envelope_key)}
                    </Fact>
                    <Fact name="MAC key" path=paths::SERVER_KEYS_PAGE.to_owned()>
                        {age(mac_key)}
                    </Fact>
                    {id_token_key
                        .map(|at| {
                            view! {
                                <Fact name="ID token key" path=paths::SERVER_KEYS_PAGE.to_owned()>
                                    {age(Some(at))}
                                </Fact>
                            }
                        })}
                    <Fact name="Version" path=[paths::HELP_PAGE, "/upgrading"].concat()>
                        {version}
                    </Fact>
                </dl>
            </div>
            <p class="link-line"><a href=paths::AUDIT_PAGE>"Audit log and refusals by reason"</a></p>
        </section>
    }
}

/// A fact whose name leads to the page with the details.
#[component]
fn Fact(name: &'static str, path: String, children: Children) -> impl IntoView {
    view! {
        <div>
            <dt>
                <a href=path>{name}</a>
            </dt>
            <dd>{children()}</dd>
        </div>
    }
}

#[component]
fn Verdict(findings: Vec<SiteFinding>) -> impl IntoView {
    let urgent = findings.iter().filter(|finding| finding.urgent).count();
    let (class, verdict) = match urgent {
        0 => ("", "The self-check found no problem.".to_owned()),
        1 => ("warning-line", "1 problem needs your attention.".to_owned()),
        _ => ("warning-line", format!("{urgent} problems need your attention.")),
    };
    let line = |finding: SiteFinding| {
        view! {
            <li>
                <p>
                    <a href=finding.link>{finding.says}</a>
                </p>
                <p class="small quiet">{finding.advice}</p>
            </li>
        }
    };
    let (urgent, hints): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.urgent);
    let recommendations = match hints.len() {
        1 => "1 recommendation".to_owned(),
        count => format!("{count} recommendations"),
    };
    let hints = (!hints.is_empty()).then(|| {
        view! {
            <details class="more-findings">
                <summary>{recommendations}</summary>
                <ul class="findings">{hints.into_iter().map(line).collect_view()}</ul>
            </details>
        }
    });
    view! {
        <p class=class>{verdict} <span class="small quiet">" \u{201c}postern doctor\u{201d} checks more."</span></p>
        {(!urgent.is_empty())
            .then(|| view! { <ul class="findings">{urgent.into_iter().map(line).collect_view()}</ul> })}
        {hints}
    }
}
