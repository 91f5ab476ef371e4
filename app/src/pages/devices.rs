use crate::components::{DeviceFacts, Frame, Here, More};
use crate::islands::{Act, ConfirmedAction, EndSession};
use crate::view::{DevicesView, Site};
use leptos::prelude::*;
use wire::paths;
use wire::session::Device;

/// `/dashboard/devices`.
#[component]
pub fn DevicesPage(site: Site, devices: DevicesView) -> impl IntoView {
    let (now, insecure) = (site.now, site.insecure);
    let DevicesView { viewer, devices, others, next } = devices;
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
        <Frame site viewer here=Here::Devices>
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
        </Frame>
    }
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
