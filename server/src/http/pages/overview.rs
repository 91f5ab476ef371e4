//! `/dashboard`: the account, its sessions, and unusual events. Administrators also see the state of the site.

use crate::flows;
use crate::guards::administrator::Administrator;
use crate::guards::recent_factor;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use crate::http::site_state;
use app::Content;
use app::components::{ActivityLine, SiteStatePanel, Tied, When};
use app::islands::{Forms, PasskeySignals, PasskeyUpgrade};
use app::text::activity;
use app::view::{Activity, Site, SiteState, Viewer};
use domain::bidi::initial;
use domain::encoding::{base64url, sha256};
use leptos::prelude::*;
use wire::oauth::AppTile;
use wire::paths;
use wire::session::Device;

const WEEK_MS: i64 = 7 * 24 * 60 * 60_000;
const OVERVIEW_LINES: usize = 5;

#[derive(Debug, Clone)]
struct OverviewView {
    viewer: Viewer,
    /// Events that the person has not dismissed yet, newest first.
    notices: Vec<Activity>,
    /// This session first.
    devices: Vec<Device>,
    /// The newest events, newest first.
    activity: Vec<Activity>,
    /// Failed or refused events of the last 7 days.
    odd: u32,
    signed_in_at: i64,
    /// The account has no passkey, and could have one here.
    offer_passkey: bool,
    /// Whether the browser may make a passkey automatically, after a sign-in with a password to an account without one.
    upgrade: bool,
    /// The text for passkey managers; `None`: the account never had a passkey here.
    passkeys: Option<String>,
    /// Apps that the person may open.
    apps: Vec<AppTile>,
    /// For administrators only.
    site: Option<SiteState>,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let PageRequest { state, signed_in, viewer, .. } = request;
    let claims = &signed_in.claims;
    let devices = flows::sessions::devices(state, &claims.sub, &claims.sid).await?;
    let mut activity = flows::activity::lines(state, &claims.sub, 100).await?;
    activity.truncate(OVERVIEW_LINES);
    let odd = state.store.odd_entries(&claims.sub, state.now() - WEEK_MS).await?;
    let signed_in_at = devices
        .iter()
        .find(|device| device.current)
        .map_or(claims.iat.to_millis().as_millis(), |device| device.created_at);
    let site = match Administrator::find(state, signed_in.clone()).await? {
        Some(_) => Some(site_state::load(state).await?),
        None => None,
    };
    let passkeys = flows::passkeys::list(state, &claims.sub).await?;
    let notices = flows::notices::unread(state, signed_in).await?;
    let apps = flows::oauth_consents::tiles(state, &claims.sub, &claims.roles).await?;
    let held = passkeys.user_id.is_some().then(|| passkeys.passkeys.iter().map(|one| one.credential_id.as_str()));
    let stamp = held.map(|ids| {
        let ids = ids.collect::<Vec<_>>().join(" ");
        base64url(&sha256(format!("{} {} {ids}", passkeys.username, passkeys.display_name).as_bytes()))
    });
    let offer_passkey = flows::passkeys::offers_first(&state.config, &passkeys);
    let (_, recent) = recent_factor::fresh_until(state, signed_in).await?;
    let overview = OverviewView {
        apps,
        viewer,
        notices,
        devices,
        activity,
        odd: u32::try_from(odd).unwrap_or(u32::MAX),
        signed_in_at,
        offer_passkey,
        passkeys: stamp,
        upgrade: offer_passkey && recent.is_some() && claims.amr.iter().any(|method| method == "pwd"),
        site,
    };
    Ok(Some(Content::new(move |site| show(site, overview))))
}

fn show(site: Site, overview: OverviewView) -> impl IntoView {
    let (now, insecure) = (site.now, site.insecure);
    let OverviewView {
        viewer,
        notices,
        devices,
        activity,
        odd,
        signed_in_at,
        offer_passkey,
        upgrade,
        passkeys,
        apps,
        site: state,
    } = overview;
    view! {
        <header>
            <h1>"Overview"</h1>
        </header>
        <p id="said" role="status" class="quiet"></p>
        <Notices notices now />
        {passkeys.map(|stamp| view! { <PasskeySignals stamp /> })}
        <Tiles apps />
        <div class="columns">
            {state.map(|site| view! { <SiteStatePanel site now /> })}
            <Person viewer now signed_in_at insecure offer_passkey upgrade />
            <Places devices now />
            <Lately activity odd now />
        </div>
    }
}

/// Notices for the owner, until they are dismissed on this device.
#[component]
fn Notices(notices: Vec<Activity>, now: i64) -> impl IntoView {
    let newest = notices.first().map(|notice| notice.at);
    let lines = notices.into_iter().map(|entry| view! { <ActivityLine entry now /> }).collect_view();
    newest.map(|until| {
        view! {
            <section class="panel destructive">
                <h2>"New on your account"</h2>
                <ul class="events">{lines}</ul>
                <p class="small quiet">
                    "If this was not you, change your password, and end the devices that you do not know. Your other \
                     devices show this too, until you confirm it there."
                </p>
                <form
                    class="form"
                    method="post"
                    action=paths::NOTICES_READ
                    data-method="POST"
                    data-done=paths::DASHBOARD_PAGE
                >
                    <input type="hidden" name="until" value=until.to_string() />
                    <button class="button" type="submit" disabled>
                        "It was me"
                    </button>
                </form>
                <Forms />
            </section>
        }
    })
}

/// The apps that the person may open.
#[component]
fn Tiles(apps: Vec<AppTile>) -> impl IntoView {
    if apps.is_empty() {
        return ().into_any();
    }
    let tile = |app: AppTile| {
        view! {
            <li>
                <a class="tile" href=app.url>
                    <span class="tile-icon" aria-hidden="true">{initial(&app.name)}</span>
                    <bdi>{app.name}</bdi>
                </a>
            </li>
        }
    };
    view! {
        <section class="group">
            <h2>"Your apps"</h2>
            <ul class="tiles">{apps.into_iter().map(tile).collect_view()}</ul>
        </section>
    }
    .into_any()
}

#[component]
fn Person(
    viewer: Viewer,
    now: i64,
    signed_in_at: i64,
    insecure: bool,
    offer_passkey: bool,
    upgrade: bool,
) -> impl IntoView {
    let role =
        if viewer.administrator { "You are an administrator of this site." } else { "You have an account here." };
    view! {
        <section class="panel first">
            <h2>"Signed in as " <bdi>{viewer.username.clone()}</bdi></h2>
            <p>{role} " Signed in " <When now at=signed_in_at /> "."</p>
            <Tied viewer insecure />
            {offer_passkey
                .then(|| {
                    view! {
                        <p class="small quiet" id="passkey-offer" role="status">
                            <a href=[paths::ACCOUNT_PAGE, "#passkeys"].concat()>"Add a passkey"</a>
                            " to sign in without your password next time."
                        </p>
                    }
                })}
            {upgrade.then(|| view! { <PasskeyUpgrade /> })}
        </section>
    }
}

#[component]
fn Places(devices: Vec<Device>, now: i64) -> impl IntoView {
    let heading = match devices.len() {
        0 | 1 => "Signed in on this device only".to_owned(),
        count => format!("Signed in on {count} devices"),
    };
    let line = move |device: Device| {
        view! {
            <li class="event">
                <p>{device.name} {device.current.then(|| view! { <span class="badge">"this device"</span> })}</p>
                <p class="small quiet">
                    "last used " <When now at=device.used_at /> " \u{b7} " <span class="figures">{device.address}</span>
                </p>
            </li>
        }
    };
    view! {
        <section class="panel">
            <h2>{heading}</h2>
            <ul class="events">{devices.into_iter().take(4).map(line).collect_view()}</ul>
            <p class="link-line"><a href=paths::DEVICES_PAGE>"All devices"</a></p>
        </section>
    }
}

#[component]
fn Lately(activity: Vec<Activity>, odd: u32, now: i64) -> impl IntoView {
    let shown: Vec<_> = activity.into_iter().take(5).collect();
    let marked: u32 = shown.iter().filter(|entry| entry.event.is_odd()).map(|entry| entry.count).sum();
    // Events of the list are marked there, and are not announced a second time.
    let (class, said) = match odd {
        0 => ("quiet", activity::odd(0)),
        odd if odd > marked => ("warning-line", activity::odd(odd)),
        1 => ("quiet", "Check whether the marked event was you.".to_owned()),
        _ => ("quiet", "Check whether the marked events were you.".to_owned()),
    };
    view! {
        <section class="panel">
            <h2>"Recent activity"</h2>
            <p class=class>{said}</p>
            <ul class="events">
                {shown.into_iter().map(|entry| view! { <ActivityLine entry now /> }).collect_view()}
            </ul>
            <p class="link-line"><a href=paths::ACTIVITY_PAGE>"All activity"</a></p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::{NOW, rendered, viewer};
    use app::dashboard::DashboardPage;
    use app::view::{ActivityEvent, Backup, SiteFinding};

    fn site_state() -> SiteState {
        let finding = |urgent, says: &str| SiteFinding {
            urgent,
            says: says.to_owned(),
            advice: "<i>do".to_owned(),
            link: "/dashboard/toll".to_owned(),
        };
        let mut sign_ins = vec![0; 24];
        sign_ins[21] = 7;
        SiteState {
            sign_ins,
            refusals: vec![0; 24],
            bans: 3,
            accounts: 12,
            backup: Backup::At(NOW - 7_200_000),
            signing_key: Some(NOW - 86_400_000),
            envelope_key: None,
            mac_key: Some(NOW - 3_600_000),
            id_token_key: Some(NOW - 7_200_000),
            version: "1.2.3",
            findings: vec![finding(true, "<i>full"), finding(false, "<i>beside")],
        }
    }

    fn page(site: Option<SiteState>) -> String {
        let (address, device) = ("203.0.113.0/24".to_owned(), "Firefox on Fedora".to_owned());
        let event = ActivityEvent::WrongPassword;
        let activity = vec![Activity { at: NOW, event, count: 3, address, device, about: String::new() }];
        let overview = OverviewView {
            viewer: viewer(),
            notices: activity.clone(),
            devices: Vec::new(),
            activity,
            odd: 3,
            signed_in_at: NOW,
            offer_passkey: true,
            upgrade: true,
            passkeys: Some("a stamp".to_owned()),
            apps: vec![AppTile { name: "<i>wiki".to_owned(), url: "https://wiki.example".to_owned() }],
            site,
        };
        rendered(DashboardPage::Overview, Content::new(move |site| show(site, overview)))
    }

    #[test]
    fn an_administrator_reads_whether_the_site_is_well() {
        let html = page(Some(site_state()));
        for part in [
            "1 problem needs",
            "1 recommendation",
            "7 2 hours ago",
            "3 in force",
            "2 hours ago",
            "1.2.3",
            "ID token key",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        for path in [
            "/dashboard/bans",
            "/dashboard/audit?event=backup_made",
            "/dashboard/server-keys",
            "/dashboard/users",
            // A finding, the version, and both plots.
            "/dashboard/toll",
            "/dashboard/help/upgrading",
            "/dashboard/audit?event=login",
            "/dashboard/audit",
        ] {
            assert!(html.contains(&format!(r#"href="{path}""#)), "{path}");
        }
        assert_eq!(html.matches("<rect").count(), 24, "a row without events has no bars");
        let well = page(Some(SiteState { findings: Vec::new(), ..site_state() }));
        assert!(well.contains("The self-check found no problem."), "{well}");
        assert!(!page(None).contains("This site"));
    }
}
