//! The client of a request and what it asks for.

use crate::page;
use domain::UnixMs;
use domain::client_key::ClientKey;
use http::{HeaderMap, Method, header};
use tpat::credential::InvalidCredential;
use wire::toll::{SCHEME, SESSION_SCHEME};

#[derive(Debug)]
pub struct Caller<'a> {
    pub client: ClientKey,
    pub method: &'a Method,
    /// The host and port as the client wrote them.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Scheme, host and path, without a query.
    pub url: String,
    pub headers: &'a HeaderMap,
    pub now: UnixMs,
}

/// A credential for the gate in a request, not verified yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresentedCredential<'a> {
    Nothing,
    /// The complete value of `TPAT ...`.
    Payment(&'a str),
    /// The complete value of `TPAT-Session ...`.
    Session(&'a str),
}

impl<'a> Caller<'a> {
    /// Reads the credential of the request.
    ///
    /// # Errors
    /// There are two credentials, or the credential is not valid text.
    pub fn credential(&self) -> Result<PresentedCredential<'a>, InvalidCredential> {
        let mut all = self.headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = all.next() else { return Ok(PresentedCredential::Nothing) };
        let value = value.to_str().ok().filter(|_| all.next().is_none()).ok_or(InvalidCredential::Malformed)?;
        let scheme = value.split(' ').next().unwrap_or_default();
        Ok(match scheme {
            scheme if scheme.eq_ignore_ascii_case(SESSION_SCHEME) => PresentedCredential::Session(value),
            scheme if scheme.eq_ignore_ascii_case(SCHEME) => PresentedCredential::Payment(value),
            _ => PresentedCredential::Nothing,
        })
    }

    /// Returns a header's value if the header occurs exactly once.
    pub fn single_header(&self, name: &str) -> Option<&'a str> {
        let mut all = self.headers.get_all(name).iter();
        let value = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(value)
    }

    /// Whether clients use https.
    pub fn https(&self) -> bool {
        self.url.starts_with("https:")
    }

    /// Whether a person requests this in a browser and will see a page.
    pub fn is_browser(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD) && page::prefers_html(self.headers)
    }

    /// Returns the time in unix seconds.
    pub fn seconds(&self) -> u64 {
        unix_seconds(self.now)
    }
}

/// Converts to unix seconds.
pub(crate) fn unix_seconds(now: UnixMs) -> u64 {
    u64::try_from(now / 1000).unwrap_or_default()
}
