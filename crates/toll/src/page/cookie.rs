//! The token of a browser, and before that its offer: in cookies that no script reads.

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
    fn name(self, kind: &str) -> String {
        let prefix = if self.https { "__Host-" } else { "" };
        format!("{prefix}postern-{kind}-{}", self.route)
    }

    /// The value of `Set-Cookie` for a token. `seconds`: how long it lasts.
    pub fn set(self, token: &str, seconds: u64) -> Option<HeaderValue> {
        self.kept(TOKEN, token, seconds)
    }

    /// The same for the challenge of an offer with an address of its own: whoever has it gets what is paid there.
    pub fn set_offer(self, challenge: &str, seconds: u64) -> Option<HeaderValue> {
        self.kept(OFFER, challenge, seconds)
    }

    /// The same, and there is no offer any more.
    pub fn forget_offer(self) -> Option<HeaderValue> {
        self.kept(OFFER, "", 0)
    }

    fn kept(self, kind: &str, text: &str, seconds: u64) -> Option<HeaderValue> {
        let secure = if self.https { "; Secure" } else { "" };
        let name = self.name(kind);
        let cookie = format!("{name}={text}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let mut value = HeaderValue::try_from(cookie).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

const TOKEN: &str = "toll";
const OFFER: &str = "offer";

/// What a browser shows for a route, as the value of `Authorization` that a program would send.
pub fn shown(headers: &HeaderMap, jar: Jar<'_>) -> Option<String> {
    Some(Credential::Session(cookie(headers, &jar.name(TOKEN))?.to_owned()).header())
}

/// The challenge of the offer that a browser has for a route.
pub fn offered<'a>(headers: &'a HeaderMap, jar: Jar<'_>) -> Option<&'a str> {
    cookie(headers, &jar.name(OFFER))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    domain::cookie::values(lines, name).next()
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
            let beside = HeaderValue::from_bytes(&[b"x=\xe9\xff; ", pair.as_bytes()].concat()).expect("a value");
            let beside = HeaderMap::from_iter([(header::COOKIE, beside)]);
            assert_eq!(shown(&beside, jar).as_deref(), Some("TPAT-Session t0ken"), "whatever another cookie holds");
            assert_eq!(shown(&headers, Jar { route: "pric", https }), None);
            assert_eq!(shown(&headers, Jar { route: "price", https: !https }), None);
            assert_eq!(offered(&headers, jar), None, "a token is no offer");
            let set = jar.set_offer("Ab-_", 60).expect("a cookie");
            let pair = set.to_str().expect("text").split(';').next().expect("a pair").to_owned();
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pair).expect("a value"))]);
            assert_eq!((offered(&headers, jar), shown(&headers, jar)), (Some("Ab-_"), None));
            assert!(jar.forget_offer().expect("a cookie").to_str().expect("text").contains("=; Path=/; Max-Age=0;"));
        }
    }
}
