//! Forged tokens at every endpoint that takes one: none is accepted, and no answer says why.

#[path = "../../../crates/verify/tests/checks/forgeries.rs"]
mod forgeries;

use crate::app_tokens::{APPS, claims};
use crate::support::{Answer, ClientKey, ORIGIN, PASSWORD, Portal, Visitor};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use domain::encoding::{base64url, from_base64url};
use forgeries::{Genuine, forgeries};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::keys::KeyKind;
use verify::dpop::token_hash;
use wire::paths;

const WIKI: &str = "https://wiki.example";
const PROXY: &str = "10.0.0.1";

/// The place in which a token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entrance {
    Bearer,
    /// With a valid proof of the key.
    Dpop,
    Cookie,
    /// A program's refresh token, in the body.
    Refresh,
    RefreshCookie,
    /// To `/api/verify`, for an app.
    AppBearer,
    AppDpop,
    AppCookie,
}

const ENTRANCES: [Entrance; 8] = [
    Entrance::Bearer,
    Entrance::Dpop,
    Entrance::Cookie,
    Entrance::Refresh,
    Entrance::RefreshCookie,
    Entrance::AppBearer,
    Entrance::AppDpop,
    Entrance::AppCookie,
];

/// A portal with an app, and a person with tokens.
struct World {
    portal: Portal,
    browser: Visitor,
    /// The key that the portal signs with.
    key: EcdsaKeyPair,
    jwk: Value,
    texts: BTreeSet<String>,
}

impl World {
    async fn start() -> Self {
        let portal = Portal::with(APPS).await;
        portal.add_user("alice").await;
        let browser = portal.browser("203.0.113.7").signed_in("alice").await;
        let stored = portal.store().keys().await.unwrap().into_iter().find(|key| key.kind == KeyKind::Signing).unwrap();
        let secret = portal.state.key_encryption.open(&format!("keys/signing/{}", stored.kid), &stored.sealed);
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &secret.unwrap()).unwrap();
        let jwk = portal.program("203.0.113.7").get(paths::JWKS).await.json()["keys"][0].clone();
        Self { portal, browser, key, jwk, texts: BTreeSet::new() }
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let message = [header, claims].map(|part| base64url(part.as_bytes())).join(".");
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature.as_ref()))
    }

    fn client_key(&self) -> &ClientKey {
        self.browser.key.as_ref().unwrap()
    }

    async fn program(&self) -> Value {
        self.portal.program("203.0.113.7").login("alice", PASSWORD).await.json()["tokens"].clone()
    }

    /// Returns an access token that is valid at this entrance.
    async fn good(&self, entrance: Entrance) -> String {
        let text = |value: &Value| value["access_token"].as_str().unwrap().to_owned();
        match entrance {
            Entrance::Bearer => text(&self.program().await),
            Entrance::Dpop | Entrance::Cookie => self.browser.cookie("access"),
            Entrance::AppBearer => {
                let bearer = format!("Bearer {}", text(&self.program().await));
                let request = Some(json!({"audience": WIKI}).to_string());
                let program = self.portal.program("203.0.113.7");
                text(
                    &program.send(Method::POST, paths::APP_TOKENS, request, &[("authorization", &bearer)]).await.json(),
                )
            }
            Entrance::AppDpop => {
                text(&self.browser.prove_and_post(paths::APP_TOKENS, &json!({"audience": WIKI})).await.json())
            }
            Entrance::Refresh | Entrance::RefreshCookie | Entrance::AppCookie => {
                unreachable!("no access token is good there")
            }
        }
    }

    async fn show(&self, entrance: Entrance, token: &str) -> Answer {
        let program = self.portal.program("203.0.113.7");
        let proof = async |url: String, method: &str| {
            let nonce = program.nonce().await;
            self.client_key().prove_more(&url, &nonce, &json!({"htm": method, "ath": token_hash(token)}))
        };
        let (bearer, dpop) = (format!("Bearer {token}"), format!("DPoP {token}"));
        match entrance {
            Entrance::Bearer => program.send(Method::GET, paths::SESSION, None, &[("authorization", &bearer)]).await,
            Entrance::Dpop => {
                let proof = proof(format!("{ORIGIN}{}", paths::SESSION), "GET").await;
                program.send(Method::GET, paths::SESSION, None, &[("authorization", &dpop), ("dpop", &proof)]).await
            }
            Entrance::Cookie => {
                let cookie = format!("__Host-postern-access={token}");
                program.send(Method::GET, paths::SESSION, None, &[("cookie", &cookie)]).await
            }
            Entrance::Refresh => {
                let body = json!({"refresh_token": token}).to_string();
                program.send(Method::POST, paths::REFRESH, Some(body), &[]).await
            }
            Entrance::RefreshCookie => {
                let cookie = format!("__Host-postern-refresh={token}");
                let headers = [("cookie", &*cookie), ("origin", ORIGIN), ("sec-fetch-site", "same-origin")];
                program.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &headers).await
            }
            Entrance::AppBearer => self.ask(&[("authorization", &bearer)]).await,
            Entrance::AppDpop => {
                let proof = proof(format!("{WIKI}/page"), "GET").await;
                self.ask(&[("authorization", &dpop), ("dpop", &proof)]).await
            }
            Entrance::AppCookie => self.ask(&[("cookie", &format!("__Host-postern-app={token}"))]).await,
        }
    }

    /// Sends a request for verification with these headers, as the app's proxy does.
    async fn ask(&self, more: &[(&str, &str)]) -> Answer {
        let mut headers = vec![
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/page"),
            ("x-forwarded-method", "GET"),
        ];
        headers.extend_from_slice(more);
        self.portal.program(PROXY).send(Method::GET, paths::VERIFY, None, &headers).await
    }

    async fn refuses(&mut self, entrance: Entrance, what: &str, token: &str) {
        let answer = self.show(entrance, token).await;
        if entrance == Entrance::Refresh && what == "huge" {
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "not even read");
            return;
        }
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what} at {entrance:?}: {}", answer.text);
        self.texts.insert(answer.text);
        // Many requests come from one address; the limit of requests is not tested here.
        self.portal.clock.advance(20);
    }
}

fn header(token: &str) -> Value {
    let part = token.split('.').next().and_then(from_base64url).unwrap();
    serde_json::from_slice(&part).unwrap()
}

#[tokio::test]
async fn forged_tokens_all_get_the_same_answer_at_every_entrance() {
    let mut world = World::start().await;
    let key_set = world.portal.program("203.0.113.7").get(paths::JWKS).await.text;
    for entrance in ENTRANCES {
        let has_tokens = !matches!(entrance, Entrance::Refresh | Entrance::RefreshCookie | Entrance::AppCookie);
        // If no token is valid at this entrance, they are made from one that is valid elsewhere.
        let good = world.good(if has_tokens { entrance } else { Entrance::Cookie }).await;
        let genuine = Genuine {
            header: header(&good),
            claims: claims(&good),
            sign: &|header, claims| world.sign(header, claims),
            jwk: world.jwk.clone(),
            key_set: key_set.clone(),
            now: world.portal.state.now().to_seconds(),
            elsewhere: "http://127.0.0.1:1/keys.json".to_owned(),
        };
        let (forged, again, ignored) =
            (forgeries(&genuine), genuine.token(), genuine.with("jku", json!(genuine.elsewhere)));
        for (name, token) in forged {
            world.refuses(entrance, name, &token).await;
        }
        for token in [&good, &again, &ignored] {
            let answer = world.show(entrance, token).await;
            assert_eq!(answer.status == StatusCode::OK, has_tokens, "{entrance:?}: {}", answer.text);
        }
    }
    assert_eq!(world.texts.len(), 1, "{:?}", world.texts);
}

#[tokio::test]
async fn each_value_is_valid_for_one_purpose() {
    let mut world = World::start().await;
    let (alice, key) = (world.browser.clone(), world.browser.key.clone().unwrap());
    let program = world.program().await;
    let (app, bound_app) = (world.good(Entrance::AppBearer).await, world.good(Entrance::AppDpop).await);
    let list = world.portal.program("203.0.113.7").get(paths::REVOCATIONS).await.text;
    let challenge = alice.challenge().await;
    let nonce = alice.nonce().await;
    let text = |name: &str| program[name].as_str().unwrap().to_owned();
    // Each with the entrances at which it is valid.
    let kinds: [(&str, String, &[Entrance]); 12] = [
        ("a program's access token", text("access_token"), &[Entrance::Bearer, Entrance::Cookie]),
        ("a browser's access token", alice.cookie("access"), &[Entrance::Dpop, Entrance::Cookie]),
        ("a program's refresh token", text("refresh_token"), &[Entrance::Refresh, Entrance::RefreshCookie]),
        // Its key is required, which is not the answer to a forged one.
        ("a browser's refresh token", alice.cookie("refresh"), &[Entrance::Refresh, Entrance::RefreshCookie]),
        ("an app's token", app, &[Entrance::AppBearer]),
        ("an app's bound token", bound_app, &[Entrance::AppDpop]),
        ("a device cookie", alice.cookie("device"), &[]),
        ("a short_key", challenge.short_key, &[]),
        ("a list of what ended", list, &[]),
        ("a proof", key.prove(&format!("{ORIGIN}{}", paths::SESSION), &nonce), &[]),
        ("a nonce", nonce, &[]),
        ("a session's id", claims(&alice.cookie("access"))["sid"].as_str().unwrap().to_owned(), &[]),
    ];
    for (what, token, own) in kinds {
        assert!(!token.is_empty(), "{what}");
        for entrance in ENTRANCES.into_iter().filter(|entrance| !own.contains(entrance)) {
            world.refuses(entrance, what, token.trim()).await;
        }
    }
    assert_eq!(world.texts.len(), 1, "{:?}", world.texts);
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
}
