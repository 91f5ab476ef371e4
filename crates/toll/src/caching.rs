//! Cache headers of answers on paid routes: no shared cache may store paid answers (RFC 9111).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use wire::toll::TOKEN_HEADER;

/// Directives that allow a shared cache to store an answer, or that only shared caches use.
const SHARED: [&str; 4] = ["public", "s-maxage", "proxy-revalidate", "private"];
/// Headers for one kind of shared cache, where they override `Cache-Control`: RFC 9213 and its vendors' variants (by
/// suffix), Akamai, Fastly and Varnish, nginx, `LiteSpeed`.
const TARGETED: [&str; 5] =
    ["cdn-cache-control", "edge-control", "surrogate-control", "x-accel-expires", "x-litespeed-cache-control"];
/// Request headers that determine the answer of a paid route.
const DECIDE: [&str; 3] = ["accept", "authorization", "cookie"];

/// Restricts an answer of a paid route to its own client's caches. No cache may store one with a token.
pub(crate) fn restrict(headers: &mut HeaderMap) {
    let targeted: Vec<HeaderName> = headers.keys().filter(|name| is_targeted(name.as_str())).cloned().collect();
    for name in &targeted {
        headers.remove(name);
    }
    let value = if headers.contains_key(TOKEN_HEADER) { NO_STORE } else { private(headers) };
    headers.insert(header::CACHE_CONTROL, value);
    add_vary(headers, &DECIDE);
}

/// Adds these request headers to `Vary`.
pub(crate) fn add_vary(headers: &mut HeaderMap, names: &[&'static str]) {
    let named: Vec<String> = headers
        .get_all(header::VARY)
        .iter()
        .flat_map(|value| {
            String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase().split(',').map(trimmed).collect::<Vec<_>>()
        })
        .collect();
    if named.iter().any(|name| name == "*") {
        return;
    }
    let missing: Vec<&str> = names.iter().filter(|name| !named.iter().any(|own| own == *name)).copied().collect();
    if !missing.is_empty()
        && let Ok(value) = HeaderValue::try_from(missing.join(", "))
    {
        headers.append(header::VARY, value);
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn is_targeted(name: &str) -> bool {
    TARGETED.iter().any(|own| name.ends_with(own))
}

/// Returns the upstream's `Cache-Control` without the directives for shared caches.
fn private(headers: &HeaderMap) -> HeaderValue {
    let mut kept = Vec::new();
    for value in headers.get_all(header::CACHE_CONTROL) {
        let Ok(text) = value.to_str() else { return NO_STORE };
        for directive in directives(text) {
            let name = directive.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
            if name == "no-store" {
                return NO_STORE;
            }
            if !name.is_empty() && !SHARED.contains(&name.as_str()) {
                kept.push(directive.trim());
            }
        }
    }
    kept.insert(0, "private");
    HeaderValue::try_from(kept.join(", ")).unwrap_or(NO_STORE)
}

/// Splits a value into directives. A comma in a quoted string is not a separator (RFC 9110, section 5.6.4).
fn directives(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

fn trimmed(name: &str) -> String {
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restricted(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_static(value));
        }
        restrict(&mut headers);
        headers
    }

    #[test]
    fn nothing_is_left_for_shared_caches() {
        for (given, expected) in [
            ("public, max-age=60", "private, max-age=60"),
            ("Public , S-MaxAge=600, must-revalidate", "private, must-revalidate"),
            ("max-age=60, private=\"set-cookie, x-own\", immutable", "private, max-age=60, immutable"),
            ("no-cache=\"a, public\", s-maxage=\"60\"", "private, no-cache=\"a, public\""),
            ("public, No-Store", "no-store"),
            ("private", "private"),
            ("", "private"),
        ] {
            assert_eq!(restricted(&[("cache-control", given)])["cache-control"], expected, "{given}");
        }
        assert_eq!(restricted(&[])["cache-control"], "private");
        let two = restricted(&[("cache-control", "max-age=1"), ("cache-control", "public")]);
        assert_eq!(two.get_all("cache-control").iter().collect::<Vec<_>>(), ["private, max-age=1"]);
    }

    #[test]
    fn headers_for_one_kind_of_cache_go() {
        let headers = restricted(&[
            ("cdn-cache-control", "max-age=60"),
            ("cloudflare-cdn-cache-control", "max-age=60"),
            ("surrogate-control", "max-age=60"),
            ("edge-control", "!no-store"),
            ("x-accel-expires", "60"),
            ("x-litespeed-cache-control", "public"),
            ("etag", "\"1\""),
        ]);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cache-control", "etag", "vary"]);
    }

    #[test]
    fn an_answer_with_a_token_is_kept_nowhere() {
        assert_eq!(restricted(&[(TOKEN_HEADER, "t"), ("cache-control", "public")])["cache-control"], "no-store");
    }

    #[test]
    fn each_deciding_header_is_named_once() {
        let all = |headers: &HeaderMap| {
            headers.get_all("vary").iter().map(|value| value.to_str().expect("text").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(all(&restricted(&[])), ["accept, authorization, cookie"]);
        assert_eq!(all(&restricted(&[("vary", "Cookie, X-Own")])), ["Cookie, X-Own", "accept, authorization"]);
        assert_eq!(all(&restricted(&[("vary", "*")])), ["*"]);
    }
}
