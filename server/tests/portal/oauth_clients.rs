//! Clients of the OpenID provider that administrators add, change and remove.

use crate::oidc::{Provider, SECRET, URI};
use crate::support::{Answer, ORIGIN, Portal, Visitor, output_text, postern};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::jobs::follow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};
use store::audit::AuditEvent;
use wire::paths;

async fn patch(visitor: &Visitor, id: &str, changes: &Value) -> Answer {
    visitor.send(Method::PATCH, &format!("{}/{id}", paths::CLIENTS), Some(changes.to_string()), &[]).await
}

async fn page(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(Method::GET, path, None, &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]).await
}

fn wiki(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut pairs = vec![("client_id", "wiki"), ("redirect_uri", "https://wiki.example/callback")];
    for (name, value) in changes {
        pairs.retain(|(own, _)| own != name);
        pairs.push((name, value));
    }
    pairs
}

#[tokio::test]
async fn administrators_add_change_disable_and_remove_clients() {
    let provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({
        "id": "wiki", "name": "Wiki", "redirect_uris": "https://wiki.example/callback\n", "consent": "false", "preset": "",
    });
    assert_eq!(provider.browser.post(paths::CLIENTS, &wish).await.code(), "forbidden", "for administrators only");
    let added = root.post(paths::CLIENTS, &wish).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let secret = added.json()["client_secret"].as_str().unwrap().to_owned();
    assert_eq!((secret.len(), &added.json()["issuer"]), (43, &json!(ORIGIN)));
    assert_eq!(root.post(paths::CLIENTS, &wish).await.code(), "name_taken");

    // The client works at once.
    let sign_in = async |secret: &str| {
        let code = provider.code(&wiki(&[])).await;
        provider.exchange(&code, &wiki(&[("client_secret", Box::leak(secret.to_owned().into_boxed_str()))])).await
    };
    let tokens = sign_in(&secret).await.json();
    assert!(tokens["access_token"].is_string(), "{tokens}");
    let listed = root.get(paths::CLIENTS).await;
    assert!(!listed.text.contains(&secret) && !listed.text.contains("secret_hash"), "{}", listed.text);
    let clients = listed.json()["clients"].as_array().unwrap().clone();
    let own = clients.iter().find(|client| client["id"] == "wiki").unwrap();
    assert_eq!((&own["source"], &own["secrets"], &own["public"]), (&json!("administrator"), &json!(1), &json!(false)));
    assert!(clients.iter().any(|client| client["id"] == "app" && client["source"] == "settings"));

    let new = root.post(&format!("{}/wiki/secret", paths::CLIENTS), &json!({"keep_old": true})).await.json();
    let new = new["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(sign_in(&secret).await.status, StatusCode::OK, "both, while one is replaced");
    assert_eq!(sign_in(&new).await.status, StatusCode::OK);
    root.post(&format!("{}/wiki/secret", paths::CLIENTS), &json!({})).await;
    assert_eq!(sign_in(&new).await.status, StatusCode::UNAUTHORIZED);

    assert_eq!(patch(&root, "wiki", &json!({"name": "Our wiki", "groups": ""})).await.status, StatusCode::NO_CONTENT);
    for (id, changes, code) in [
        ("wiki", json!({"redirect_uris": "http://wiki.example/"}), "bad_request"),
        ("wiki", json!({"id": "other"}), "bad_request"),
        ("wiki", json!({"unknown": 1}), "bad_request"),
        ("app", json!({"name": "x"}), "not_found"),
        ("nobody", json!({"name": "x"}), "not_found"),
    ] {
        let refused = patch(&root, id, &changes).await;
        assert_eq!(refused.code(), code, "{id} {changes}: {}", refused.text);
    }
    assert!(provider.userinfo(&tokens["access_token"]).await.status == StatusCode::OK);
    patch(&root, "wiki", &json!({"disabled": true})).await;
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED, "disabled");
    let refused = provider.open(&provider.browser, &Provider::query(&wiki(&[]))).await;
    assert!(refused.text.contains("an administrator has disabled this client"), "{}", refused.text);
    patch(&root, "wiki", &json!({"disabled": false})).await;
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK, "enabled again");
    let path = format!("{}/wiki", paths::CLIENTS);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.code(), "not_found");
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED, "removed");
    let written = root.get(paths::AUDIT).await.text;
    for event in [AuditEvent::ClientAdded, AuditEvent::ClientChanged, AuditEvent::ClientRemoved] {
        assert!(written.contains(event.as_str()), "{written}");
    }
}

#[tokio::test]
async fn a_change_of_a_client_needs_a_fresh_proof() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({"id": "wiki", "redirect_uris": ["https://wiki.example/"]});
    assert_eq!(root.post(paths::CLIENTS, &wish).await.status, StatusCode::CREATED);
    portal.advance(domain::authentication::FRESH_MS + 1).await;
    root.refresh().await;
    for answer in [
        root.post(paths::CLIENTS, &json!({"id": "two", "redirect_uris": ["https://two.example/"]})).await,
        patch(&root, "wiki", &json!({"name": "x"})).await,
        root.post(&format!("{}/wiki/secret", paths::CLIENTS), &json!({})).await,
        root.send(Method::DELETE, &format!("{}/wiki", paths::CLIENTS), None, &[]).await,
    ] {
        assert_eq!(answer.code(), "insufficient_user_authentication", "{}", answer.text);
    }
    assert_eq!(root.get(paths::CLIENTS).await.json()["clients"].as_array().unwrap().len(), 1, "reading needs none");
}

#[tokio::test]
async fn the_pages_show_clients_and_explain_requests() {
    let provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    root.post(paths::CLIENTS, &json!({"id": "wiki", "name": "Wiki", "redirect_uris": ["https://wiki.example/"]})).await;
    let list = page(&root, paths::CLIENTS_PAGE).await;
    assert!(list.text.contains("The app") && list.text.contains("Wiki") && list.text.contains("in postern.toml"));
    let one = page(&root, &format!("{}?id=wiki", paths::CLIENT_PAGE)).await;
    assert!(one.text.contains("https://wiki.example/") && one.text.contains("Make a new secret"), "{}", one.text);
    let known = json!({"id": "stats", "preset": "grafana", "url": "https://stats.example"});
    assert_eq!(root.post(paths::CLIENTS, &known).await.status, StatusCode::CREATED);
    let known = page(&root, &format!("{}?id=stats", paths::CLIENT_PAGE)).await;
    assert!(known.text.contains("use_pkce = true"), "{}", known.text);
    let fixed = page(&root, &format!("{}?id=app", paths::CLIENT_PAGE)).await;
    assert!(fixed.text.contains("is changed there") && !fixed.text.contains("Make a new secret"));
    assert!(!fixed.text.contains("secret_hash"), "{}", fixed.text);
    let missing = page(&root, &format!("{}?id=nobody", paths::CLIENT_PAGE)).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(page(&provider.browser, paths::CLIENTS_PAGE).await.status, StatusCode::NOT_FOUND, "for others");

    let wrong = Provider::query(&[("redirect_uri", "https://app.example/callback/")]);
    let asked = format!("https://auth.example/oauth/authorize?{wrong}");
    let asked = oidc::params::with_query(paths::CLIENT_REQUESTS, &[("request", &asked)]);
    let verdict = root.get(&asked).await.json();
    assert_eq!((&verdict["accepted"], &verdict["error"]), (&json!(false), &json!("invalid_request")));
    let facts = verdict["facts"].to_string();
    assert!(facts.contains(URI) && facts.contains("https://app.example/callback/"), "both values: {facts}");
    let shown = page(&root, &asked.replace(paths::CLIENT_REQUESTS, paths::CLIENTS_PAGE)).await;
    assert!(shown.text.contains("Refused.") && shown.text.contains("https://app.example/callback/"));
    let good = oidc::params::with_query(paths::CLIENT_REQUESTS, &[("request", &Provider::query(&[]))]);
    assert_eq!(root.get(&good).await.json()["accepted"], true);
    assert_eq!(provider.browser.get(&good).await.code(), "forbidden");

    let explained = async |link: &str| {
        root.get(&oidc::params::with_query(paths::CLIENT_REQUESTS, &[("request", link)])).await.json()
    };
    let scope = explained(&Provider::query(&[("scope", "calendar")])).await;
    assert_eq!(scope["error"], "invalid_scope");
    assert!(
        scope["facts"].to_string().contains("calendar") && scope["facts"].to_string().contains("openid"),
        "{scope}"
    );
    // The server refuses a hint that is not of this client.
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    for (client, uri, hint, accepted) in
        [("app", URI, hint, true), ("app", URI, "no-token", false), ("spa", "https://spa.example/", hint, false)]
    {
        let link = Provider::query(&[("client_id", client), ("redirect_uri", uri), ("id_token_hint", hint)]);
        let opened = provider.open(&provider.browser, &link).await;
        assert_eq!(!opened.header("location").contains("error=invalid_request"), accepted, "{client} {hint}");
        let verdict = explained(&link).await;
        assert_eq!(verdict["accepted"], accepted, "{client} {hint}: {verdict}");
        assert!(accepted || verdict["facts"].to_string().contains(&format!("aud {client}")), "{verdict}");
    }

    let all = oidc::Params::parse(&Provider::query(&[]));
    let names = ["client_id", "redirect_uri", "response_type", "scope", "code_challenge", "code_challenge_method"];
    let mut pushed: Vec<_> = names.iter().map(|name| (*name, all.get(name).unwrap())).collect();
    pushed.push(("client_secret", SECRET));
    let pushed = provider.client(paths::OAUTH_PAR, &pushed, &[]).await.json();
    let link = |uri: &str| format!("{ORIGIN}{}?client_id=app&request_uri={uri}", paths::OAUTH_AUTHORIZE);
    let uri = pushed["request_uri"].as_str().unwrap();
    assert_eq!(explained(&link(uri)).await["accepted"], true, "{pushed}");
    assert_eq!(explained(&link(&format!("{uri}x"))).await["error"], "invalid_request_uri");
}

#[test]
fn clients_are_managed_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), &[&["client"], arguments].concat(), "");
    let done = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        output_text(&output)
    };
    assert!(done(&["list"]).starts_with("There was no database"));
    assert_eq!(done(&["list"]), "");
    let url = ["--preset", "nextcloud", "--url", "https://cloud.example/", "--no-consent", "cloud"];
    let added = done(&[&["add"], &url[..]].concat());
    assert!(
        added.contains("https://cloud.example/apps/user_oidc/code") && added.contains("client secret  "),
        "{added}"
    );
    assert!(added.contains("Set these in Nextcloud:") && added.contains("user_oidc: postern"), "{added}");
    assert!(added.contains("use_pkce --value=true"), "{added}");
    assert_eq!(run(&[&["add"], &url[..]].concat()).status.code(), Some(1), "the id is taken");
    let wrong = run(&["add", "--redirect-uri", "http://app.example/", "app"]);
    assert!(output_text(&wrong).contains("plain http is allowed for localhost"), "{}", output_text(&wrong));
    let public = done(&["add", "--public", "--redirect-uri", "https://spa.example/", "--json", "spa"]);
    let public: Value = serde_json::from_str(&public).unwrap();
    assert_eq!(public["client_secret"], Value::Null);
    assert_eq!(
        done(&["list"]),
        "cloud\tcloud\tconfidential\tdatabase\tenabled\thttps://cloud.example/apps/user_oidc/code\n\
         spa\tspa\tpublic\tdatabase\tenabled\thttps://spa.example/\n"
    );
    let changed = ["name=My cloud", "groups=family, the staff", "second_factor=required"];
    let warned = done(&[&["set", "cloud"], &changed[..]].concat());
    assert!(warned.contains("cloud is changed") && warned.contains("There is no group the staff"), "{warned}");
    let shown: Value = serde_json::from_str(&done(&["show", "cloud"])).unwrap();
    assert_eq!(
        (&shown["name"], &shown["groups"], &shown["second_factor"]),
        (&json!("My cloud"), &json!(["family", "the staff"]), &json!("required"))
    );
    assert!(output_text(&run(&["set", "cloud", "second_factor=often"])).contains("optional, required or passkey"));
    assert!(output_text(&run(&["set", "cloud", "name"])).contains("NAME=VALUE"));
    assert_eq!(run(&["set", "nobody", "name=x"]).status.code(), Some(3));
    assert_eq!(done(&["rotate", "cloud"]).lines().next().unwrap().len(), 43);
    assert!(output_text(&run(&["rotate", "spa"])).contains("a public client has no secret"));
    assert!(done(&["disable", "spa"]).contains("spa is disabled"));
    assert!(done(&["list"]).contains("spa\tspa\tpublic\tdatabase\tdisabled"));
    let query = "client_id=spa&redirect_uri=https://spa.example/&response_type=code&scope=openid&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    assert!(output_text(&run(&["explain", query])).contains("an administrator has disabled this client"));
    done(&["enable", "spa"]);
    assert!(done(&["explain", query]).starts_with("Accepted."));
    let wrong = output_text(&run(&["explain", &query.replace("spa.example", "spa.evil")]));
    assert!(wrong.contains("Presented redirect_uri: https://spa.evil/"), "{wrong}");
    assert!(wrong.contains("Registered redirect_uri: https://spa.example/"), "{wrong}");
    let posted = output_text(&run(&["explain", "https://auth.example.com/oauth/token?client_id=spa"]));
    assert!(posted.contains("links that people open") && posted.contains("client authentication failed"), "{posted}");
    let unknown = output_text(&run(&["explain", "client_id=claude"]));
    assert!(unknown.contains("Registered client_id: cloud"), "{unknown}");
    assert!(output_text(&run(&["token"])).contains("oauth.registration"));
    done(&["remove", "spa"]);
    assert_eq!(run(&["remove", "spa"]).status.code(), Some(3));
    let doctor = output_text(&postern(folder.path(), &["doctor"], ""));
    assert!(!doctor.contains("leave out PKCE"), "{doctor}");
    done(&["set", "cloud", "pkce=optional"]);
    let doctor = output_text(&postern(folder.path(), &["doctor"], ""));
    assert!(doctor.contains("These clients may leave out PKCE") && doctor.contains("cloud"), "{doctor}");
}

#[tokio::test]
async fn a_client_that_cannot_be_read_is_listed_and_removed() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let row = |id: &str, registration: &str, source: &str| store::oauth::StoredClient {
        id: id.to_owned(),
        registration: registration.to_owned(),
        secrets: Vec::new(),
        source: source.to_owned(),
        management_hash: None,
        expires_at: None,
        created_at: portal.clock_now(),
        changed_at: portal.clock_now(),
    };
    let audit = portal.entry(AuditEvent::ClientAdded, "x");
    let add = async |row| {
        assert!(
            portal
                .store()
                .add_client(&row, &store::audit::AuditEntry { id: portal.state.ulid(), ..audit.clone() })
                .await
                .unwrap()
        );
    };
    add(row("broken", r#"{"id":"broken","later":1}"#, "administrator")).await;
    add(row("later", r#"{"id":"later","redirect_uris":["https://a.example/"]}"#, "later")).await;
    // Clients that registered themselves take no room from those of administrators.
    for n in 0..1000 {
        let id = format!("c{n}");
        let registration = json!({"id": id, "redirect_uris": ["https://a.example/"]}).to_string();
        add(row(&id, &registration, "registered")).await;
    }
    let made = root.post(paths::CLIENTS, &json!({"id": "wiki", "redirect_uris": ["https://wiki.example/"]})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let listed = root.get(paths::CLIENTS).await.json();
    let of = |id: &str| listed["clients"].as_array().unwrap().iter().find(|own| own["id"] == id).unwrap().clone();
    assert!(of("broken")["problem"].as_str().unwrap().contains("later"), "{}", of("broken"));
    assert!(of("later")["problem"].as_str().unwrap().contains("source"), "{}", of("later"));
    assert_eq!(of("wiki")["problem"], Value::Null);
    let shown = page(&root, &format!("{}?id=broken", paths::CLIENT_PAGE)).await;
    assert!(shown.text.contains("cannot be read"), "{}", shown.text);
    assert_eq!(patch(&root, "wiki", &json!({"name": "Wiki"})).await.status, StatusCode::NO_CONTENT);
    let removed = root.send(Method::DELETE, &format!("{}/broken", paths::CLIENTS), None, &[]).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_client_is_stored_and_answered_although_it_cannot_be_read_again() {
    let provider = Provider::start().await;
    let portal = &provider.portal;
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    follow(&portal.state).await.unwrap();
    let beside = SqliteConnectOptions::new().filename(portal.database());
    let mut beside: SqliteConnection = beside.connect().await.unwrap();
    // The database fails between the write and the read: a time that is no number.
    beside
        .execute(
            "CREATE TRIGGER unreadable AFTER INSERT ON oauth_clients BEGIN
                INSERT INTO oauth_clients (id, registration, secrets, created_at, changed_at) VALUES ('x', '{}', '', 'x', 'x');
            END",
        )
        .await
        .unwrap();
    let wish = json!({"id": "wiki", "redirect_uris": ["https://wiki.example/callback"], "consent": false});
    let added = root.post(paths::CLIENTS, &wish).await;
    assert_eq!(added.status, StatusCode::CREATED, "it is stored: {}", added.text);
    let secret = added.json()["client_secret"].as_str().unwrap().to_owned();
    let knows = || portal.state.clients.find("wiki", portal.state.now()).is_some();
    assert!(follow(&portal.state).await.is_err() && !knows());
    beside.execute("DROP TRIGGER unreadable").await.unwrap();
    beside.execute("DELETE FROM oauth_clients WHERE id = 'x'").await.unwrap();
    // The node has not forgotten that there is something to read.
    follow(&portal.state).await.unwrap();
    assert!(knows());
    let own = wiki(&[]);
    let with: Vec<_> = own.iter().copied().chain([("client_secret", secret.as_str())]).collect();
    let tokens = provider.exchange(&provider.code(&own).await, &with).await;
    assert_eq!(tokens.status, StatusCode::OK, "with the secret that was shown: {}", tokens.text);
    assert_eq!(root.post(paths::CLIENTS, &wish).await.code(), "name_taken");
}
