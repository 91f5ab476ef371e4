//! The page of a paid route in a browser: amount, address, QR code, and a form for the proof or the progress of a
//! followed payment. It has no script and loads nothing.

mod cookie;
mod form;
mod html;
mod live;
mod pages;
mod qr;

pub(crate) use self::cookie::{RouteCookies, offer_challenge, token_credentials};
pub(crate) use form::{PaymentForm, back};
pub(crate) use live::{PageMode, RETRY_S, closed, expired, pay_here, pending, unavailable};
pub(crate) use pages::{AmountReceived, OfferRetention, OfferView, offer_page, problem, redirect, too_late, waiting};
pub use qr::svg as qr_svg;

use http::{HeaderMap, header};

/// The form of the page, by `POST`.
pub(crate) const FORM_PATH: &str = "/.well-known/tpat/paid";
/// The non-refreshing page of a followed payment, by `GET`.
pub(crate) const STATIC_PATH: &str = "/.well-known/tpat/still";
/// A new offer instead of an expired one, by `POST`.
pub(crate) const NEW_OFFER_PATH: &str = "/.well-known/tpat/anew";

/// Whether the client prefers a page: it accepts `text/html` by name (RFC 9110, section 12.5.1). A program that accepts
/// everything gets JSON.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let html = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("text/html"));
        html && !parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn browsers_get_a_page_and_programs_do_not() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, TEXT/HTML;q=0.5", true),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("text/html;q=0, */*", false),
            ("text/htmlx", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(prefers_html(&headers), expected, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
