use crate::components::{Frame, remedy};
use crate::islands::TimeConnection;
use crate::view::{Site, Viewer};
use leptos::prelude::*;
use wire::paths;

/// The page of the time server.
#[derive(Debug, Clone)]
pub struct TimeView {
    pub viewer: Viewer,
    /// The time server's WebSocket, if this site has one.
    pub url: Option<String>,
}

/// `/dashboard/time`: a service with an encrypted connection.
pub(crate) fn time_page(site: Site, time: TimeView) -> impl IntoView {
    let TimeView { viewer, url } = time;
    let (bound, insecure) = (viewer.bound, site.insecure);
    let content = match url {
        None => view! {
            <p class="why">
                "This site has no time server. The person who runs it can start one with "
                <code>"postern time-server"</code> " and name it in the settings."
            </p>
        }
        .into_any(),
        Some(_) if !bound => view! {
            <p class="why">
                "This session is not tied to this device, so it gets no key. " {remedy(insecure)}
                " to use the time server."
            </p>
        }
        .into_any(),
        Some(url) => view! { <TimeConnection url /> }.into_any(),
    };
    view! {
        <Frame site viewer here=paths::TIME_PAGE>
            <header>
                <h1 tabindex="-1">"Time"</h1>
            </header>
            <p class="quiet">
                "A server that tells the time over a connection encrypted with your key. It knows you only by a ticket, and \
                 nobody in between can read or change the messages."
            </p>
            {content}
        </Frame>
    }
}
