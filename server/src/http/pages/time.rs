//! `/dashboard/time`: a service with an encrypted connection.

use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::remedy;
use app::islands::TimeConnection;
use app::view::Site;
use leptos::prelude::*;

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let time = &request.state.config.settings.time;
    let url = (!time.url.is_empty()).then(|| time.url.clone());
    let bound = request.viewer.bound;
    Ok(Some(Content::new(move |site| show(site, bound, url)).with_private_bundle().with_connection(time.origin())))
}

/// Shows the page. `url`: the time server's WebSocket, if this site has one.
fn show(site: Site, bound: bool, url: Option<String>) -> impl IntoView {
    let insecure = site.insecure;
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
        <header>
            <h1 tabindex="-1">"Time"</h1>
        </header>
        <p class="quiet">
            "A server that tells the time over a connection encrypted with your key. It knows you only by a ticket, and \
             nobody in between can read or change the messages."
        </p>
        {content}
    }
}
