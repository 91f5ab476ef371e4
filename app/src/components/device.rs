use crate::components::When;
use leptos::prelude::*;
use wire::session::Device;

/// The facts about a session. `insecure`: this site is available without https.
#[component]
pub fn DeviceFacts(now: i64, device: Device, insecure: bool) -> impl IntoView {
    let Device { name, address, created_at, used_at, current, bound, .. } = device;
    let tied = match (bound, insecure) {
        (true, _) => "Tied to this browser by a key",
        (false, true) => "Not tied to a device: opened without https, or by a program",
        (false, false) => "Not tied to a device: opened by a program, or by a browser that kept no key",
    };
    view! {
        <h2 class="device-name">
            {name} {current.then(|| view! { <span class="badge">"this device"</span> })}
        </h2>
        <p class="small quiet">
            <span class="figures">{address}</span> " \u{b7} last used " <When now at=used_at /> " \u{b7} signed in "
            <When now at=created_at />
        </p>
        <p class="small quiet key-state" data-bound=bound>
            {tied}
        </p>
    }
}

/// Returns advice for binding the next session to its device. `insecure`: this site is available without https.
pub fn remedy(insecure: bool) -> &'static str {
    if insecure {
        "Open this site over https and sign in again"
    } else {
        "Allow this browser to store data for this site and sign in again"
    }
}
