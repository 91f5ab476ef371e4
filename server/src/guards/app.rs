//! Which app a request is about, and what of it: told by a proxy, or by the request's own host.

use crate::config::App;
use crate::http::ApiError;
use crate::state::AppState;
use http::{HeaderMap, HeaderName, Uri, header};
use std::net::IpAddr;
use wire::problem::Code;

const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");

/// Headers by which some frameworks take another method than the request's.
const OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-http-method"),
];

/// The request that a proxy asks about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub app: &'a App,
    pub method: &'a str,
    /// Path and query as they stood in the request line.
    pub target: &'a str,
    /// Whether a header names another method.
    pub overridden: bool,
}

impl<'a> Asked<'a> {
    /// Only a trusted proxy's word counts, and only if it says each thing once.
    ///
    /// # Errors
    /// `forbidden`: the peer is no trusted proxy. `bad_request`: something is missing or said twice.
    /// `no_app`: no app of this host and scheme is known.
    pub fn read(state: &'a AppState, peer: IpAddr, headers: &'a HeaderMap) -> Result<Self, ApiError> {
        if !state.config.proxies.trusts(peer) {
            return Err(ApiError::explained(Code::Forbidden, "Only a proxy of trusted_proxies may ask this."));
        }
        let told = |name: &HeaderName| {
            let problem = || ApiError::explained(Code::BadRequest, format!("The proxy must send {name}, once."));
            once(headers, name).filter(|text| !text.is_empty()).ok_or_else(problem)
        };
        let (proto, host) = (told(&PROTO)?, told(&HOST)?);
        let app = state.config.apps.at(host).filter(|app| app.https == (proto == "https"));
        let app = app.ok_or_else(|| ApiError::new(Code::NoApp))?;
        let overridden = OVERRIDES.iter().any(|name| headers.contains_key(name));
        Ok(Self { app, method: told(&METHOD)?, target: told(&URI)?, overridden })
    }
}

/// The app on whose own host the request came.
pub fn of_host<'a>(state: &'a AppState, uri: &Uri, headers: &HeaderMap) -> Option<&'a App> {
    let host = once(headers, &header::HOST).or_else(|| uri.authority().map(http::uri::Authority::as_str))?;
    state.config.apps.at(host)
}

/// The header's only value.
pub fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let value = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(value)
}
