//! The token of a browser: in a cookie that no script reads.

use http::{HeaderMap, HeaderValue, header};
use tpat::credential::Credential;

/// Whose cookie it is, and how it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jar<'a> {
    /// The route's name, which a cookie's name can hold.
    pub route: &'a str,
    /// Whether browsers come by https.
    pub https: bool,
}

impl Jar<'_> {
    /// With https only this host can have set it, and only over https (RFC 6265bis, section 4.1.3.2).
    fn name(self) -> String {
        let prefix = if self.https { "__Host-" } else { "" };
        format!("{prefix}postern-toll-{}", self.route)
    }

    /// The value of `Set-Cookie`. `seconds`: how long the token lasts.
    pub fn set(self, token: &str, seconds: u64) -> Option<HeaderValue> {
        let secure = if self.https { "; Secure" } else { "" };
        let name = self.name();
        let cookie = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let mut value = HeaderValue::try_from(cookie).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// What a browser shows for a route, as the value of `Authorization` that a program would send.
pub fn shown(headers: &HeaderMap, jar: Jar<'_>) -> Option<String> {
    let name = jar.name();
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(found, _)| *found == name)?;
    Some(Credential::Session(token.to_owned()).header())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_back_for_its_route_alone() {
        for https in [true, false] {
            let jar = Jar { route: "price", https };
            let set = jar.set("t0ken", 60).expect("a cookie");
            assert!(set.is_sensitive());
            let set = set.to_str().expect("text").to_owned();
            assert!(set.ends_with("; HttpOnly; SameSite=Lax") != https && set.contains("HttpOnly"), "{set}");
            let pair = set.split(';').next().expect("a pair");
            let cookie = HeaderValue::try_from(format!("a=b; {pair}; c=d")).expect("a value");
            let headers = HeaderMap::from_iter([(header::COOKIE, cookie)]);
            assert_eq!(shown(&headers, jar).as_deref(), Some("TPAT-Session t0ken"));
            assert_eq!(shown(&headers, Jar { route: "pric", https }), None);
            assert_eq!(shown(&headers, Jar { route: "price", https: !https }), None);
        }
    }
}
