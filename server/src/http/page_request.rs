//! A request for a page of the dashboard.

use super::request;
use crate::client::Client;
use crate::flows::actor::Actor;
use crate::guards::administrator::Administrator;
use crate::guards::signed_in::SignedIn;
use crate::state::AppState;
use app::view::Viewer;
use http::Uri;
use serde::Deserialize;

/// A request of a person who is signed in and may see the page.
pub(crate) struct PageRequest<'a> {
    pub state: &'a AppState,
    pub client: &'a Client,
    pub uri: &'a Uri,
    pub signed_in: &'a SignedIn,
    pub viewer: Viewer,
    /// Present on pages for administrators only.
    pub administrator: Option<Administrator>,
}

/// Query parameters of a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageQuery {
    pub next: Option<String>,
    pub why: Option<String>,
    /// The last entry of a list's previous part.
    pub after: Option<String>,
    /// The search text of a list.
    pub word: Option<String>,
    /// An account.
    pub id: Option<String>,
    pub done: Option<String>,
    /// The second factor that an app requires.
    pub factor: Option<String>,
}

impl PageRequest<'_> {
    /// Returns the query parameters that most pages have.
    pub(crate) fn asked(&self) -> PageQuery {
        asked(self.uri)
    }

    /// Returns the last entry of the previous part of the page's list.
    pub(crate) fn after(&self) -> String {
        self.asked().after.unwrap_or_default()
    }

    /// Whether the page shows the result of a change.
    pub(crate) fn is_done(&self) -> bool {
        self.asked().done.as_deref() == Some("changed")
    }

    /// Returns the administrator as the author of changes.
    pub(crate) fn actor(&self) -> Option<Actor<'_>> {
        self.administrator.as_ref().map(|administrator| Actor::administrator(self.state, self.client, administrator))
    }
}

pub(crate) fn asked(uri: &Uri) -> PageQuery {
    request::query(uri).unwrap_or_default()
}
