use crate::view::Viewer;
use leptos::prelude::*;

/// Says whether this session is tied to this device. `insecure`: this site is open without https.
#[component]
pub fn Tied(viewer: Viewer, insecure: bool) -> impl IntoView {
    let tied = match (viewer.bound, insecure) {
        (true, _) => "This session is tied to this browser by a key that cannot leave it.",
        (false, true) => "This session is not tied to this device, because the page was opened without https.",
        (false, false) => {
            "This session is not tied to this device, because this browser kept no key when you signed in. Allow it \
             to store data for this site, then sign in again."
        }
    };
    view! {
        <p class="small quiet key-state" data-bound=viewer.bound>
            {tied}
        </p>
    }
}
