use crate::components::{Frame, More, When};
use crate::islands::{Invite, RevokeInvitation};
use crate::view::{InvitationsView, Site};
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Invitation;
use wire::paths;

/// `/dashboard/invitations`, for administrators.
pub(crate) fn invitations_page(site: Site, invitations: InvitationsView) -> impl IntoView {
    let (now, name) = (site.now, site.name.clone());
    let InvitationsView { viewer, invitations, mail, next } = invitations;
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
        <Frame site viewer here=paths::INVITATIONS_PAGE>
            <header>
                <h1 tabindex="-1">"Invitations"</h1>
            </header>
            <Invite site=name mail />
            <p id="said" role="status" class="quiet">
                {said}
            </p>
            <ul class="devices">{invitations.into_iter().map(card).collect_view()}</ul>
            <More path=paths::INVITATIONS_PAGE next label="More invitations" />
        </Frame>
    }
}
