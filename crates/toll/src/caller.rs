//! The client of a request and what it asks for.

use crate::cors::{self, Allowed};
use crate::page;
use domain::UnixMs;
use domain::authority::{Authority, Origin};
use domain::client_key::ClientKey;
use domain::request_initiator::RequestInitiator;
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
        net::single_header(self.headers, name)
    }

    /// Whether clients use https.
    pub fn https(&self) -> bool {
        self.url.starts_with("https:")
    }

    /// Whether a person requests this in a browser and will see a page.
    pub fn is_browser(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD) && page::prefers_html(self.headers)
    }

    /// Whether a page of another origin made the browser send this request without the person's doing. Such a request
    /// must not use up what its client has: free requests, a token in a cookie, an address for a payment.
    ///
    /// A link that a person follows counts as the person's doing.
    pub fn is_elsewhere(&self) -> bool {
        let initiator = RequestInitiator {
            site: self.single_header("sec-fetch-site"),
            mode: self.single_header("sec-fetch-mode"),
            dest: self.single_header("sec-fetch-dest"),
            purpose: self.single_header("sec-purpose"),
            origin: self.single_header(header::ORIGIN.as_str()),
        };
        let Ok(own) = Authority::parse(self.host, self.https()) else { return true };
        let is_read = matches!(*self.method, Method::GET | Method::HEAD);
        match initiator.is_elsewhere(self.https(), &own) {
            Some(elsewhere) => elsewhere && !(is_read && initiator.is_top_level_navigation()),
            None => !self.https() && self.may_be_embedded(&own),
        }
    }

    /// Whether that is so, and the request is not from a page that the route lists either.
    pub(crate) fn is_from_stranger(&self, listed: &[Allowed]) -> bool {
        self.is_elsewhere() && !self.page().is_some_and(|page| cors::lists(listed, &page))
    }

    /// Whether a browser may have sent this for a page of another origin over plain http. There it marks only its
    /// navigations (Upgrade Insecure Requests, section 3.2.1). No page can forge that mark or another page's address.
    /// Programs are not affected.
    fn may_be_embedded(&self, own: &Authority) -> bool {
        let is_browser = self.single_header("user-agent").is_some_and(|agent| agent.starts_with("Mozilla/"));
        let is_own = |page: Origin| page.https == self.https() && page.authority == *own;
        is_browser && self.single_header("upgrade-insecure-requests").is_none() && !self.page().is_some_and(is_own)
    }

    /// Returns the origin of the page that the request comes from, if the browser names it.
    fn page(&self) -> Option<Origin> {
        if let Some(origin) = self.single_header(header::ORIGIN.as_str()) {
            return Origin::parse(origin).ok();
        }
        let (scheme, rest) = self.single_header(header::REFERER.as_str())?.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        Origin::parse(&format!("{scheme}://{authority}")).ok()
    }

    /// Returns the time in unix seconds.
    pub fn seconds(&self) -> u64 {
        unix_seconds(self.now)
    }
}

/// Converts to unix seconds.
pub(crate) fn unix_seconds(now: UnixMs) -> u64 {
    u64::try_from(now.to_seconds().as_seconds()).unwrap_or_default()
}
