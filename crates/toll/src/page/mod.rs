//! What a person sees who opens a paid route in a browser: amount, address, QR code, and a form that takes
//! the proof, or word of a payment that is followed. No script, and nothing is loaded from anywhere.

mod cookie;
mod follow;
mod form;
mod html;
mod pages;
mod qr;

pub use cookie::{Jar, offered, shown};
pub use follow::{Arrived, Manner, RETRY_S, closed, held_up, pay_here, ran_out, seen};
pub use form::{Paid, back};
pub use pages::{Keeping, Sale, ask, declined, elsewhere, too_late, waiting};

use http::{HeaderMap, header};

/// `POST`: the form of the page.
pub const PAID: &str = "/.well-known/tpat/paid";
/// `GET`: the page that follows a payment, kept still.
pub const STILL: &str = "/.well-known/tpat/still";
/// `POST`: another offer, in place of one that ran out.
pub const ANEW: &str = "/.well-known/tpat/anew";

/// Whether the client would rather have a page: it names `text/html` (RFC 9110, section 12.5.1). Programs
/// that take anything get what programs can read.
pub fn wanted(headers: &HeaderMap) -> bool {
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
            assert_eq!(wanted(&headers), expected, "{accept}");
        }
        assert!(!wanted(&HeaderMap::new()));
    }
}
