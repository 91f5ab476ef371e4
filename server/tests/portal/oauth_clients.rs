//! Clients of the OpenID provider: registered by administrators, by documents, by keys; and the claims that they may
//! read.

use crate::oidc::{Provider, SECRET, URI, claims, parameters};
use crate::support::{Answer, ClientKey, ORIGIN, Portal, Visitor, postern, said};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use tokio::net::TcpListener;
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
}

#[test]
fn clients_are_managed_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), &[&["client"], arguments].concat(), "");
    let done = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    assert_eq!(done(&["list"]), "");
    let url = ["--preset", "nextcloud", "--url", "https://cloud.example/", "--no-consent", "cloud"];
    let added = done(&[&["add"], &url[..]].concat());
    assert!(
        added.contains("https://cloud.example/apps/user_oidc/code") && added.contains("client secret  "),
        "{added}"
    );
    assert_eq!(run(&[&["add"], &url[..]].concat()).status.code(), Some(1), "the id is taken");
    let wrong = run(&["add", "--redirect-uri", "http://app.example/", "app"]);
    assert!(said(&wrong).contains("plain http is allowed for localhost"), "{}", said(&wrong));
    let public = done(&["add", "--public", "--redirect-uri", "https://spa.example/", "--json", "spa"]);
    let public: Value = serde_json::from_str(&public).unwrap();
    assert_eq!(public["client_secret"], Value::Null);
    assert_eq!(
        done(&["list"]),
        "cloud\tcloud\tconfidential\tdatabase\tenabled\thttps://cloud.example/apps/user_oidc/code\n\
         spa\tspa\tpublic\tdatabase\tenabled\thttps://spa.example/\n"
    );
    let changed = ["name=My cloud", "groups=family, the staff", "second_factor=required"];
    assert!(done(&[&["set", "cloud"], &changed[..]].concat()).contains("cloud is changed"));
    let shown: Value = serde_json::from_str(&done(&["show", "cloud"])).unwrap();
    assert_eq!(
        (&shown["name"], &shown["groups"], &shown["second_factor"]),
        (&json!("My cloud"), &json!(["family", "the staff"]), &json!("required"))
    );
    assert!(said(&run(&["set", "cloud", "second_factor=often"])).contains("optional, required or passkey"));
    assert!(said(&run(&["set", "cloud", "name"])).contains("NAME=VALUE"));
    assert_eq!(run(&["set", "nobody", "name=x"]).status.code(), Some(3));
    assert_eq!(done(&["rotate", "cloud"]).lines().next().unwrap().len(), 43);
    assert!(said(&run(&["rotate", "spa"])).contains("a public client has no secret"));
    assert!(done(&["disable", "spa"]).contains("spa is disabled"));
    assert!(done(&["list"]).contains("spa\tspa\tpublic\tdatabase\tdisabled"));
    let query = "client_id=spa&redirect_uri=https://spa.example/&response_type=code&scope=openid&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    assert!(said(&run(&["explain", query])).contains("an administrator has disabled this client"));
    done(&["enable", "spa"]);
    assert!(done(&["explain", query]).starts_with("Accepted."));
    let wrong = said(&run(&["explain", &query.replace("spa.example", "spa.evil")]));
    assert!(wrong.contains("Presented redirect_uri: https://spa.evil/"), "{wrong}");
    assert!(wrong.contains("Registered redirect_uri: https://spa.example/"), "{wrong}");
    let unknown = said(&run(&["explain", "client_id=claude"]));
    assert!(unknown.contains("Registered client_id: cloud"), "{unknown}");
    assert!(said(&run(&["token"])).contains("oauth.registration"));
    done(&["remove", "spa"]);
    assert_eq!(run(&["remove", "spa"]).status.code(), Some(3));
    let doctor = said(&postern(folder.path(), &["doctor"], ""));
    assert!(!doctor.contains("leave out PKCE"), "{doctor}");
    done(&["set", "cloud", "pkce=optional"]);
    let doctor = said(&postern(folder.path(), &["doctor"], ""));
    assert!(doctor.contains("These clients may leave out PKCE") && doctor.contains("cloud"), "{doctor}");
}

#[tokio::test]
async fn a_client_that_needs_a_second_factor_refuses_a_password() {
    let strict = format!(
        "[[clients]]\nid = 'strict'\nsecret_hash = '{}'\nredirect_uris = ['https://strict.example/']\n\
         second_factor = 'required'\ndevice = true\n",
        oidc::client::secret_hash(SECRET)
    );
    let provider = Provider::with(&strict).await;
    let query = Provider::query(&[("client_id", "strict"), ("redirect_uri", "https://strict.example/")]);
    let to = provider.open(&provider.browser, &query).await;
    let location = to.header("location");
    assert!(location.starts_with(paths::ENROL_PAGE) && location.contains("factor=required"), "{location}");
    assert!(location.contains("strict.example"), "and back to the app: {location}");
    assert_eq!(provider.enter(&provider.browser, &query, None).await.code(), "bad_request", "no code");
    let quiet = provider.enter(&provider.browser, &format!("{query}&prompt=none"), None).await.json();
    let quiet = parameters(quiet["location"].as_str().unwrap());
    assert_eq!(quiet["error"], "interaction_required");
    let device = [("client_id", "strict"), ("client_secret", SECRET)];
    let codes = provider.client(paths::OAUTH_DEVICE, &device, &[]).await.json();
    let answer = json!({"user_code": codes["user_code"], "agreed": true});
    let refused = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await;
    assert_eq!(refused.code(), "insufficient_user_authentication", "nor by a device: {}", refused.text);
}

#[tokio::test]
async fn a_person_who_leaves_the_group_loses_the_app() {
    let staff = format!(
        "[[clients]]\nid = 'staff'\nsecret_hash = '{}'\nredirect_uris = ['https://staff.example/']\ngroups = ['staff']\n",
        oidc::client::secret_hash(SECRET)
    );
    let provider = Provider::with(&staff).await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    root.post(paths::GROUPS, &json!({"name": "staff"})).await;
    let join = async |groups: &str| {
        let path = format!("{}/{}", paths::USERS, provider.user);
        let changed = root.send(Method::PATCH, &path, Some(json!({"groups": groups}).to_string()), &[]).await;
        assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    };
    let own = [("client_id", "staff"), ("redirect_uri", "https://staff.example/")];
    assert_eq!(provider.returned(&own).await["error"], "access_denied");
    join("staff").await;
    let tokens = provider.exchange(&provider.code(&own).await, &own).await.json();
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK);
    join("").await;
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", "staff"),
        ("client_secret", SECRET),
    ];
    let refused = provider.client(paths::OAUTH_TOKEN, &refresh, &[]).await.json();
    assert_eq!(refused["error"], "invalid_grant", "{refused}");
    join("staff").await;
    assert_eq!(provider.client(paths::OAUTH_TOKEN, &refresh, &[]).await.status, StatusCode::OK, "and it cost no token");
}

#[tokio::test]
async fn pairwise_clients_know_a_person_by_different_names() {
    let pair = |id: &str, host: &str| {
        format!(
            "[[clients]]\nid = '{id}'\nsecret_hash = '{}'\nredirect_uris = ['https://{host}/']\nsubject_type = 'pairwise'\n\
             post_logout_redirect_uris = ['https://{host}/bye']\n",
            oidc::client::secret_hash(SECRET)
        )
    };
    let settings = [pair("one", "one.example"), pair("two", "two.example"), pair("uno", "one.example")].concat();
    let provider = Provider::with(&settings).await;
    let own = [("client_id", "one"), ("redirect_uri", "https://one.example/")];
    for _ in 0..10 {
        provider.open(&provider.browser, &Provider::query(&own)).await;
        let logout = format!("{}?client_id=one", paths::OAUTH_LOGOUT);
        page(&provider.browser, &logout).await;
    }
    let known = provider.portal.store().known_subject("one.example", &provider.user).await.unwrap();
    assert_eq!(known, None, "a link alone writes nothing");
    let tokens = async |id: &'static str, uri: &'static str| {
        let own = [("client_id", id), ("redirect_uri", uri)];
        provider.exchange(&provider.code(&own).await, &own).await.json()
    };
    let one = tokens("one", "https://one.example/").await;
    let sub = |tokens: &Value| claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned();
    let two = tokens("two", "https://two.example/").await;
    let (first, uno) = (sub(&one), sub(&tokens("uno", "https://one.example/").await));
    assert_ne!(first, provider.user, "not the account's id");
    assert_ne!(first, sub(&two));
    assert_eq!(first, uno, "the same in one sector");
    assert_eq!(first, sub(&tokens("one", "https://one.example/").await), "and again");
    assert_eq!(provider.userinfo(&one["access_token"]).await.json()["sub"], first.as_str());
    assert_eq!(claims(one["access_token"].as_str().unwrap())["sub"], first.as_str());
    let token = one["access_token"].as_str().unwrap();
    let known = [("token", token), ("client_id", "one"), ("client_secret", SECRET)];
    let known = provider.client(paths::OAUTH_INTROSPECT, &known, &[]).await.json();
    assert_eq!((&known["sub"], &known["username"]), (&json!(first), &Value::Null));
    let sid = |token: &str| claims(token)["sid"].as_str().unwrap().to_owned();
    let own_sid = sid(one["id_token"].as_str().unwrap());
    assert_eq!(
        (sid(token), known["sid"].as_str().unwrap()),
        (own_sid.clone(), own_sid.as_str()),
        "one name everywhere"
    );
    let two_sid = sid(two["id_token"].as_str().unwrap());
    assert_ne!(own_sid, two_sid, "or the session would tell who the person is");
    let app = provider.tokens().await;
    assert_ne!(own_sid, sid(app["id_token"].as_str().unwrap()));
    // Its own name is a hint; the account's id is somebody else's.
    let hint = one["id_token"].as_str().unwrap();
    let own = [("client_id", "one"), ("redirect_uri", "https://one.example/")];
    let hinted = [own[0], own[1], ("id_token_hint", hint)];
    assert!(provider.returned(&hinted).await.contains_key("code"));
    let by_id = format!(r#"{{"id_token":{{"sub":{{"value":"{}"}}}}}}"#, provider.user);
    let by_id = [own[0], own[1], ("claims", by_id.as_str()), ("prompt", "none")];
    assert_eq!(provider.returned(&by_id).await["error"], "login_required");
    let query = crate::oidc::form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://one.example/bye")]);
    let page = page(&provider.browser, &format!("{}?{query}", paths::OAUTH_LOGOUT)).await;
    assert!(page.text.contains("the sign-out page"), "the hint is of this session: {}", page.text);
}

#[tokio::test]
async fn a_client_proves_itself_with_its_own_key_once() {
    let key = ClientKey::generate();
    let mut jwk = serde_json::to_value(key.public()).unwrap();
    jwk["use"] = "sig".into();
    let settings = format!(
        "[[clients]]\nid = 'keyed'\nredirect_uris = ['https://keyed.example/']\njwks = {{ keys = [{{ kty = 'EC', crv = 'P-256', \
         x = '{}', y = '{}', use = 'sig' }}] }}\n",
        jwk["x"].as_str().unwrap(),
        jwk["y"].as_str().unwrap()
    );
    let provider = Provider::with(&settings).await;
    let now = provider.portal.clock_now() / 1000;
    let assertion = |key: &ClientKey, changes: &Value| {
        let mut claims = json!({"iss": "keyed", "sub": "keyed", "aud": ORIGIN, "exp": now + 60, "jti": "one"});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        key.sign(&json!({"alg": "ES256", "typ": "JWT"}), &claims)
    };
    let exchange = async |jwt: String| {
        let own = [("client_id", "keyed"), ("redirect_uri", "https://keyed.example/")];
        let code = provider.code(&own).await;
        let more = [
            own[0],
            own[1],
            ("client_secret", ""),
            ("client_assertion", jwt.as_str()),
            ("client_assertion_type", oidc::client_auth::JWT_BEARER),
        ];
        provider.exchange(&code, &more).await
    };
    let good = assertion(&key, &json!({}));
    assert_eq!(exchange(good.clone()).await.status, StatusCode::OK);
    assert_eq!(exchange(good).await.json()["error"], "invalid_client", "a second time");
    let other = ClientKey::generate();
    for (key, changes) in [
        (&other, json!({"jti": "2"})),
        (&key, json!({"jti": "3", "aud": "https://other.example"})),
        (&key, json!({"jti": "4", "iss": "app"})),
        (&key, json!({"jti": "5", "exp": now - 61})),
        (&key, json!({"jti": "6", "exp": now + 3600})),
        (&key, json!({"jti": ""})),
    ] {
        let refused = exchange(assertion(key, &changes)).await;
        assert_eq!(refused.json()["error"], "invalid_client", "{changes}: {}", refused.text);
    }
    // Fifty at once, of which only the first is accepted.
    let jwt = assertion(&key, &json!({"jti": "many"}));
    let pairs = |jwt: &str| {
        [
            ("token", "x".to_owned()),
            ("client_assertion", jwt.to_owned()),
            ("client_assertion_type", oidc::client_auth::JWT_BEARER.to_owned()),
        ]
    };
    let tries = (0..20).map(|_| {
        let pairs = pairs(&jwt);
        let provider = &provider;
        async move {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await.status == StatusCode::OK
        }
    });
    let good = futures::future::join_all(tries).await.into_iter().filter(|good| *good).count();
    assert_eq!(good, 1, "an assertion is used once");
}

#[tokio::test]
async fn the_issuer_of_an_account_is_found_and_resources_are_described() {
    let portal = Portal::start().await;
    let program = portal.program("198.51.100.9");
    let finger = async |resource: &str| {
        program.get(&oidc::params::with_query(paths::WEBFINGER, &[("resource", resource)])).await
    };
    let found = finger("acct:nobody@localhost").await;
    assert_eq!((found.status, found.header("content-type")), (StatusCode::OK, "application/jrd+json"));
    assert_eq!(found.header("access-control-allow-origin"), "*");
    assert_eq!(found.json()["links"][0], json!({"rel": oidc::webfinger::ISSUER, "href": ORIGIN}));
    assert_eq!(finger("acct:nobody@elsewhere.example").await.status, StatusCode::NOT_FOUND);
    assert_eq!(program.get(paths::WEBFINGER).await.status, StatusCode::BAD_REQUEST);
    let site = program.get(paths::PROTECTED_RESOURCE).await.json();
    assert_eq!((&site["resource"], &site["authorization_servers"]), (&json!(ORIGIN), &json!([ORIGIN])));
    let userinfo = program.get(paths::PROTECTED_USERINFO).await.json();
    assert_eq!(userinfo["resource"], format!("{ORIGIN}{}", paths::OAUTH_USERINFO));
    let refused = program.get(paths::OAUTH_USERINFO).await;
    let described = format!("resource_metadata=\"{ORIGIN}{}\"", paths::PROTECTED_USERINFO);
    assert!(refused.header("www-authenticate").contains(&described), "{}", refused.header("www-authenticate"));
}

#[tokio::test]
async fn attack_a_logout_uri_leads_into_the_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({
        "id": "wiki", "redirect_uris": ["https://wiki.example/callback"], "consent": false,
        "backchannel_logout_uri": format!("http://127.0.0.1:{}/logout", listener.local_addr().unwrap().port()),
    });
    let secret = root.post(paths::CLIENTS, &wish).await.json()["client_secret"].as_str().unwrap().to_owned();
    let own = wiki(&[]);
    let code = provider.code(&own).await;
    let with: Vec<_> = own.iter().copied().chain([("client_secret", secret.as_str())]).collect();
    assert_eq!(provider.exchange(&code, &with).await.status, StatusCode::OK);
    provider.browser.post(paths::LOGOUT, &json!({})).await;
    let due = provider.portal.store().due_logouts(provider.portal.clock_now(), 9).await.unwrap();
    assert_eq!(due.len(), 1);
    let url = wish["backchannel_logout_uri"].as_str().unwrap();
    let outbound = &provider.portal.state.outbound;
    let permit = outbound.notice_permit(url).unwrap();
    let refused = outbound.post(permit, server::outbound::Reach::Internal, url, String::new()).await;
    assert!(matches!(refused, Err(server::outbound::OutboundError::Closed(_))), "{refused:?}");
    server::flows::oauth_logouts::send_due(&provider.portal.state).await.unwrap();
    // The notice was claimed and will be tried again later; there was no connection.
    assert!(provider.portal.store().due_logouts(provider.portal.clock_now(), 9).await.unwrap().is_empty());
    let nobody = futures::FutureExt::now_or_never(listener.accept());
    assert!(nobody.is_none());
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
