//! The sign-in page for a visitor without a session.

use crate::cookies::{self, CookieName};
use crate::state::CoreState;
use domain::percent::query_value;
use http::{HeaderMap, Uri};
use wire::paths;

/// Returns the page on which a visitor without a session signs in. A browser that was signed in tries to resume first.
pub(super) fn sign_in_path(state: &CoreState, headers: &HeaderMap, uri: &Uri) -> String {
    sign_in_from(state, headers, uri.path_and_query().map_or(paths::DASHBOARD_PAGE, |path| path.as_str()))
}

/// As [`sign_in_path`], from a path with its query.
pub(super) fn sign_in_from(state: &CoreState, headers: &HeaderMap, here: &str) -> String {
    let page = if cookies::all(headers, &state.config, CookieName::Access).next().is_some() {
        paths::RESUME_PAGE
    } else {
        paths::LOGIN_PAGE
    };
    format!("{page}?next={}", query_value(here))
}
