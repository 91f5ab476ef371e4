//! A program's tokens, bound to its key: `Authorization: DPoP` with a proof (RFC 9449, section 7).

use crate::app_tokens::APPS;
use crate::support::{Answer, ClientKey, ORIGIN, PASSWORD, Portal, Visitor, new_jti};
use domain::UnixMs;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use verify::dpop::token_hash;
use wire::envelope::EnvelopeKind;
use wire::paths;

const MINUTE: i64 = 60_000;
const DPOP: &str = r#"DPoP algs="ES256""#;

/// Status, code and challenges.
type Refusal<'a> = (u16, &'a str, Vec<&'a str>);
type Change = fn(&mut Value, &mut Value);

/// A program that has signed in, and its tokens.
#[derive(Clone)]
struct Bound {
    program: Visitor,
    key: Arc<ClientKey>,
    token: String,
    refresh: String,
}

impl Bound {
    async fn signed_in(portal: &Portal, name: &str) -> Self {
        let program = portal.bound_program("203.0.113.7");
        let answer = program.login(name, PASSWORD).await.json();
        let tokens = &answer["tokens"];
        assert_eq!((&answer["session"]["bound"], &tokens["token_type"]), (&json!(true), &json!("DPoP")));
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let (token, refresh) = (text("access_token"), text("refresh_token"));
        Self { key: program.key.clone().unwrap(), program, token, refresh }
    }

    async fn alice(portal: &Portal) -> Self {
        portal.add_user("alice").await;
        Self::signed_in(portal, "alice").await
    }

    /// Returns the same program at another node.
    fn at(&self, portal: &Portal) -> Self {
        Self { program: self.program.at(portal), ..self.clone() }
    }

    /// Makes a valid proof, changed before it is signed.
    async fn proof(&self, method: &Method, path: &str, change: impl Fn(&mut Value, &mut Value)) -> String {
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.public()});
        let mut claims = json!({
            "jti": new_jti(), "htm": method.as_str(), "htu": format!("{ORIGIN}{path}"), "iat": 1,
            "nonce": self.program.nonce().await, "ath": token_hash(&self.token)
        });
        change(&mut header, &mut claims);
        self.key.sign(&header, &claims)
    }

    async fn show(&self, method: &Method, path: &str, scheme: &str, proofs: &[&str]) -> Answer {
        let authorization = format!("{scheme} {}", self.token);
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
        let body = match path {
            _ if *method != Method::POST => None,
            paths::APP_TOKENS => Some(json!({"audience": "https://wiki.example"})),
            _ => Some(json!({})),
        };
        self.program.send_each(method.clone(), path, body.map(|body| body.to_string()), &headers).await
    }

    /// Sends a request with a valid proof.
    async fn ask(&self, method: &Method, path: &str) -> Answer {
        let proof = self.proof(method, path, |_, _| {}).await;
        self.show(method, path, "DPoP", &[&proof]).await
    }
}

fn refused(answer: &Answer) -> (u16, String, Vec<&str>) {
    let challenges = answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap());
    (answer.status.as_u16(), answer.code(), challenges.collect())
}

/// Each check of RFC 9449, section 4.3, by its number there.
#[tokio::test]
async fn each_check_of_a_proof_refuses() {
    let portal = Portal::start().await;
    let alice = Bound::alice(&portal).await;
    let (get, path) = (Method::GET, paths::SESSION);
    let show = async |proof: &str| alice.show(&get, path, "DPoP", &[proof]).await;
    let bad = |answer: &Answer, what: &str| {
        let challenge = format!(r#"{DPOP}, error="invalid_dpop_proof""#);
        assert_eq!(refused(answer), (401, "bad_proof".to_owned(), vec![challenge.as_str()]), "{what}");
        assert_ne!(answer.header("dpop-nonce"), "", "{what}");
    };
    let without_nonce = |answer: &Answer, what: &str| {
        let challenge = format!(r#"{DPOP}, error="use_dpop_nonce""#);
        assert_eq!(refused(answer), (401, "use_dpop_nonce".to_owned(), vec![challenge.as_str()]), "{what}");
        assert_ne!(answer.header("dpop-nonce"), "", "{what}");
    };
    let (one, two) = (alice.proof(&get, path, |_, _| {}).await, alice.proof(&get, path, |_, _| {}).await);
    bad(&alice.show(&get, path, "DPoP", &[]).await, "1: none");
    bad(&alice.show(&get, path, "DPoP", &[&one, &two]).await, "1: two headers");
    bad(&show(&format!("{one}, {two}")).await, "2: two in one header");
    bad(&show(&one[..one.len() - 4]).await, "2: cut off");
    bad(&show("no.j.wt").await, "2: no JWT");
    let (message, signature) = (two.rsplit_once('.').unwrap().0, one.rsplit_once('.').unwrap().1);
    bad(&show(&format!("{message}.{signature}")).await, "6: another proof's signature");

    let changes: [(&str, Change); 29] = [
        ("3: no jti", |_, claims| claims["jti"] = json!(null)),
        ("3: a jti of nothing", |_, claims| claims["jti"] = json!("")),
        ("3: no htm", |_, claims| claims["htm"] = json!(null)),
        ("3: no htu", |_, claims| claims["htu"] = json!(null)),
        ("3: no iat", |_, claims| claims["iat"] = json!(null)),
        ("3: no ath", |_, claims| drop(claims.as_object_mut().unwrap().remove("ath"))),
        ("4: another typ", |header, _| header["typ"] = json!("JWT")),
        ("4: that of a token", |header, _| header["typ"] = json!("at+jwt")),
        ("4: an extension", |header, _| header["crit"] = json!(["exp"])),
        ("4: no list of extensions", |header, _| header["crit"] = json!(null)),
        ("4: another encoding", |header, _| header["b64"] = json!(false)),
        ("5: no algorithm", |header, _| header["alg"] = json!("none")),
        ("5: a symmetric algorithm", |header, _| header["alg"] = json!("HS256")),
        ("5: one that is not offered", |header, _| header["alg"] = json!("RS256")),
        ("6: no key", |header, _| header["jwk"] = json!(null)),
        ("6: not the key of its signature", |header, _| header["jwk"] = json!(ClientKey::generate().public())),
        ("6: on another curve", |header, _| header["jwk"]["crv"] = json!("P-384")),
        ("7: a private key", |header, _| header["jwk"]["d"] = json!("A".repeat(43))),
        ("8: another method", |_, claims| claims["htm"] = json!("POST")),
        ("8: in small letters", |_, claims| claims["htm"] = json!("get")),
        ("9: another path", |_, claims| claims["htu"] = json!(format!("{ORIGIN}{}", paths::SESSIONS))),
        ("9: another host", |_, claims| claims["htu"] = json!("http://evil.example/api/session")),
        ("9: another port", |_, claims| claims["htu"] = json!("http://localhost:3001/api/session")),
        ("9: another scheme", |_, claims| claims["htu"] = json!("https://localhost:3000/api/session")),
        ("9: no host", |_, claims| claims["htu"] = json!("/api/session")),
        ("12: another token's hash", |_, claims| claims["ath"] = json!(token_hash("another"))),
        ("12: the hash of nothing", |_, claims| claims["ath"] = json!(token_hash(""))),
        ("12: a hash in hexadecimal", |_, claims| claims["ath"] = json!("0".repeat(64))),
        ("12: no hash", |_, claims| claims["ath"] = json!("")),
    ];
    for (what, change) in changes {
        bad(&show(&alice.proof(&get, path, change).await).await, what);
    }
    let stranger = Bound { key: Arc::new(ClientKey::generate()), ..alice.clone() };
    bad(&show(&stranger.proof(&get, path, |_, _| {}).await).await, "12: another key");

    let nonces: [(&str, Change); 3] = [
        ("10: no nonce", |_, claims| claims["nonce"] = json!(null)),
        ("10: an invented one", |_, claims| claims["nonce"] = json!("A".repeat(32))),
        ("10: that of another server", |_, claims| {
            claims["nonce"] = json!(verify::nonce::make(&[7; 32], UnixMs::EPOCH));
        }),
    ];
    for (what, change) in nonces {
        without_nonce(&show(&alice.proof(&get, path, change).await).await, what);
    }
    assert_eq!(show(&one).await.status, StatusCode::OK);
    without_nonce(&show(&one).await, "11: a proof that was seen");
    let query = alice.show(&get, &format!("{path}?a=b"), "DPoP", &[&two]).await;
    assert_eq!(query.status, StatusCode::OK, "9: the query does not count");

    let nonce = json!(alice.program.nonce().await);
    portal.advance(4 * MINUTE).await;
    let alice = Bound::signed_in(&portal, "alice").await;
    let with_nonce = async || alice.proof(&get, path, |_, claims| claims["nonce"] = nonce.clone()).await;
    // Half a minute more, because another node may have issued it.
    portal.advance(MINUTE + 30_000 - 1).await;
    assert_eq!(alice.show(&get, path, "DPoP", &[&with_nonce().await]).await.status, StatusCode::OK);
    portal.advance(1).await;
    let late = alice.show(&get, path, "DPoP", &[&with_nonce().await]).await;
    without_nonce(&late, "11: made more than five minutes ago");
}

/// All requests that a program may make with its token.
const ASKED: [(Method, &str, u16); 12] = [
    (Method::GET, paths::SESSION, 200),
    (Method::GET, paths::SESSIONS, 200),
    (Method::GET, paths::USER_KEYS, 200),
    (Method::POST, paths::USER_KEYS, 200),
    (Method::POST, paths::ROTATE_USER_KEY, 201),
    (Method::DELETE, "/api/keys/user/1", 204),
    (Method::POST, paths::APP_TOKENS, 200),
    (Method::GET, paths::USERS, 200),
    (Method::GET, paths::SERVER_KEYS, 200),
    (Method::GET, paths::AUDIT, 200),
    (Method::DELETE, paths::SESSIONS, 204),
    (Method::POST, paths::LOGOUT, 204),
];

#[tokio::test]
async fn a_bound_token_is_good_with_its_proof_and_worth_nothing_without() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let root = Bound::signed_in(&portal, "root").await;
    let cookie = format!("__Host-postern-access={}", root.token);
    for (method, path, status) in ASKED {
        let what = format!("{method} {path}");
        let as_bearer = root.show(&method, path, "Bearer", &[]).await;
        let challenges = vec![r#"Bearer error="invalid_token""#, DPOP];
        assert_eq!(refused(&as_bearer), (401, "no_session".to_owned(), challenges), "{what}");
        let proof = root.proof(&method, path, |_, _| {}).await;
        assert_eq!(root.show(&method, path, "bearer", &[&proof]).await.code(), "no_session", "{what}, with a proof");
        // The server accepts cookies from pages only, so this is a page's request.
        let headers = [("cookie", &*cookie), ("origin", ORIGIN), ("sec-fetch-site", "same-origin")];
        let body = (method == Method::POST).then(|| "{}".to_owned());
        let in_cookie = root.program.send(method.clone(), path, body, &headers).await;
        // Sign-out with an invalid cookie has nothing to do, and answers as always.
        let expected = if path == paths::LOGOUT { "" } else { "no_session" };
        assert_eq!(in_cookie.code(), expected, "{what}, in a cookie");
        // The same proof as in the refused request, which did not use it up.
        let good = root.show(&method, path, "DPoP", &[&proof]).await;
        assert_eq!(good.status.as_u16(), status, "{what}: {}", good.text);
    }
    assert_eq!(root.ask(&Method::GET, paths::SESSION).await.code(), "no_session", "signed out");
}

#[tokio::test]
async fn pages_take_no_token_of_a_program() {
    let portal = Portal::start().await;
    let alice = Bound::alice(&portal).await;
    let proof = alice.proof(&Method::GET, paths::DASHBOARD_PAGE, |_, _| {}).await;
    let page = alice.show(&Method::GET, paths::DASHBOARD_PAGE, "DPoP", &[&proof]).await;
    assert!(page.status.is_redirection(), "{}", page.status);
    let cookie = format!("__Host-postern-access={}", alice.token);
    let page = alice.program.send(Method::GET, paths::DASHBOARD_PAGE, None, &[("cookie", &cookie)]).await;
    assert!(page.status.is_redirection(), "{}", page.status);
}

#[tokio::test]
async fn a_token_that_is_bound_to_nothing_is_shown_as_a_bearer_and_no_other_way() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let program = portal.program("203.0.113.7");
    let login = program.login("alice", PASSWORD).await.json();
    assert_eq!(login["tokens"]["token_type"], "Bearer");
    let token = login["tokens"]["access_token"].as_str().unwrap().to_owned();
    let key = Arc::new(ClientKey::generate());
    let alice = Bound { program, key, token, refresh: String::new() };
    let (get, path) = (Method::GET, paths::SESSION);
    assert_eq!(alice.show(&get, path, "Bearer", &[]).await.status, StatusCode::OK);
    let answer = alice.ask(&get, path).await;
    let error = format!(r#"{DPOP}, error="invalid_token""#);
    assert_eq!(refused(&answer), (401, "no_session".to_owned(), vec!["Bearer", &error]));
}

#[tokio::test]
async fn the_challenges_are_those_of_the_standards() {
    let portal = Portal::start().await;
    let program = portal.bound_program("203.0.113.7");
    let (none, malformed) = ((401, "no_session", vec!["Bearer", DPOP]), (400, "bad_request", vec![]));
    let bad = (401, "no_session", vec![r#"Bearer error="invalid_token""#, DPOP]);
    let table: [(&str, &[&str], Refusal<'_>); 9] = [
        ("nothing", &[], none.clone()),
        ("another scheme", &["Basic eDp5"], none.clone()),
        ("one word", &["x"], none),
        ("no token", &["Bearer "], bad.clone()),
        ("no characters of a token", &["Bearer x,y"], bad.clone()),
        ("two tokens", &["Bearer x", "Bearer x"], malformed.clone()),
        ("one of each", &["Bearer x", "DPoP x"], malformed),
        ("no good token", &["Bearer x"], bad),
        (
            "no good bound token",
            &["DPoP x"],
            (401, "no_session", vec!["Bearer", r#"DPoP algs="ES256", error="invalid_token""#]),
        ),
    ];
    for (what, values, (status, code, challenges)) in table {
        let headers: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
        let answer = program.send_each(Method::GET, paths::SESSION, None, &headers).await;
        assert_eq!(refused(&answer), (status, code.to_owned(), challenges), "{what}");
    }
}

#[tokio::test]
async fn a_proof_that_changes_something_serves_once_on_all_nodes_and_after_a_restart() {
    let portal = Portal::with(APPS).await;
    let alice = Bound::alice(&portal).await;
    let other = portal.another().await;
    for (method, path) in [
        (Method::POST, paths::ROTATE_USER_KEY),
        (Method::POST, paths::APP_TOKENS),
        (Method::DELETE, "/api/keys/user/1"),
    ] {
        let proof = alice.proof(&method, path, |_, _| {}).await;
        let first = alice.show(&method, path, "DPoP", &[&proof]).await;
        assert!(first.status.is_success(), "{path}: {}", first.text);
        let replayed = alice.at(&other).show(&method, path, "DPoP", &[&proof]).await;
        assert_eq!(replayed.code(), "use_dpop_nonce", "{path}");
    }
    let keys = alice.ask(&Method::GET, paths::USER_KEYS).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "replaced once");

    let (post, path) = (Method::POST, paths::REFRESH);
    let refresh = async |node: &Portal, proof: &str| {
        let body = json!({"refresh_token": alice.refresh}).to_string();
        alice.program.at(node).send(post.clone(), path, Some(body), &[("dpop", proof)]).await
    };
    let proof = alice.proof(&post, path, |_, _| {}).await;
    assert_eq!(refresh(&portal, &proof).await.status, StatusCode::OK);
    assert_eq!(refresh(&other, &proof).await.code(), "use_dpop_nonce", "not even for the same answer again");
    let again = alice.proof(&post, path, |_, _| {}).await;
    assert_eq!(refresh(&other, &again).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_proof_that_only_asks_serves_once_on_a_node() {
    let portal = Portal::start().await;
    let alice = Bound::alice(&portal).await;
    let (get, path) = (Method::GET, paths::SESSION);
    let proof = alice.proof(&get, path, |_, _| {}).await;
    assert_eq!(alice.show(&get, path, "DPoP", &[&proof]).await.status, StatusCode::OK);
    assert_eq!(alice.show(&get, path, "DPoP", &[&proof]).await.code(), "use_dpop_nonce");
    // A read request may be repeated at another node, because no answer waits for the store.
    let other = portal.another().await;
    assert_eq!(alice.at(&other).show(&get, path, "DPoP", &[&proof]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_out_needs_the_proof_and_not_a_young_token() {
    let portal = Portal::start().await;
    let alice = Bound::alice(&portal).await;
    portal.advance(10 * MINUTE).await;
    assert_eq!(alice.show(&Method::POST, paths::LOGOUT, "Bearer", &[]).await.code(), "no_session");
    assert_eq!(alice.show(&Method::POST, paths::LOGOUT, "DPoP", &[]).await.code(), "bad_proof");
    let refresh = async || {
        let proof = alice.proof(&Method::POST, paths::REFRESH, |_, _| {}).await;
        let body = Some(json!({"refresh_token": alice.refresh}).to_string());
        alice.program.send(Method::POST, paths::REFRESH, body, &[("dpop", &proof)]).await
    };
    assert_eq!(refresh().await.status, StatusCode::OK, "still signed in");
    assert_eq!(alice.ask(&Method::POST, paths::LOGOUT).await.status, StatusCode::NO_CONTENT);
    assert_eq!(refresh().await.code(), "session_ended");
}

#[tokio::test]
async fn a_program_changes_its_persons_password() {
    let portal = Portal::start().await;
    let alice = Bound::alice(&portal).await;
    // The proof belongs to the token, so the envelope names no keys that would need another.
    let sealing = alice.program.clone().without_a_browser();
    let content = json!({"old": PASSWORD, "new": "another horse battery staple"});
    let (body, _) = sealing.seal(&sealing.challenge().await, EnvelopeKind::Password, &content);
    let authorization = format!("DPoP {}", alice.token);
    let send = async |proof: &str| {
        let headers = [("authorization", &*authorization), ("dpop", proof)];
        alice.program.send(Method::POST, paths::PASSWORD, Some(body.clone()), &headers).await
    };
    assert_eq!(send("x").await.code(), "bad_proof");
    let proof = alice.proof(&Method::POST, paths::PASSWORD, |_, _| {}).await;
    let changed = send(&proof).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert_eq!(alice.program.login("alice", PASSWORD).await.code(), "wrong_credentials");
}
