//! Second factors that the site or an app requires: at the next sign-in, on the way into apps, and never without a way
//! to continue.

use crate::oidc::{Provider, claims};
use crate::passkey_factor::want;
use crate::second_factor::{Enrolled, login_with};
use crate::support::apps::{open_at_app, portal_path, request_callback, verify, verify_with};
use crate::support::{Answer, Authenticator, ORIGIN, PASSWORD, Portal, Visitor, postern};
use crate::{passkeys, second_factor};
use domain::second_factor::Requirement;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::flows::verify::{self, Reached};
use wire::paths;

const REQUIRED: &str = "[second_factor]\nusers = 'required'";
const PASSKEY: &str = "[second_factor]\nusers = 'passkey'";
const WIKI: &str = "https://wiki.example";
const APPS: &str = "trusted_proxies = ['10.0.0.1']\n\
     [[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
     [[apps.rules]]\npath = '/open/*'\nallow = 'public'\n\
     [[apps.rules]]\npath = '/safe/*'\nmethods = ['GET']\nallow = 'signed-in'\nsecond_factor = 'required'\n\
     [[apps.rules]]\npath = '/vault/*'\nallow = 'signed-in'\nsecond_factor = 'passkey'\n";

fn is_refused(answer: &Answer, level: &str) {
    let result = (answer.status, answer.code());
    assert_eq!(result, (StatusCode::UNAUTHORIZED, "insufficient_user_authentication".to_owned()), "{}", answer.text);
    let challenge = format!("error=\"insufficient_user_authentication\", acr_values=\"urn:postern:acr:{level}\"");
    assert!(answer.header("www-authenticate").contains(&challenge), "{}", answer.header("www-authenticate"));
}

fn leads_to(answer: &Answer, path: &str) {
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, path), "{}", answer.text);
}

#[tokio::test]
async fn a_person_without_a_factor_sets_one_up_before_anything_else_works() {
    let portal = Portal::with(REQUIRED).await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let refused = alice.get(paths::SESSIONS).await;
    is_refused(&refused, "2");
    assert_eq!(refused.json()["proofs"], Value::Null, "there is none to give");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(&format!("{ORIGIN}/dashboard/second-factor")), "{detail}");
    is_refused(&alice.post(paths::USER_KEYS, &json!({})).await, "2");
    is_refused(&alice.post(paths::APP_TOKENS, &json!({"app": "wiki"})).await, "2");

    let devices = alice.get("/dashboard/devices?after=x").await;
    leads_to(&devices, "/dashboard/second-factor?next=/dashboard/devices%3Fafter%3Dx&factor=required");
    let enrol = devices.header("location").to_owned();
    let page = alice.get(&enrol).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in ["Set up a second factor", "stay closed", "Add a passkey", "Set up one-time codes"] {
        assert!(page.text.contains(part), "{part}");
    }
    // Requests that set up a factor work, and so do the session itself and sign-out.
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    second_factor::register(&portal, &alice).await;
    leads_to(&alice.get(&enrol).await, "/dashboard/devices?after=x");
    assert_eq!(alice.get(paths::SESSIONS).await.status, StatusCode::OK);
    assert_eq!(alice.get("/dashboard/devices").await.status, StatusCode::OK);
}

/// A device that signed in before is asked for the account's factor, and returns to its page.
#[tokio::test]
async fn a_session_from_before_proves_the_factor_and_goes_on() {
    let portal = Portal::with(REQUIRED).await;
    let user = portal.add_user("alice").await;
    let old = portal.browser("203.0.113.7").signed_in("alice").await;
    let alice = Enrolled::of(&portal, user, &[]).await;
    let refused = old.get(paths::SESSIONS).await;
    is_refused(&refused, "2");
    assert_eq!(refused.json()["proofs"], json!(["totp"]));
    let page = old.get("/dashboard/devices").await;
    leads_to(&page, "/login?next=/dashboard/devices&why=factor");
    let login = old.get(page.header("location")).await;
    assert!(login.status == StatusCode::OK && login.text.contains("a sign-in with your second factor"));
    let confirmed = second_factor::confirm(&old, &json!({"code": alice.code(&portal, 0)})).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT, "{}", confirmed.text);
    assert_eq!(old.get(paths::SESSIONS).await.status, StatusCode::OK);
    leads_to(&old.get("/dashboard/second-factor?next=/dashboard/devices").await, "/dashboard/devices");
}

#[tokio::test]
async fn a_code_is_not_sufficient_where_a_passkey_is_required() {
    let portal = Portal::with(PASSKEY).await;
    let user = portal.add_user("alice").await;
    let alice = Enrolled::of(&portal, user, &[]).await;
    let browser = portal.browser("203.0.113.7");
    assert_eq!(login_with(&browser, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    is_refused(&browser.get(paths::SESSIONS).await, "phr");
    let page = browser.get("/dashboard").await;
    leads_to(&page, "/dashboard/second-factor?next=/dashboard&factor=passkey");
    let page = browser.get(page.header("location")).await.text;
    assert!(page.contains("Set up a passkey") && !page.contains("Set up one-time codes"), "{page}");
    let mut authenticator = Authenticator::new();
    let added = passkeys::register(&browser, &mut authenticator).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    assert_eq!(browser.get(paths::SESSIONS).await.status, StatusCode::OK, "it was proven just now");

    // The next sign-in with a code leads to the passkey, and one with the passkey succeeds.
    portal.advance(60_000).await;
    let another = portal.browser("203.0.113.8");
    assert_eq!(login_with(&another, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    let refused = another.get(paths::SESSIONS).await;
    is_refused(&refused, "phr");
    assert_eq!(refused.json()["proofs"], json!(["passkey"]));
    let enrol = "/dashboard/second-factor?next=/dashboard&factor=passkey";
    leads_to(&another.get("/dashboard").await, enrol);
    assert!(another.get(enrol).await.text.contains("sign in with it"), "or adds another, if it is lost");
    assert_eq!(passkeys::sign_in(&another, &authenticator).await.status, StatusCode::OK);
    assert_eq!(another.get("/dashboard").await.status, StatusCode::OK);
}

#[tokio::test]
async fn role_and_groups_decide_and_the_strictest_counts() {
    let settings = "[second_factor]\nadministrators = 'required'\n[[second_factor.groups]]\nname = 'Staff'\nrequire = \
                    'passkey'";
    let portal = Portal::with(settings).await;
    portal.add_administrator("root").await;
    let [ada, bob] = [portal.add_user("ada").await, portal.add_user("bob").await];
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    second_factor::register(&portal, &root).await;
    for name in ["staff", "others"] {
        assert_eq!(root.post(paths::GROUPS, &json!({"name": name})).await.status, StatusCode::CREATED);
    }
    let join = async |id: &str, group: &str| {
        let change = json!({"groups": [group]}).to_string();
        let answer = root.send(Method::PATCH, &format!("{}/{id}", paths::USERS), Some(change), &[]).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    };
    join(&ada, "staff").await;
    join(&bob, "others").await;
    let bobs_id = bob;
    let ada = portal.browser("203.0.113.8").signed_in("ada").await;
    is_refused(&ada.get(paths::SESSIONS).await, "phr");
    let bob = portal.browser("203.0.113.9").signed_in("bob").await;
    assert_eq!(bob.get(paths::SESSIONS).await.status, StatusCode::OK);
    // A change of groups counts for a live session.
    join(&bobs_id, "staff").await;
    is_refused(&bob.get(paths::SESSIONS).await, "phr");
    join(&bobs_id, "others").await;
    assert_eq!(bob.get(paths::SESSIONS).await.status, StatusCode::OK);
    // An administrator without a factor cannot administer anything.
    portal.add_administrator("eve").await;
    let eve = portal.browser("203.0.113.10").signed_in("eve").await;
    is_refused(&eve.get(paths::USERS).await, "2");
    leads_to(
        &eve.get("/dashboard/audit.csv").await,
        "/dashboard/second-factor?next=/dashboard/audit.csv&factor=required",
    );
}

/// Goes into an app, from the proxy's answer to the app's own session.
async fn enter(browser: &Visitor, jar: &Visitor, answer: &Answer) -> String {
    let start = answer.header("location").strip_prefix(WIKI).unwrap().to_owned();
    let location = request_callback(browser, portal_path(&open_at_app(jar, WIKI, &start).await)).await;
    let entered = open_at_app(jar, WIKI, location.strip_prefix(WIKI).unwrap()).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.text);
    entered.header("location").to_owned()
}

#[tokio::test]
async fn a_rule_of_an_app_leads_to_the_factor_and_back_to_the_same_page_once() {
    let portal = Portal::with(APPS).await;
    let user = portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.7").signed_in("alice").await;
    let jar = browser.elsewhere();
    assert_eq!(enter(&browser, &jar, &verify(&jar, WIKI, "/page").await).await, "https://wiki.example/page");
    assert_eq!(verify(&jar, WIKI, "/page").await.status, StatusCode::OK);

    let answer = verify(&jar, WIKI, "/safe/a?b=c").await;
    is_refused(&answer, "2");
    assert_eq!(answer.header("location"), "https://wiki.example/.postern/start?next=/safe/a%3Fb%3Dc&factor=required");
    let started = open_at_app(&jar, WIKI, answer.header("location").strip_prefix(WIKI).unwrap()).await;
    let on_the_way = portal_path(&started).to_owned();
    let enrol = browser.get(&on_the_way).await;
    assert!(enrol.header("location").starts_with("/dashboard/second-factor?next=/apps/return"), "{}", enrol.text);
    let page = browser.get(enrol.header("location")).await.text;
    assert!(page.contains("The app that you came from needs a second factor"), "{page}");
    assert_eq!(browser.get("/dashboard").await.status, StatusCode::OK, "the account itself needs none");
    second_factor::register(&portal, &browser).await;
    let back = browser.get(enrol.header("location")).await;
    leads_to(&back, &on_the_way);
    let location = request_callback(&browser, &on_the_way).await;
    let entered = open_at_app(&jar, WIKI, location.strip_prefix(WIKI).unwrap()).await;
    assert_eq!(entered.header("location"), "https://wiki.example/safe/a?b=c");
    assert_eq!(verify(&jar, WIKI, "/safe/a?b=c").await.status, StatusCode::OK);
    assert!(portal.store().factors(&user.as_str().into(), None).await.unwrap().totp);
    is_refused(&verify(&jar, WIKI, "/vault/").await, "phr");
}

/// The portal requires as much as the verification of the proxy's request, so that there is no redirect loop.
#[tokio::test]
async fn the_way_to_an_app_keeps_the_requirement_of_the_request() {
    let portal = Portal::with(APPS).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = portal.browser("203.0.113.7");
    assert_eq!(login_with(&browser, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    let jar = browser.elsewhere();
    // A path that some apps interpret as another one, checked by the strictest rule.
    let odd = verify(&jar, WIKI, "/page").await;
    enter(&browser, &jar, &odd).await;
    let overridden = verify_with(&jar, WIKI, "/page", &[("x-http-method-override", "GET")]).await;
    is_refused(&overridden, "phr");
    let start = overridden.header("location").strip_prefix(WIKI).unwrap().to_owned();
    let way = portal_path(&open_at_app(&jar, WIKI, &start).await).to_owned();
    assert!(browser.get(&way).await.header("location").starts_with("/dashboard/second-factor?next="));
    // Scripts, and requests that cannot be repeated, get an answer without a redirect.
    let script = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
    let script = verify_with(&jar, WIKI, "/vault/", &script).await;
    is_refused(&script, "phr");
    assert_eq!(script.header("location"), "");
}

#[tokio::test]
async fn an_app_sees_a_stranger_until_the_required_factor_is_proven() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.7").signed_in("alice").await;
    let jar = browser.elsewhere();
    enter(&browser, &jar, &verify(&jar, WIKI, "/page").await).await;
    assert_eq!(verify(&jar, WIKI, "/open/").await.header("remote-user"), "alice");
    let strict = portal.another_with(&format!("{APPS}{REQUIRED}")).await;
    let (browser, jar) = (browser.at(&strict), jar.at(&strict));
    let public = verify(&jar, WIKI, "/open/").await;
    assert_eq!((public.status, public.header("remote-user")), (StatusCode::OK, ""));
    let answer = verify(&jar, WIKI, "/page").await;
    is_refused(&answer, "2");
    second_factor::register(&strict, &browser).await;
    let passed = verify(&jar, WIKI, "/page").await;
    assert_eq!(passed.header("remote-user"), "alice");
}

/// A session that ended between two looks at it has reached nothing, whatever is required.
#[tokio::test]
async fn a_session_that_is_gone_meets_no_requirement() {
    let portal = Portal::start().await;
    for required in Requirement::ALL {
        let reached = verify::reached(&portal.state, &"01KBS1ZC9VQ4RWMQ1B9A3YH0TE".into(), required).await.unwrap();
        assert!(matches!(reached, Reached::Over), "{required:?}: {reached:?}");
    }
}

/// The app's token says what the session has reached, as soon as it has reached it.
#[tokio::test]
async fn an_app_learns_of_a_proof_at_once_and_at_every_node() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.7").signed_in("alice").await;
    let jar = browser.elsewhere();
    enter(&browser, &jar, &verify(&jar, WIKI, "/page").await).await;
    let other = portal.another().await;
    let level = async |portal: &Portal| {
        let answer = verify(&jar.at(portal), WIKI, "/page").await;
        let token = answer.header("authorization").strip_prefix("Bearer ").unwrap_or_default().to_owned();
        claims(&token)["acr"].clone()
    };
    for portal in [&portal, &other] {
        assert_eq!(level(portal).await, "urn:postern:acr:1");
    }
    portal.advance(1_000).await;
    second_factor::register(&portal, &browser).await;
    assert_eq!(level(&portal).await, "urn:postern:acr:2");
    other.advance(1_000).await;
    assert_eq!(level(&other).await, "urn:postern:acr:2");
}

/// Groups of the settings decide who needs a factor, and that is for the operator.
#[tokio::test]
async fn a_group_that_the_settings_name_is_neither_renamed_nor_removed() {
    let portal = Portal::with("[[second_factor.groups]]\nname = 'Staff'\nrequire = 'required'").await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    let add = async |name: &str| {
        let made = root.post(paths::GROUPS, &json!({ "name": name })).await;
        format!("{}/{}", paths::GROUPS, made.json()["id"].as_str().unwrap())
    };
    let (staff, others) = (add("staff").await, add("others").await);
    let rename = async |path: &str, name: &str| {
        root.send(Method::PATCH, path, Some(json!({ "name": name }).to_string()), &[]).await
    };
    let refused = rename(&staff, "crew").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "group_required"), "{}", refused.text);
    let refused = root.send(Method::DELETE, &staff, None, &[]).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "group_required"), "{}", refused.text);
    assert_eq!(rename(&staff, "STAFF").await.status, StatusCode::NO_CONTENT, "the same name");
    assert_eq!(rename(&others, "crew").await.status, StatusCode::NO_CONTENT);
    assert_eq!(root.send(Method::DELETE, &others, None, &[]).await.status, StatusCode::NO_CONTENT);
}

/// A grant is as good as its session, and the account's requirement counts whenever it is used.
#[tokio::test]
async fn a_grant_refreshes_only_while_its_session_meets_the_policy() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    let strict = provider.portal.another_with(&format!("{REQUIRED}\n{}", crate::oidc::clients())).await;
    let browser = provider.browser.at(&strict);
    let strict = Provider { portal: strict, user: provider.user.clone(), browser };
    let refused = strict.refresh(&first, &[]).await;
    assert_eq!(refused.json()["error"], "invalid_grant", "{}", refused.text);
    assert_ne!(strict.userinfo(&tokens["access_token"]).await.status, StatusCode::OK);
    second_factor::register(&strict.portal, &strict.browser).await;
    let refreshed = strict.refresh(&first, &[]).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    assert_eq!(strict.userinfo(&refreshed.json()["access_token"]).await.status, StatusCode::OK);
}

/// The claims of a token agree with each other after a proof in a live session.
#[tokio::test]
async fn tokens_say_the_same_of_a_session_that_was_proven_again() {
    let provider = Provider::start().await;
    provider.portal.advance(60_000).await;
    second_factor::register(&provider.portal, &provider.browser).await;
    let tokens = provider.tokens().await;
    let result = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (&result["acr"], &result["amr"]),
        (&json!("urn:postern:acr:2"), &json!(["pwd", "otp", "mfa"])),
        "{result}"
    );
    assert_eq!(result["auth_time"], provider.portal.state.now().to_seconds().as_seconds());
}

#[tokio::test]
async fn an_openid_client_gets_no_code_before_the_required_factor() {
    let provider = Provider::with(REQUIRED).await;
    let query = Provider::query(&[]);
    let page = provider.open(&provider.browser, &query).await;
    let location = page.header("location");
    assert!(location.starts_with("/dashboard/second-factor?next=/oauth/authorize"), "{location}");
    is_refused(&provider.enter(&provider.browser, &query, None).await, "2");
    let silent = provider.open(&provider.browser, &Provider::query(&[("prompt", "none")])).await;
    assert!(silent.header("location").contains("error=interaction_required"), "{}", silent.header("location"));
    second_factor::register(&provider.portal, &provider.browser).await;
    let answer = provider.enter(&provider.browser, &query, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.json()["location"].as_str().unwrap().contains("code="), "{}", answer.text);
}

/// Two factors without a passkey are not enough for a client that needs one.
#[tokio::test]
async fn a_client_that_needs_a_passkey_refuses_a_code() {
    let vault = format!(
        "[[clients]]\nid = 'vault'\nsecret_hash = '{}'\nredirect_uris = ['https://vault.example/']\n\
         second_factor = 'passkey'\n",
        oidc::client::secret_hash(crate::oidc::SECRET)
    );
    let provider = Provider::with(&vault).await;
    let own = [("client_id", "vault"), ("redirect_uri", "https://vault.example/")];
    second_factor::register(&provider.portal, &provider.browser).await;
    let page = provider.open(&provider.browser, &Provider::query(&own)).await;
    let location = page.header("location");
    assert!(location.starts_with(paths::ENROL_PAGE) && location.contains("factor=passkey"), "{location}");
    let silent = provider.open(&provider.browser, &Provider::query(&[&own[..], &[("prompt", "none")]].concat())).await;
    assert!(silent.header("location").contains("error=interaction_required"), "{}", silent.header("location"));
    let added = passkeys::register(&provider.browser, &mut Authenticator::new()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let tokens = provider.exchange(&provider.code(&own).await, &own).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["acr"], "urn:postern:acr:phr");
}

/// A passkey counts if it is asked for after the password, by its owner or by the policy.
#[tokio::test]
async fn doctor_and_the_overview_name_administrators_without_a_second_factor() {
    let portal = Portal::start().await;
    for name in ["ada", "bob", "eve"] {
        portal.add_administrator(name).await;
    }
    portal.add_user("user").await;
    let ada = portal.browser("203.0.113.7").signed_in("ada").await;
    let bob = portal.browser("203.0.113.8").signed_in("bob").await;
    let named = |names: &str| format!("These administrators sign in without a second factor: {names}.");
    let overview = ada.get(paths::DASHBOARD_PAGE).await.text;
    assert!(overview.contains(&named("ada, bob, eve")), "{overview}");
    second_factor::register(&portal, &ada).await;
    let mut bobs = Authenticator::new();
    assert_eq!(passkeys::register(&bob, &mut bobs).await.status, StatusCode::CREATED);
    let overview = ada.get(paths::DASHBOARD_PAGE).await.text;
    assert!(overview.contains(&named("bob, eve")), "his password alone still signs in: {overview}");
    let strict = portal.another_with("[second_factor]\nadministrators = 'required'").await;
    let overview = strict.browser("203.0.113.9");
    assert_eq!(passkeys::sign_in(&overview, &bobs).await.status, StatusCode::OK);
    let overview = overview.get(paths::DASHBOARD_PAGE).await.text;
    assert!(overview.contains(&named("eve")), "{overview}");
    assert_eq!(want(&bob, true).await.status, StatusCode::OK);
    let overview = ada.get(paths::DASHBOARD_PAGE).await.text;
    assert!(overview.contains(&named("eve")), "{overview}");
    let database = portal.database();
    let setting = format!("database_url=sqlite:{}", database.display());
    let result = postern(database.parent().unwrap(), &["--set", &setting, "doctor", "--json"], "");
    let result = String::from_utf8_lossy(&result.stdout).into_owned();
    assert!(result.contains(&named("eve")), "{result}");
}
