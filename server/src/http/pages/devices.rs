//! `/dashboard/devices`

use crate::flows::{self, paging};
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{DeviceFacts, More, When};
use app::islands::{Act, ConfirmedAction, EndSession};
use app::view::Site;
use leptos::prelude::*;
use wire::paths;
use wire::second_factor::RememberedDevice;
use wire::session::Device;

#[derive(Debug, Clone)]
struct DevicesView {
    /// This session first, then by last use.
    devices: Vec<Device>,
    /// Whether there is another session, on any page.
    others: bool,
    /// The entry after which the next page begins.
    next: Option<String>,
    /// The browsers that are not asked for the second factor.
    remembered: Vec<RememberedDevice>,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let after = request.after();
    let PageRequest { state, signed_in, .. } = request;
    let claims = &signed_in.claims;
    let devices = flows::sessions::devices(state, &claims.sub, &claims.sid).await?;
    let others = devices.len() > 1;
    let (devices, next) = paging::page(devices, |device| &device.id, &after);
    let remembered = flows::remembered_devices::list(state, signed_in).await?.devices;
    let view = DevicesView { devices, others, next, remembered };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: DevicesView) -> impl IntoView {
    let (now, insecure) = (site.now, site.insecure);
    let DevicesView { devices, others, next, remembered } = view;
    let card = move |device: Device| {
        let (id, name) = (device.id.clone(), device.name.clone());
        let end = (!device.current).then(|| view! { <EndSession device=name.clone() /> });
        view! {
            <li class="device" data-session=id data-name=name>
                <div>
                    <DeviceFacts now device insecure />
                </div>
                {end}
            </li>
        }
    };
    view! {
        <header>
            <h1 tabindex="-1">"Devices"</h1>
            {others.then(|| view! { <Act action=end_others() /> })}
        </header>
        <p id="said" role="status" class="quiet">
            {if others {
                "These devices are signed in to your account. End any session that you do not recognize."
            } else {
                "You are signed in on this device only."
            }}
        </p>
        <ul class="devices">{devices.into_iter().map(card).collect_view()}</ul>
        <More path=paths::DEVICES_PAGE next label="More devices" />
        <Remembered now devices=remembered />
    }
}

/// The browsers that are not asked for the second factor.
#[component]
fn Remembered(now: i64, devices: Vec<RememberedDevice>) -> impl IntoView {
    if devices.is_empty() {
        return ().into_any();
    }
    let card = move |device: RememberedDevice| {
        let RememberedDevice { id, name, address, created_at, used_at, expires_at, current } = device;
        let action = ConfirmedAction {
            method: "DELETE".to_owned(),
            path: format!("{}/{id}", paths::REMEMBERED_DEVICES),
            label: "Ask again".to_owned(),
            spoken: format!("Ask {name} for the second factor again"),
            title: format!("Ask {name} for the second factor again?"),
            about: "The next sign-in there needs it. Its sessions continue.".to_owned(),
            no: "Keep remembering".to_owned(),
            yes: "Ask again".to_owned(),
            ..ConfirmedAction::default()
        };
        view! {
            <li class="device">
                <div>
                    <h3 class="device-name">
                        {name} {current.then(|| view! { <span class="badge">"this browser"</span> })}
                    </h3>
                    <p class="small quiet">
                        "Since " <When now at=created_at /> " from " <span class="figures">{address}</span> " \u{b7} last used "
                        <When now at=used_at /> " \u{b7} until " <When now at=expires_at />
                    </p>
                </div>
                <Act action />
            </li>
        }
    };
    let all = ConfirmedAction {
        method: "DELETE".to_owned(),
        path: paths::REMEMBERED_DEVICES.to_owned(),
        label: "Ask all again".to_owned(),
        title: "Ask all of these for the second factor again?".to_owned(),
        about: "The next sign-in on each of them needs it. Sessions continue.".to_owned(),
        no: "Keep remembering".to_owned(),
        yes: "Ask all again".to_owned(),
        ..ConfirmedAction::default()
    };
    view! {
        <section class="group remembered">
            <header>
                <h2>"Not asked for your second factor"</h2>
                <Act action=all />
            </header>
            <p class="quiet">
                "Your password alone signs you in on these browsers, which are known by their keys. A change of your password or \
                 your factors ends that."
            </p>
            <ul class="devices">{devices.into_iter().map(card).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn end_others() -> ConfirmedAction {
    ConfirmedAction {
        method: "DELETE".to_owned(),
        path: paths::SESSIONS.to_owned(),
        label: "End all other sessions".to_owned(),
        title: "End all other sessions?".to_owned(),
        about: "Every other browser and program is signed out of your account at once. This session stays.".to_owned(),
        no: "Keep sessions".to_owned(),
        yes: "End sessions".to_owned(),
        ..ConfirmedAction::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::{NOW, rendered};
    use app::dashboard::DashboardPage;

    fn devices() -> Vec<Device> {
        let device = |id: &str, current| Device {
            id: id.to_owned(),
            name: "Firefox on Fedora".to_owned(),
            address: "203.0.113.0/24".to_owned(),
            created_at: NOW - 86_400_000,
            used_at: NOW - 300_000,
            current,
            bound: current,
            auth_time: NOW / 1000 - 86_400,
            amr: vec!["pwd".to_owned()],
            acr: "urn:postern:acr:1".to_owned(),
        };
        vec![device("a", true), device("b", false)]
    }

    fn page(devices: Vec<Device>, others: bool) -> String {
        let view = DevicesView { devices, others, next: None, remembered: Vec::new() };
        rendered(DashboardPage::Devices, Content::new(move |site| show(site, view)))
    }

    #[test]
    fn only_other_devices_can_be_ended() {
        let html = page(devices(), true);
        assert_eq!(html.matches(r#"aria-label="End this session: "#).count(), 1, "{html}");
        assert!(html.contains("End all other sessions"), "{html}");
        let alone = vec![devices().swap_remove(0)];
        let html = page(alone, false);
        assert!(!html.contains("End "), "{html}");
    }
}
