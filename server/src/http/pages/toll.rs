//! `/dashboard/toll`: the paid gate, for administrators.

use crate::flows;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use crate::http::toll::{DAYS, PAGE};
use app::Content;
use app::components::{Ends, RevenueChart, When};
use app::islands::{Act, ConfirmedAction};
use app::text::wait;
use app::view::Site;
use leptos::prelude::*;
use wire::paths;
use wire::toll_admin::{
    ChainState, Gate, PaymentState, RoutePrice, TokenState, TollDay, TollPayment, TollRoute, TollToken,
};

#[derive(Debug, Clone)]
struct TollView {
    /// Gates that run, and whose routes these are.
    gates: Vec<Gate>,
    routes: Vec<TollRoute>,
    /// Oldest first.
    days: Vec<TollDay>,
    /// Newest first.
    payments: Vec<TollPayment>,
    /// Newest first.
    tokens: Vec<TollToken>,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let state = request.state;
    let (store, now) = (&*state.store, state.now());
    let listed = flows::toll::routes(store, &state.config.settings.toll, now).await?;
    let view = TollView {
        gates: listed.gates,
        routes: listed.routes,
        days: flows::toll::days(store, DAYS, now).await?.days,
        payments: flows::toll::payments(store, PAGE).await?.payments,
        tokens: flows::toll::tokens(store, PAGE, now).await?.tokens,
    };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: TollView) -> impl IntoView {
    let now = site.now;
    let TollView { gates, routes, days, payments, tokens } = view;
    view! {
        <header>
            <h1 tabindex="-1">"Toll"</h1>
        </header>
        <p id="said" role="status" class="quiet">
            "Routes that the paid gate sells, and the payments and tokens for them."
        </p>
        <section class="panel">
            <h2>"Revenue of the last 30 days"</h2>
            <RevenueChart days now />
        </section>
        <Routes gates routes now />
        <Tokens tokens now />
        <Payments payments now />
    }
}

#[component]
fn Routes(gates: Vec<Gate>, routes: Vec<TollRoute>, now: i64) -> impl IntoView {
    let none = routes.is_empty().then(|| {
        view! { <p class="panel">"No route is set up. They are written in the settings file, below " <code>"[toll]"</code> "."</p> }
    });
    let card = |route: TollRoute| {
        let TollRoute { name, hosts, methods, path, prices, upstream, up } = route;
        let badge = if up { "answers" } else { "does not answer" };
        let where_to = [methods.join(", "), hosts.join(", "), path].into_iter().filter(|part| !part.is_empty());
        view! {
            <li class="device">
                <div>
                    <h3 class="device-name">
                        {name}
                        <span class="badge" class:fault=!up>{badge}</span>
                    </h3>
                    <p class="small">{said(&prices)}</p>
                    <p class="small quiet">
                        <code>{where_to.collect::<Vec<_>>().join(" ")}</code>
                        " \u{2192} "
                        <code>{upstream}</code>
                    </p>
                </div>
            </li>
        }
    };
    view! {
        <section class="group">
            <h2>"Routes"</h2>
            <Running gates now />
            {none}
            <ul class="devices">{routes.into_iter().map(card).collect_view()}</ul>
        </section>
    }
}

/// The gates whose routes the page lists, and whether payments can be taken.
#[component]
fn Running(gates: Vec<Gate>, now: i64) -> impl IntoView {
    if gates.is_empty() {
        return view! {
            <p class="panel">
                "No gate has reported in the last half minute. These are the routes of the settings that this portal read when \
                 it started. Start a gate with " <code>"postern toll run"</code> "."
            </p>
        }
        .into_any();
    }
    let line = |gate: Gate| {
        let state = match gate.chain {
            ChainState::Seen => "sees the Monero network",
            ChainState::Away => "does not see the Monero network: nobody is asked to pay until its node is back",
            ChainState::Unknown => "is of another version",
        };
        view! {
            <p class="small">
                "A gate that was started " <When now at=gate.started_at /> " " {state} ". Last report: "
                <When now at=gate.heard_at /> "."
            </p>
        }
    };
    gates.into_iter().map(line).collect_view().into_any()
}

/// Describes prices: "0.002 XMR for 100 requests within 1 hour".
fn said(prices: &[RoutePrice]) -> String {
    if prices.is_empty() {
        return "Free".to_owned();
    }
    let price = |price: &RoutePrice| {
        format!("{} XMR for {} requests within {}", price.piconero.xmr(), price.quota, wait::span(price.ttl_ms))
    };
    prices.iter().map(price).collect::<Vec<_>>().join(", or ")
}

#[component]
fn Tokens(tokens: Vec<TollToken>, now: i64) -> impl IntoView {
    let none = tokens
        .is_empty()
        .then(|| view! { <p class="panel">"No tokens yet. One appears here for every payment that is redeemed."</p> });
    let card = move |token: TollToken| view! { <TokenCard token now /> };
    view! {
        <section class="group">
            <h2>"Tokens"</h2>
            {none}
            <ul class="devices">{tokens.into_iter().map(card).collect_view()}</ul>
        </section>
    }
}

#[component]
fn TokenCard(token: TollToken, now: i64) -> impl IntoView {
    let TollToken { id, route, bound, quota, left, state, provisional, minted_at, expires_at } = token;
    let badge = match state {
        TokenState::Open if provisional => "open, not confirmed yet",
        TokenState::Open => "open",
        TokenState::Spent => "used up",
        TokenState::Expired => "expired",
        TokenState::Asleep => "on hold: its payment disappeared",
        TokenState::Suspended => "suspended",
        TokenState::Revoked => "revoked",
    };
    let held = if bound { "tied to a key" } else { "usable by anyone who has it" };
    let short: String = id.chars().take(8).collect();
    let hold = match state {
        TokenState::Suspended => Some(resumption(&id, &short)),
        TokenState::Open | TokenState::Asleep => Some(suspension(&id, &short)),
        _ => None,
    };
    let alive = matches!(state, TokenState::Open | TokenState::Asleep | TokenState::Suspended);
    let actions = alive.then(|| {
        view! {
            <div class="choices">
                {hold.map(|action| view! { <Act action /> })}
                <Act action=revocation(&id, &short) />
            </div>
        }
    });
    view! {
        <li class="device">
            <div>
                <h3 class="device-name">
                    <code title=id>{short}</code>
                    <span class="badge">{badge}</span>
                </h3>
                <p class="small">
                    {route} " \u{b7} " <b class="figures">{left}</b> " of " <span class="figures">{quota}</span>
                    " requests left"
                </p>
                <p class="small quiet">
                    {held} " \u{b7} bought " <When now at=minted_at /> " \u{b7} " <Ends now at=expires_at />
                </p>
            </div>
            {actions}
        </li>
    }
}

fn suspension(id: &str, short: &str) -> ConfirmedAction {
    ConfirmedAction {
        method: "POST".to_owned(),
        path: format!("{}/{id}/suspend", paths::TOLL_TOKENS),
        body: "{}".to_owned(),
        label: "Suspend".to_owned(),
        spoken: format!("Suspend the token {short}"),
        title: format!("Suspend the token {short}?"),
        about: "Requests with it are refused until you resume it. It still expires at the same time.".to_owned(),
        no: "Cancel".to_owned(),
        yes: "Suspend token".to_owned(),
    }
}

fn resumption(id: &str, short: &str) -> ConfirmedAction {
    ConfirmedAction {
        method: "POST".to_owned(),
        path: format!("{}/{id}/resume", paths::TOLL_TOKENS),
        body: "{}".to_owned(),
        label: "Resume".to_owned(),
        spoken: format!("Resume the token {short}"),
        title: format!("Resume the token {short}?"),
        about: "It can be used again for what was paid.".to_owned(),
        no: "Cancel".to_owned(),
        yes: "Resume token".to_owned(),
    }
}

fn revocation(id: &str, short: &str) -> ConfirmedAction {
    ConfirmedAction {
        method: "DELETE".to_owned(),
        path: format!("{}/{id}", paths::TOLL_TOKENS),
        label: "Revoke".to_owned(),
        spoken: format!("Revoke the token {short}"),
        title: format!("Revoke the token {short}?"),
        about: "It can never be used again, and its payment buys no other token. The money stays in your wallet: a \
                refund is up to you."
            .to_owned(),
        no: "Keep token".to_owned(),
        yes: "Revoke token".to_owned(),
        ..ConfirmedAction::default()
    }
}

#[component]
fn Payments(payments: Vec<TollPayment>, now: i64) -> impl IntoView {
    if payments.is_empty() {
        return view! {
            <section class="group">
                <h2>"Payments"</h2>
                <p class="panel">"No payments yet. They appear here as soon as the gate sees them on the network."</p>
            </section>
        }
        .into_any();
    }
    let late = payments.iter().any(|payment| payment.state == PaymentState::Late).then(|| {
        view! {
            <p class="small">
                "A late payment arrived after its offer had expired. The payer has the token name beside it and was asked \
                 to contact you: refund it, or give the goods another way."
            </p>
        }
    });
    let row = move |payment: TollPayment| {
        let state = match (payment.state, payment.block) {
            (PaymentState::Pool, _) => "unconfirmed".to_owned(),
            (PaymentState::Gone, _) => "disappeared".to_owned(),
            (PaymentState::Late, _) => format!("too late, bought nothing; its payer knows it as {}", payment.token),
            (PaymentState::Mined, Some(block)) => format!("in block {block}"),
            (PaymentState::Mined | PaymentState::Settled, _) => "settled".to_owned(),
        };
        let amount = format!("{} XMR", payment.piconero.xmr());
        view! {
            <tr role="row">
                <td role="cell" class="no-wrap"><When now at=payment.seen_at /></td>
                <td role="cell" class="figures amount">{amount}</td>
                <td role="cell">{payment.route} ", " {state}</td>
                <td role="cell" class="figures quiet">{payment.txid}</td>
            </tr>
        }
    };
    // A scrollable region must be reachable by keyboard.
    view! {
        <section>
            <h2>"Payments"</h2>
            {late}
            <div class="scroll" role="region" aria-label="Payments" tabindex="0">
                <table role="table">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">"Seen"</th>
                            <th role="columnheader" scope="col" class="amount">"Amount"</th>
                            <th role="columnheader" scope="col">"For"</th>
                            <th role="columnheader" scope="col">"Transaction"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{payments.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::{NOW, rendered};
    use app::dashboard::DashboardPage;
    use wire::toll::Piconero;

    #[test]
    fn prices_are_said() {
        let price = |piconero, quota| RoutePrice { piconero: Piconero(piconero), quota, ttl_ms: 3_600_000 };
        assert_eq!(said(&[]), "Free");
        let two = said(&[price(2_000_000_000, 100), price(1_000_000_000_000, 9)]);
        assert!(two.starts_with("0.002 XMR for 100 requests within") && two.contains(", or 1 XMR for 9"), "{two}");
    }

    fn toll() -> TollView {
        let piconero = Piconero(2_000_000_000);
        let token = |id: &str, state| TollToken {
            id: id.to_owned(),
            route: "<i>price".to_owned(),
            bound: true,
            quota: 100,
            left: 99,
            state,
            provisional: false,
            minted_at: NOW,
            expires_at: NOW + 60_000,
        };
        TollView {
            gates: Vec::new(),
            routes: vec![TollRoute {
                name: "<i>price".to_owned(),
                hosts: vec!["api.example".to_owned()],
                methods: vec!["GET".to_owned()],
                path: "/price".to_owned(),
                prices: vec![RoutePrice { piconero, quota: 100, ttl_ms: 3_600_000 }],
                upstream: "http://127.0.0.1:1".to_owned(),
                up: false,
            }],
            days: vec![TollDay { at: NOW, route: "<i>price".to_owned(), challenges: 3, payments: 1, piconero }],
            payments: vec![TollPayment {
                txid: "ab".repeat(32),
                account: 0,
                subaddress: 7,
                route: "<i>price".to_owned(),
                piconero,
                state: PaymentState::Pool,
                block: None,
                seen_at: NOW,
                token: "one".to_owned(),
            }],
            tokens: vec![
                token("one", TokenState::Open),
                token("two", TokenState::Suspended),
                token("three", TokenState::Spent),
            ],
        }
    }

    #[test]
    fn the_page_of_the_gate_offers_what_can_be_done_to_a_token() {
        let view = toll();
        let html = rendered(DashboardPage::Toll, Content::new(move |site| show(site, view)));
        for part in ["0.002 XMR for 100 requests", "does not answer", "Suspend the token one", "Resume the token two"] {
            assert!(html.contains(part), "{part}");
        }
        assert!(html.contains("Revoke the token two") && !html.contains("Revoke the token three"));
    }
}
