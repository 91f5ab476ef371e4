//! `/.postern/...` and `/apps/return`: sign-in to apps behind the portal.

use crate::support::apps::{
    APPS, AppBrowser, SHOP, WIKI, app_path, enter_request, open_at_app, portal_path, request_callback, verify,
};
use crate::support::{Answer, ORIGIN, Portal};
use http::{Method, StatusCode};
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use store::audit::{AuditEvent, AuditSearch};
use wire::paths;

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn a_browser_at_the_path_for_proxies_reads_whom_it_is_for() {
    let portal = Portal::with(APPS).await;
    let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    let answer = portal.browser("203.0.113.7").send(Method::GET, paths::VERIFY, None, &page).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("<h1>Only listed proxies may ask this</h1>"), "{}", answer.text);
    assert!(!answer.text.contains("administrators"), "{}", answer.text);
}

#[tokio::test]
async fn sign_in_at_an_app_and_its_identity_headers() {
    let portal = Portal::with(APPS).await;
    let id = portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;

    let stranger = verify(&alice.wiki, WIKI, "/page?a=b&c=%2F").await;
    assert_eq!((stranger.status, stranger.code().as_str()), (StatusCode::UNAUTHORIZED, "no_session"));
    let start = "https://wiki.example/.postern/start?next=/page%3Fa%3Db%26c%3D%252F";
    assert_eq!(stranger.header("location"), start);

    let started = open_at_app(&alice.wiki, WIKI, start.strip_prefix(WIKI).unwrap()).await;
    let cookie = started.header("set-cookie");
    assert!(cookie.starts_with("__Host-postern-state-"), "{cookie}");
    for part in ["HttpOnly", "Secure", "Path=/", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let secret = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(!started.header("location").contains(secret), "no secret in an address");
    assert_eq!(started.headers.get_all("set-cookie").iter().count(), 1);
    let location = request_callback(&alice.portal, portal_path(&started)).await;
    let callback = location.strip_prefix(WIKI).unwrap();
    let entered = open_at_app(&alice.wiki, WIKI, callback).await;
    assert_eq!(app_path(&entered, WIKI), "/page?a=b&c=%2F");
    let cookies = entered.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
    let cookies: Vec<_> = cookies.collect();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("__Host-postern-app=")).unwrap();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-postern-state-") && cookie.contains("Max-Age=0")));
    assert!(cookie.contains("HttpOnly"), "{cookie}");
    assert!(cookie.contains("SameSite=Lax") && cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");

    let passed = verify(&alice.wiki, WIKI, "/page").await;
    assert_eq!(passed.status, StatusCode::OK, "{}", passed.text);
    let me = alice.portal.get(paths::SESSION).await.json();
    assert_eq!((passed.header("remote-user"), passed.header("remote-roles")), ("alice", "user"));
    assert_eq!(passed.header("remote-session"), me["id"].as_str().unwrap());
    let token = passed.header("authorization").strip_prefix("Bearer ").unwrap();
    let claims = crate::app_tokens::claims(token);
    assert_eq!((&claims["aud"], &claims["sub"], &claims["sid"]), (&json!(WIKI), &json!(id), &me["id"]));
    assert_eq!(claims["exp"], (portal.state.now() + 5 * MINUTE).to_seconds().as_seconds());
    assert!(portal.state.tokens.verify_for(ORIGIN, token, portal.state.now()).is_none(), "nothing to the portal");

    assert_eq!(verify(&alice.shop, SHOP, "/").await.status, StatusCode::UNAUTHORIZED, "another app, another session");
    let stolen = alice.wiki.cookie("app");
    alice.shop.set_cookie("app", &stolen);
    assert_eq!(verify(&alice.shop, SHOP, "/").await.status, StatusCode::UNAUTHORIZED, "one app's cookie at another");
    assert_eq!(app_path(&alice.enter(&alice.shop, SHOP, "/").await, SHOP), "/");
    assert_eq!(verify(&alice.shop, SHOP, "/").await.status, StatusCode::OK);

    let opened = AuditSearch { event: Some(AuditEvent::AppOpened), limit: 9, ..AuditSearch::default() };
    let trail = portal.store().search_audit(&opened).await.unwrap();
    let mut trail: Vec<_> = trail.into_iter().map(|line| (line.entry.about, line.username)).collect();
    // Events of the same millisecond have no order.
    trail.sort();
    let name = Some("alice".to_owned());
    assert_eq!(trail, [("shop".to_owned(), name.clone()), ("wiki".to_owned(), name)]);
    let page = alice.portal.get(paths::ACTIVITY_PAGE).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for sentence in ["Opened wiki", "Opened shop"] {
        assert!(page.text.contains(sentence), "{sentence}: {}", page.text);
    }
}

#[tokio::test]
async fn a_stranger_returns_to_the_app_after_sign_in() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::new(&portal);
    let started = open_at_app(&alice.wiki, WIKI, "/.postern/start?next=/deep/page%3Fa%3Db").await;
    let away = portal_path(&started).to_owned();
    let to_login = alice.portal.get(&away).await;
    let login = to_login.header("location");
    let next = login.strip_prefix("/login?next=").unwrap();
    assert!(alice.portal.get(login).await.text.contains("data-next=\"/apps/return?app=https"), "{next}");
    let alice = AppBrowser { portal: alice.portal.signed_in("alice").await, ..alice };
    assert_eq!(alice.portal.get(login).await.header("location"), away, "the page leads on as its form does");
    let location = request_callback(&alice.portal, &away).await;
    assert_eq!(
        app_path(&open_at_app(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await, WIKI),
        "/deep/page?a=b"
    );

    portal.advance(20 * MINUTE).await;
    assert!(alice.portal.get(&away).await.header("location").starts_with("/resume?next=/apps/return"));
}

/// Checks that an invalid code begins no session: it is fetched anew once, and then the person sees an error.
fn refused(answer: &Answer) {
    let mut set = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    assert!(set.all(|cookie| !cookie.contains("postern-app")), "{:?}", answer.headers);
    let location = answer.header("location");
    assert!(
        location.contains("/.postern/start?next=/") && location.ends_with("&again=1"),
        "{location} {}",
        answer.text
    );
}

#[tokio::test]
async fn a_code_is_good_once_in_its_browser_for_its_app_and_for_half_a_minute() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let (alice, mallory) = (AppBrowser::signed_in(&portal, "alice").await, AppBrowser::new(&portal));
    let code = async || {
        let started = open_at_app(&alice.wiki, WIKI, paths::APP_START).await;
        request_callback(&alice.portal, portal_path(&started)).await.strip_prefix(WIKI).unwrap().to_owned()
    };
    let first = code().await;
    refused(&open_at_app(&mallory.wiki, WIKI, &first).await);
    open_at_app(&mallory.wiki, WIKI, paths::APP_START).await;
    refused(&open_at_app(&mallory.wiki, WIKI, &first).await);
    refused(&open_at_app(&alice.shop, SHOP, &first).await);
    assert_eq!(app_path(&open_at_app(&alice.wiki, WIKI, &first).await, WIKI), "/");
    assert_ne!(alice.wiki.cookie("app"), "");
    // A repeated request, after a bouncing key or the browser's back button: the session is valid, and so is the
    // answer.
    assert_eq!(app_path(&open_at_app(&alice.wiki, WIKI, &first).await, WIKI), "/");
    alice.wiki.forget("app");
    refused(&open_at_app(&alice.wiki, WIKI, &first).await);
    for wrong in ["/.postern/callback", "/.postern/callback?code=", "/.postern/callback?code=x&code=y"] {
        refused(&open_at_app(&alice.wiki, WIKI, wrong).await);
    }
    let last = open_at_app(&alice.wiki, WIKI, &format!("{first}&again=1")).await;
    assert_eq!(last.status, StatusCode::BAD_REQUEST, "twice is a loop");
    assert!(last.text.contains("<a href=\"/.postern/start?next=/\">Sign in again"), "{}", last.text);
    let late = code().await;
    portal.advance(60_000).await;
    refused(&open_at_app(&alice.wiki, WIKI, &late).await);

    // Mallory makes Alice's browser continue a sign-in that Mallory's browser began: the state is not Alice's.
    let started = open_at_app(&mallory.wiki, WIKI, paths::APP_START).await;
    let location = request_callback(&alice.portal, portal_path(&started)).await;
    refused(&open_at_app(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await);

    let unused = code().await;
    alice.portal.post(paths::LOGOUT, &json!({})).await;
    refused(&open_at_app(&alice.wiki, WIKI, &unused).await);
}

#[tokio::test]
async fn a_failed_code_is_requested_again_and_arrives() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    let started = open_at_app(&alice.wiki, WIKI, "/.postern/start?next=/deep%3Fa%3Db").await;
    // After an hour on the sign-in page the browser has deleted its state.
    alice.wiki.cookies.lock().unwrap().clear();
    let location = request_callback(&alice.portal, portal_path(&started)).await;
    let failed = open_at_app(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await;
    refused(&failed);
    let again = open_at_app(&alice.wiki, WIKI, app_path(&failed, WIKI)).await;
    let location = request_callback(&alice.portal, portal_path(&again)).await;
    assert!(location.ends_with("&again=1"), "{location}");
    assert_eq!(
        app_path(&open_at_app(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await, WIKI),
        "/deep?a=b"
    );
}

#[tokio::test]
async fn a_copied_cookie_opens_no_app() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    let thief = alice.portal.thief(&portal, "203.0.113.66");
    let jar = thief.elsewhere();
    let started = open_at_app(&jar, WIKI, "/.postern/start?next=/").await;
    let request = enter_request(&thief, portal_path(&started)).await;
    for answer in [thief.post(paths::APP_ENTER, &request).await, thief.prove_and_post(paths::APP_ENTER, &request).await]
    {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    }
    let bearer = format!("Bearer {}", thief.cookie("access"));
    let program = portal.program("203.0.113.66");
    let extra = [("authorization", bearer.as_str())];
    let answer = program.send(Method::POST, paths::APP_ENTER, Some(request.to_string()), &extra).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "nor as a bearer");
    for wrong in [json!({}), json!({"app": WIKI, "state": "x", "next": "/"})] {
        assert_eq!(alice.portal.prove_and_post(paths::APP_ENTER, &wrong).await.code(), "bad_request", "{wrong}");
    }
    let elsewhere = json!({"app": "https://evil.example", "state": server_hash(), "next": "/"});
    assert_eq!(alice.portal.prove_and_post(paths::APP_ENTER, &elsewhere).await.code(), "no_app");
}

#[tokio::test]
async fn an_unbound_session_goes_on_without_a_proof() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let mut unbound = portal.browser("203.0.113.7");
    unbound.key = None;
    let unbound = unbound.signed_in("alice").await;
    let jar = unbound.elsewhere();
    let started = open_at_app(&jar, WIKI, "/.postern/start?next=/page").await;
    let request = enter_request(&unbound, portal_path(&started)).await;
    let location = unbound.post(paths::APP_ENTER, &request).await.json()["location"].as_str().unwrap().to_owned();
    assert_eq!(app_path(&open_at_app(&jar, WIKI, location.strip_prefix(WIKI).unwrap()).await, WIKI), "/page");
}

#[tokio::test]
async fn forty_eight_tabs_that_start_at_once_all_arrive_and_so_do_other_nodes() {
    let portal = Portal::with(APPS).await;
    let other = portal.another().await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    let elsewhere = alice.at(&other);
    let node = |number: usize| if number.is_multiple_of(2) { &alice } else { &elsewhere };
    // No tab has the cookie of another.
    let mut begun = Vec::new();
    for number in 0..48 {
        let tab = node(number).wiki.elsewhere();
        begun.push(open_at_app(&tab, WIKI, &format!("/.postern/start?next=/{number}")).await);
        alice.wiki.cookies.lock().unwrap().extend(tab.cookies.lock().unwrap().clone());
        // Stays below the flood limit, which is not tested here.
        portal.advance(200).await;
        other.advance(0).await;
    }
    for (number, started) in begun.iter().enumerate() {
        let location = request_callback(&node(number + 1).portal, portal_path(started)).await;
        let entered = open_at_app(&node(number).wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await;
        assert_eq!(app_path(&entered, WIKI), format!("/{number}"));
        portal.advance(200).await;
        other.advance(0).await;
    }
    let left: Vec<_> = alice.wiki.cookies.lock().unwrap().keys().cloned().collect();
    assert_eq!(left, ["__Host-postern-app"], "each tab has taken its own away");
    // A restarted server accepts it, too.
    let restarted = portal.another().await;
    assert_eq!(verify(&alice.at(&restarted).wiki, WIKI, "/").await.header("remote-user"), "alice");
}

#[tokio::test]
async fn tabs_that_never_come_back_are_forgotten() {
    let portal = Portal::with(APPS).await;
    let jar = AppBrowser::new(&portal).wiki;
    for _ in 0..60 {
        open_at_app(&jar, WIKI, paths::APP_START).await;
        portal.clock.advance(1_000);
    }
    assert_eq!(jar.cookies.lock().unwrap().len(), 50);
}

#[tokio::test]
async fn a_session_has_few_codes_in_the_database_whatever_it_asks() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    let mut database = SqliteConnectOptions::new().filename(portal.database()).connect().await.unwrap();
    let started = open_at_app(&alice.wiki, WIKI, paths::APP_START).await;
    for (visits, codes, most) in [(70, 0, 0), (0, 70, 64)] {
        for _ in 0..visits {
            assert_eq!(alice.portal.get(portal_path(&started)).await.status, StatusCode::OK);
            portal.advance(1_000).await;
        }
        for _ in 0..codes {
            request_callback(&alice.portal, portal_path(&started)).await;
            portal.advance(200).await;
        }
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM app_codes").fetch_one(&mut database).await.unwrap();
        assert!(rows <= most && (codes == 0) == (rows == 0), "{rows} rows");
    }
}

#[tokio::test]
async fn no_address_leads_anywhere_but_to_configured_origins() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    for trick in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "%2F%2Fevil.example",
        "%2F%5C%2Fevil.example",
        "@evil.example",
        ".evil.example",
        ":443@evil.example",
        "%0d%0aLocation:%20https://evil.example",
        "/%0d%0aSet-Cookie:%20a=b",
        "/%09/evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "/%00",
        "",
    ] {
        let answer = alice.enter(&alice.wiki, WIKI, trick).await;
        let lands = answer.header("location");
        assert!(lands.starts_with("https://wiki.example/"), "{trick} leads to {lands}");
        assert!(answer.headers.get_all("set-cookie").iter().all(|cookie| cookie.to_str().unwrap().contains("__Host-")));
    }
    let state = server_hash();
    let kept = alice.portal.get(&format!("/apps/return?app={WIKI}&state={state}&next=/%22%3E%3Cscript%3E")).await;
    assert!(kept.status == StatusCode::OK && !kept.text.contains("\"><script>"), "{}", kept.text);
    for app in [
        "https://evil.example",
        "https://wiki.example.evil.example",
        "https://wiki.example@evil.example",
        "https://wiki.example:8443",
        "http://wiki.example",
        "//wiki.example",
        "wiki",
        "",
    ] {
        let answer = alice.portal.get(&format!("/apps/return?app={app}&state={state}&next=/")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::NOT_FOUND, ""), "{app}");
    }
    // Other spellings of a configured origin lead to that origin.
    for app in ["https://WIKI.example", "https://wiki.example/", "https://wiki.example:443"] {
        let answer = alice.portal.get(&format!("/apps/return?app={app}&state={state}&next=/")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::OK, ""), "{app}");
        let request = json!({"app": app, "state": state, "next": "/"});
        let entered = alice.portal.prove_and_post(paths::APP_ENTER, &request).await.json();
        assert!(entered["location"].as_str().unwrap().starts_with("https://wiki.example/"), "{app}: {entered}");
    }
    for query in ["", "?app=https://wiki.example", "?app=https://wiki.example&state=x&next=/"] {
        assert_eq!(alice.portal.get(&format!("/apps/return{query}")).await.status, StatusCode::NOT_FOUND, "{query}");
    }
    for host in ["evil.example", "localhost:3000", "wiki.example.evil.example", "wiki.example:1"] {
        for path in [paths::APP_START, paths::APP_CALLBACK, paths::APP_LOGOUT] {
            let answer = alice.wiki.send(Method::GET, path, None, &[("host", host)]).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::NOT_FOUND, ""), "{host}{path}");
        }
    }
    // Every other path on an app's host is not answered by the portal.
    let page = alice.wiki.send(Method::GET, "/login", None, &[("host", "wiki.example")]).await;
    assert_eq!(page.header("location"), "http://localhost:3000/login");
}

fn server_hash() -> String {
    domain::encoding::base64url(&[7; 32])
}
