//! `HttpOnly` cookies with a browser's token and its offer.

use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use tpat::credential::Credential;

/// The route of a cookie and its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RouteCookies<'a> {
    /// The route's name, which is valid in a cookie's name.
    pub route: &'a str,
    /// Whether browsers use https.
    pub https: bool,
}

impl RouteCookies<'_> {
    /// Returns the cookie's name. With https the prefix ensures that only this host can set it, over https (RFC
    /// 6265bis, section 4.1.3.2).
    fn name(self, kind: &str) -> String {
        let prefix = if self.https { "__Host-" } else { "" };
        format!("{prefix}postern-{kind}-{}", self.route)
    }

    /// Returns `Set-Cookie` for a token. `seconds`: its lifetime.
    pub(crate) fn set(self, token: &str, seconds: u64) -> Option<HeaderValue> {
        self.cookie(&self.name(TOKEN), token, seconds)
    }

    /// Returns `Set-Cookie` for an offer. A browser that has it receives the token that is paid for it. `id`
    /// distinguishes offers of one route.
    pub(crate) fn set_offer(self, id: &str, offer: &str, seconds: u64) -> Option<HeaderValue> {
        self.cookie(&format!("{}.{id}", self.name(OFFER)), offer, seconds)
    }

    /// Returns `Set-Cookie` that deletes an offer.
    pub(crate) fn forget_offer(self, id: &str) -> Option<HeaderValue> {
        self.set_offer(id, "", 0)
    }

    fn cookie(self, name: &str, text: &str, seconds: u64) -> Option<HeaderValue> {
        let cookie = Cookie::build((name, text))
            .path("/")
            .max_age(Duration::seconds(seconds.try_into().ok()?))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.https)
            .build();
        let mut value = HeaderValue::try_from(cookie.to_string()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

const TOKEN: &str = "toll";
const OFFER: &str = "offer";
/// Maximum number of offers that are read in one request. Some may be duplicates or useless.
const MOST_READ: usize = 32;

/// Maximum number of tokens that are tried. On plain http others can set a second one.
const MOST_TRIED: usize = 3;

/// Returns a browser's credentials for a route, in the form of a program's `Authorization` value. There is one, unless
/// somebody else has set more cookies.
pub(crate) fn token_credentials(headers: &HeaderMap, cookies: RouteCookies<'_>) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    let name = cookies.name(TOKEN);
    let found = domain::cookie::values(lines, &name).take(MOST_TRIED);
    found.map(|token| Credential::Session(token.to_owned()).header()).collect()
}

/// Returns the offers in a browser's cookies, of every route, at most [`MOST_READ`].
pub(crate) fn offer_challenge(headers: &HeaderMap, https: bool) -> Vec<&str> {
    let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    let prefix = RouteCookies { route: "", https }.name(OFFER);
    let found = domain::cookie::with_prefix(lines, &prefix).map(|(_, value)| value);
    found.take(MOST_READ).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_back_for_its_route_alone() {
        for https in [true, false] {
            let cookies = RouteCookies { route: "price", https };
            let set = cookies.set("t0ken", 60).expect("a cookie");
            assert!(set.is_sensitive());
            let set = set.to_str().expect("text").to_owned();
            let secure = if https { " Secure;" } else { "" };
            assert!(set.ends_with(&format!("; HttpOnly; SameSite=Lax;{secure} Path=/; Max-Age=60")), "{set}");
            let pair = set.split(';').next().expect("a pair");
            let cookie = HeaderValue::try_from(format!("a=b; {pair}; c=d")).expect("a value");
            let headers = HeaderMap::from_iter([(header::COOKIE, cookie)]);
            assert_eq!(token_credentials(&headers, cookies), ["TPAT-Session t0ken"]);
            let beside = HeaderValue::from_bytes(&[b"x=\xe9\xff; ", pair.as_bytes()].concat()).expect("a value");
            let beside = HeaderMap::from_iter([(header::COOKIE, beside)]);
            assert_eq!(token_credentials(&beside, cookies), ["TPAT-Session t0ken"], "whatever another cookie holds");
            assert!(token_credentials(&headers, RouteCookies { route: "pric", https }).is_empty());
            assert!(token_credentials(&headers, RouteCookies { route: "price", https: !https }).is_empty());
            let twice = HeaderValue::try_from(format!("{}=other; {pair}", pair.split('=').next().expect("a name")));
            let twice = HeaderMap::from_iter([(header::COOKIE, twice.expect("a value"))]);
            assert_eq!(token_credentials(&twice, cookies), ["TPAT-Session other", "TPAT-Session t0ken"]);
            assert!(offer_challenge(&headers, https).is_empty(), "a token is no offer");
            let pair = |id: &str, offer: &str| {
                let set = cookies.set_offer(id, offer, 60).expect("a cookie");
                set.to_str().expect("text").split(';').next().expect("a pair").to_owned()
            };
            let pairs = [pair("one", "Ab-_.x"), pair("two", "Cd.y")].join("; ");
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pairs).expect("a value"))]);
            assert_eq!(
                (offer_challenge(&headers, https), token_credentials(&headers, cookies)),
                (vec!["Ab-_.x", "Cd.y"], Vec::new())
            );
            assert!(offer_challenge(&headers, !https).is_empty());
            let forget = cookies.forget_offer("one").expect("a cookie");
            let forget = forget.to_str().expect("text");
            assert!(
                forget.contains("postern-offer-price.one=; ") && forget.ends_with("; Path=/; Max-Age=0"),
                "{forget}"
            );
            let many: Vec<_> = (0..100).map(|n| pair(&n.to_string(), "x.y")).collect();
            let many = HeaderValue::try_from(many.join(";")).expect("a value");
            assert_eq!(offer_challenge(&HeaderMap::from_iter([(header::COOKIE, many)]), https).len(), MOST_READ);
        }
    }
}
