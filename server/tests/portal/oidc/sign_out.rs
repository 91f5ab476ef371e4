//! Sign-out by apps, and notices of it.

use super::{Provider, SECRET, claims, form, header, posted};
use crate::support::{ORIGIN, Portal};
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

#[tokio::test]
async fn an_app_signs_a_person_out() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    let back = "https://app.example/bye";
    let query = form(&[("id_token_hint", hint), ("post_logout_redirect_uri", back), ("state", "s1")]);
    let page = async |query: &str| {
        let path = format!("{}?{query}", paths::OAUTH_LOGOUT);
        provider.browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await
    };
    assert!(page(&query).await.text.contains("data-path=\"/api/oauth/logout\""), "at once, with the hint");
    let asked = page(&form(&[("client_id", "app"), ("post_logout_redirect_uri", back)])).await;
    assert!(asked.text.contains("Stay signed in"), "without a hint the person is asked");
    // Open redirects: anything that is not registered, or without a client.
    for wrong in [
        form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example/")]),
        form(&[("post_logout_redirect_uri", back)]),
        form(&[("id_token_hint", "eyJ.eyJ.x"), ("post_logout_redirect_uri", back)]),
        form(&[("id_token_hint", hint), ("client_id", "other")]),
    ] {
        let refused = page(&wrong).await;
        assert_eq!((refused.status, refused.header("location")), (StatusCode::BAD_REQUEST, ""), "{wrong}");
    }
    // A hint that cannot be verified counts as none.
    for query in [
        form(&[("id_token_hint", "eyJ.eyJ.x")]),
        form(&[("id_token_hint", "eyJ.eyJ.x"), ("client_id", "app"), ("post_logout_redirect_uri", back)]),
    ] {
        assert!(page(&query).await.text.contains("Stay signed in"), "{query}");
    }
    let answer = provider.browser.post(paths::OAUTH_SIGN_OUT, &json!({ "request": query })).await;
    assert_eq!(answer.json()["location"], "https://app.example/bye?state=s1");
    assert!(!provider.is_live(&tokens["access_token"]).await);
    assert_eq!(provider.browser.get(paths::SESSION).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_client_is_notified_when_a_session_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = format!(
        "[[clients]]\nid = 'told'\nsecret_hash = '{}'\nredirect_uris = ['https://told.example/']\n\
         backchannel_logout_uri = 'http://localhost:{port}/logout'\n",
        oidc::client::secret_hash(SECRET)
    );
    let provider = Provider::with(&client).await;
    let told = [("client_id", "told"), ("redirect_uri", "https://told.example/")];
    let tokens = provider.exchange(&provider.code(&told).await, &told).await.json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    server::flows::oauth_logouts::send_due(&provider.portal.state).await.unwrap();
    provider.browser.post(paths::LOGOUT, &json!({})).await;
    server::flows::oauth_logouts::send_due(&provider.portal.state).await.unwrap();
    let request = posted(&listener).await;
    assert!(request.starts_with("POST /logout HTTP/1.1\r\n"), "{request}");
    let token = request.split("logout_token=").nth(1).unwrap();
    assert_eq!((&header(token)["typ"], &header(token)["alg"]), (&json!("logout+jwt"), &json!("RS256")));
    let logout = claims(token);
    assert_eq!(
        (&logout["iss"], &logout["aud"], &logout["sid"], &logout["sub"]),
        (&json!(ORIGIN), &json!("told"), &id["sid"], &id["sub"])
    );
    assert!(
        logout["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object() && logout["nonce"].is_null()
    );
}

#[tokio::test]
async fn the_sign_out_page_says_of_which_apps() {
    let hash = oidc::client::secret_hash(SECRET);
    let told = format!(
        "[[clients]]\nid = 'told'\nname = 'Chat'\nsecret_hash = '{hash}'\nredirect_uris = ['https://told.example/']\n\
         backchannel_logout_uri = 'https://told.example/logout'\n"
    );
    let provider = Provider::with(&told).await;
    let asked = async || {
        let headers = [("sec-fetch-mode", "navigate")];
        provider.browser.send(Method::GET, paths::OAUTH_LOGOUT, None, &headers).await.text
    };
    let page = asked().await;
    assert!(page.contains("of this site, on this device") && !page.contains("These apps"), "{page}");
    assert!(page.contains("You are signed in here as"), "a person may have several accounts: {page}");
    provider.tokens().await;
    // Without a refresh token, its access ends before the session does.
    let own = [("client_id", "told"), ("redirect_uri", "https://told.example/"), ("scope", "openid")];
    provider.exchange(&provider.code(&own).await, &own).await;
    let page = asked().await;
    let (_, lists) = page.split_once("These apps are told to sign you out too:").unwrap();
    let (told, others) = lists.split_once("These apps lose access to your account here").unwrap();
    assert!(told.contains("Chat") && !told.contains("The app"), "{told}");
    assert!(others.contains("The app") && !others.contains("Chat"), "{others}");
    assert!(!page.contains("every app"), "{page}");
}

#[tokio::test]
async fn the_page_after_a_sign_out_names_what_may_go_on() {
    let note = "An app with a sign-in of its own may keep you signed in";
    let signed_out = async |portal: &Portal| {
        let page = portal.browser("203.0.113.8").get("/login?why=signed_out").await.text;
        assert!(page.contains("You are signed out."), "{page}");
        page
    };
    assert!(signed_out(&Provider::start().await.portal).await.contains(note));
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    assert!(!signed_out(&portal).await.contains(note), "no app signs people in here");
}

#[tokio::test]
async fn a_client_without_pages_for_signed_out_people_is_told_so() {
    let provider = Provider::start().await;
    let query = form(&[("client_id", "spa"), ("post_logout_redirect_uri", "https://spa.example/")]);
    let path = format!("{}?{query}", paths::OAUTH_LOGOUT);
    let refused = provider.browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(refused.text.contains("the client has none"), "{}", refused.text);
}
