//! Security headers of every answer.

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};

const FIXED: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=()"),
];

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The features that a page's code may use.
const PAGE_FEATURES: &str = "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), payment=(), \
     publickey-credentials-create=(self), publickey-credentials-get=(self), serial=(), usb=()";

/// The policy of answers that are not pages: nothing may load or run.
const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The headers of every answer, built once.
#[derive(Debug)]
pub struct ResponseHeaders(HeaderMap);

impl ResponseHeaders {
    pub fn new(https: bool) -> Self {
        // Room for those of handlers too: a copy of a full map would be hashed again for the first of them.
        let mut headers = HeaderMap::with_capacity(2 * FIXED.len() + 8);
        headers.extend(FIXED.map(|(name, value)| (name, HeaderValue::from_static(value))));
        if https {
            let year = HeaderValue::from_static("max-age=63072000; includeSubDomains");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self(headers)
    }

    /// Adds the headers that the handler has not set.
    pub fn complete(&self, mut response: Response) -> Response {
        let own = std::mem::replace(response.headers_mut(), self.0.clone());
        let headers = response.headers_mut();
        let mut last = None;
        for (name, value) in own {
            // A value without a name is another value of the previous name.
            match name {
                Some(name) => {
                    headers.insert(&name, value);
                    last = Some(name);
                }
                None => {
                    if let Some(name) = &last {
                        headers.append(name, value);
                    }
                }
            }
        }
        response
    }
}

/// Returns the policies of a page: the sources of its code, and the features that its code may use. The former has no `strict-dynamic`, with which Chromium runs an injected module preload of a
/// `data:` URL (w3c/webappsec-csp issue 823).
///
/// `connect`: another origin that the page's code may reach.
pub fn page_policies(nonce: &str, connect: Option<&str>) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let connect = connect.map_or_else(String::new, |origin| format!(" {origin}"));
    let sources = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self'; connect-src 'self'{connect}; form-action 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default"
    );
    let sources = HeaderValue::from_str(&sources).ok().map(|value| (header::CONTENT_SECURITY_POLICY, value));
    sources.into_iter().chain([(PERMISSIONS_POLICY, HeaderValue::from_static(PAGE_FEATURES))])
}
