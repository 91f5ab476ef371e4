//! Pages of other origins that may call a route (Fetch, section 3.3). They call it without the browser's credentials: a
//! page presents a token of its own in `Authorization`, and tokens in cookies are of no use to it.

use crate::caching::add_vary;
use crate::gate_problem::NotCharged;
use axum::body::Body;
use domain::authority::{InvalidAuthority, Origin};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use std::str::FromStr;
use wire::toll::{EXPIRES_HEADER, MAC_KEY_HEADER, NONCE_HEADER, QUOTA_HEADER, TOKEN_HEADER};

/// Seconds for which a browser may cache the answer to a preflight request. Most accept no more than two hours.
const KEPT: HeaderValue = HeaderValue::from_static("600");
const WHAT_DECIDES: [&str; 3] = ["origin", "access-control-request-method", "access-control-request-headers"];

/// An origin that a route names, or every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    Any,
    One(Origin),
}

impl FromStr for Allowed {
    type Err = InvalidAuthority;

    fn from_str(text: &str) -> Result<Self, InvalidAuthority> {
        if text == "*" { Ok(Self::Any) } else { Origin::parse(text).map(Self::One) }
    }
}

/// Whether an origin is listed by name. A route for every origin lists none.
pub(crate) fn lists(allowed: &[Allowed], page: &Origin) -> bool {
    allowed.iter().any(|one| matches!(one, Allowed::One(origin) if origin == page))
}

/// A browser's preflight request for a page of another origin.
#[derive(Debug)]
pub struct Preflight {
    pub method: Method,
}

impl Preflight {
    /// Reads a preflight request. `None`: this is an ordinary request.
    pub fn of(parts: &Parts) -> Option<Self> {
        let asked = parts.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
        let ordinary = parts.method != Method::OPTIONS || !parts.headers.contains_key(header::ORIGIN);
        let method = Method::from_bytes(asked.as_bytes()).ok()?;
        (!ordinary).then_some(Self { method })
    }

    /// Answers 204.
    pub fn answer(self, verdict: &Verdict, asked: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.extensions_mut().insert(NotCharged);
        let headers = response.headers_mut();
        if let Some(origin) = &verdict.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        if let Ok(method) = HeaderValue::try_from(self.method.as_str()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method);
        }
        if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(named) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, KEPT);
        add_vary(headers, &WHAT_DECIDES);
        response
    }
}

/// Returns the value if it consists of header names only.
fn named(value: &HeaderValue) -> Option<HeaderValue> {
    let names = value.to_str().ok()?.split(',').map(|name| name.trim().parse::<HeaderName>());
    names.collect::<Result<Vec<_>, _>>().ok().map(|_| value.clone())
}

/// The decision whether an origin's page may read an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The value of `Access-Control-Allow-Origin`.
    pub origin: Option<HeaderValue>,
    /// Whether the answer differs for other origins.
    varies: bool,
}

impl Verdict {
    /// Decides by the allowed origins. `None`: no origins are named, and the upstream's own headers stay.
    pub fn of<'a>(allowed: impl IntoIterator<Item = &'a Allowed>, headers: &HeaderMap) -> Option<Self> {
        let mut allowed = allowed.into_iter().peekable();
        allowed.peek()?;
        let sent = headers.get(header::ORIGIN);
        let asked = sent.and_then(|origin| Origin::parse(origin.to_str().ok()?).ok());
        let (mut origin, mut varies) = (None, false);
        for one in allowed {
            match one {
                Allowed::Any => return Some(Self { origin: Some(HeaderValue::from_static("*")), varies: false }),
                Allowed::One(one) => {
                    varies = true;
                    if asked.as_ref() == Some(one) {
                        origin = sent.cloned();
                    }
                }
            }
        }
        Some(Self { origin, varies })
    }

    /// Writes the headers that say which origins may read an answer, in place of the upstream's.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        if self.varies {
            add_vary(headers, &WHAT_DECIDES[..1]);
        }
        let Some(origin) = &self.origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let own = [
            "www-authenticate",
            "retry-after",
            NONCE_HEADER,
            MAC_KEY_HEADER,
            QUOTA_HEADER,
            EXPIRES_HEADER,
            TOKEN_HEADER,
        ];
        if let Ok(own) = HeaderValue::try_from(own.join(", ")) {
            headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))])
    }

    fn allowed(list: &[&str]) -> Vec<Allowed> {
        list.iter().map(|text| text.parse().expect("an origin")).collect()
    }

    #[test]
    fn the_named_origins_and_no_others() {
        let named = allowed(&["https://shop.example", "http://localhost:8080"]);
        for (origin, may) in [
            ("https://shop.example", true),
            ("http://localhost:8080", true),
            ("https://shop.example:8443", false),
            ("http://shop.example", false),
            ("https://shop.example.evil", false),
            ("https://evil.shop.example", false),
            ("null", false),
        ] {
            let verdict = Verdict::of(&named, &asked(origin)).expect("a verdict");
            assert_eq!(verdict.origin.is_some(), may, "{origin}");
            assert!(verdict.varies);
        }
        assert_eq!(Verdict::of(&[], &asked("https://shop.example")), None);
        let any = Verdict::of(&allowed(&["*"]), &asked("null")).expect("a verdict");
        assert_eq!((any.origin.expect("any"), any.varies), (HeaderValue::from_static("*"), false));
        for wrong in ["shop.example", "https://shop.example/path", "https://*.example", "null", ""] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_upstream_cannot_allow_credentials() {
        let mut headers = HeaderMap::from_iter([
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("https://evil.example")),
            (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")),
        ]);
        Verdict::of(&allowed(&["https://shop.example"]), &asked("https://evil.example"))
            .expect("one")
            .write(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["vary"]);
    }
}
