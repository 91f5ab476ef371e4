//! `/dashboard/invitations`, for administrators.

use crate::flows::{self, paging};
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{More, When};
use app::islands::{Invite, RevokeInvitation};
use app::view::Site;
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Invitation;
use wire::paths;

#[derive(Debug, Clone)]
struct InvitationsView {
    /// Unused invitations, newest first.
    invitations: Vec<Invitation>,
    /// Whether this site mails links.
    mail: bool,
    /// The entry after which the next page begins.
    next: Option<String>,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let after = request.after();
    let state = request.state;
    let invitations = flows::invitations::open(&*state.store, state.now()).await?;
    let (invitations, next) = paging::page(invitations, |invitation| &invitation.id, &after);
    let view = InvitationsView { invitations, mail: state.mailer.is_some(), next };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: InvitationsView) -> impl IntoView {
    let Site { name, now, .. } = site;
    let InvitationsView { invitations, mail, next } = view;
    let said = if invitations.is_empty() {
        "No open invitations. Create one, and send its link to the person it is for."
    } else {
        "Open invitations. Each creates one account."
    };
    let card = move |invitation: Invitation| {
        let Invitation { id, role, note, created_at, expires_at } = invitation;
        let title = if note.is_empty() { "No note".to_owned() } else { note };
        view! {
            <li class="device">
                <div>
                    <h2 class="device-name">
                        <bdi>{title.clone()}</bdi>
                        {(role == "administrator").then(|| view! { <span class="badge">"administrator"</span> })}
                    </h2>
                    <p class="small quiet">"created " <When now at=created_at /> " \u{b7} expires " <When now at=expires_at /></p>
                </div>
                <RevokeInvitation id title=isolated(&title) />
            </li>
        }
    };
    view! {
        <header>
            <h1 tabindex="-1">"Invitations"</h1>
        </header>
        <Invite site=name mail />
        <p id="said" role="status" class="quiet">
            {said}
        </p>
        <ul class="devices">{invitations.into_iter().map(card).collect_view()}</ul>
        <More path=paths::INVITATIONS_PAGE next label="More invitations" />
    }
}
