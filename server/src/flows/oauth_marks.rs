//! Marks in links of the OpenID provider: a time, and a MAC over it and a text that only this server wrote.

use crate::api_error::ApiError;
use crate::state::KeyState;
use domain::UnixSeconds;
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};

/// How far the clocks of two nodes may differ.
const SKEW_SECONDS: i64 = 30;
/// Time limit in seconds for the way of an answer through the browser.
const ANSWER_SECONDS: i64 = 600;

/// Returns the mark of a text.
///
/// # Errors
/// No MAC key is available.
pub(crate) fn mark(state: &KeyState, text: &str) -> Result<String, ApiError> {
    let now = state.now();
    let made_at = now.to_seconds();
    let tag =
        hmac_sha256(&state.keyring.macs(now)?.oauth_sign_in, &marked(made_at, text).each_ref().map(Vec::as_slice));
    Ok(format!("{made_at}.{}", base64url(&tag[..16])))
}

/// Returns the time of a mark, if it is of this text and at most `limit` seconds old.
pub(crate) fn read(state: &KeyState, mark: &str, text: &str, limit: i64) -> Option<UnixSeconds> {
    let (made_at, tag) = mark.split_once('.')?;
    let (made_at, tag) = (UnixSeconds::from_seconds(made_at.parse().ok()?), from_base64url(tag)?);
    let now = state.now();
    let parts = marked(made_at, text);
    let good = state
        .keyring
        .authentic(now, |macs| hmac_is(&macs.oauth_sign_in, &parts.each_ref().map(Vec::as_slice), &tag).then_some(()));
    good?;
    let age = now.to_seconds() - made_at;
    (-SKEW_SECONDS..=limit).contains(&age).then_some(made_at)
}

/// Returns the mark of an answer that a page posts to a client.
///
/// # Errors
/// No MAC key is available.
pub(crate) fn of_answer(state: &KeyState, client: &str, redirect_uri: &str, form: &str) -> Result<String, ApiError> {
    let digest = base64url(&sha256(form.as_bytes()));
    Ok(format!("{digest}.{}", mark(state, &answer(client, redirect_uri, &digest))?))
}

/// Returns the digest of the answer that a mark allows.
pub(crate) fn answer_digest(state: &KeyState, mark: &str, client: &str, redirect_uri: &str) -> Option<String> {
    let (digest, mark) = mark.split_once('.')?;
    read(state, mark, &answer(client, redirect_uri, digest), ANSWER_SECONDS)?;
    Some(digest.to_owned())
}

/// Returns what the mark of an answer authenticates. No query string begins like this.
fn answer(client: &str, redirect_uri: &str, digest: &str) -> String {
    format!("answer\n{client}\n{redirect_uri}\n{digest}")
}

fn marked(made_at: UnixSeconds, text: &str) -> [Vec<u8>; 2] {
    [made_at.as_seconds().to_be_bytes().to_vec(), sha256(text.as_bytes()).to_vec()]
}
