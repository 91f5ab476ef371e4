//! Attacks on the OpenID provider that go through its pages and endpoints (RFC 9207, RFC 9700). Others are in `oidc`,
//! `oauth_clients`, and in the tests of `crates/oidc`.

use crate::oidc::{Provider, SECRET, URI, form, parameters};
use crate::support::{Answer, ORIGIN, Visitor};
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

async fn page(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(Method::GET, path, None, &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]).await
}

/// A client of two providers distinguishes their answers by `iss`, so that the code of one is not sent to the other.
#[tokio::test]
async fn attack_mix_up_every_answer_names_its_issuer() {
    let provider = Provider::start().await;
    assert_eq!(provider.returned(&[]).await["iss"], ORIGIN);
    for wrong in [("scope", "unknown"), ("response_type", "token"), ("max_age", "soon"), ("prompt", "none login")] {
        let answer = provider.returned(&[wrong]).await;
        assert!(answer.contains_key("error") && !answer.contains_key("code"), "{answer:?}");
        assert_eq!((&answer["iss"], &answer["state"]), (&ORIGIN.to_owned(), &"xyz".to_owned()), "{wrong:?}");
    }
    let posted = provider.returned(&[("response_mode", "form_post")]).await;
    assert_eq!(posted["iss"], ORIGIN, "{posted:?}");
    let asking = [("client_id", "other"), ("redirect_uri", "https://other.example/")];
    let declined = provider.enter(&provider.browser, &Provider::query(&asking), Some(false)).await.json();
    let declined = parameters(declined["location"].as_str().unwrap());
    assert_eq!((&declined["error"], &declined["iss"]), (&"access_denied".to_owned(), &ORIGIN.to_owned()));
    let discovery = provider.portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
    assert_eq!(discovery["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn attack_sign_out_is_no_open_redirect() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    for to in [
        "https://evil.example/",
        "https://app.example/bye/",
        "https://app.example/bye?x=1",
        "https://app.example.evil.example/bye",
        "https://app.example@evil.example/bye",
        "//evil.example/bye",
        "javascript:alert(1)",
        URI,
    ] {
        for pairs in [
            vec![("post_logout_redirect_uri", to), ("id_token_hint", hint)],
            vec![("post_logout_redirect_uri", to), ("client_id", "app")],
            vec![("post_logout_redirect_uri", to)],
        ] {
            let query = form(&pairs);
            let shown = page(&provider.browser, &format!("{}?{query}", paths::OAUTH_LOGOUT)).await;
            assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{to}");
            let stranger = provider.portal.browser("203.0.113.77");
            let shown = page(&stranger, &format!("{}?{query}", paths::OAUTH_LOGOUT)).await;
            assert_eq!(shown.header("location"), "", "{to}");
            let refused = provider.browser.post(paths::OAUTH_SIGN_OUT, &json!({ "request": query })).await;
            assert_eq!(refused.code(), "bad_request", "{to}: {}", refused.text);
        }
    }
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK, "nobody was signed out");
}

/// A page of another site can neither frame the portal's pages nor keep a reference to their windows.
#[tokio::test]
async fn attack_the_pages_are_not_framed_and_keep_no_opener() {
    let provider = Provider::start().await;
    let query = Provider::query(&[("client_id", "other"), ("redirect_uri", "https://other.example/")]);
    let quiet = Provider::query(&[("prompt", "none")]);
    let answer =
        provider.enter(&provider.browser, &Provider::query(&[("response_mode", "form_post")]), None).await.json();
    let form_page = answer["location"].as_str().unwrap().split('#').next().unwrap().to_owned();
    for path in [
        format!("{}?{query}", paths::OAUTH_AUTHORIZE),
        format!("{}?{quiet}", paths::OAUTH_AUTHORIZE),
        form_page,
        paths::OAUTH_LOGOUT.to_owned(),
        paths::DEVICE_PAGE.to_owned(),
    ] {
        let shown = page(&provider.browser, &path).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}");
        let policy = shown.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(shown.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(shown.header("cross-origin-opener-policy"), "same-origin", "{path}");
    }
    // In a frame of another site the browser sends no cookie, so nobody is signed in.
    let framed = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let stranger = provider.portal.browser("203.0.113.8");
    let answer = stranger.send(Method::GET, &format!("{}?{quiet}", paths::OAUTH_AUTHORIZE), None, &framed).await;
    let answered = parameters(answer.header("location"));
    assert_eq!(answered.get("error").map(String::as_str), Some("login_required"), "{}", answer.text);
}

/// A link with a code connects no device without an answer of the person, on a page that warns.
#[tokio::test]
async fn attack_device_phishing_needs_an_answer_on_a_page_that_warns() {
    let provider = Provider::start().await;
    let codes = provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv")], &[]).await.json();
    let user = codes["user_code"].as_str().unwrap();
    let link = codes["verification_uri_complete"].as_str().unwrap().strip_prefix(ORIGIN).unwrap();
    for _ in 0..2 {
        let shown = page(&provider.browser, link).await;
        assert!(
            shown.text.contains("Somebody who sent you a link or a code would be signed in as you"),
            "{}",
            shown.text
        );
        assert!(shown.text.contains(user), "the code is compared with the device");
    }
    let poll = [
        ("grant_type", oidc::device::GRANT_TYPE),
        ("device_code", codes["device_code"].as_str().unwrap()),
        ("client_id", "tv"),
    ];
    assert_eq!(provider.client(paths::OAUTH_TOKEN, &poll, &[]).await.json()["error"], "authorization_pending");
    let stranger = provider.portal.browser("203.0.113.8");
    assert!(page(&stranger, link).await.header("location").starts_with("/login"), "sign in first");
    let answer = json!({"user_code": user, "agreed": true});
    let cross = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let forged =
        provider.browser.send(Method::POST, paths::OAUTH_DEVICE_ANSWER, Some(answer.to_string()), &cross).await;
    assert_eq!(forged.code(), "cross_site");
}

/// Any program on a computer can listen at a loopback address and knows the id of a public client (RFC 8252, section 8.6).
#[tokio::test]
async fn attack_another_program_on_the_machine_gets_a_code_without_a_question() {
    let uris = "redirect_uris = ['http://127.0.0.1/callback', 'com.example.app:/callback', 'https://native.example/']";
    let hash = oidc::client::secret_hash(SECRET);
    let provider = Provider::with(&format!(
        "[[clients]]\nid = 'own'\n{uris}\n[[clients]]\nid = 'asking'\nconsent = true\n{uris}\n\
         [[clients]]\nid = 'secret'\nsecret_hash = '{hash}'\n{uris}\n"
    ))
    .await;
    let loopback = "http://127.0.0.1:49152/callback";
    for client in ["own", "asking"] {
        for uri in [loopback, "com.example.app:/callback"] {
            let link =
                |prompt: &str| Provider::query(&[("client_id", client), ("redirect_uri", uri), ("prompt", prompt)]);
            // The second time, a consent is stored.
            for _ in 0..2 {
                let asked = provider.open(&provider.browser, &link("")).await;
                assert!(asked.text.contains("You are asked each time"), "{client} {uri}: {}", asked.text);
                let skipped = provider.enter(&provider.browser, &link(""), None).await.json();
                let to = skipped["location"].as_str().unwrap();
                assert!(to.starts_with(paths::OAUTH_AUTHORIZE), "{client} {uri}: {to}");
                let quiet = provider.open(&provider.browser, &link("none")).await;
                let answer = parameters(quiet.header("location"));
                assert_eq!(answer["error"], "consent_required", "{client} {uri}");
                let agreed = provider.enter(&provider.browser, &link(""), Some(true)).await.json();
                assert!(parameters(agreed["location"].as_str().unwrap()).contains_key("code"), "{agreed}");
            }
        }
        let web = [("client_id", client), ("redirect_uri", "https://native.example/")];
        assert!(provider.returned(&web).await.contains_key("code"), "{client}: its host proves it");
    }
    let confidential = [("client_id", "secret"), ("redirect_uri", loopback)];
    assert!(provider.returned(&confidential).await.contains_key("code"), "a secret proves it");
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let link = Provider::query(&[("client_id", "own"), ("redirect_uri", loopback)]);
    let explained = oidc::params::with_query(paths::CLIENT_REQUESTS, &[("request", &link)]);
    assert_eq!(root.get(&explained).await.json()["facts"][0]["name"], "Asks for consent");
}

/// Wrong credentials get the same answer for every reason, and secrets are compared as hashes.
#[tokio::test]
async fn attack_nothing_tells_how_near_a_guess_at_a_secret_is() {
    let provider = Provider::start().await;
    let nearly = format!("{}x", &SECRET[..SECRET.len() - 1]);
    let longer = format!("{SECRET}x");
    let mut answers = Vec::new();
    for (id, secret) in
        [("app", "x"), ("app", nearly.as_str()), ("app", longer.as_str()), ("nobody", SECRET), ("spa", SECRET)]
    {
        for path in [paths::OAUTH_TOKEN, paths::OAUTH_INTROSPECT, paths::OAUTH_REVOKE, paths::OAUTH_PAR] {
            let pairs = [("client_id", id), ("client_secret", secret), ("token", "x"), ("grant_type", "refresh_token")];
            let answer = provider.client(path, &pairs, &[]).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{id} at {path}");
            answers.push(answer.text);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}
