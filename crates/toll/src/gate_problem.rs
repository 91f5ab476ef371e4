//! Error answers of the gate: problem details (RFC 9457).

use crate::response::json;
use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use wire::problem::{Code, MEDIA_TYPE, Problem};

/// Marks an answer that the gate made instead of the upstream, so that nothing is charged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotCharged;

/// The reason for refusing a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GateProblem {
    status: StatusCode,
    code: Code,
    title: &'static str,
    retry_after: Option<u64>,
}

impl GateProblem {
    pub(crate) fn bad_request(title: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: Code::BadRequest, title, retry_after: None }
    }

    pub(crate) fn no_route() -> Self {
        Self { status: StatusCode::NOT_FOUND, code: Code::NotFound, title: "Not found.", retry_after: None }
    }

    pub(crate) fn method_not_allowed() -> Self {
        let title = "This method is not allowed.";
        Self { status: StatusCode::METHOD_NOT_ALLOWED, code: Code::MethodNotAllowed, title, retry_after: None }
    }

    /// Reports that a page of another origin sent a form of the gate's pages.
    pub(crate) fn cross_site() -> Self {
        let title = "Send this form from the page of this site.";
        Self { status: StatusCode::FORBIDDEN, code: Code::CrossSite, title, retry_after: None }
    }

    /// Reports that the upstream cannot be reached; nothing was charged. `retry_after` is in seconds.
    pub(crate) fn upstream(status: StatusCode, retry_after: u64) -> Self {
        let title = "The program behind the gate does not answer. Nothing was charged.";
        Self { status, code: Code::Unavailable, title, retry_after: Some(retry_after) }
    }

    /// Reports that paid requests are not possible now; nothing was charged.
    pub(crate) fn closed() -> Self {
        let title = "Payments cannot be accepted now. Do not pay; try again later.";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, code: Code::Unavailable, title, retry_after: Some(60) }
    }

    pub(crate) fn too_large() -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: Code::TooLarge,
            title: "The body is over the limit. Nothing was charged.",
            retry_after: None,
        }
    }

    /// Reports that the rest of a request's body did not arrive.
    pub(crate) fn slow_body() -> Self {
        let title = "The rest of the request did not arrive. Nothing was charged.";
        Self { status: StatusCode::REQUEST_TIMEOUT, code: Code::Timeout, title, retry_after: None }
    }

    /// Reports a loop: the upstream is the gate itself.
    pub(crate) fn looped() -> Self {
        let title = "This request was forwarded back to the gate that sent it. Nothing was charged.";
        Self { status: StatusCode::LOOP_DETECTED, code: Code::Unavailable, title, retry_after: None }
    }

    pub(crate) fn answer(self) -> Response<Body> {
        let problem = Problem {
            status: self.status.as_u16(),
            code: self.code,
            title: self.title.to_owned(),
            detail: None,
            retry_after: self.retry_after,
            incident: None,
            pending: None,
            proofs: Vec::new(),
        };
        let mut response = json(self.status, MEDIA_TYPE, &problem);
        response.extensions_mut().insert(NotCharged);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
