//! The app that a request is about, from a proxy's headers or the request's own host.

use crate::api_error::ApiError;
use crate::config::App;
use crate::state::CoreState;
use domain::app_path::written_out;
use domain::authority::Authority;
use domain::header_name::{begins_like, reads_as};
use http::{HeaderMap, HeaderName, Uri, header};
use net::{single_header, single_value};
use std::borrow::Cow;
use std::net::IpAddr;
use wire::problem::Code;

const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Destinations of framed pages (Fetch, section 2.2.5).
const FRAMES: [&str; 5] = ["iframe", "frame", "fencedframe", "embed", "object"];

/// Headers by which some frameworks override the request's method. An app behind CGI reads them with `_` too.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-method-override", "x-http-method"];

/// Headers that proxies and this portal write for apps.
const RESERVED: [&str; 5] = ["remote-", "x-forwarded-", "x-real-ip", "x-original-", "x-rewrite-url"];

/// The request that a proxy asks about.
#[derive(Debug, Clone)]
pub struct ForwardedRequest<'a> {
    pub app: &'a App,
    pub method: &'a str,
    /// Path and query as in the request line; bytes other than visible ASCII are percent-encoded.
    pub target: Cow<'a, str>,
    /// Whether a header names another method.
    pub overridden: bool,
}

impl<'a> ForwardedRequest<'a> {
    /// Reads the headers of a trusted proxy, each of which must occur exactly once.
    ///
    /// # Errors
    /// `forbidden`: the peer is not a trusted proxy. `bad_request`: a header is missing, duplicate or imitated, or the
    /// host is invalid. `no_app`: no app has this host and scheme.
    pub fn read(state: &'a CoreState, peer: IpAddr, headers: &'a HeaderMap) -> Result<Self, ApiError> {
        if !state.config.proxies.trusts(peer) {
            return Err(ApiError::explained(Code::Forbidden, "Only proxies in trusted_proxies may ask this."));
        }
        let missing =
            |name: &HeaderName| ApiError::explained(Code::BadRequest, format!("The proxy must send {name}, once."));
        let header = |name: &HeaderName| {
            single_header(headers, name).filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
        };
        let (proto, host) = (header(&PROTO)?, header(&HOST)?);
        if Authority::parse(host, is_secure(proto)).is_err() {
            let why = format!("The proxy must send {HOST} as host or host:port, as in wiki.example.com.");
            return Err(ApiError::explained(Code::BadRequest, why));
        }
        let app = state.config.apps.at(host).filter(|app| is_of(app, proto));
        let app = app.ok_or_else(|| ApiError::new(Code::NoApp))?;
        if let Some(name) = headers.keys().find(|name| is_imitated(name)) {
            let why = format!("The proxy must remove the header {name}: some apps read it as one of the proxy's own.");
            return Err(ApiError::explained(Code::BadRequest, why));
        }
        let overridden = headers.keys().any(|name| OVERRIDES.iter().any(|known| reads_as(name.as_str(), known)));
        let target = target(headers).ok_or_else(|| missing(&URI))?;
        Ok(Self { app, method: header(&METHOD)?, target, overridden })
    }
}

/// Whether an app behind CGI reads a client's header as a reserved one.
fn is_imitated(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.contains('_') && RESERVED.iter().any(|reserved| begins_like(name, reserved))
}

/// Accepts a WebSocket's scheme too, which some proxies send.
fn is_of(app: &App, proto: &str) -> bool {
    let plain = proto.eq_ignore_ascii_case("http") || proto.eq_ignore_ascii_case("ws");
    if app.https { is_secure(proto) } else { plain }
}

fn is_secure(proto: &str) -> bool {
    proto.eq_ignore_ascii_case("https") || proto.eq_ignore_ascii_case("wss")
}

/// Returns the request target, in which any byte may occur (RFC 9112, section 3). `None`: it is missing or duplicate.
fn target(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let bytes = single_value(headers, &URI).filter(|value| !value.is_empty())?.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(u8::is_ascii_graphic) => Some(Cow::Borrowed(text)),
        _ => Some(Cow::Owned(written_out(bytes))),
    }
}

/// Whether a person sees the answer, not a script, an image or a socket. Older browsers are recognised by what they
/// accept.
pub fn is_page(headers: &HeaderMap) -> bool {
    let accepts = || single_header(headers, &header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    single_header(headers, &FETCH_MODE).map_or_else(accepts, |mode| mode == "navigate")
}

/// Whether that page is framed.
pub fn is_framed(headers: &HeaderMap) -> bool {
    single_header(headers, &FETCH_DEST).is_some_and(|dest| FRAMES.contains(&dest))
}

/// Returns the app whose own host received the request.
pub fn of_host<'a>(state: &'a CoreState, uri: &Uri, headers: &HeaderMap) -> Option<&'a App> {
    let host = single_header(headers, &header::HOST).or_else(|| uri.authority().map(http::uri::Authority::as_str))?;
    state.config.apps.at(host)
}
