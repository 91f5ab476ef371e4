//! Maps a client's credentials to an answer or to admission.

use crate::caller::{Caller, PresentedCredential, unix_seconds};
use crate::environment::Environment;
use crate::gate_problem::{GateProblem, NotCharged};
use crate::ledger::HeldRequest;
use crate::page::{self, RouteCookies};
use crate::payment_problem::PaymentProblem;
use crate::payments::{PaymentService, PresentedPayment, RedeemOutcome, RequestedBinding};
use crate::pricing::Pricing;
use crate::response::json;
use crate::route::{Route, RouteTable};
use crate::stream_meter::{StreamHandle, StreamMeter};
use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as _;
use std::time::Duration;
use tokio::time::timeout;
use tpat::confirmations::retry_after_s;
use tpat::header::RefusedCredential;
use wire::toll::{
    CHALLENGE_HEADER, EXPIRES_HEADER, PendingRedemption, PendingStatus, Piconero, QUOTA_HEADER, RedeemRequest,
    RedeemedToken, TOKEN_HEADER, TollCode,
};

/// Maximum length of a redemption's body, in bytes.
const LONGEST: usize = 4096;
/// Time limit for receiving that body.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Handles `POST /.well-known/tpat/redeem`.
pub(crate) async fn redeem(
    payments: &PaymentService,
    table: &RouteTable,
    caller: &Caller<'_>,
    body: Body,
) -> Response<Body> {
    if caller.method != Method::POST {
        return GateProblem::bad_request("Show a payment with POST.").answer();
    }
    match redeemed(payments, table, caller, body).await {
        Ok(outcome) => respond(outcome),
        Err(problem) => problem.answer(),
    }
}

async fn redeemed(
    payments: &PaymentService,
    table: &RouteTable,
    caller: &Caller<'_>,
    body: Body,
) -> Result<RedeemOutcome, PaymentProblem> {
    let Ok(PresentedCredential::Payment(credential)) = caller.credential() else { return Err(malformed()) };
    let body = timeout(BODY_TIME, Limited::new(body, LONGEST).collect()).await.map_err(|_| malformed())?;
    let body = body.map_err(|_| malformed())?.to_bytes();
    let request: RedeemRequest = serde_json::from_slice(&body).map_err(|_| malformed())?;
    let key = request.jwk.as_ref().map_or(RequestedBinding::Bearer, RequestedBinding::Named);
    payments.redeem(table, PresentedPayment { credential, challenge: &request.challenge, key }, caller).await
}

fn respond(outcome: RedeemOutcome) -> Response<Body> {
    match outcome {
        RedeemOutcome::Token { text, token, left } => {
            let body = RedeemedToken {
                token: text,
                expires: unix_seconds(token.expires_at),
                quota: left.unsigned_abs(),
                provisional: token.provisional,
                remainder: Piconero(token.remainder.unsigned_abs()),
            };
            json(StatusCode::OK, "application/json", &body)
        }
        RedeemOutcome::Pending { have, need } => {
            let retry_after = retry_after_s(have, need);
            let body = PendingRedemption { status: PendingStatus::Pending, have, need, retry_after };
            let mut response = json(StatusCode::ACCEPTED, "application/json", &body);
            response.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
            response
        }
    }
}

fn malformed() -> PaymentProblem {
    let title = "Present a payment as Authorization: TPAT, transaction id, colon, OutProofV2; with the challenge.";
    PaymentProblem::new(TollCode::Malformed, title)
}

/// Permission for one request.
#[derive(Debug)]
pub(crate) struct Admission {
    unit: Option<HeldRequest>,
    /// Whether this is one of a client's free requests for a paid route. A stream then ends after its first period.
    is_one_free: bool,
    stream: Option<StreamHandle>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Admits a request to a paid route.
///
/// # Errors
/// The answer to send instead.
pub(crate) async fn admit(
    payments: &PaymentService,
    table: &RouteTable,
    route: &Route,
    pricing: &Pricing,
    caller: &Caller<'_>,
) -> Result<Admission, Response<Body>> {
    if pricing.signed_in_free && payments.is_signed_in(caller).await {
        return Ok(Admission::free());
    }
    match caller.credential() {
        // Neither counted nor free, because a hostile page could send any number of them.
        Ok(PresentedCredential::Nothing) if caller.is_from_stranger(&route.cors) => {
            Err(payments.offer_response(route, pricing, caller, RefusedCredential::default()))
        }
        Ok(PresentedCredential::Nothing) if let Some(pass) = by_cookie(payments, route, caller).await? => Ok(pass),
        Ok(PresentedCredential::Nothing)
            if payments.is_free(route, pricing.allowance, caller).await.map_err(|problem| problem.shown(caller))? =>
        {
            Ok(Admission { is_one_free: true, ..Admission::free() })
        }
        Ok(PresentedCredential::Nothing) if caller.is_browser() => {
            Err(payments.browser_page(table, route, pricing, caller).await)
        }
        Ok(PresentedCredential::Nothing) => {
            Err(payments.offer_response(route, pricing, caller, RefusedCredential::default()))
        }
        Ok(PresentedCredential::Session(credential)) => match payments.admit(route, credential, caller).await {
            Ok((unit, next)) => Ok(Admission::new(Some(unit), next)),
            Err(problem) if problem.code() == TollCode::TokenSpent => {
                Err(payments.refuse_with_offer(route, pricing, credential, caller, problem).answer())
            }
            Err(problem) => Err(problem.answer()),
        },
        Ok(PresentedCredential::Payment(credential)) => match caller.single_header(CHALLENGE_HEADER) {
            Some(challenge) => redeem_in_place(payments, table, route, (credential, challenge), caller).await,
            None if pricing.tpat0 => compat(payments, route, pricing, credential, caller).await,
            None => Err(payments.offer_response(route, pricing, caller, refused_credential(credential))),
        },
        Err(_) => Err(malformed().answer()),
    }
}

/// Admits a request by a browser's token. Returns `None` for a token that is used up, so that the page shows the price.
///
/// # Errors
/// The token is not usable yet or not now. The person must not be asked to pay again.
async fn by_cookie(
    payments: &PaymentService,
    route: &Route,
    caller: &Caller<'_>,
) -> Result<Option<Admission>, Response<Body>> {
    let cookies = RouteCookies { route: &route.name, https: caller.https() };
    let mut waiting = None;
    for credential in page::token_credentials(caller.headers, cookies) {
        match payments.admit(route, &credential, caller).await {
            Ok((unit, _)) => return Ok(Some(Admission::new(Some(unit), Vec::new()))),
            Err(problem)
                if matches!(problem.code(), TollCode::TooMany | TollCode::TokenSuspended | TollCode::Unavailable) =>
            {
                waiting.get_or_insert(problem);
            }
            Err(_) => {}
        }
    }
    match waiting {
        Some(problem) => Err(problem.shown(caller)),
        None => Ok(None),
    }
}

/// Redeems a payment and admits the request in one step.
async fn redeem_in_place(
    payments: &PaymentService,
    table: &RouteTable,
    route: &Route,
    (credential, challenge): (&str, &str),
    caller: &Caller<'_>,
) -> Result<Admission, Response<Body>> {
    let show = PresentedPayment { credential, challenge, key: RequestedBinding::RequestKey };
    match payments.redeem(table, show, caller).await.map_err(PaymentProblem::answer)? {
        RedeemOutcome::Token { text, token, .. } => {
            let unit = payments.first_unit(route, &token, caller).await.map_err(PaymentProblem::answer)?;
            let text = HeaderValue::try_from(text).ok().map(|text| (HeaderName::from_static(TOKEN_HEADER), text));
            // This answer contains a token, so it must not be cached, whatever the upstream says.
            let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(Admission::new(Some(unit), text.into_iter().chain([payments.nonce(caller), no_store]).collect()))
        }
        pending @ RedeemOutcome::Pending { .. } => Err(respond(pending)),
    }
}

/// Admits a request with a transaction and its proof, the scheme of 2022.
async fn compat(
    payments: &PaymentService,
    route: &Route,
    pricing: &Pricing,
    credential: &str,
    caller: &Caller<'_>,
) -> Result<Admission, Response<Body>> {
    let pass = async {
        match payments.compat(route, pricing, credential, caller).await? {
            RedeemOutcome::Token { token, .. } => payments.first_unit(route, &token, caller).await.map(Ok),
            pending @ RedeemOutcome::Pending { .. } => Ok(Err(respond(pending))),
        }
    };
    match pass.await {
        Ok(unit) => Ok(Admission::new(Some(unit?), Vec::new())),
        Err(problem) if problem.code() == TollCode::TokenSpent => {
            Err(payments.refuse_with_offer(route, pricing, credential, caller, problem).answer())
        }
        Err(problem) => Err(problem.answer()),
    }
}

/// Returns the refused credential in the form for old clients.
fn refused_credential(credential: &str) -> RefusedCredential<'_> {
    let shown = credential.split_once(' ').and_then(|(_, shown)| shown.trim().split_once(':'));
    match shown {
        Some((hash, signature)) if credential.len() <= tpat::credential::LONGEST => {
            RefusedCredential { hash, signature }
        }
        _ => RefusedCredential::default(),
    }
}

impl Admission {
    pub(crate) fn free() -> Self {
        Self::new(None, Vec::new())
    }

    fn new(unit: Option<HeldRequest>, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { unit, is_one_free: false, stream: None, headers }
    }

    /// Ties a tunnel, if the request becomes one, to the token that paid for it, so that both end together. A free one
    /// ends after its first period.
    pub(crate) fn attach(&mut self, request: &mut Request<Body>) {
        if (self.unit.is_some() || self.is_one_free) && request.headers().contains_key(header::UPGRADE) {
            self.stream.get_or_insert_default().attach(request);
        }
    }

    /// Charges for an answer of the upstream, unless its status says that the upstream failed. Answers of the gate
    /// itself are free. An answer that continues as a stream is charged further.
    pub(crate) fn settle(
        self,
        mut response: Response<Body>,
        lease_ms: i64,
        environment: &Environment,
    ) -> Response<Body> {
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        let own = response.extensions().get::<NotCharged>().is_some();
        if own || response.status().is_server_error() || (self.unit.is_none() && !self.is_one_free) {
            return response;
        }
        let entry = self.unit.map(|unit| {
            let entry = unit.entry();
            let left = unit.charge((environment.now)());
            response.headers_mut().insert(QUOTA_HEADER, left.requests.into());
            response.headers_mut().insert(EXPIRES_HEADER, unix_seconds(left.expires_at).into());
            entry
        });
        let tunnel = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if !tunnel && response.body().size_hint().exact().is_some() {
            return response;
        }
        let stream = self.stream.unwrap_or_default();
        if !tunnel {
            response = response.map(|body| stream.wrap(body));
        }
        tokio::spawn(StreamMeter::new(entry, lease_ms, environment.clone()).watch(stream));
        response
    }
}
