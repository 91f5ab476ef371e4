//! `/api/verify`, `/.postern/...` and `/apps/return`: apps behind the portal.

use crate::support::{Answer, ORIGIN, Portal, Visitor};
use http::{Method, StatusCode};
use serde_json::json;
use store::audit::{AuditEvent, AuditSearch};
use wire::paths;

const WIKI: &str = "https://wiki.example";
const SHOP: &str = "https://shop.test:8443";
const PROXY: &str = "10.0.0.1";
const APPS: &str = "trusted_proxies = ['10.0.0.1']\n\
     [[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
     [[apps.rules]]\npath = '/assets/*'\nmethods = ['GET', 'HEAD']\nallow = 'public'\n\
     [[apps.rules]]\npath = '/admin/*'\nallow = 'role'\nrole = 'administrator'\n\
     [[apps]]\nname = 'shop'\norigin = 'https://shop.test:8443'\n";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A person's browser: one cookie jar for the portal, one for each app.
pub(crate) struct Person {
    portal: Visitor,
    wiki: Visitor,
    shop: Visitor,
}

impl Person {
    fn new(portal: &Portal) -> Self {
        let browser = portal.browser("203.0.113.7");
        Self { wiki: browser.elsewhere(), shop: browser.elsewhere(), portal: browser }
    }

    async fn signed_in(portal: &Portal, name: &str) -> Self {
        let person = Self::new(portal);
        Self { portal: person.portal.signed_in(name).await, ..person }
    }

    fn at(&self, portal: &Portal) -> Self {
        Self { portal: self.portal.at(portal), wiki: self.wiki.at(portal), shop: self.shop.at(portal) }
    }

    /// Goes from an app to the portal and back.
    async fn enter(&self, jar: &Visitor, app: &str, next: &str) -> Answer {
        let answer = on(jar, app, &format!("{}?next={next}", paths::APP_START)).await;
        let location = way_in(&self.portal, here(&answer)).await;
        on(jar, app, location.strip_prefix(app).unwrap()).await
    }
}

/// Requests the way into the app, with a proof of the browser's key, as the page's script does.
pub(crate) async fn way_in(portal: &Visitor, path: &str) -> String {
    let answer = portal.prove_and_post(paths::APP_ENTER, &wish(portal, path).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["location"].as_str().unwrap().to_owned()
}

/// Returns the request that the page contains for its script.
pub(crate) async fn wish(portal: &Visitor, path: &str) -> serde_json::Value {
    let page = portal.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let body = page.text.split("data-enter=\"").nth(1).unwrap().split('"').next().unwrap();
    serde_json::from_str(&body.replace("&quot;", "\"").replace("&amp;", "&").replace("&#x27;", "'")).unwrap()
}

/// Navigates to a path of the app that its proxy forwards to the portal.
pub(crate) async fn on(jar: &Visitor, app: &str, path: &str) -> Answer {
    let host = app.strip_prefix("https://").unwrap();
    let extra = [("host", host), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    jar.send(Method::GET, path, None, &extra).await
}

/// Returns the path on the portal that an answer redirects to.
pub(crate) fn here(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.header("location").strip_prefix(ORIGIN).unwrap()
}

fn there<'a>(answer: &'a Answer, app: &str) -> &'a str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.header("location").strip_prefix(app).unwrap()
}

/// Sends a proxy's request for verification about a page that the jar's owner opens.
pub(crate) async fn ask(jar: &Visitor, app: &str, target: &str) -> Answer {
    ask_more(jar, app, target, &[]).await
}

pub(crate) async fn ask_more(jar: &Visitor, app: &str, target: &str, more: &[(&str, &str)]) -> Answer {
    let host = app.strip_prefix("https://").unwrap();
    let mut extra = vec![
        ("host", "localhost:3000"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", target),
        ("x-forwarded-method", "GET"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    extra.extend_from_slice(more);
    jar.moved(PROXY).send(Method::GET, paths::VERIFY, None, &extra).await
}

#[tokio::test]
async fn the_way_in_and_what_the_app_is_told() {
    let portal = Portal::with(APPS).await;
    let id = portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;

    let stranger = ask(&alice.wiki, WIKI, "/page?a=b&c=%2F").await;
    assert_eq!((stranger.status, stranger.code().as_str()), (StatusCode::UNAUTHORIZED, "no_session"));
    let start = "https://wiki.example/.postern/start?next=/page%3Fa%3Db%26c%3D%252F";
    assert_eq!(stranger.header("location"), start);

    let started = on(&alice.wiki, WIKI, start.strip_prefix(WIKI).unwrap()).await;
    let cookie = started.header("set-cookie");
    assert!(cookie.starts_with("__Host-postern-state-"), "{cookie}");
    for part in ["HttpOnly", "Secure", "Path=/", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let secret = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(!started.header("location").contains(secret), "no secret in an address");
    assert_eq!(started.headers.get_all("set-cookie").iter().count(), 1);
    let location = way_in(&alice.portal, here(&started)).await;
    let callback = location.strip_prefix(WIKI).unwrap();
    let entered = on(&alice.wiki, WIKI, callback).await;
    assert_eq!(there(&entered, WIKI), "/page?a=b&c=%2F");
    let cookies = entered.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
    let cookies: Vec<_> = cookies.collect();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("__Host-postern-app=")).unwrap();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-postern-state-") && cookie.contains("Max-Age=0")));
    assert!(cookie.contains("HttpOnly"), "{cookie}");
    assert!(cookie.contains("SameSite=Lax") && cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");

    let passed = ask(&alice.wiki, WIKI, "/page").await;
    assert_eq!(passed.status, StatusCode::OK, "{}", passed.text);
    let me = alice.portal.get(paths::SESSION).await.json();
    assert_eq!((passed.header("remote-user"), passed.header("remote-roles")), ("alice", "user"));
    assert_eq!(passed.header("remote-session"), me["id"].as_str().unwrap());
    let token = passed.header("authorization").strip_prefix("Bearer ").unwrap();
    let claims = crate::app_tokens::claims(token);
    assert_eq!((&claims["aud"], &claims["sub"], &claims["sid"]), (&json!(WIKI), &json!(id), &me["id"]));
    assert_eq!(claims["exp"], (portal.state.now() + 5 * MINUTE) / 1000);
    assert!(portal.state.tokens.verify_for(ORIGIN, token, portal.state.now()).is_none(), "nothing to the portal");

    assert_eq!(ask(&alice.shop, SHOP, "/").await.status, StatusCode::UNAUTHORIZED, "another app, another session");
    let stolen = alice.wiki.cookie("app");
    alice.shop.set_cookie("app", &stolen);
    assert_eq!(ask(&alice.shop, SHOP, "/").await.status, StatusCode::UNAUTHORIZED, "one app's cookie at another");
    assert_eq!(there(&alice.enter(&alice.shop, SHOP, "/").await, SHOP), "/");
    assert_eq!(ask(&alice.shop, SHOP, "/").await.status, StatusCode::OK);

    let opened = AuditSearch { event: Some(AuditEvent::AppOpened), limit: 9, ..AuditSearch::default() };
    let trail = portal.store().search_audit(&opened).await.unwrap();
    let mut trail: Vec<_> = trail.into_iter().map(|line| (line.entry.about, line.username)).collect();
    // Events of the same millisecond have no order.
    trail.sort();
    let name = Some("alice".to_owned());
    assert_eq!(trail, [("shop".to_owned(), name.clone()), ("wiki".to_owned(), name)]);
}

#[tokio::test]
async fn whoever_is_not_signed_in_comes_back_after_sign_in() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::new(&portal);
    let started = on(&alice.wiki, WIKI, "/.postern/start?next=/deep/page%3Fa%3Db").await;
    let away = here(&started).to_owned();
    let to_login = alice.portal.get(&away).await;
    let login = to_login.header("location");
    let next = login.strip_prefix("/login?next=").unwrap();
    assert!(alice.portal.get(login).await.text.contains("data-next=\"/apps/return?app=https"), "{next}");
    let alice = Person { portal: alice.portal.signed_in("alice").await, ..alice };
    assert_eq!(alice.portal.get(login).await.header("location"), away, "the page leads on as its form does");
    let location = way_in(&alice.portal, &away).await;
    assert_eq!(there(&on(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await, WIKI), "/deep/page?a=b");

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
    let (alice, mallory) = (Person::signed_in(&portal, "alice").await, Person::new(&portal));
    let code = async || {
        let started = on(&alice.wiki, WIKI, paths::APP_START).await;
        way_in(&alice.portal, here(&started)).await.strip_prefix(WIKI).unwrap().to_owned()
    };
    let first = code().await;
    refused(&on(&mallory.wiki, WIKI, &first).await);
    on(&mallory.wiki, WIKI, paths::APP_START).await;
    refused(&on(&mallory.wiki, WIKI, &first).await);
    refused(&on(&alice.shop, SHOP, &first).await);
    assert_eq!(there(&on(&alice.wiki, WIKI, &first).await, WIKI), "/");
    assert_ne!(alice.wiki.cookie("app"), "");
    // A repeated request, after a bouncing key or the browser's back button: the session is valid, and so is the
    // answer.
    assert_eq!(there(&on(&alice.wiki, WIKI, &first).await, WIKI), "/");
    alice.wiki.forget("app");
    refused(&on(&alice.wiki, WIKI, &first).await);
    for wrong in ["/.postern/callback", "/.postern/callback?code=", "/.postern/callback?code=x&code=y"] {
        refused(&on(&alice.wiki, WIKI, wrong).await);
    }
    let last = on(&alice.wiki, WIKI, &format!("{first}&again=1")).await;
    assert_eq!(last.status, StatusCode::BAD_REQUEST, "twice is a loop");
    assert!(last.text.contains("<a href=\"/.postern/start?next=/\">Sign in again"), "{}", last.text);
    let late = code().await;
    portal.advance(60_000).await;
    refused(&on(&alice.wiki, WIKI, &late).await);

    // Mallory makes Alice's browser continue a sign-in that Mallory's browser began: the state is not Alice's.
    let started = on(&mallory.wiki, WIKI, paths::APP_START).await;
    let location = way_in(&alice.portal, here(&started)).await;
    refused(&on(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await);

    let unused = code().await;
    alice.portal.post(paths::LOGOUT, &json!({})).await;
    refused(&on(&alice.wiki, WIKI, &unused).await);
}

#[tokio::test]
async fn a_failed_code_is_fetched_anew_and_arrives() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
    let started = on(&alice.wiki, WIKI, "/.postern/start?next=/deep%3Fa%3Db").await;
    // After an hour on the sign-in page the browser has deleted its state.
    alice.wiki.cookies.lock().unwrap().clear();
    let location = way_in(&alice.portal, here(&started)).await;
    let failed = on(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await;
    refused(&failed);
    let again = on(&alice.wiki, WIKI, there(&failed, WIKI)).await;
    let location = way_in(&alice.portal, here(&again)).await;
    assert!(location.ends_with("&again=1"), "{location}");
    assert_eq!(there(&on(&alice.wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await, WIKI), "/deep?a=b");
}

#[tokio::test]
async fn a_copied_cookie_opens_no_app() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
    let thief = alice.portal.thief(&portal, "203.0.113.66");
    let jar = thief.elsewhere();
    let started = on(&jar, WIKI, "/.postern/start?next=/").await;
    let wish = wish(&thief, here(&started)).await;
    for answer in [thief.post(paths::APP_ENTER, &wish).await, thief.prove_and_post(paths::APP_ENTER, &wish).await] {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    }
    let bearer = format!("Bearer {}", thief.cookie("access"));
    let program = portal.program("203.0.113.66");
    let extra = [("authorization", bearer.as_str())];
    let answer = program.send(Method::POST, paths::APP_ENTER, Some(wish.to_string()), &extra).await;
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
    let started = on(&jar, WIKI, "/.postern/start?next=/page").await;
    let wish = wish(&unbound, here(&started)).await;
    let location = unbound.post(paths::APP_ENTER, &wish).await.json()["location"].as_str().unwrap().to_owned();
    assert_eq!(there(&on(&jar, WIKI, location.strip_prefix(WIKI).unwrap()).await, WIKI), "/page");
}

#[tokio::test]
async fn forty_eight_tabs_that_start_at_once_all_arrive_and_so_do_other_nodes() {
    let portal = Portal::with(APPS).await;
    let other = portal.another().await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
    let elsewhere = alice.at(&other);
    let node = |number: usize| if number.is_multiple_of(2) { &alice } else { &elsewhere };
    // No tab has the cookie of another.
    let mut begun = Vec::new();
    for number in 0..48 {
        let tab = node(number).wiki.elsewhere();
        begun.push(on(&tab, WIKI, &format!("/.postern/start?next=/{number}")).await);
        alice.wiki.cookies.lock().unwrap().extend(tab.cookies.lock().unwrap().clone());
        // Stays below the flood limit, which is not tested here.
        portal.advance(200).await;
        other.advance(0).await;
    }
    for (number, started) in begun.iter().enumerate() {
        let location = way_in(&node(number + 1).portal, here(started)).await;
        let entered = on(&node(number).wiki, WIKI, location.strip_prefix(WIKI).unwrap()).await;
        assert_eq!(there(&entered, WIKI), format!("/{number}"));
        portal.advance(200).await;
        other.advance(0).await;
    }
    let left: Vec<_> = alice.wiki.cookies.lock().unwrap().keys().cloned().collect();
    assert_eq!(left, ["__Host-postern-app"], "each tab has taken its own away");
    // A restarted server accepts it, too.
    let restarted = portal.another().await;
    assert_eq!(ask(&alice.at(&restarted).wiki, WIKI, "/").await.header("remote-user"), "alice");
}

#[tokio::test]
async fn tabs_that_never_come_back_are_forgotten() {
    let portal = Portal::with(APPS).await;
    let jar = Person::new(&portal).wiki;
    for _ in 0..60 {
        on(&jar, WIKI, paths::APP_START).await;
        portal.clock.advance(1_000);
    }
    assert_eq!(jar.cookies.lock().unwrap().len(), 50);
}

#[tokio::test]
async fn no_address_leads_anywhere_but_to_configured_origins() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
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
        "https://WIKI.example",
        "https://wiki.example/",
        "//wiki.example",
        "wiki",
        "",
    ] {
        let answer = alice.portal.get(&format!("/apps/return?app={app}&state={state}&next=/")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::NOT_FOUND, ""), "{app}");
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

#[tokio::test]
async fn only_a_trusted_proxy_is_believed_and_only_if_it_says_each_thing_once() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    let told = [("x-forwarded-proto", "https"), ("x-forwarded-host", "wiki.example"), ("x-forwarded-method", "GET")];
    for peer in ["203.0.113.7", "127.0.0.1", "10.0.0.2"] {
        let more = [told.as_slice(), &[("x-forwarded-uri", "/assets/x")]].concat();
        let answer = alice.wiki.moved(peer).send(Method::GET, paths::VERIFY, None, &more).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{peer}");
    }
    for missing in ["x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri", "x-forwarded-method"] {
        let answer = ask_more(&alice.wiki, WIKI, "/", &[(missing, ""), ("sec-fetch-mode", "cors")]).await;
        assert_eq!(answer.code(), "bad_request", "{missing}");
    }
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-host", "wiki.example, evil.example"),
        ("x-forwarded-host", "wiki.example:8443"),
        ("x-forwarded-proto", "http"),
    ] {
        let answer = ask_more(&alice.wiki, WIKI, "/", &[(name, value), ("sec-fetch-mode", "cors")]).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "no_app"), "{name}: {value}");
    }
    // Headers about the identity that a client sends itself do not reach the answer.
    let spoofed = [("remote-user", "root"), ("remote-roles", "administrator"), ("remote-session", "x")];
    let answer = ask_more(&Person::new(&portal).wiki, WIKI, "/assets/x", &spoofed).await;
    assert_eq!((answer.status, answer.header("remote-user")), (StatusCode::OK, ""));
    let answer = ask_more(&alice.wiki, WIKI, "/", &spoofed).await;
    assert_eq!((answer.header("remote-user"), answer.header("remote-roles")), ("alice", "user"));
}

#[tokio::test]
async fn rules_say_who_passes() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    portal.add_administrator("root").await;
    let (alice, stranger) = (Person::signed_in(&portal, "alice").await, Person::new(&portal));
    let root = Person::signed_in(&portal, "root").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    root.enter(&root.wiki, WIKI, "/").await;
    let status = async |who: &Person, target: &str, method: &str| {
        ask_more(&who.wiki, WIKI, target, &[("x-forwarded-method", method)]).await.status.as_u16()
    };
    for (target, method, nobody, user, administrator) in [
        ("/", "GET", 401, 200, 200),
        ("/assets/app.js?v=1", "GET", 200, 200, 200),
        ("/assets/app.js", "POST", 401, 200, 200),
        ("/admin/users", "GET", 401, 403, 200),
        ("/assets/../admin/users", "GET", 401, 403, 200),
        ("/assets/%2e%2e/admin", "GET", 401, 403, 200),
        ("/ADMIN;x=y/", "POST", 401, 403, 200),
        ("/%zz", "GET", 401, 403, 200),
    ] {
        let got = (
            status(&stranger, target, method).await,
            status(&alice, target, method).await,
            status(&root, target, method).await,
        );
        assert_eq!(got, (nobody, user, administrator), "{method} {target}");
    }
    let overridden = ask_more(&alice.wiki, WIKI, "/", &[("x-http-method-override", "DELETE")]).await;
    assert_eq!(overridden.code(), "", "a page for whoever looks at it");
    assert_eq!(overridden.status, StatusCode::FORBIDDEN);
    let public = ask(&alice.wiki, WIKI, "/assets/app.js").await;
    assert_eq!(public.header("remote-user"), "alice", "known where she need not be");
    assert_eq!(ask(&stranger.wiki, WIKI, "/assets/app.js").await.header("authorization"), "");
}

#[tokio::test]
async fn a_person_is_led_away_and_a_script_is_told() {
    let portal = Portal::with(APPS).await;
    let stranger = Person::new(&portal).wiki;
    let redirected = async |more: &[(&str, &str)]| {
        let mut extra = vec![
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/"),
            ("x-forwarded-method", "GET"),
        ];
        extra.extend_from_slice(more);
        let answer =
            stranger.moved(PROXY).send(Method::GET, &format!("{}?redirect", paths::VERIFY), None, &extra).await;
        (answer.status.as_u16(), !answer.header("location").is_empty())
    };
    for (more, expected) in [
        (vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], (302, true)),
        (vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], (401, false)),
        (vec![("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], (401, false)),
        (vec![("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], (401, false)),
        (vec![("sec-fetch-mode", "websocket")], (401, false)),
        (vec![("sec-fetch-mode", "cors"), ("accept", "text/html")], (401, false)),
        (vec![("sec-fetch-mode", "navigate"), ("x-forwarded-method", "POST")], (401, false)),
    ] {
        assert_eq!(redirected(&more).await, expected, "{more:?}");
    }
    let asked = ask_more(&stranger, WIKI, "/", &[("sec-fetch-mode", "cors")]).await;
    assert_eq!((asked.status, asked.header("location")), (StatusCode::UNAUTHORIZED, ""));
    assert_eq!(asked.header("www-authenticate"), "Bearer");
    // Browsers that send no `Sec-Fetch-Dest` and `Sec-Fetch-Mode`.
    let program = portal.program(PROXY);
    for (accept, leads) in [("text/html,*/*", true), ("application/json", false), ("*/*", false)] {
        let extra = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/"),
            ("x-forwarded-method", "GET"),
            ("accept", accept),
        ];
        let answer = program.send(Method::GET, paths::VERIFY, None, &extra).await;
        assert_eq!(!answer.header("location").is_empty(), leads, "{accept}");
    }
}

#[tokio::test]
async fn an_app_s_session_lives_and_dies_with_its_parent() {
    let portal = Portal::with(APPS).await;
    let id = portal.add_user("alice").await;
    let laptop = Person::signed_in(&portal, "alice").await;
    let phone = Person::signed_in(&portal, "alice").await;
    for person in [&laptop, &phone] {
        person.enter(&person.wiki, WIKI, "/").await;
    }
    let status = async |who: &Person| ask(&who.wiki, WIKI, "/").await.status.as_u16();
    // Longer than any access token's lifetime, without a visit to the portal.
    let first = ask(&laptop.wiki, WIKI, "/").await.header("authorization").to_owned();
    assert_eq!(ask(&laptop.wiki, WIKI, "/").await.header("authorization"), first, "signed once");
    portal.advance(4 * MINUTE).await;
    let second = ask(&laptop.wiki, WIKI, "/").await;
    assert_ne!(second.header("authorization"), first, "never one that runs out on the way");
    portal.advance(DAY).await;
    assert_eq!((status(&laptop).await, status(&phone).await), (200, 200));

    // End one.
    phone.portal.refresh().await;
    let device = laptop.portal.refresh().await.json()["session"]["id"].as_str().unwrap().to_owned();
    phone.portal.send(Method::DELETE, &format!("{}/{device}", paths::SESSIONS), None, &[]).await;
    assert_eq!((status(&laptop).await, status(&phone).await), (401, 200));
    // Log out.
    phone.portal.post(paths::LOGOUT, &json!({})).await;
    assert_eq!(status(&phone).await, 401);
    // End all others.
    let (kept, ended) = (Person::signed_in(&portal, "alice").await, Person::signed_in(&portal, "alice").await);
    for person in [&kept, &ended] {
        person.enter(&person.wiki, WIKI, "/").await;
    }
    kept.portal.send(Method::DELETE, paths::SESSIONS, None, &[]).await;
    assert_eq!((status(&kept).await, status(&ended).await), (200, 401));
    // Disabled on another node.
    let other = portal.another().await;
    let third = Person::signed_in(&portal, "alice").await;
    third.enter(&third.wiki, WIKI, "/").await;
    assert_eq!(status(&third).await, 200);
    other
        .store()
        .set_disabled(&id, true, &portal.entry(AuditEvent::UserDisabled, &id), portal.state.now())
        .await
        .unwrap();
    portal.advance(1000).await;
    assert_eq!(status(&third).await, 401);
}

#[tokio::test]
async fn use_of_an_app_alone_keeps_the_session_alive() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    portal.advance(16 * DAY).await;
    assert_eq!(ask_more(&alice.wiki, WIKI, "/", &[("sec-fetch-mode", "cors")]).await.status, StatusCode::OK);
    let due = ask(&alice.wiki, WIKI, "/page").await;
    assert_eq!(due.header("location"), "https://wiki.example/.postern/start?next=/page");
    alice.portal.refresh().await;
    assert_eq!(there(&alice.enter(&alice.wiki, WIKI, "/page").await, WIKI), "/page");
    assert_eq!(ask(&alice.wiki, WIKI, "/page").await.status, StatusCode::OK);
    portal.advance(15 * DAY - MINUTE).await;
    assert_eq!(ask(&alice.wiki, WIKI, "/").await.status, StatusCode::OK, "31 days later");
    portal.advance(15 * DAY + MINUTE).await;
    assert_eq!(ask(&alice.wiki, WIKI, "/").await.status, StatusCode::UNAUTHORIZED, "nobody came");
}

#[tokio::test]
async fn signing_out_at_an_app_signs_out_everywhere_and_only_by_a_button() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    alice.enter(&alice.shop, SHOP, "/").await;
    let asked = on(&alice.wiki, WIKI, paths::APP_LOGOUT).await;
    assert!(asked.text.contains("<form method=\"post\">"), "{}", asked.text);
    assert!(asked.header("content-security-policy").contains("form-action 'self' http://localhost:3000"));
    let press = async |site: &str, mode: &str| {
        let extra = [("host", "wiki.example"), ("sec-fetch-site", site), ("sec-fetch-mode", mode), ("origin", "null")];
        alice.wiki.send(Method::POST, paths::APP_LOGOUT, None, &extra).await
    };
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(press(site, "cors").await.code(), "cross_site", "{site}");
        let page = press(site, "navigate").await;
        assert!(page.status == StatusCode::FORBIDDEN && page.text.starts_with("<!DOCTYPE"), "{site}: {}", page.text);
    }
    assert_eq!(ask(&alice.wiki, WIKI, "/").await.status, StatusCode::OK);
    let kept = alice.wiki.cookie("app");
    let out = press("same-origin", "navigate").await;
    assert_eq!(out.header("location"), "http://localhost:3000/login?why=signed_out");
    assert_eq!(alice.wiki.cookie("app"), "");
    alice.wiki.set_cookie("app", &kept);
    assert_eq!(ask(&alice.wiki, WIKI, "/").await.status, StatusCode::UNAUTHORIZED, "a copy is no better");
    assert_eq!(ask(&alice.shop, SHOP, "/").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(alice.portal.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(press("same-origin", "cors").await.status, StatusCode::NO_CONTENT, "twice is no error");
}

#[tokio::test]
async fn on_plain_http_the_button_tells_its_origin_and_a_person_is_answered_with_a_page() {
    let plain = "allow_insecure_http = true\npublic_url = 'http://portal.lan'\n\
         [[apps]]\nname = 'wiki'\norigin = 'http://wiki.lan'\n";
    let portal = Portal::with(&format!("trusted_proxies = ['10.0.0.1']\n{plain}")).await;
    let jar = portal.browser("203.0.113.7");
    let html = ("accept", "text/html,*/*;q=0.8");
    let bare = [("sec-fetch-site", ""), ("host", "wiki.lan"), html];
    let page = portal.program("203.0.113.7").send(Method::GET, paths::APP_LOGOUT, None, &bare[1..]).await;
    assert_eq!(page.header("referrer-policy"), "same-origin", "with no-referrer a form's origin is null");
    let program = portal.program("203.0.113.7");
    let press = async |origin: &str| {
        let extra = [("host", "wiki.lan"), html, ("origin", origin)];
        program.send(Method::POST, paths::APP_LOGOUT, None, &extra).await
    };
    let out = press("http://wiki.lan").await;
    assert_eq!(out.header("location"), "http://portal.lan/login?why=signed_out");
    for origin in ["null", "http://evil.lan"] {
        let refused = press(origin).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.header("content-type").starts_with("text/html"), "{}", refused.text);
        assert!(refused.text.contains("href=\"/.postern/logout\""), "{}", refused.text);
    }
    drop(jar);
    let unknown = [("host", "wiki.lan"), html];
    let nowhere = program.send(Method::GET, "/.postern/nothing", None, &unknown).await;
    assert_eq!((nowhere.status, nowhere.code().as_str()), (StatusCode::NOT_FOUND, ""), "{}", nowhere.text);
}

#[tokio::test]
async fn a_client_s_own_authorization_passes_where_a_rule_or_a_public_path_says_so() {
    const GIT: &str = "trusted_proxies = ['10.0.0.1']\n[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
         [[apps.rules]]\npath = '/hook'\nallow = 'public'\n\
         [[apps.rules]]\npath = '/api/*'\nallow = 'public'\nauthorization = 'app'\n\
         [[apps.rules]]\npath = '/raw/*'\nallow = 'signed-in'\nauthorization = 'app'\n";
    let portal = Portal::with(GIT).await;
    portal.add_user("alice").await;
    let (alice, stranger) = (Person::signed_in(&portal, "alice").await, Person::new(&portal));
    alice.enter(&alice.wiki, WIKI, "/").await;
    let told = async |who: &Person, target: &str, own: &str| {
        let more = if own.is_empty() { vec![] } else { vec![("authorization", own)] };
        let answer = ask_more(&who.wiki, WIKI, target, &more).await;
        let short = answer.header("authorization").get(..10).unwrap_or(answer.header("authorization")).to_owned();
        (answer.status.as_u16(), short, answer.header("remote-authorization").to_owned())
    };
    let is = |status: u16, own: &str, whose: &str| (status, own.to_owned(), whose.to_owned());
    for own in ["Basic YTpi", "token abcd", "Bearer abc", "Bearer a.b"] {
        assert_eq!(told(&stranger, "/hook", own).await, is(200, own, "app"), "{own}");
        assert_eq!(told(&stranger, "/api/x", own).await, is(200, own, "app"), "{own}");
        assert_eq!(told(&alice, "/api/x", own).await, is(200, own, "app"), "{own}");
        assert_eq!(told(&alice, "/raw/x", own).await, is(200, own, "app"), "{own}");
        assert_eq!(told(&alice, "/hook", own).await, is(200, "Bearer eyJ", "postern"), "{own}");
        assert_eq!(told(&alice, "/", own).await, is(200, "Bearer eyJ", "postern"), "{own}");
        assert_eq!(told(&stranger, "/raw/x", own).await.0, 401, "{own}");
    }
    assert_eq!(told(&stranger, "/hook", "").await, is(200, "", ""));
    assert_eq!(told(&alice, "/raw/x", "").await, is(200, "", ""), "ours is not set over it");
    let user = ask_more(&alice.wiki, WIKI, "/raw/x", &[("authorization", "Basic YTpi")]).await;
    assert_eq!(user.header("remote-user"), "alice");
    // The portal's own access token is not accepted as an app's.
    let access = format!("Bearer {}", alice.portal.cookie("access"));
    assert_eq!(told(&stranger, "/hook", &access).await, is(200, "", ""));
    assert_eq!(told(&alice, "/raw/x", &access).await, is(200, "", ""));
}

#[tokio::test]
async fn whatever_a_person_asks_for_a_page_says_what_to_do() {
    let portal = Portal::with(APPS).await;
    let stranger = Person::new(&portal).wiki;
    // A page in a frame: the portal's pages cannot be shown in one.
    for more in [[("sec-fetch-dest", "iframe")], [("sec-fetch-dest", "object")]] {
        let framed = ask_more(&stranger, WIKI, "/part?x=y", &more).await;
        assert_eq!((framed.status, framed.header("location")), (StatusCode::UNAUTHORIZED, ""));
        assert!(
            framed.text.contains("href=\"/.postern/start?next=/part%3Fx%3Dy\" target=\"_blank\""),
            "{}",
            framed.text
        );
        let policy = framed.header("content-security-policy");
        assert!(policy.ends_with("frame-ancestors 'self' https://wiki.example https://shop.test:8443"), "{policy}");
        assert_eq!(framed.header("www-authenticate"), "Bearer");
    }
    // A form whose session has ended.
    let posted = ask_more(&stranger, WIKI, "/edit", &[("x-forwarded-method", "POST")]).await;
    assert_eq!((posted.status, posted.header("location")), (StatusCode::UNAUTHORIZED, ""));
    assert!(posted.text.contains("This was not sent"), "{}", posted.text);
    // An address that is too long for a redirect.
    let far = ask(&stranger, WIKI, &format!("/{}", "a".repeat(8_000))).await;
    assert_eq!((far.status, far.header("location")), (StatusCode::UNAUTHORIZED, ""));
    assert!(far.text.contains("sessionStorage.setItem") && far.text.contains("<noscript>"), "{}", far.text);
    let kept = on(&stranger, WIKI, "/.postern/place?x").await;
    assert!(kept.status == StatusCode::OK && kept.text.contains("sessionStorage.getItem"), "{}", kept.text);
    // Bytes that no browser sends.
    for (target, next) in [("/caf\u{e9}", "/caf%25E9"), ("/search?q=\\d", "/search%3Fq%3D%255Cd")] {
        let raw: Vec<u8> = target.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        let answer = ask_raw(&portal, &raw).await;
        assert_eq!(answer.0, StatusCode::UNAUTHORIZED, "{target}");
        assert_eq!(answer.1, format!("https://wiki.example/.postern/start?next={next}"), "{target}");
    }
    // The answer on an unknown host is an error page.
    let lost = ask_more(&stranger, "https://other.example", "/", &[]).await;
    assert_eq!((lost.status, lost.code().as_str()), (StatusCode::NOT_FOUND, ""));
    assert!(lost.text.starts_with("<!DOCTYPE html>"), "{}", lost.text);
}

/// Sends a request for verification about a target of any bytes.
async fn ask_raw(portal: &Portal, target: &[u8]) -> (StatusCode, String) {
    use tower::ServiceExt;
    let mut request = http::Request::get(paths::VERIFY).body(axum::body::Body::empty()).unwrap();
    for (name, value) in [
        ("host", "localhost:3000"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "wiki.example:443"),
        ("x-forwarded-method", "GET"),
        ("sec-fetch-mode", "navigate"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request.headers_mut().insert("x-forwarded-uri", http::HeaderValue::from_bytes(target).unwrap());
    let peer = std::net::SocketAddr::new(PROXY.parse().unwrap(), 40_000);
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    let answer = portal.router.clone().oneshot(request).await.unwrap();
    let location = answer.headers().get("location").map_or("", |location| location.to_str().unwrap());
    (answer.status(), location.to_owned())
}

#[tokio::test]
async fn an_answer_for_the_client_never_holds_what_is_meant_for_the_app() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = Person::signed_in(&portal, "alice").await;
    let answered = async |who: &Person, target: &str, mode: &str| {
        let told = [
            ("x-forwarded-proto", "wss"),
            ("x-forwarded-host", "WIKI.example.:443"),
            ("x-forwarded-uri", target),
            ("x-forwarded-method", "GET"),
            ("sec-fetch-mode", mode),
        ];
        who.wiki.moved(PROXY).send(Method::GET, &format!("{}?answer", paths::VERIFY), None, &told).await
    };
    let led = answered(&alice, "/x", "navigate").await;
    assert_eq!(
        (led.status, led.header("location")),
        (StatusCode::FOUND, "https://wiki.example/.postern/start?next=/x")
    );
    assert_eq!(answered(&alice, "/x", "cors").await.code(), "no_session");
    alice.enter(&alice.wiki, WIKI, "/").await;
    for mode in ["navigate", "cors"] {
        let denied = answered(&alice, "/admin", mode).await;
        assert_eq!((denied.status, denied.header("authorization")), (StatusCode::FORBIDDEN, ""));
        let passes = answered(&alice, "/", mode).await;
        assert_eq!((passes.status, passes.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
        for name in ["authorization", "remote-user", "remote-session"] {
            assert_eq!(passes.header(name), "", "{name}");
        }
    }
}

#[tokio::test]
async fn a_program_passes_with_its_token_and_the_proof_of_its_key() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let told = alice.prove_and_post(paths::APP_TOKENS, &json!({"audience": WIKI})).await.json();
    let token = told["access_token"].as_str().unwrap().to_owned();
    let (program, key) = (portal.program("203.0.113.9"), alice.key.clone().unwrap());
    let ask = async |app: &str, scheme: &str, proof: &str| {
        let host = app.strip_prefix("https://").unwrap();
        let authorization = format!("{scheme} {token}");
        let extra = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", host),
            ("x-forwarded-uri", "/page?a=b"),
            ("x-forwarded-method", "POST"),
            ("authorization", &authorization),
            ("dpop", proof),
        ];
        program.moved(PROXY).send(Method::GET, paths::VERIFY, None, &extra).await
    };
    let ath = verify::dpop::token_hash(&token);
    let url = format!("{WIKI}/page");
    let first = ask(WIKI, "DPoP", &key.prove_more(&url, "", &json!({"ath": ath}))).await;
    assert_eq!((first.status, first.code().as_str()), (StatusCode::UNAUTHORIZED, "use_dpop_nonce"));
    assert_eq!(first.header("www-authenticate"), r#"DPoP algs="ES256", error="use_dpop_nonce""#);
    let nonce = first.header("dpop-nonce");
    let proof = key.prove_more(&url, nonce, &json!({"ath": ath}));
    let passed = ask(WIKI, "DPoP", &proof).await;
    assert_eq!((passed.status, passed.header("remote-user")), (StatusCode::OK, "alice"), "{}", passed.text);
    assert_eq!(ask(WIKI, "DPoP", &proof).await.code(), "use_dpop_nonce", "a proof serves once");
    let fresh = |url: &str, more: serde_json::Value| key.prove_more(url, nonce, &more);
    let stranger = crate::support::ClientKey::generate();
    for (what, app, scheme, proof) in [
        ("no ath", WIKI, "DPoP", fresh(&url, json!({}))),
        ("another token", WIKI, "DPoP", fresh(&url, json!({"ath": "x"}))),
        ("another page", WIKI, "DPoP", fresh(&format!("{WIKI}/other"), json!({"ath": ath}))),
        ("another method", WIKI, "DPoP", fresh(&url, json!({"ath": ath, "htm": "GET"}))),
        ("another key", WIKI, "DPoP", stranger.prove_more(&url, nonce, &json!({"ath": ath}))),
        ("another app", SHOP, "DPoP", fresh(&format!("{SHOP}/page"), json!({"ath": ath}))),
        ("as a bearer", WIKI, "Bearer", fresh(&url, json!({"ath": ath}))),
    ] {
        assert_eq!(ask(app, scheme, &proof).await.status, StatusCode::UNAUTHORIZED, "{what}");
    }
    alice.post(paths::LOGOUT, &json!({})).await;
    assert_eq!(ask(WIKI, "DPoP", &fresh(&url, json!({"ath": ath}))).await.code(), "no_session");
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_at_once() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let id = portal.add_administrator("bob").await;
    let (root, bob) = (Person::signed_in(&portal, "root").await, Person::signed_in(&portal, "bob").await);
    bob.enter(&bob.wiki, WIKI, "/").await;
    assert_eq!(ask(&bob.wiki, WIKI, "/admin").await.status, StatusCode::OK);
    let change = Some(json!({"role": "user"}).to_string());
    let changed = root.portal.send(Method::PATCH, &format!("{}/{id}", paths::USERS), change, &[]).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert_eq!(ask(&bob.wiki, WIKI, "/admin").await.status, StatusCode::FORBIDDEN);
}
