//! Requests that a page of another origin makes a visitor's browser send use up nothing that the visitor has.

use crate::support::{Browser, Chain, PRICE, PROOFS, Reply, World, pricing, route, txid};
use http::Method;
use toll::pricing::{Allowance, Pricing};
use toll::route::RouteTable;

type Headers<'a> = &'a [(&'a str, &'a str)];

const SHOP: &str = "https://shop.example";
/// What browsers send to https and localhost.
const PICTURE: Headers<'_> =
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
const SISTER: Headers<'_> =
    &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "script")];
const FETCH: Headers<'_> = &[
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "no-cors"),
    ("sec-fetch-dest", "empty"),
    ("accept", "text/html"),
];
const FRAME: Headers<'_> = &[
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "iframe"),
    ("accept", "text/html"),
];
const PREFETCH: Headers<'_> = &[
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-purpose", "prefetch"),
    ("accept", "text/html"),
];
const CORS: Headers<'_> =
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors"), ("origin", "https://evil.example")];
/// On plain http they send less.
const PLAIN_PICTURE: Headers<'_> = &[("user-agent", "Mozilla/5.0"), ("accept", "image/avif,*/*")];
const PLAIN_FETCH: Headers<'_> = &[("user-agent", "Mozilla/5.0"), ("accept", "text/html")];
const PLAIN_ELSEWHERE: Headers<'_> = &[("user-agent", "Mozilla/5.0"), ("referer", "http://evil.example/page")];
const PLAIN_ORIGIN: Headers<'_> = &[("user-agent", "Mozilla/5.0"), ("origin", "http://evil.example")];
const HOSTILE: [Headers<'_>; 10] =
    [PICTURE, SISTER, FETCH, FRAME, PREFETCH, CORS, PLAIN_PICTURE, PLAIN_FETCH, PLAIN_ELSEWHERE, PLAIN_ORIGIN];

async fn get(world: &World, path: &str, headers: Headers<'_>) -> Reply {
    let request = world.client.request(Method::GET, path);
    world.client.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

fn once() -> Pricing {
    Pricing { allowance: Some(Allowance { requests: 1, window_ms: 60_000 }), ..pricing() }
}

#[tokio::test]
async fn pages_of_other_origins_use_up_no_free_request_and_get_none() {
    let world = World::with(once()).await;
    for headers in HOSTILE {
        for _ in 0..2 {
            assert_eq!(get(&world, "/price", headers).await.status, 402, "{headers:?}");
        }
    }
    assert_eq!(world.arrived(), 0);
    let own = [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    assert_eq!(get(&world, "/price", &own).await.status, 200, "the free request is still there");
    assert_eq!(get(&world, "/price", &own).await.status, 402);
}

#[tokio::test]
async fn links_typed_addresses_own_pages_and_programs_count() {
    let world = World::with(once()).await;
    let base = world.client.url("/price");
    let referer = [("user-agent", "Mozilla/5.0"), ("referer", base.as_str())];
    for (n, headers) in [
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
            as Headers<'_>,
        &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        &[("user-agent", "Mozilla/5.0"), ("upgrade-insecure-requests", "1"), ("accept", "text/html")],
        &referer,
        &[("user-agent", "curl/8.5")],
        &[],
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("203.0.113.{n}");
        let from = [headers, &[("x-client", address.as_str())]].concat();
        for expected in [200, 402] {
            assert_eq!(get(&world, "/price", &from).await.status, expected, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_listed_page_counts_as_an_own_one_and_a_route_for_every_origin_lists_none() {
    let world = World::with(once()).await;
    let mut listed = route("price", "/price/**", world.upstream, Some(once()));
    listed.cors = vec![SHOP.parse().unwrap()];
    let mut every = route("every", "/every", world.upstream, Some(once()));
    every.cors = vec!["*".parse().unwrap()];
    world.gate.replace(RouteTable::new(vec![listed, every]));
    let fetch = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors"), ("origin", SHOP)];
    let picture = [PICTURE, &[("referer", "https://shop.example/")]].concat();
    assert_eq!(get(&world, "/every", &fetch).await.status, 402);
    assert_eq!(get(&world, "/price", &fetch).await.status, 200);
    assert_eq!(get(&world, "/price", &picture).await.status, 402, "used up");
    world.later(60);
    assert_eq!(get(&world, "/price", &picture).await.status, 200, "a picture names its page");
}

#[tokio::test]
async fn pages_of_other_origins_spend_no_token_and_take_no_address() {
    let world = World::with_browser_addresses(Chain::new(), pricing(), tempfile::tempdir().unwrap(), 20).await;
    for headers in HOSTILE {
        for _ in 0..2 {
            let reply = get(&world, "/price", headers).await;
            assert_eq!((reply.status, reply.header("set-cookie")), (402, None), "{headers:?}");
        }
    }
    let browser = Browser::at(7);
    let page = browser.open(&world, "/price").await;
    assert!(page.header("set-cookie").is_some(), "the visitor still gets an address");

    let demand = world.client.demand("/open").await;
    world.pay(txid(1), &demand, PRICE);
    let token = world.client.redeem(&format!("{}:{}", txid(1), PROOFS[0]), &demand.challenge, None).await.token();
    let cookie = format!("postern-toll-open={}", token.token);
    for headers in HOSTILE {
        let with = [headers, &[("cookie", cookie.as_str())]].concat();
        assert_eq!(get(&world, "/open", &with).await.status, 402, "{headers:?}");
    }
    let own = [("sec-fetch-site", "same-origin"), ("cookie", cookie.as_str())];
    assert_eq!(get(&world, "/open", &own).await.header("tpat-quota"), Some("2"));
    let junk = format!("postern-toll-open=AAAA; {cookie}");
    let own = [("sec-fetch-site", "same-origin"), ("cookie", junk.as_str())];
    assert_eq!(get(&world, "/open", &own).await.header("tpat-quota"), Some("1"), "another cookie takes nothing away");
}

#[tokio::test]
async fn forms_of_the_payment_page_come_from_that_page() {
    let world = World::new().await;
    let own = format!("http://{}", world.address);
    for (path, body) in [
        ("/.well-known/tpat/paid", "challenge=a&txid=b&proof=c&back=/price"),
        ("/.well-known/tpat/anew", "back=/price"),
    ] {
        let post = async |headers: Headers<'_>| {
            let request = world.client.request(Method::POST, path).body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let all = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            world.client.send(all).await.status
        };
        for (headers, refused) in [
            (
                &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
                    as Headers<'_>,
                true,
            ),
            (&[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")], true),
            (&[("user-agent", "Mozilla/5.0"), ("origin", "http://evil.example")], true),
            (&[("user-agent", "Mozilla/5.0"), ("origin", "null")], true),
            (&[("user-agent", "Mozilla/5.0"), ("origin", own.as_str())], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", own.as_str())], false),
        ] {
            assert_eq!(post(headers).await == 403, refused, "{path} {headers:?}");
        }
    }
}
