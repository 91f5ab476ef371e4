//! Maps a client's credentials to an answer or to admission.

use crate::answer::json;
use crate::booth::{Booth, Key, Outcome, Show};
use crate::caller::{Caller, Shown, seconds};
use crate::declined::Declined;
use crate::lease::{Lease, Strings};
use crate::ledger::Unit;
use crate::page::{self, Jar};
use crate::refusal::{NotCharged, Refusal};
use crate::route::{Route, Table};
use crate::surroundings::Surroundings;
use crate::terms::Terms;
use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as _;
use std::time::Duration;
use tokio::time::timeout;
use tpat::confirmations::retry_after_s;
use tpat::header::Presented;
use wire::toll::{
    CHALLENGE_HEADER, Code, EXPIRES_HEADER, Pending, PendingStatus, Piconero, QUOTA_HEADER, Redeem, Redeemed,
    TOKEN_HEADER,
};

/// Maximum length of a redemption's body, in bytes.
const LONGEST: usize = 4096;
/// Time limit for receiving that body.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Handles `POST /.well-known/tpat/redeem`.
pub async fn redeem(booth: &Booth, table: &Table, caller: &Caller<'_>, body: Body) -> Response<Body> {
    if caller.method != Method::POST {
        return Refusal::bad_request("Show a payment with POST.").answer();
    }
    match redeemed(booth, table, caller, body).await {
        Ok(outcome) => answer(outcome),
        Err(declined) => declined.answer(),
    }
}

async fn redeemed(booth: &Booth, table: &Table, caller: &Caller<'_>, body: Body) -> Result<Outcome, Declined> {
    let Ok(Shown::Payment(credential)) = caller.shown() else { return Err(malformed()) };
    let body = timeout(BODY_TIME, Limited::new(body, LONGEST).collect()).await.map_err(|_| malformed())?;
    let body = body.map_err(|_| malformed())?.to_bytes();
    let wish: Redeem = serde_json::from_slice(&body).map_err(|_| malformed())?;
    let key = wish.jwk.as_ref().map_or(Key::Nobodys, Key::Named);
    booth.redeem(table, Show { credential, challenge: &wish.challenge, key }, caller).await
}

fn answer(outcome: Outcome) -> Response<Body> {
    match outcome {
        Outcome::Token { text, token, left } => {
            let body = Redeemed {
                token: text,
                expires: seconds(token.expires_at),
                quota: left.unsigned_abs(),
                provisional: token.provisional,
                remainder: Piconero(token.remainder.unsigned_abs()),
            };
            json(StatusCode::OK, "application/json", &body)
        }
        Outcome::Pending { have, need } => {
            let retry_after = retry_after_s(have, need);
            let body = Pending { status: PendingStatus::Pending, have, need, retry_after };
            let mut response = json(StatusCode::ACCEPTED, "application/json", &body);
            response.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
            response
        }
    }
}

fn malformed() -> Declined {
    let title = "Show a payment as Authorization: TPAT, transaction id, colon, OutProofV2; with the challenge.";
    Declined::new(Code::Malformed, title)
}

/// Permission for one request.
#[derive(Debug)]
pub struct Pass {
    unit: Option<Unit>,
    strings: Option<Strings>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Admits a request to a paid route.
///
/// # Errors
/// The answer to send instead.
pub async fn pass(
    booth: &Booth,
    table: &Table,
    route: &Route,
    terms: &Terms,
    caller: &Caller<'_>,
) -> Result<Pass, Response<Body>> {
    if terms.signed_in_free && booth.is_signed_in(caller).await {
        return Ok(Pass::free());
    }
    match caller.shown() {
        Ok(Shown::Nothing) if let Some(pass) = by_cookie(booth, route, caller).await? => Ok(pass),
        Ok(Shown::Nothing)
            if booth.is_free(route, terms.allowance, caller).await.map_err(|declined| declined.shown(caller))? =>
        {
            Ok(Pass::free())
        }
        Ok(Shown::Nothing) if caller.is_browser() => Err(booth.welcome(table, route, terms, caller).await),
        Ok(Shown::Nothing) => Err(booth.ask(route, terms, caller, Presented::default())),
        Ok(Shown::Session(credential)) => match booth.admit(route, credential, caller).await {
            Ok((unit, bound)) => {
                let nonce = bound.then(|| booth.nonce(caller));
                Ok(Pass::new(Some(unit), nonce.into_iter().collect()))
            }
            Err(declined) if declined.code() == Code::TokenSpent => {
                Err(booth.ask_again(route, terms, credential, caller, declined).answer())
            }
            Err(declined) => Err(declined.answer()),
        },
        Ok(Shown::Payment(credential)) => match caller.only(CHALLENGE_HEADER) {
            Some(challenge) => in_place(booth, table, route, (credential, challenge), caller).await,
            None if terms.tpat0 => compat(booth, route, terms, credential, caller).await,
            None => Err(booth.ask(route, terms, caller, presented(credential))),
        },
        Err(_) => Err(malformed().answer()),
    }
}

/// Admits a request by a browser's token. Returns `None` for a token that is used up, so that the page shows the price.
///
/// # Errors
/// The token is not usable yet or not now. The person must not be asked to pay again.
async fn by_cookie(booth: &Booth, route: &Route, caller: &Caller<'_>) -> Result<Option<Pass>, Response<Body>> {
    let jar = Jar { route: &route.name, https: caller.https() };
    let Some(credential) = page::shown(caller.headers, jar) else { return Ok(None) };
    match booth.admit(route, &credential, caller).await {
        Ok((unit, _)) => Ok(Some(Pass::new(Some(unit), Vec::new()))),
        Err(declined) if matches!(declined.code(), Code::TooMany | Code::TokenSuspended | Code::Unavailable) => {
            Err(declined.shown(caller))
        }
        Err(_) => Ok(None),
    }
}

/// Redeems a payment and admits the request in one step.
async fn in_place(
    booth: &Booth,
    table: &Table,
    route: &Route,
    (credential, challenge): (&str, &str),
    caller: &Caller<'_>,
) -> Result<Pass, Response<Body>> {
    let show = Show { credential, challenge, key: Key::OfTheRequest };
    match booth.redeem(table, show, caller).await.map_err(Declined::answer)? {
        Outcome::Token { text, token, .. } => {
            let unit = booth.first_unit(route, &token, caller).await.map_err(Declined::answer)?;
            let text = HeaderValue::try_from(text).ok().map(|text| (HeaderName::from_static(TOKEN_HEADER), text));
            // This answer contains a token, so it must not be cached, whatever the upstream says.
            let not_kept = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(Pass::new(Some(unit), text.into_iter().chain([booth.nonce(caller), not_kept]).collect()))
        }
        pending @ Outcome::Pending { .. } => Err(answer(pending)),
    }
}

/// Admits a request with a transaction and its proof, as in the scheme of 2022.
async fn compat(
    booth: &Booth,
    route: &Route,
    terms: &Terms,
    credential: &str,
    caller: &Caller<'_>,
) -> Result<Pass, Response<Body>> {
    let pass = async {
        match booth.compat(route, terms, credential, caller).await? {
            Outcome::Token { token, .. } => booth.first_unit(route, &token, caller).await.map(Ok),
            pending @ Outcome::Pending { .. } => Ok(Err(answer(pending))),
        }
    };
    match pass.await {
        Ok(unit) => Ok(Pass::new(Some(unit?), Vec::new())),
        Err(declined) if declined.code() == Code::TokenSpent => {
            Err(booth.ask_again(route, terms, credential, caller, declined).answer())
        }
        Err(declined) => Err(declined.answer()),
    }
}

/// Describes the refused credential to old clients.
fn presented(credential: &str) -> Presented<'_> {
    let shown = credential.split_once(' ').and_then(|(_, shown)| shown.trim().split_once(':'));
    match shown {
        Some((hash, signature)) if credential.len() <= tpat::credential::LONGEST => Presented { hash, signature },
        _ => Presented::default(),
    }
}

impl Pass {
    pub fn free() -> Self {
        Self::new(None, Vec::new())
    }

    fn new(unit: Option<Unit>, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { unit, strings: None, headers }
    }

    /// Ends a tunnel, if the request becomes one, together with the token that paid for it.
    pub fn tie(&mut self, request: &mut Request<Body>) {
        if self.unit.is_some() && request.headers().contains_key(header::UPGRADE) {
            self.strings.get_or_insert_default().tie(request);
        }
    }

    /// Charges for an answer of the upstream, unless its status says that the upstream failed. Answers of the gate
    /// itself are free. An answer that continues as a stream is charged further.
    pub fn settle(self, mut response: Response<Body>, lease_ms: i64, surroundings: &Surroundings) -> Response<Body> {
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        let own = response.extensions().get::<NotCharged>().is_some();
        let Some(unit) = self.unit.filter(|_| !own && !response.status().is_server_error()) else { return response };
        let entry = unit.entry();
        let left = unit.charge((surroundings.now)());
        response.headers_mut().insert(QUOTA_HEADER, left.requests.into());
        response.headers_mut().insert(EXPIRES_HEADER, seconds(left.expires_at).into());
        let tunnel = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if !tunnel && response.body().size_hint().exact().is_some() {
            return response;
        }
        let strings = self.strings.unwrap_or_default();
        if !tunnel {
            response = response.map(|body| strings.wrap(body));
        }
        tokio::spawn(Lease::new(entry, lease_ms, surroundings.clone()).watch(strings));
        response
    }
}
