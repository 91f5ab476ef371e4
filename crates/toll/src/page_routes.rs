//! Handlers for the forms and links of the payment page.

use crate::caller::Caller;
use crate::gate_problem::GateProblem;
use crate::page::{self, PaymentForm};
use crate::payments::{GrantedToken, PaymentService, RedeemOutcome};
use crate::route::{Route, RouteTable};
use axum::body::Body;
use http::{Method, Response};
use http_body_util::{BodyExt, Limited};
use wire::toll::TollCode;

/// Maximum length of a form, in bytes. A proof for a transaction with 16 outputs has 2,254.
const LONGEST: usize = 8192;

/// Handles `POST /.well-known/tpat/paid`: sets the browser's token cookie and opens the requested page.
pub(crate) async fn redeem_form(
    payments: &PaymentService,
    table: &RouteTable,
    caller: &Caller<'_>,
    body: Body,
) -> Response<Body> {
    let unreadable = || GateProblem::bad_request("The form cannot be read.").answer();
    if caller.method != Method::POST {
        return unreadable();
    }
    let Ok(body) = Limited::new(body, LONGEST).collect().await else { return unreadable() };
    let Ok(payment) = PaymentForm::read(&body.to_bytes()) else { return unreadable() };
    let credential = payment.credential();
    let held = payments.held_challenges(table, caller);
    let mut challenges = vec![payment.challenge.as_str()];
    challenges.extend(held.iter().copied().filter(|held| *held != payment.challenge));
    // The page of an offer that the browser holds shows its progress itself.
    let kept = |challenge: &str| held.contains(&challenge) || payments.follows(challenge);
    match payments.redeem_any(table, &credential, &challenges, caller).await {
        Ok((RedeemOutcome::Token { text, token, .. }, challenge)) => {
            let opened = GrantedToken { text, expires_at: token.expires_at, route: token.route };
            payments.opened(table, challenge, &payment.back, &opened, caller)
        }
        Ok((RedeemOutcome::Pending { .. }, challenge)) if kept(challenge) => page::redirect(&payment.back, []),
        Ok((RedeemOutcome::Pending { have, need }, _)) => page::waiting(&payment, have, need),
        Err((problem, challenge)) if problem.code() == TollCode::Underpaid && kept(challenge) => {
            page::redirect(&payment.back, [])
        }
        Err((problem, _)) if problem.is_listed() => page::too_late(&problem, &payment.back),
        Err((problem, _)) => page::problem(problem.status_code(), problem.title(), &payment),
    }
}

/// Handles `GET /.well-known/tpat/still`: shows a followed payment without refreshing.
pub(crate) async fn static_page(
    payments: &PaymentService,
    table: &RouteTable,
    route: &Route,
    caller: &Caller<'_>,
) -> Response<Body> {
    let page = payments.static_page(table, route, caller).await;
    page.unwrap_or_else(|| page::redirect(caller.target, []))
}

/// Handles `POST /.well-known/tpat/anew`: makes another offer, in addition to those that have ended.
pub(crate) async fn new_offer(
    payments: &PaymentService,
    table: &RouteTable,
    route: &Route,
    caller: &Caller<'_>,
) -> Response<Body> {
    page::redirect(caller.target, payments.renew(table, route, caller).await)
}

/// Reads the field `back` of a small form.
pub(crate) async fn back(body: Body) -> Option<String> {
    let body = Limited::new(body, LONGEST).collect().await.ok()?;
    Some(page::back(&body.to_bytes()))
}
