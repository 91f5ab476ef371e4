use crate::parts::When;
use leptos::prelude::*;
use wire::session::Device;

/// What there is to say about a device.
#[component]
pub fn DeviceFacts(now: i64, device: Device) -> impl IntoView {
    let Device { name, address, created_at, used_at, current, bound, .. } = device;
    let tied = if bound {
        "Tied to this browser by a key"
    } else {
        "Not tied to a device: opened without https, or by a program"
    };
    view! {
        <h2 class="device-name">
            {name} {current.then(|| view! { <span class="badge">"this device"</span> })}
        </h2>
        <p class="small quiet">
            <span class="figures">{address}</span> " \u{b7} used " <When now at=used_at /> " \u{b7} signed in "
            <When now at=created_at />
        </p>
        <p class="small quiet tied" data-bound=bound>
            {tied}
        </p>
    }
}
