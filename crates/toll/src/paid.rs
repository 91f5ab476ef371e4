//! Handlers for the forms and links of the payment page.

use crate::booth::{Booth, Opened, Outcome};
use crate::caller::Caller;
use crate::page::{self, Paid};
use crate::refusal::Refusal;
use crate::route::{Route, Table};
use axum::body::Body;
use http::{Method, Response};
use http_body_util::{BodyExt, Limited};
use wire::toll::Code;

/// Maximum length of a form, in bytes. A proof for a transaction with 16 outputs has 2,254.
const LONGEST: usize = 8192;

/// Handles `POST /.well-known/tpat/paid`: sets the browser's token cookie and opens the requested page.
pub async fn paid(booth: &Booth, table: &Table, caller: &Caller<'_>, body: Body) -> Response<Body> {
    let unreadable = || Refusal::bad_request("This is not the form of the page.").answer();
    if caller.method != Method::POST {
        return unreadable();
    }
    let Ok(body) = Limited::new(body, LONGEST).collect().await else { return unreadable() };
    let Ok(paid) = Paid::read(&body.to_bytes()) else { return unreadable() };
    let credential = paid.credential();
    let held = booth.held_challenges(table, caller);
    let mut challenges = vec![paid.challenge.as_str()];
    challenges.extend(held.iter().copied().filter(|held| *held != paid.challenge));
    // The page of an offer that is held says itself how far it is.
    let kept = |challenge: &str| held.contains(&challenge) || booth.follows(challenge);
    match booth.redeem_any(table, &credential, &challenges, caller).await {
        Ok((Outcome::Token { text, token, .. }, challenge)) => {
            let opened = Opened { text, expires_at: token.expires_at, route: token.route };
            booth.opened(table, challenge, &paid.back, &opened, caller)
        }
        Ok((Outcome::Pending { .. }, challenge)) if kept(challenge) => page::elsewhere(&paid.back, []),
        Ok((Outcome::Pending { have, need }, _)) => page::waiting(&paid, have, need),
        Err((declined, challenge)) if declined.code() == Code::Underpaid && kept(challenge) => {
            page::elsewhere(&paid.back, [])
        }
        Err((declined, _)) if declined.is_listed() => page::too_late(&declined, &paid.back),
        Err((declined, _)) => page::declined(declined.status_code(), declined.title(), &paid),
    }
}

/// Handles `GET /.well-known/tpat/still`: shows a followed payment without refreshing.
pub async fn still(booth: &Booth, table: &Table, route: &Route, caller: &Caller<'_>) -> Response<Body> {
    let page = booth.keep_still(table, route, caller).await;
    page.unwrap_or_else(|| page::elsewhere(caller.target, []))
}

/// `POST /.well-known/tpat/anew`: another offer, beside those that ended.
pub async fn anew(booth: &Booth, table: &Table, route: &Route, caller: &Caller<'_>) -> Response<Body> {
    page::elsewhere(caller.target, booth.renew(table, route, caller).await)
}

/// Reads the field `back` of a small form.
pub async fn back(body: Body) -> Option<String> {
    let body = Limited::new(body, LONGEST).collect().await.ok()?;
    Some(page::back(&body.to_bytes()))
}
