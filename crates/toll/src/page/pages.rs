//! The pages, in the order in which a person sees them.

use super::FORM_PATH;
use super::form::{PaymentForm, local};
use super::html::page;
use super::qr::svg;
use crate::payment_problem::PaymentProblem;
use axum::body::Body;
use domain::html::escaped;
use http::{HeaderValue, Response, StatusCode, header};
use tpat::amount::format_xmr;
use tpat::confirmations::retry_after_s;
use wire::toll::{BLOCK_S, Offer};

/// An offer, and how to present it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfferView<'a> {
    pub offer: &'a Offer,
    /// The requested path and query.
    pub back: &'a str,
    /// The current time in unix seconds.
    pub now: u64,
}

/// The amounts that have arrived at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct AmountReceived {
    /// The amount that arrived in time, in piconero.
    pub have: u64,
    /// Whether a payment was seen there earlier and has disappeared.
    pub gone: bool,
    /// The amount that came after the offer had ended, in piconero.
    pub late: u64,
}

/// A hint about paying with a program.
pub(super) const PROGRAMS: &str =
    "<p class=\"quiet\">Programs pay here by themselves: postern-client get, followed by this page's address.</p>";

/// The state of an offer in the browser after its page is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OfferRetention {
    /// Whether the browser keeps it in a cookie.
    pub kept: bool,
    /// Whether the browser keeps another for this route that can no longer be paid.
    pub ended: bool,
}

/// Returns 402 with price, instructions and the form for the proof.
pub(crate) fn offer_page(view: OfferView<'_>, received: AmountReceived, keeping: OfferRetention) -> Response<Body> {
    let OfferView { offer, back, .. } = view;
    let missing = offer.min_amt.0.saturating_sub(received.have);
    let amount = format_xmr(missing);
    let (heading, state) = if received.have == 0 {
        (format!("This page costs {amount} XMR"), String::new())
    } else {
        let state = format!("{} of {} XMR are here.", format_xmr(received.have), format_xmr(offer.min_amt.0));
        (format!("{amount} XMR are missing"), format!("<p class=\"state\"><strong>{state}</strong></p>"))
    };
    let keep = if keeping.kept {
        "You may close this page and come back to it in the same browser, until the offer ends. For a day more a proof \
         of a payment that was made in time is still taken."
    } else {
        "Keep this page open until then: the proof belongs to it."
    };
    let ended = if keeping.ended {
        "<p>An earlier offer of this page has ended: what is sent to its address now buys nothing. If you paid it in \
         time, paste the proof of that payment below; it is still taken.</p>"
    } else {
        ""
    };
    let body = format!(
        "<p>{title}</p>{state}{ended}\
         <h2>1. Pay</h2><p>Send exactly <strong>{amount} XMR</strong>, once, to this address within {time}.</p>\
         {pay}<h2>2. Prove it</h2>{prove}<h2>3. Paste it</h2>{form}\
         <h2>What happens next</h2><p>{next} {keep}</p>{PROGRAMS}",
        title = escaped(&offer.title),
        time = view.time_left(),
        pay = pay(&offer.address, missing),
        prove = prove(&offer.message),
        form = form(&offer.challenge, back, "", ""),
        next = next(offer.conf),
    );
    page(StatusCode::PAYMENT_REQUIRED, &heading, &body)
}

impl OfferView<'_> {
    /// Returns the time until the offer expires.
    pub(super) fn time_left(&self) -> String {
        match self.offer.expires.saturating_sub(self.now) / 60 {
            0 => "less than a minute".to_owned(),
            1 => "1 minute".to_owned(),
            minutes => format!("{minutes} minutes"),
        }
    }
}

/// Shows the address as QR code, as text, and as a link for a wallet on the same machine.
pub(super) fn pay(address: &str, piconero: u64) -> String {
    let amount = format_xmr(piconero);
    let uri = format!("monero:{address}?tx_amount={amount}");
    let code = svg(&uri, &format!("QR code: pay {amount} XMR")).unwrap_or_default();
    let (address, uri) = (escaped(address), escaped(&uri));
    format!("{code}<code>{address}</code><p><a class=\"button\" href=\"{uri}\">Open in a wallet</a></p>")
}

pub(super) fn prove(message: &str) -> String {
    format!(
        "<p>Have your wallet make a proof of that transaction for the same address, with this message. In the Monero \
         wallet it is Advanced, Prove/check, Prove transaction; in monero-wallet-cli it is get_tx_proof.</p>\
         <code>{}</code>",
        escaped(message)
    )
}

/// Returns 202: seen, but not enough confirmations. Nothing needs to be paid again.
pub(crate) fn waiting(payment: &PaymentForm, have: u64, need: u64) -> Response<Body> {
    let minutes = need.saturating_sub(have).saturating_mul(BLOCK_S) / 60;
    let body = format!(
        "<p>It has {have} of {need} confirmations. That takes about {minutes} minutes more. Do not pay again.</p>{}",
        resubmit_form(payment, "Look again")
    );
    let mut response = page(StatusCode::ACCEPTED, "Your payment is seen", &body);
    response.headers_mut().insert(header::RETRY_AFTER, retry_after_s(have, need).into());
    response
}

/// Shows the error, and the form with the person's input.
pub(crate) fn problem(status: StatusCode, title: &str, payment: &PaymentForm) -> Response<Body> {
    let body = format!(
        "<p>{}</p><p>Nothing is lost: what you paid stays where it is. You can paste again.</p>{}",
        escaped(title),
        form(&payment.challenge, &payment.back, &payment.txid, &payment.proof)
    );
    page(status, "That did not work", &body)
}

/// Returns 422: the payment came after the end of its offer. Explains what can be done.
pub(crate) fn too_late(problem: &PaymentProblem, back: &str) -> Response<Body> {
    let body = format!(
        "<p>{}</p><p>Do not pay again for the same offer. <a href=\"{}\">Open the page again</a> for what it costs \
         now.</p>",
        escaped(problem.title()),
        escaped(&local(back))
    );
    page(problem.status_code(), "This payment came too late", &body)
}

/// Returns 303 to a page of this host, with these cookies.
pub(crate) fn redirect(back: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    if let Ok(back) = HeaderValue::try_from(local(back)) {
        headers.insert(header::LOCATION, back);
    }
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn form(challenge: &str, back: &str, txid: &str, proof: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{FORM_PATH}\"><input type=\"hidden\" name=\"challenge\" value=\"{}\">\
         <input type=\"hidden\" name=\"back\" value=\"{}\"><label for=\"txid\">Transaction ID</label>\
         <input id=\"txid\" name=\"txid\" required autocomplete=\"off\" spellcheck=\"false\" value=\"{}\">\
         <label for=\"proof\">Proof (it begins with OutProofV2)</label><textarea id=\"proof\" name=\"proof\" rows=\"4\" \
         required autocomplete=\"off\" spellcheck=\"false\">{}</textarea><button>Open the page</button></form>",
        escaped(challenge),
        escaped(&local(back)),
        escaped(txid),
        escaped(proof)
    )
}

fn resubmit_form(payment: &PaymentForm, button: &str) -> String {
    let fields = [
        ("challenge", &payment.challenge),
        ("back", &payment.back),
        ("txid", &payment.txid),
        ("proof", &payment.proof),
    ];
    let hidden = |(name, value): (&str, &String)| {
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
    };
    let fields: String = fields.into_iter().map(hidden).collect();
    format!("<form method=\"post\" action=\"{FORM_PATH}\">{fields}<button>{button}</button></form>")
}

pub(super) fn next(confirmations: u64) -> String {
    match confirmations {
        0 => "The page opens as soon as the payment is seen, which takes seconds.".to_owned(),
        1 => "The page opens when the payment is in a block, which takes about two minutes.".to_owned(),
        more => format!("The page opens after {more} blocks, about {} minutes.", more.saturating_mul(BLOCK_S) / 60),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::cookie::RouteCookies;
    use super::*;
    use http_body_util::BodyExt;
    use wire::toll::{Network, Piconero, REDEEM};

    pub(crate) fn offer() -> Offer {
        Offer {
            address: "87omSJ".to_owned(),
            min_amt: Piconero(2_000_000_000),
            ttl: 30,
            v: 1,
            realm: "api.example".to_owned(),
            challenge: "Ab-_".to_owned(),
            message: "tpat1:Ab-_".to_owned(),
            expires: 4600,
            ttl_s: 3600,
            quota: 100,
            conf: 1,
            network: Network::Mainnet,
            redeem: REDEEM.to_owned(),
            jkt: None,
            title: "This costs <0.002> XMR.".to_owned(),
            accepts: Vec::new(),
        }
    }

    fn payment() -> PaymentForm {
        PaymentForm {
            challenge: "Ab-_".to_owned(),
            txid: "\"><script>".to_owned(),
            proof: "</textarea><script>".to_owned(),
            back: "/price".to_owned(),
        }
    }

    async fn html(response: Response<Body>) -> String {
        String::from_utf8(response.into_body().collect().await.expect("a body").to_bytes().to_vec()).expect("text")
    }

    #[tokio::test]
    async fn it_says_what_and_where_to_pay() {
        let offer = offer();
        let view = OfferView { offer: &offer, back: "/price?a=\"<b>\"", now: 1000 };
        let response = offer_page(view, AmountReceived::default(), OfferRetention::default());
        assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
        let html = html(response).await;
        for part in
            ["0.002 XMR", "within 60 minutes", "<code>87omSJ</code>", "<code>tpat1:Ab-_</code>", "<svg", "two minutes"]
        {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(html.contains("monero:87omSJ?tx_amount=0.002") && html.contains("&lt;0.002&gt;"), "{html}");
        assert!(html.contains("name=\"back\" value=\"/\"") && !html.contains("<script"), "{html}");
    }

    #[tokio::test]
    async fn pasted_text_stays_text() {
        for response in [problem(StatusCode::UNPROCESSABLE_ENTITY, "No <b>.", &payment()), waiting(&payment(), 0, 10)] {
            let html = html(response).await;
            assert!(!html.contains("<script") && !html.contains("<b>") && html.contains("&lt;script&gt;"), "{html}");
        }
    }

    #[tokio::test]
    async fn a_payment_that_came_too_late_is_named_and_nothing_of_it_becomes_markup() {
        let problem = PaymentProblem::new(wire::toll::TollCode::ExpiredChallenge, "It is listed under <Ab-_>.");
        let response = too_late(&problem, "//evil.example");
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let html = html(response).await;
        assert!(html.contains("&lt;Ab-_&gt;") && html.contains("href=\"/\"") && !html.contains("<form"), "{html}");
    }

    #[tokio::test]
    async fn it_says_whether_the_offer_is_kept() {
        let offer = offer();
        let view = OfferView { offer: &offer, back: "/price", now: 1000 };
        let kept = html(offer_page(view, AmountReceived::default(), OfferRetention { kept: true, ended: false })).await;
        assert!(kept.contains("You may close this page") && !kept.contains("Keep this page open"), "{kept}");
        let received = AmountReceived { have: 500_000_000, ..AmountReceived::default() };
        let ended = html(offer_page(view, received, OfferRetention { kept: false, ended: true })).await;
        for part in ["Keep this page open", "An earlier offer", "0.0005 of 0.002 XMR are here", "tx_amount=0.0015"] {
            assert!(ended.contains(part), "{part}: {ended}");
        }
    }

    #[test]
    fn a_token_is_in_a_cookie_and_nowhere_else() {
        let cookies = RouteCookies { route: "price", https: true };
        let response =
            redirect("/price", [cookies.set("t0ken", 60), cookies.forget_offer("Ab-_")].into_iter().flatten());
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[header::LOCATION], "/price");
        let cookies: Vec<_> = response.headers().get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(
            cookies,
            [
                "__Host-postern-toll-price=t0ken; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60",
                "__Host-postern-offer-price.Ab-_=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
            ]
        );
        assert_eq!(redirect("//evil.example", []).headers()[header::LOCATION], "/");
    }
}
