//! Answers to refused clients.

use crate::dpop::{ALGORITHMS, NONCE_HEADER};
use crate::error::TokenError;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

/// The scheme of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750, section 2.1.
    Bearer,
    /// RFC 9449, section 7.1.
    Dpop,
}

/// The reason for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// The token is missing.
    Missing,
    /// Two tokens, or not a token.
    Malformed,
    /// The token is invalid.
    Token,
    /// The proof is missing or invalid.
    Proof,
    /// The proof has no fresh nonce from this app.
    Nonce,
    /// The auth server has been unavailable for too long.
    Unavailable,
}

/// An answer instead of the handler's. It is the same for all invalid tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub scheme: Scheme,
    pub reason: RefusalReason,
    /// The app's realm (RFC 9110, section 11.5).
    pub realm: String,
    /// The nonce for the next proof.
    pub nonce: Option<String>,
}

impl Scheme {
    pub fn parse(text: &str) -> Option<Self> {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        if is("bearer") {
            Some(Self::Bearer)
        } else if is("dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }

    /// Returns `WWW-Authenticate` for this scheme (RFC 9110, section 11.6.1; RFC 9449, section 7.1).
    pub fn challenge(self, realm: Option<&str>, error: Option<&str>) -> String {
        let quoted = |text: &str| text.chars().filter(|c| !matches!(c, '"' | '\\')).collect::<String>();
        let (name, algorithms) = match self {
            Self::Bearer => ("Bearer", None),
            Self::Dpop => ("DPoP", Some(ALGORITHMS)),
        };
        let parameters = [("realm", realm), ("algs", algorithms), ("error", error)];
        let said = parameters.iter().filter_map(|(name, value)| Some(format!(r#"{name}="{}""#, quoted((*value)?))));
        match said.collect::<Vec<_>>().join(", ") {
            said if said.is_empty() => name.to_owned(),
            said => format!("{name} {said}"),
        }
    }
}

impl RefusalReason {
    pub(crate) fn of(error: &TokenError) -> Self {
        match error {
            TokenError::NoKeys(_) | TokenError::NoRevocations(_) => Self::Unavailable,
            _ => Self::Token,
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Missing | Self::Token | Self::Proof | Self::Nonce => StatusCode::UNAUTHORIZED,
        }
    }

    /// Returns the error code of RFC 6750, section 3.1, and RFC 9449, sections 7.1 and 8. A request without a token
    /// gets none.
    pub fn error(self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::Unavailable => None,
            Self::Malformed => Some("invalid_request"),
            Self::Token => Some("invalid_token"),
            Self::Proof => Some("invalid_dpop_proof"),
            Self::Nonce => Some("use_dpop_nonce"),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Missing => "An access token is needed.",
            Self::Malformed => "The request does not carry one access token.",
            Self::Token => "The access token is not good.",
            Self::Proof => "The proof of the client's key is missing or wrong.",
            Self::Nonce => "The proof needs the nonce of the DPoP-Nonce header.",
            Self::Unavailable => "Tokens cannot be judged right now.",
        }
    }
}

impl Refusal {
    /// Builds the answer: problem details (RFC 9457) with the challenges of both schemes.
    pub fn response<B: From<String>>(&self) -> Response<B> {
        let status = self.reason.status();
        let body = format!(r#"{{"status":{},"title":"{}"}}"#, status.as_u16(), self.reason.title());
        let mut response = Response::new(B::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.reason == RefusalReason::Unavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        }
        for challenge in [self.challenge(Scheme::Bearer), self.challenge(Scheme::Dpop)] {
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                headers.append(header::WWW_AUTHENTICATE, challenge);
            }
        }
        if let Some(nonce) = self.nonce.as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok()) {
            headers.insert(HeaderName::from_static(NONCE_HEADER), nonce);
        }
        response
    }

    /// Adds the error to the scheme that was used (RFC 9449, section 7.1).
    fn challenge(&self, scheme: Scheme) -> String {
        scheme.challenge(Some(&self.realm), self.reason.error().filter(|_| scheme == self.scheme))
    }
}
