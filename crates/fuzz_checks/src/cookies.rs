//! `Cookie`: a cookie of ours is found among any others (RFC 6265, section 5.4).

use crate::{input, portal};
use http::{HeaderMap, HeaderValue, header};
use server::cookies::{self, CookieName};

const NAMES: [(CookieName, &str); 6] = [
    (CookieName::Access, "__Host-postern-access"),
    (CookieName::Refresh, "__Host-postern-refresh"),
    (CookieName::PreLogin, "__Host-postern-login"),
    (CookieName::Device, "__Host-postern-device"),
    (CookieName::App, "__Host-postern-app"),
    (CookieName::AppState, "__Host-postern-state"),
];

/// Checks `data`: lines of `Cookie`.
pub(crate) fn check(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input::lines(data) {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(header::COOKIE, value);
    }
    for (name, text) in NAMES {
        let ours = cookies::all(&headers, &portal::get().state.config, name).next();
        assert_eq!(ours, plainly(data, text.as_bytes()), "{text}");
    }
}

/// Returns the first cookie of this name that is text, by a parser that knows only `;` and `=`.
fn plainly<'a>(data: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let pairs = input::lines(data).flat_map(|line| line.split(|byte| *byte == b';'));
    let mut found = pairs.filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (own, value) = pair.split_at(at);
        (own.trim_ascii() == name).then(|| value[1..].trim_ascii())
    });
    found.find_map(|value| std::str::from_utf8(value).ok().filter(|value| !value.is_empty()))
}
