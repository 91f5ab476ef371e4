use crate::components::{ActivityLine, Frame, SiteStatePanel, Tied, When};
use crate::islands::{Forms, PasskeySignals, PasskeyUpgrade};
use crate::text::activity;
use crate::view::{Activity, OverviewView, Site, Viewer};
use domain::bidi::initial;
use leptos::prelude::*;
use wire::paths;
use wire::session::Device;

/// `/dashboard`: the account, its sessions, and unusual events. Administrators also see the state of the site.
pub(crate) fn overview_page(site: Site, overview: OverviewView) -> impl IntoView {
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
    let person = viewer.clone();
    view! {
        <Frame site viewer here=paths::DASHBOARD_PAGE>
            <header>
                <h1>"Overview"</h1>
            </header>
            <p id="said" role="status" class="quiet"></p>
            <Notices notices now />
            {passkeys.map(|stamp| view! { <PasskeySignals stamp /> })}
            <Tiles apps />
            <div class="columns">
                {state.map(|site| view! { <SiteStatePanel site now /> })}
                <Person viewer=person now signed_in_at insecure offer_passkey upgrade />
                <Places devices now />
                <Lately activity odd now />
            </div>
        </Frame>
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
fn Tiles(apps: Vec<wire::oauth::AppTile>) -> impl IntoView {
    if apps.is_empty() {
        return ().into_any();
    }
    let tile = |app: wire::oauth::AppTile| {
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
