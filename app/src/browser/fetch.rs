//! Requests to this site.

#[cfg(any(feature = "ssr", feature = "signed-in"))]
use crate::browser::page;
use js_sys::Reflect;
use leptos::prelude::window;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestCache, RequestCredentials, RequestInit, RequestRedirect, Response};
use wire::challenge::Challenge;
use wire::jwk::RsaJwk;
use wire::{Code, Problem};

/// Time limit of a request in milliseconds, longer than the slowest sign-in.
const TIMEOUT_MS: u32 = 30_000;

/// No answer arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable;

impl From<JsValue> for Unreachable {
    fn from(_: JsValue) -> Self {
        Self
    }
}

#[derive(Debug)]
pub struct FetchResponse {
    pub status: u16,
    /// The `DPoP-Nonce` header, for the next proof.
    pub nonce: Option<String>,
    /// Parsed by the browser, because our own parser would be a fifth of the page's code.
    json: JsValue,
}

impl FetchResponse {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Turns the answer into a refusal after which the page does not go to sign-in. The person was asked for a proof
    /// and gave none.
    #[cfg(any(feature = "ssr", feature = "signed-in"))]
    pub(crate) fn refused(mut self) -> Self {
        self.status = 403;
        self
    }

    /// Returns the problem details; `None` for a success, or an answer that is not from Postern.
    pub fn problem(&self) -> Option<Problem> {
        if self.is_ok() {
            return None;
        }
        Some(Problem {
            status: self.status,
            code: self.code()?,
            title: self.text("title").unwrap_or_default(),
            detail: self.text("detail"),
            retry_after: self.number("retry_after").and_then(|seconds| u64::try_from(seconds).ok()),
            incident: self.text("incident"),
            pending: self.text("pending"),
            proofs: self.texts("proofs"),
        })
    }

    pub fn texts(&self, member: &str) -> Vec<String> {
        let values = self.member(member);
        let values = values.dyn_ref::<js_sys::Array>().into_iter().flat_map(js_sys::Array::iter);
        values.filter_map(|value| value.as_string()).collect()
    }

    pub fn code(&self) -> Option<Code> {
        let name = self.text("code")?;
        let read: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
        Code::deserialize(read).ok()
    }

    /// Returns the challenge in the answer.
    pub fn challenge(&self) -> Option<Challenge> {
        let key = self.member("key");
        let of_key = |name: &str| member(&key, name).as_string();
        Some(Challenge {
            short_key: self.text("short_key")?,
            expires_at: self.number("expires_at")?,
            now: self.number("now")?,
            key: RsaJwk {
                kty: of_key("kty")?,
                alg: of_key("alg")?,
                usage: of_key("use")?,
                kid: of_key("kid")?,
                n: of_key("n")?,
                e: of_key("e")?,
            },
        })
    }

    /// Returns an object in the answer.
    #[cfg(any(feature = "ssr", feature = "seal", feature = "dashboard"))]
    pub fn object(&self, name: &str) -> JsValue {
        self.member(name)
    }

    fn member(&self, name: &str) -> JsValue {
        member(&self.json, name)
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.member(name).as_string()
    }

    #[expect(clippy::cast_possible_truncation, reason = "seconds and milliseconds, far below 2^53")]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.member(name).as_f64().map(|number| number as i64)
    }
}

/// Returns a member of an object, or undefined.
pub fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

pub async fn get(path: &str) -> Result<FetchResponse, Unreachable> {
    send("GET", path, None, None).await
}

/// Sends a request. `proof` is the `DPoP` header.
pub async fn send(
    method: &str,
    path: &str,
    body: Option<&str>,
    proof: Option<&str>,
) -> Result<FetchResponse, Unreachable> {
    let headers = Headers::new()?;
    headers.set("Accept", "application/json")?;
    headers.set(wire::paths::PAGE_HEADER, "1")?;
    if method != "GET" {
        headers.set("Content-Type", "application/json")?;
        #[cfg(any(feature = "ssr", feature = "signed-in"))]
        if let Some(account) = page::fact("account") {
            headers.set(wire::paths::ACCOUNT_HEADER, &account)?;
        }
    }
    if let Some(proof) = proof {
        headers.set("DPoP", proof)?;
    }
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers_headers(&headers);
    init.set_body_opt_str(body);
    init.set_cache(RequestCache::NoStore);
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_redirect(RequestRedirect::Error);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
    let response: Response = window().fetch_with_str_and_init(path, &init).await?.unchecked_into();
    let json = response.json()?.await.unwrap_or_default();
    let nonce = response.headers().get("DPoP-Nonce")?;
    let answer = FetchResponse { status: response.status(), nonce, json };
    #[cfg(any(feature = "ssr", feature = "signed-in"))]
    if answer.code() == Some(Code::OtherAccount) {
        page::say_other_account(&answer.text("detail").unwrap_or_default());
    }
    Ok(answer)
}
