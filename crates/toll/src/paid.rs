//! A person pasted a payment into the form of the page.

use crate::booth::{Booth, Key, Outcome, Show};
use crate::caller::{Caller, seconds};
use crate::page::{self, Jar, Paid};
use crate::refusal::Refusal;
use crate::route::Table;
use axum::body::Body;
use http::{Method, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

/// Longest form, bytes: a proof of a transaction with 16 outputs has 2,254.
const LONGEST: usize = 8192;

/// `POST /.well-known/tpat/paid`: the browser gets its token in a cookie, and the page that it wanted.
pub async fn paid(booth: &Booth, table: &Table, caller: &Caller<'_>, body: Incoming) -> Response<Body> {
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
            page::opened(&paid, jar, &text, seconds(token.expires_at).saturating_sub(caller.seconds()))
        }
        Ok(Outcome::Pending { have, need }) => page::waiting(&paid, have, need),
        Err(declined) => page::declined(declined.status_code(), declined.title(), &paid),
    }
}
