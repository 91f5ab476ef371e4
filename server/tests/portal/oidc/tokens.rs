//! Tokens: from a code, and from refresh tokens.

use super::{Provider, SECRET, URI, VERIFIER, claims, form, header};
use crate::support::ORIGIN;
use domain::encoding::{base64url, sha256};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::audit::AuditEvent;
use wire::paths;

#[tokio::test]
async fn a_code_becomes_tokens_and_claims() {
    let provider = Provider::start().await;
    let returned = provider.returned(&[]).await;
    assert_eq!(returned["state"], "xyz");
    assert_eq!(returned["iss"], ORIGIN, "RFC 9207");
    let answer = provider.exchange(&returned["code"], &[]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "email groups offline_access openid profile");
    let id = tokens["id_token"].as_str().unwrap();
    let (head, id) = (header(id), claims(id));
    assert_eq!((&head["alg"], &head["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!((&id["iss"], &id["aud"], &id["sub"]), (&json!(ORIGIN), &json!("app"), &json!(provider.user)));
    assert_eq!(
        (&id["nonce"], &id["preferred_username"], &id["name"]),
        (&json!("n-1"), &json!("alice"), &json!("alice"))
    );
    assert_eq!((&id["groups"], &id["roles"]), (&json!([]), &json!(["user"])));
    assert_eq!((&id["amr"], &id["acr"]), (&json!(["pwd"]), &json!("urn:postern:acr:1")));
    assert!(id["auth_time"].is_i64() && id["sid"].is_string() && id["email"].is_null(), "{id}");
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((&access["aud"], &access["client_id"]), (&json!("app"), &json!("app")));
    let hash = sha256(tokens["access_token"].as_str().unwrap().as_bytes());
    assert_eq!(id["at_hash"], base64url(&hash[..16]));

    let info = provider.userinfo(&tokens["access_token"]).await;
    assert_eq!(info.header("access-control-allow-origin"), "*");
    assert_eq!((&info.json()["sub"], &info.json()["preferred_username"]), (&json!(provider.user), &json!("alice")));
    // The token in the body of a form, as some clients send it.
    let token = tokens["access_token"].as_str().unwrap();
    let posted = provider.client(paths::OAUTH_USERINFO, &[("access_token", token)], &[]).await;
    assert_eq!(posted.json(), info.json());
    let opened = provider.portal.store().audit_of(&provider.user.as_str().into(), 9).await.unwrap();
    let opened = opened.iter().find(|entry| entry.event == AuditEvent::AppOpened).unwrap();
    assert_eq!(opened.about, "The app");
}

#[tokio::test]
async fn each_client_may_authenticate_in_either_way() {
    let provider = Provider::start().await;
    let basic = format!("Basic {}", {
        use base64ct::{Base64, Encoding};
        Base64::encode_string(format!("app:{SECRET}").as_bytes())
    });
    let code = provider.code(&[]).await;
    let pairs =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", URI), ("code_verifier", VERIFIER)];
    let answer = provider.client(paths::OAUTH_TOKEN, &pairs, &[("authorization", &basic)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let wrong = provider.exchange(&provider.code(&[]).await, &[("client_secret", "wrong")]).await;
    assert_eq!((wrong.status, &wrong.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    let unknown = provider.exchange("x", &[("client_id", "nobody")]).await;
    assert_eq!(unknown.text, wrong.text, "nothing tells a wrong secret from a client that does not exist");
}

#[tokio::test]
async fn a_public_client_in_a_browser_is_answered_across_origins() {
    let provider = Provider::start().await;
    let spa = [("client_id", "spa"), ("redirect_uri", "https://spa.example/")];
    let code = provider.code(&spa).await;
    let program = provider.portal.program("198.51.100.9");
    let asked =
        program.send_each(Method::OPTIONS, paths::OAUTH_TOKEN, None, &[("origin", "https://spa.example")]).await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, "*"));
    assert!(asked.header("access-control-allow-headers").contains("DPoP"));
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", "https://spa.example/"),
        ("code_verifier", VERIFIER),
        ("client_id", "spa"),
    ];
    let browser = [("origin", "https://spa.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    let answer = provider.client(paths::OAUTH_TOKEN, &pairs, &browser).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, "*"), "{}", answer.text);
    let access = answer.json()["access_token"].clone();
    assert!(!access.as_str().unwrap().contains('.'), "opaque");
    assert_eq!(provider.userinfo(&access).await.json()["sub"], provider.user.as_str());
    assert_eq!(provider.introspect(&access, "app").await, json!({"active": false}), "of another client");
}

#[tokio::test]
async fn a_client_without_pkce_or_nonce_and_with_es256() {
    let provider = Provider::start().await;
    let old = [
        ("client_id", "old"),
        ("redirect_uri", "https://old.example/"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
        ("nonce", ""),
        ("scope", "openid profile"),
    ];
    let code = provider.code(&old).await;
    let changes = [("client_id", "old"), ("redirect_uri", "https://old.example/"), ("code_verifier", "")];
    let tokens = provider.exchange(&code, &changes).await.json();
    let token = tokens["id_token"].as_str().unwrap();
    assert_eq!(header(token)["alg"], "ES256");
    assert!(claims(token)["nonce"].is_null() && claims(token)["preferred_username"].is_null(), "{}", claims(token));
    assert!(tokens["refresh_token"].is_null(), "without the scope offline_access");
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.json()["preferred_username"], "alice");
}

#[tokio::test]
async fn tokens_are_bound_to_the_key_of_a_proof() {
    let provider = Provider::start().await;
    let key = crate::support::ClientKey::generate();
    let url = format!("{ORIGIN}{}", paths::OAUTH_TOKEN);
    let code = provider.code(&[]).await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", URI),
        ("code_verifier", VERIFIER),
        ("client_id", "app"),
        ("client_secret", SECRET),
    ];
    let proof = key.prove(&url, "no-nonce");
    let first = provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &proof)]).await;
    assert_eq!((first.status, &first.json()["error"]), (StatusCode::BAD_REQUEST, &json!("use_dpop_nonce")));
    let proof = key.prove(&url, first.header("dpop-nonce"));
    let answer = provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &proof)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    assert!(claims(tokens["access_token"].as_str().unwrap())["cnf"]["jkt"].is_string());
    let tries = async || {
        let rows = provider.portal.store().audit_of(&provider.user.as_str().into(), 100).await.unwrap();
        let tries = rows.into_iter().filter(|row| row.event == AuditEvent::WrongKey);
        tries.map(|row| (row.address, row.about)).collect::<BTreeSet<_>>()
    };
    let seen = |address: &str| (address.to_owned(), "The app".to_owned());
    let copied = provider.userinfo(&tokens["access_token"]).await;
    assert_eq!(copied.status, StatusCode::UNAUTHORIZED, "a copied token");
    let challenge = copied.header("www-authenticate");
    assert!(challenge.starts_with("DPoP algs=\"ES256\", error=\"invalid_token\""), "{challenge}");
    assert_eq!(tries().await, BTreeSet::from([seen("198.51.100.9")]));
    let (access, thief) = (tokens["access_token"].as_str().unwrap(), crate::support::ClientKey::generate());
    let more = json!({"ath": base64url(&sha256(access.as_bytes())), "htm": "GET"});
    let theirs = thief.prove_more(&format!("{ORIGIN}{}", paths::OAUTH_USERINFO), first.header("dpop-nonce"), &more);
    let authorization = format!("DPoP {access}");
    let headers = [("authorization", authorization.as_str()), ("dpop", theirs.as_str())];
    let program = provider.portal.program("198.51.100.10");
    let copied = program.send_each(Method::GET, paths::OAUTH_USERINFO, None, &headers).await;
    assert_eq!(copied.json()["error"], "invalid_dpop_proof", "{}", copied.text);
    assert_eq!(tries().await, BTreeSet::from([seen("198.51.100.9"), seen("198.51.100.10")]));
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let mut refresh = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    refresh.extend([("client_id", "app"), ("client_secret", SECRET)]);
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let program = provider.portal.program("198.51.100.11");
    let copied = program.send_each(Method::POST, paths::OAUTH_TOKEN, Some(form(&refresh)), &kind).await;
    assert_eq!(copied.json()["error"], "invalid_grant", "a copied refresh token");
    assert_eq!(tries().await, BTreeSet::from(["9", "10", "11"].map(|last| seen(&format!("198.51.100.{last}")))));
    let page = provider.browser.get(paths::ACTIVITY_PAGE).await.text;
    let sentence = "Refused from 198.51.100.0/24: a copy of a token for The app, or a program that has lost its key";
    assert!(page.contains(sentence), "{page}");
    let again = provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &proof)]).await;
    assert_eq!(again.json()["error"], "use_dpop_nonce", "a proof counts once");
}

#[tokio::test]
async fn a_refresh_rotates_and_a_used_token_ends_the_access() {
    let provider = Provider::start().await;
    let first = provider.tokens().await;
    provider.portal.advance(60_000).await;
    let second = provider.refresh(first["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert!(provider.is_live(&second["access_token"]).await);
    let id = claims(second["id_token"].as_str().unwrap());
    assert_eq!((&id["sub"], &id["sid"]), (&json!(provider.user), &claims(first["id_token"].as_str().unwrap())["sid"]));
    provider.portal.advance(60_000).await;
    let reused = provider.refresh(first["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!((reused.status, &reused.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert!(!provider.is_live(&second["access_token"]).await, "everything of the family is revoked");
    let after = provider.refresh(second["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(after.json()["error"], "invalid_grant");
    let entries = provider.portal.store().audit_of(&provider.user.as_str().into(), 20).await.unwrap();
    assert!(entries.iter().any(|entry| entry.event == AuditEvent::TokenReused && entry.about == "app"));
    assert!(provider.browser.get(paths::SESSION).await.status == StatusCode::OK, "the person's own session goes on");
}

#[tokio::test]
async fn a_lost_answer_of_a_refresh_is_given_again() {
    let provider = Provider::start().await;
    let first = provider.tokens().await;
    let token = first["refresh_token"].as_str().unwrap();
    let (one, two) = (provider.refresh(token, &[]).await.json(), provider.refresh(token, &[]).await.json());
    assert_eq!(one["refresh_token"], two["refresh_token"]);
    assert!(provider.is_live(&two["access_token"]).await);
}

#[tokio::test]
async fn twenty_refreshes_at_once_give_one_successor_with_the_scopes_of_the_grant() {
    let provider = Provider::start().await;
    let first = provider.tokens().await;
    let token = first["refresh_token"].as_str().unwrap();
    let tries = (0..20).map(|_| provider.refresh(token, &[("scope", "openid")]));
    let answers: Vec<_> = futures::future::join_all(tries).await.iter().map(crate::support::Answer::json).collect();
    let next = &answers[0]["refresh_token"];
    for answer in &answers {
        assert_eq!((&answer["refresh_token"], &answer["scope"]), (next, &json!("openid")), "{answer}");
    }
    // A narrower access token leaves the refresh token as it was (RFC 6749, section 6).
    let whole = provider.refresh(next.as_str().unwrap(), &[]).await.json();
    assert_eq!(whole["scope"], first["scope"], "{whole}");
}

#[tokio::test]
async fn attack_a_code_is_used_twice() {
    let provider = Provider::start().await;
    for later in [0, 31_000, 3_600_000] {
        let code = provider.code(&[]).await;
        let tokens = provider.exchange(&code, &[]).await.json();
        assert!(provider.is_live(&tokens["access_token"]).await);
        provider.portal.advance(later.min(60_000)).await;
        let again = provider.exchange(&code, &[]).await;
        assert_eq!((again.status, &again.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
        assert!(!provider.is_live(&tokens["access_token"]).await, "what the code gave is revoked");
        let refreshed = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
        assert_eq!(refreshed.json()["error"], "invalid_grant");
    }
}

#[tokio::test]
async fn attack_a_stolen_code_is_exchanged_by_somebody_else() {
    let provider = Provider::start().await;
    let code = provider.code(&[]).await;
    for (changes, why) in [
        (vec![("client_id", "other")], "another client"),
        (vec![("code_verifier", "")], "no verifier"),
        (vec![("code_verifier", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")], "another verifier"),
        (vec![("redirect_uri", "https://evil.example/")], "another URI"),
        (vec![("client_secret", "")], "no secret"),
    ] {
        let refused = provider.exchange(&code, &changes).await;
        assert!(refused.status.is_client_error(), "{why}: {}", refused.text);
    }
    let good = provider.exchange(&code, &[]).await;
    assert_eq!(good.status, StatusCode::OK, "failed attempts did not use it up: {}", good.text);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let provider = Provider::start().await;
    let code = provider.code(&[]).await;
    provider.portal.advance(60_000).await;
    let late = provider.exchange(&code, &[]).await;
    assert_eq!(late.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn attack_a_refresh_asks_for_more_than_was_agreed() {
    let provider = Provider::start().await;
    let tokens = provider.exchange(&provider.code(&[("scope", "openid offline_access")]).await, &[]).await.json();
    let token = tokens["refresh_token"].as_str().unwrap();
    let more = provider.refresh(token, &[("scope", "openid email groups")]).await;
    assert_eq!((more.status, &more.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_scope")));
    let less = provider.refresh(token, &[("scope", "openid")]).await;
    assert_eq!(less.json()["scope"], "openid", "the refused request cost no token: {}", less.text);
}

#[tokio::test]
async fn a_client_has_lifetimes_of_its_own() {
    let hash = oidc::client::secret_hash(SECRET);
    let short = format!(
        "[[clients]]\nid = 'short'\nsecret_hash = '{hash}'\nredirect_uris = ['https://short.example/']\n\
         id_token_seconds = 60\nrefresh_token_seconds = 120\n"
    );
    let provider = Provider::with(&short).await;
    let own = [("client_id", "short"), ("redirect_uri", "https://short.example/")];
    let tokens = provider.exchange(&provider.code(&own).await, &own).await.json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id["exp"].as_i64().unwrap(), provider.portal.state.now().to_seconds().as_seconds() + 60);
    let refresh = async |tokens: &Value| {
        let token = tokens["refresh_token"].as_str().unwrap();
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "short")];
        provider.client(paths::OAUTH_TOKEN, &[&pairs[..], &[("client_secret", SECRET)]].concat(), &[]).await
    };
    provider.portal.advance(119_000).await;
    let renewed = refresh(&tokens).await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.text);
    provider.portal.advance(1_000).await;
    assert_eq!(refresh(&renewed.json()).await.json()["error"], "invalid_grant", "counted from the sign-in");
    assert!(!provider.is_live(&tokens["access_token"]).await);
}

/// There is no password grant, no grant for clients alone, and no implicit flow.
#[tokio::test]
async fn other_grants_are_unsupported() {
    let provider = Provider::start().await;
    for grant in ["password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        let pairs = [
            ("grant_type", grant),
            ("client_id", "app"),
            ("client_secret", SECRET),
            ("username", "alice"),
            ("password", crate::support::PASSWORD),
            ("scope", "openid"),
        ];
        let refused = provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await;
        assert_eq!(
            (refused.status, refused.json()["error"].clone()),
            (StatusCode::BAD_REQUEST, json!("unsupported_grant_type"))
        );
        assert!(refused.json().get("access_token").is_none(), "{grant}");
    }
    let document = provider.portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
    let grants = json!(["authorization_code", "refresh_token", oidc::device::GRANT_TYPE]);
    assert_eq!(
        (&document["grant_types_supported"], &document["response_types_supported"]),
        (&grants, &json!(["code"]))
    );
}
