//! Reasons for refusing a payment or token, as sent to the client.

use crate::response::json;
use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use wire::problem::MEDIA_TYPE;
use wire::toll::{Piconero, TollCode, TollProblem};

#[derive(Debug, Clone)]
pub struct PaymentProblem {
    problem: Box<TollProblem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl PaymentProblem {
    pub fn new(code: TollCode, title: impl Into<String>) -> Self {
        let (status, title) = (status(code).as_u16(), title.into());
        let problem = TollProblem { status, code, title, have: None, need: None, retry_after: None, reference: None };
        Self { problem: Box::new(problem), headers: Vec::new() }
    }

    /// Reports a failure of the gate itself; the cause is in the log.
    pub fn unavailable() -> Self {
        Self::new(
            TollCode::Unavailable,
            "Something went wrong here, and nothing was changed. Do not pay again; try later.",
        )
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

    pub fn code(&self) -> TollCode {
        self.problem.code
    }

    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns a title for people.
    pub fn title(&self) -> &str {
        &self.problem.title
    }

    /// Sets the name by which the operator of the gate finds the payment.
    pub fn reference(mut self, name: impl Into<String>) -> Self {
        self.problem.reference = Some(name.into());
        self
    }

    /// Whether the payment was found, and is listed.
    pub(crate) fn is_listed(&self) -> bool {
        self.problem.reference.is_some()
    }

    pub fn answer(self) -> Response<Body> {
        let mut response = json(self.status_code(), MEDIA_TYPE, &self.problem);
        response.headers_mut().extend(self.headers);
        response
    }
}

fn status(code: TollCode) -> StatusCode {
    match code {
        TollCode::PaymentRequired | TollCode::Underpaid | TollCode::TokenSpent => StatusCode::PAYMENT_REQUIRED,
        TollCode::TokenSuspended | TollCode::TokenRevoked | TollCode::OtherRoute => StatusCode::FORBIDDEN,
        TollCode::AlreadyRedeemed => StatusCode::CONFLICT,
        TollCode::Malformed | TollCode::Forged => StatusCode::BAD_REQUEST,
        TollCode::ExpiredChallenge
        | TollCode::WrongMessage
        | TollCode::BadProof
        | TollCode::LockedFunds
        | TollCode::UnsupportedTransaction
        | TollCode::DoubleSpent => StatusCode::UNPROCESSABLE_ENTITY,
        TollCode::NotFound => StatusCode::NOT_FOUND,
        TollCode::BadPossession | TollCode::UseDpopNonce => StatusCode::UNAUTHORIZED,
        TollCode::HostRewritten => StatusCode::MISDIRECTED_REQUEST,
        TollCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        TollCode::NodeUnavailable | TollCode::UpstreamUnavailable | TollCode::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        TollCode::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
