//! Pages of an offer with its own address. They refresh until the payment has arrived. Each has a non-refreshing form
//! for people who read slowly, copy or type (WCAG 2.2, section 2.2.1).

use super::html::page;
use super::pages::{AmountReceived, OfferView, PROGRAMS, form, next, pay, prove};
use super::{NEW_OFFER_PATH, STATIC_PATH};
use crate::caller::Caller;
use crate::payment_problem::PaymentProblem;
use axum::body::Body;
use domain::html::escaped;
use form_urlencoded::Serializer;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use tpat::amount::format_xmr;
use wire::toll::{BLOCK_S, TollCode};

/// Seconds until a page refreshes while nothing is paid: long enough to copy an address.
const PAYING_S: u32 = 10;
/// Seconds until it refreshes after a payment was seen.
const PENDING_S: u32 = 5;
/// Seconds until a page refreshes while no change is expected soon.
const LATER_S: u32 = 30;
/// `Retry-After` in seconds while no payment is visible.
pub(crate) const RETRY_S: u64 = 30;

/// The refreshing or the static form of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageMode {
    Live,
    Still,
}

/// Returns 402: not fully paid yet.
pub(crate) fn pay_here(view: OfferView<'_>, received: AmountReceived, mode: PageMode) -> Response<Body> {
    let offer = view.offer;
    let (need, missing) = (offer.min_amt.0, offer.min_amt.0.saturating_sub(received.have));
    let amount = format_xmr(missing);
    let (title, state, what) = if received.have == 0 {
        (format!("This page costs {amount} XMR"), "Waiting for your payment.".to_owned(), "Send exactly")
    } else {
        let state = format!("{} of {} XMR are here.", format_xmr(received.have), format_xmr(need));
        (format!("{amount} XMR are missing"), state, "Send the missing")
    };
    let gone = if received.gone {
        "<p>A payment seen earlier has disappeared from the network. Check your wallet before you pay again.</p>"
    } else {
        ""
    };
    let body = format!(
        "<p>{about}</p>{state}{gone}<h2>Pay</h2><p>{what} <strong>{amount} XMR</strong> to this address within \
         {time}. It is for this browser alone.</p>{pay}<h2>What happens next</h2><p>{next} Nothing else is \
         needed. You may close this page and come back to it in the same browser.</p>{proof}{PROGRAMS}",
        about = escaped(&offer.title),
        state = state_line(&state, PAYING_S, view.back, mode),
        time = view.time_left(),
        pay = pay(&offer.address, missing),
        next = next(offer.conf),
        proof = proof(view, mode),
    );
    with_refresh(page(StatusCode::PAYMENT_REQUIRED, &title, &body), PAYING_S, mode)
}

/// Returns 202: fully paid, but not enough confirmations. Nothing needs to be paid again.
pub(crate) fn pending(back: &str, have: u64, need: u64, mode: PageMode) -> Response<Body> {
    let minutes = need.saturating_sub(have).saturating_mul(BLOCK_S) / 60;
    let state = format!("It has {have} of {need} confirmations.");
    let body = format!(
        "{}<p>That takes about {minutes} minutes more. Do not pay again. You may close this page and come back to it in \
         the same browser.</p>",
        state_line(&state, PENDING_S, back, mode)
    );
    with_refresh(page(StatusCode::ACCEPTED, "Your payment is seen", &body), PENDING_S, mode)
}

/// Returns 402: the offer has expired. `name`: the payment's name in lists.
pub(crate) fn expired(view: OfferView<'_>, received: AmountReceived, name: &str, mode: PageMode) -> Response<Body> {
    let AmountReceived { have, late, .. } = received;
    let named = "The operator of this site can find your payment by this name and decides about it:";
    let what = if late > 0 {
        format!(
            "<p>{} XMR arrived after that, and {} XMR in time. That bought nothing. {named}</p><code>{}</code>",
            format_xmr(late),
            format_xmr(have),
            escaped(name)
        )
    } else if have == 0 {
        "<p>If you paid in time, wait: the payment may still arrive. Do not send more to the old address.</p>"
            .to_owned()
    } else {
        format!(
            "<p>{} of {} XMR arrived in time, which is not enough, and what is sent from now on does not count. \
             {named}</p><code>{}</code>",
            format_xmr(have),
            format_xmr(view.offer.min_amt.0),
            escaped(name)
        )
    };
    let state = if have == 0 { "Nothing has arrived in time." } else { "Not all has arrived in time." };
    let body = format!(
        "{state}{what}<form method=\"post\" action=\"{NEW_OFFER_PATH}\"><input type=\"hidden\" name=\"back\" value=\"{back}\">\
         <button>Make a new offer</button></form>",
        state = state_line(state, LATER_S, view.back, mode),
        back = escaped(&super::form::local(view.back)),
    );
    with_refresh(page(StatusCode::PAYMENT_REQUIRED, "The offer has expired", &body), LATER_S, mode)
}

/// Returns 503: no payment could be found now, so none is requested.
pub(crate) fn closed(back: &str, mode: PageMode) -> Response<Body> {
    let state = state_line("This site cannot reach the Monero network at the moment.", LATER_S, back, mode);
    let body = format!(
        "{state}<p>Do not pay now: a payment could not be checked. If you have paid already, nothing is lost; it is found \
         when the site sees the network again.</p>"
    );
    let page = page(StatusCode::SERVICE_UNAVAILABLE, "Payments cannot be accepted now", &body);
    let mut page = with_refresh(page, LATER_S, mode);
    page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_S));
    page
}

/// Builds a page for a token that is not usable at the moment. Paying again would not help.
pub(crate) fn unavailable(problem: &PaymentProblem, back: &str, mode: PageMode) -> Response<Body> {
    let state = match problem.code() {
        TollCode::TooMany => "Your payment is not in a block yet. The remaining requests work after that.",
        TollCode::TokenSuspended => {
            "What you bought is on hold: its payment has disappeared from the network, or the operator of this site has \
             suspended it. It can be used again when that has changed."
        }
        _ => "Something does not work on this site at the moment.",
    };
    let state = state_line(state, LATER_S, back, mode);
    let body = format!("{state}<p>Do not pay again: what you paid is not lost.</p>");
    with_refresh(page(problem.status_code(), "Try again later", &body), LATER_S, mode)
}

impl PaymentProblem {
    /// Returns a page for a browser, and otherwise a problem.
    pub fn shown(self, caller: &Caller<'_>) -> Response<Body> {
        if caller.is_browser() { unavailable(&self, caller.target, PageMode::Live) } else { self.answer() }
    }
}

fn state_line(state: &str, seconds: u32, back: &str, mode: PageMode) -> String {
    let state = escaped(state);
    match mode {
        PageMode::Live => format!(
            "<p class=\"state\"><strong>{state}</strong> This page refreshes every {seconds} seconds. \
             <a href=\"{}\">Stop refreshing</a></p>",
            static_link(back)
        ),
        PageMode::Still => format!(
            "<p class=\"state\"><strong>{state}</strong> This page stays as it is. <a href=\"{}\">Look again</a></p>",
            escaped(&super::form::local(back))
        ),
    }
}

/// Returns the form for a proof. Only the non-refreshing page has it, so that no input is lost.
fn proof(view: OfferView<'_>, mode: PageMode) -> String {
    match mode {
        PageMode::Live => {
            format!(
                "<p class=\"quiet\">Can your wallet prove a payment? <a href=\"{}#prove\">Paste it</a></p>",
                static_link(view.back)
            )
        }
        PageMode::Still => format!(
            "<h2 id=\"prove\">If you have a proof</h2><p>It is not needed here, and helps where a payment is not found.</p>{}{}",
            prove(&view.offer.message),
            form(&view.offer.challenge, view.back, "", "")
        ),
    }
}

/// Returns the URL of the non-refreshing page, escaped for an attribute.
fn static_link(back: &str) -> String {
    let query = Serializer::new(String::new()).append_pair("back", back).finish();
    escaped(&format!("{STATIC_PATH}?{query}"))
}

/// Adds a refresh without a script: browsers treat this header like the element (HTML, section 7.5.1).
fn with_refresh(mut response: Response<Body>, seconds: u32, mode: PageMode) -> Response<Body> {
    if mode == PageMode::Live {
        response.headers_mut().insert(HeaderName::from_static("refresh"), HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::pages::tests::offer;
    use http_body_util::BodyExt;

    async fn read(response: Response<Body>) -> (Option<u32>, String) {
        let refresh =
            response.headers().get("refresh").map(|value| value.to_str().expect("text").parse().expect("seconds"));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (refresh, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn a_live_page_takes_nothing_typed_and_a_still_one_does() {
        let offer = offer();
        let view = OfferView { offer: &offer, back: "/price?a=1&b=2", now: 1000 };
        let received = AmountReceived { have: 500_000_000, gone: true, late: 0 };
        let (refresh, live) = read(pay_here(view, received, PageMode::Live)).await;
        assert_eq!((refresh, live.contains("<input"), live.contains("<textarea")), (Some(10), false, false));
        let link = format!("<a href=\"{STATIC_PATH}?back=%2Fprice%3Fa%3D1%26b%3D2\">");
        for part in [
            "0.0015 XMR are missing",
            "0.0005 of 0.002 XMR are here.",
            "within 60 minutes",
            "has disappeared from the network",
            &link,
        ] {
            assert!(live.contains(part), "{part}: {live}");
        }
        assert!(!live.contains("tpat1:") && live.contains("&lt;0.002&gt;"), "{live}");
        let (refresh, still) = read(pay_here(view, received, PageMode::Still)).await;
        assert!(refresh.is_none() && still.contains("<textarea") && still.contains("tpat1:Ab-_"), "{still}");
        assert!(still.contains("<a href=\"/price?a=1&amp;b=2\">Look again</a>"), "{still}");
        // The link that stops refreshing must come first, before other controls.
        assert!(live.find(STATIC_PATH) < live.find("monero:"), "{live}");
    }

    #[tokio::test]
    async fn nothing_of_a_path_becomes_markup() {
        let offer = offer();
        for back in ["/\"><b>", "//evil.example", "/price?\u{e9}"] {
            let view = OfferView { offer: &offer, back, now: 1000 };
            let pages = [
                pay_here(view, AmountReceived::default(), PageMode::Still),
                pending(back, 0, 10, PageMode::Still),
                expired(view, AmountReceived { have: 5, ..AmountReceived::default() }, "<b>", PageMode::Still),
                expired(view, AmountReceived { late: 5, ..AmountReceived::default() }, "<b>", PageMode::Still),
                closed(back, PageMode::Still),
                unavailable(&PaymentProblem::unavailable(), back, PageMode::Still),
            ];
            for page in pages {
                let (_, html) = read(page).await;
                assert!(!html.contains("<b>") && !html.contains("href=\"//evil"), "{html}");
            }
        }
    }
}
