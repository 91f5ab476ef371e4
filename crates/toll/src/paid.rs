//! What the forms and links of the page lead to.

use crate::booth::{Booth, Key, Outcome, Show, forgotten};
use crate::caller::{Caller, seconds};
use crate::page::{self, Jar, Paid};
use crate::refusal::Refusal;
use crate::route::{Route, Table};
use axum::body::Body;
use http::{Method, Response};
use http_body_util::{BodyExt, Limited};
use wire::toll::Code;

/// Longest form, bytes: a proof of a transaction with 16 outputs has 2,254.
const LONGEST: usize = 8192;

/// `POST /.well-known/tpat/paid`: the browser gets its token in a cookie, and the page that it wanted.
pub async fn paid(booth: &Booth, table: &Table, caller: &Caller<'_>, body: Body) -> Response<Body> {
    let unreadable = || Refusal::bad_request("This is not the form of the page.").answer();
    if caller.method != Method::POST {
        return unreadable();
    }
    let Ok(body) = Limited::new(body, LONGEST).collect().await else { return unreadable() };
    let Ok(paid) = Paid::read(&body.to_bytes()) else { return unreadable() };
    let credential = paid.credential();
    let show = Show { credential: &credential, challenge: &paid.challenge, key: Key::Browsers };
    match booth.redeem(table, show, caller).await {
        Ok(Outcome::Token { text, token, .. }) => {
            let jar = Jar { route: &token.route, https: caller.https() };
            page::opened(&paid.back, jar, &text, seconds(token.expires_at).saturating_sub(caller.seconds()))
        }
        // The page itself says how far it is.
        Ok(Outcome::Pending { .. }) if booth.follows(&paid.challenge) => page::elsewhere(&paid.back, []),
        Ok(Outcome::Pending { have, need }) => page::waiting(&paid, have, need),
        Err(declined) if declined.code() == Code::Underpaid && booth.follows(&paid.challenge) => {
            page::elsewhere(&paid.back, [])
        }
        Err(declined) => page::declined(declined.status_code(), declined.title(), &paid),
    }
}

/// `GET /.well-known/tpat/still`: the page of a payment that is followed, without looking again by itself.
pub async fn still(booth: &Booth, table: &Table, route: &Route, caller: &Caller<'_>) -> Response<Body> {
    let page = booth.keep_still(table, route, caller).await;
    page.unwrap_or_else(|| page::elsewhere(caller.target, []))
}

/// `POST /.well-known/tpat/anew`: the browser has no offer any more, and the page makes another. Only for who
/// shows one: another site's form does not send the cookie.
pub fn anew(route: &Route, caller: &Caller<'_>) -> Response<Body> {
    page::elsewhere(caller.target, forgotten(route, caller))
}

/// The field `back` of a small form.
pub async fn back(body: Body) -> Option<String> {
    let body = Limited::new(body, LONGEST).collect().await.ok()?;
    Some(page::back(&body.to_bytes()))
}
