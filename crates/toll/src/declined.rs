//! Reasons for refusing a payment or token, as sent to the client.

use crate::answer::json;
use crate::caller::Caller;
use crate::page::{self, Manner};
use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use wire::problem::MEDIA_TYPE;
use wire::toll::{Code, Piconero, Problem};

#[derive(Debug, Clone)]
pub struct Declined {
    problem: Problem,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Declined {
    pub fn new(code: Code, title: impl Into<String>) -> Self {
        let (status, title) = (status(code).as_u16(), title.into());
        let problem = Problem { status, code, title, have: None, need: None, retry_after: None, reference: None };
        Self { problem, headers: Vec::new() }
    }

    /// Reports a failure of the gate itself; the cause is in the log.
    pub fn unavailable() -> Self {
        Self::new(Code::Unavailable, "Something went wrong here, and nothing was changed. Do not pay again; try later.")
            .retry_after(5)
    }

    /// Overrides the code's default status.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.problem.status = status.as_u16();
        self
    }

    /// Sets `Retry-After`, in seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.problem.retry_after = Some(seconds);
        self.with(header::RETRY_AFTER, seconds.into())
    }

    pub fn amounts(mut self, have: u64, need: u64) -> Self {
        (self.problem.have, self.problem.need) = (Some(Piconero(have)), Some(Piconero(need)));
        self
    }

    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn code(&self) -> Code {
        self.problem.code
    }

    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns a title for people.
    pub fn title(&self) -> &str {
        &self.problem.title
    }

    /// The name under which whoever runs the gate finds the payment.
    pub fn reference(mut self, name: impl Into<String>) -> Self {
        self.problem.reference = Some(name.into());
        self
    }

    /// Whether the payment was found, and is listed.
    pub fn is_listed(&self) -> bool {
        self.problem.reference.is_some()
    }

    /// A page for a browser that waits, else a problem.
    pub fn shown(self, caller: &Caller<'_>) -> Response<Body> {
        if caller.is_browser() { page::held_up(&self, caller.target, Manner::Live) } else { self.answer() }
    }

    pub fn answer(self) -> Response<Body> {
        let mut response = json(self.status_code(), MEDIA_TYPE, &self.problem);
        response.headers_mut().extend(self.headers);
        response
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::PaymentRequired | Code::Underpaid | Code::TokenSpent => StatusCode::PAYMENT_REQUIRED,
        Code::TokenSuspended | Code::TokenRevoked | Code::OtherRoute => StatusCode::FORBIDDEN,
        Code::AlreadyRedeemed => StatusCode::CONFLICT,
        Code::Malformed | Code::Forged => StatusCode::BAD_REQUEST,
        Code::ExpiredChallenge
        | Code::WrongMessage
        | Code::BadProof
        | Code::LockedFunds
        | Code::UnsupportedTransaction
        | Code::DoubleSpent => StatusCode::UNPROCESSABLE_ENTITY,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::BadPossession | Code::UseDpopNonce => StatusCode::UNAUTHORIZED,
        Code::HostRewritten => StatusCode::MISDIRECTED_REQUEST,
        Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Code::NodeUnavailable | Code::UpstreamUnavailable | Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
