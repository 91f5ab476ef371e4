use crate::islands::TimeConnection;
use crate::parts::{Frame, Here, remedy};
use crate::view::{Site, TimeView};
use leptos::prelude::*;

/// `/dashboard/time`: a service that is talked to in private.
#[component]
pub fn TimePage(site: Site, time: TimeView) -> impl IntoView {
    let TimeView { viewer, url } = time;
    let (bound, insecure) = (viewer.bound, site.insecure);
    let content = match url {
        None => view! {
            <p class="why">"This site names no time server. Whoever runs it can start one: postern time-server."</p>
        }
        .into_any(),
        Some(_) if !bound => view! {
            <p class="why">
                "This session is not tied to this device, so no key is given to it. " {remedy(insecure)}
                " to talk to the time server."
            </p>
        }
        .into_any(),
        Some(url) => view! { <TimeConnection url /> }.into_any(),
    };
    view! {
        <Frame site viewer here=Here::Time>
            <header>
                <h1 tabindex="-1">"Time"</h1>
            </header>
            <p class="quiet">
                "A server that tells the time, encrypted with your key. It knows you by a ticket alone, and nobody between can read or change a word."
            </p>
            {content}
        </Frame>
    }
}
