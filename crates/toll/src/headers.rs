//! The headers that an upstream receives.

use domain::header_name::{begins_like, reads_as};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;

const X_FORWARDED: &str = "x-forwarded-";
const REMOTE: &str = "remote-";
/// `Proxy` (CVE-2016-5385), `Proxy-Connection`, `Proxy-Authorization`.
const PROXY: &str = "proxy";
/// Headers of the gate's own protocol.
const TPAT: &str = "tpat-";
/// Never forwarded, whatever `Connection` says. Some upstreams take the path or the method from one of these headers,
/// and the price is that of the real path and method.
const DROPPED: [&str; 12] = [
    "forwarded",
    "x-real-ip",
    "expect",
    "x-original-url",
    "x-original-uri",
    "x-original-method",
    "x-original-host",
    "x-rewrite-url",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-url-scheme",
];
const DPOP: HeaderName = HeaderName::from_static("dpop");
/// Schemes of `Authorization` for the gate (case-insensitive, RFC 9110, section 11.1).
const OWN_SCHEMES: [&str; 3] = ["tpat", "tpat1", "tpat-session"];
/// Prefixes of the names of the portal's and the gate's cookies.
const COOKIES: [&str; 2] = ["__host-postern", "postern"];

/// The client and its request, as reported to the upstream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForwardedClient<'a> {
    pub client: IpAddr,
    pub host: &'a str,
    pub https: bool,
}

/// Replaces the headers that a proxy must not forward. Removes hop-by-hop headers (RFC 9110, section 7.6.1), headers that
/// only a proxy may set, and all credentials for the gate. Then sets the true values.
pub(crate) fn rewrite(headers: &mut HeaderMap, forwarded: ForwardedClient<'_>, inject: &[(HeaderName, HeaderValue)]) {
    forget_named_by_connection(headers);
    let strange = |name: &HeaderName| {
        let name = name.as_str();
        [X_FORWARDED, REMOTE, PROXY, TPAT].iter().any(|start| begins_like(name, start))
            || DROPPED.iter().any(|dropped| reads_as(name, dropped))
            || inject.iter().any(|(own, _)| reads_as(name, own.as_str()))
    };
    let names: Vec<HeaderName> = headers.keys().filter(|name| strange(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    forget_credentials(headers);
    write_forwarded(headers, forwarded);
    for (name, value) in inject {
        headers.insert(name, value.clone());
    }
}

/// Removes the headers that `Connection` names. This must happen before the gate adds its own headers, because a client
/// could name those in `Connection`. Only an upgrade to WebSocket is kept.
fn forget_named_by_connection(headers: &mut HeaderMap) {
    let values = headers.get_all(header::CONNECTION).iter();
    let named: Vec<HeaderName> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let websocket = named.contains(&header::UPGRADE)
        && headers.get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
    headers.remove(header::CONNECTION);
    for name in named.iter().filter(|name| **name != header::UPGRADE) {
        headers.remove(name);
    }
    if websocket {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    } else {
        headers.remove(header::UPGRADE);
    }
}

fn forget_credentials(headers: &mut HeaderMap) {
    let ours = headers.get_all(header::AUTHORIZATION).iter().any(is_ours);
    if ours {
        headers.remove(header::AUTHORIZATION);
    }
    headers.remove(&DPOP);
    let cookies: Vec<_> = headers.get_all(header::COOKIE).iter().filter_map(without_ours).collect();
    headers.remove(header::COOKIE);
    for cookie in cookies {
        headers.append(header::COOKIE, cookie);
    }
}

fn is_ours(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    OWN_SCHEMES.iter().any(|own| scheme.eq_ignore_ascii_case(own.as_bytes()))
}

/// Returns the cookies that are not ours; `None` if none is left.
fn without_ours(value: &HeaderValue) -> Option<HeaderValue> {
    let ours = |pair: &[u8]| {
        COOKIES.iter().any(|own| pair.get(..own.len()).is_some_and(|head| head.eq_ignore_ascii_case(own.as_bytes())))
    };
    let pairs = value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let kept: Vec<&[u8]> = pairs.filter(|pair| !pair.is_empty() && !ours(pair)).collect();
    if kept.is_empty() { None } else { HeaderValue::from_bytes(&kept.join(b"; ".as_slice())).ok() }
}

fn write_forwarded(headers: &mut HeaderMap, forwarded_client: ForwardedClient<'_>) {
    let proto = if forwarded_client.https { "https" } else { "http" };
    let node = match forwarded_client.client {
        IpAddr::V4(v4) => v4.to_string(),
        // RFC 7239, section 6.
        IpAddr::V6(v6) => format!("\"[{v6}]\""),
    };
    let forwarded = format!("for={node};host=\"{}\";proto={proto}", forwarded_client.host);
    for (name, value) in [
        ("x-forwarded-for", forwarded_client.client.to_string()),
        ("x-forwarded-host", forwarded_client.host.to_owned()),
        ("x-forwarded-proto", proto.to_owned()),
        ("forwarded", forwarded),
    ] {
        // A parsed host contains only characters that are valid in a header.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}
