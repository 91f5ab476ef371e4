//! Marks in the query string of an authorization request: when it sent its person to sign in, and when the person came
//! with a pushed request.

use super::oauth_marks;
use crate::api_error::ApiError;
use crate::state::KeyState;
use domain::UnixSeconds;
use oidc::Params;
use oidc::authorize::PUSHED;

/// The parameter that marks a request after it sent the person to sign in. Clients do not use it. With its time, a
/// sign-in since then satisfies `prompt=login`.
pub(crate) const MARK: &str = "postern_sign_in";
/// The parameter with the time at which a person came with a pushed request. Clients do not use it.
const ARRIVED: &str = "postern_arrived";
/// Time limit for a person's sign-in, with the set-up of a second factor and the answer to the app.
pub(crate) const SIGN_IN_SECONDS: i64 = 60 * 60;

/// Returns a query string with the time at which its request sends the person to sign in. `auth_time`: of the present
/// session.
pub(crate) fn marked(state: &KeyState, plain: &str, auth_time: UnixSeconds) -> Result<String, ApiError> {
    let mark = oauth_marks::mark(state, &of_sign_in(plain, auth_time))?;
    Ok(format!("{plain}&{MARK}={mark}.{auth_time}"))
}

/// Returns the time at which this very request sent the person to sign in. `None`: it did not, or nobody has signed in
/// since. Clocks of nodes differ, so the times alone would not tell.
pub(crate) fn sent_at(state: &KeyState, mark: &str, plain: &str, auth_time: UnixSeconds) -> Option<UnixSeconds> {
    let (mark, earlier) = mark.rsplit_once('.')?;
    let earlier = UnixSeconds::from_seconds(earlier.parse().ok()?);
    let sent = oauth_marks::read(state, mark, &of_sign_in(plain, earlier), SIGN_IN_SECONDS);
    sent.filter(|_| auth_time != earlier)
}

/// Returns what the mark of a sign-in authenticates.
fn of_sign_in(plain: &str, auth_time: UnixSeconds) -> String {
    format!("{plain}\n{auth_time}")
}

/// Notes in the query string of a pushed request when its person arrived. It then does not expire while the person
/// signs in. A query without such a request, or with the note, remains as it is.
///
/// # Errors
/// No MAC key is available.
pub(crate) fn arrived(state: &KeyState, query: &str) -> Result<String, ApiError> {
    let given = Params::parse(query);
    match given.get("request_uri").and_then(|uri| uri.strip_prefix(PUSHED)) {
        Some(reference) if given.get(ARRIVED).is_none() && given.repeated().is_none() => {
            let mark = oauth_marks::mark(state, &arrival(reference))?;
            Ok(format!("{}&{ARRIVED}={mark}", given.encode_without(&[])))
        }
        _ => Ok(query.to_owned()),
    }
}

/// Returns when the person of a pushed request arrived, if the query string notes it.
pub(crate) fn arrived_at(state: &KeyState, given: &Params, reference: &str) -> Option<UnixSeconds> {
    given.get(ARRIVED).and_then(|mark| oauth_marks::read(state, mark, &arrival(reference), SIGN_IN_SECONDS))
}

/// Returns what the note of a pushed request authenticates. No query string begins like this.
fn arrival(reference: &str) -> String {
    format!("arrived\n{reference}")
}
