//! Answers to authorization requests: a code or an error for the client, or an error for the person.

use crate::error::{ErrorCode, OAuthError};
use crate::params::with_query;

/// The way in which an answer reaches the redirect URI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResponseMode {
    #[default]
    Query,
    FormPost,
}

/// An error for the person and for the developer of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownError {
    pub error: OAuthError,
    /// Names and values that show the difference: `("Registered", "https://...")`.
    pub facts: Vec<(&'static str, String)>,
}

impl ShownError {
    pub(crate) fn new(code: ErrorCode, text: impl Into<String>, facts: Vec<(&'static str, String)>) -> Self {
        Self { error: OAuthError::new(code, text), facts }
    }

    /// Returns the error with its facts in the description, for the answer to a program.
    #[must_use]
    pub fn in_words(self) -> OAuthError {
        let facts: Vec<_> = self.facts.iter().map(|(name, value)| format!("; {name}: {value}")).collect();
        OAuthError::new(self.error.code, self.error.description + &facts.concat())
    }
}

impl From<OAuthError> for ShownError {
    fn from(error: OAuthError) -> Self {
        Self { error, facts: Vec::new() }
    }
}

/// An error for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirected {
    pub error: OAuthError,
    /// As in [`ShownError`], for the developer. They are not sent.
    pub facts: Vec<(&'static str, String)>,
    pub to: ReturnTo,
}

/// The place to answer at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo {
    pub redirect_uri: String,
    pub mode: ResponseMode,
    pub state: Option<String>,
}

/// An answer to the client at its redirect URI.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub to: ReturnTo,
    /// `code`, or `error` and `error_description`; then `state` and `iss`.
    pub pairs: Vec<(&'static str, String)>,
}

impl Response {
    /// Builds an answer with a code. `iss` protects clients of several providers (RFC 9207).
    pub fn code(to: ReturnTo, code: &str, issuer: &str) -> Self {
        Self::new(to, vec![("code", code.to_owned())], issuer)
    }

    /// Builds an answer with an error.
    pub fn error(to: ReturnTo, error: &OAuthError, issuer: &str) -> Self {
        let code = ("error", error.code.as_str().to_owned());
        Self::new(to, vec![code, ("error_description", error.description.clone())], issuer)
    }

    fn new(to: ReturnTo, mut pairs: Vec<(&'static str, String)>, issuer: &str) -> Self {
        pairs.extend(to.state.clone().map(|state| ("state", state)));
        pairs.push(("iss", issuer.to_owned()));
        Self { to, pairs }
    }

    /// Returns the URI for `response_mode=query`.
    pub fn query_uri(&self) -> String {
        let pairs: Vec<_> = self.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        with_query(&self.to.redirect_uri, &pairs)
    }

    /// Returns the parameters as form data.
    pub fn form(&self) -> String {
        let pairs: Vec<_> = self.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        with_query("", &pairs).trim_start_matches('?').to_owned()
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({})", self.to.redirect_uri)
    }
}
