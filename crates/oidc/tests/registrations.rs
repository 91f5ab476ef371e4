//! Registrations of clients: by themselves, by their documents, and by administrators.
#![expect(clippy::expect_used, reason = "a test that fails says so")]

use domain::UnixMs;
use domain::encoding::base64url;
use oidc::client::{Pkce, SubjectType, secret_hash};
use oidc::document::{self, is_document_id};
use oidc::preset::Preset;
use oidc::registration::{self, AuthMethod, blank, changed};
use oidc::{Client, ClientSettings, ClientSource};
use serde_json::{Map, Value, json};

const DOCUMENT: &str = "https://agent.example/client.json";

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn settings(value: Value) -> ClientSettings {
    serde_json::from_value(value).expect("settings")
}

#[test]
fn ids_of_documents_are_https_urls_with_a_plain_path() {
    for good in [DOCUMENT, "https://agent.example/", "https://agent.example:8443/a/b.json"] {
        assert!(is_document_id(good), "{good}");
    }
    let long = format!("https://agent.example/{}", "a".repeat(600));
    for bad in [
        "http://agent.example/client.json",
        "https://agent.example",
        "https://agent.example/client.json?v=1",
        "https://agent.example/client.json#x",
        "https://user@agent.example/client.json",
        "https://agent.example/../client.json",
        "https://agent.example/a/%2E%2e/client.json",
        "https://agent.example/./client.json",
        "https:///client.json",
        "HTTPS://agent.example/client.json",
        "https://agent.example\\@evil.example/client.json",
        "app",
        &long,
    ] {
        assert!(!is_document_id(bad), "{bad}");
    }
}

#[test]
fn a_document_describes_a_client_without_a_secret() {
    let document = json!({
        "client_id": DOCUMENT, "client_name": "Agent", "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none", "scope": "openid profile unknown", "logo_uri": "https://x.example/",
        "client_uri": "https://agent.example",
    });
    let read = |document: &Value| document::read(DOCUMENT, document.to_string().as_bytes());
    let settings = read(&document).expect("accepted");
    assert_eq!(settings.scopes, ["openid", "profile"]);
    assert_eq!(settings.url, None, "a stranger puts no tile on anybody's page");
    let client = Client::new(settings, &[], ClientSource::Document).expect("a client");
    assert!(client.is_public() && client.asks_consent() && client.redirects_to("http://127.0.0.1:9000/callback"));

    for (member, value) in [
        ("grant_types", json!(["authorization_code", "client_credentials"])),
        ("response_types", json!(["code", "none"])),
        ("scope", json!("mcp:tools")),
    ] {
        let mut more = document.clone();
        more[member] = value;
        let scopes = if member == "scope" { vec!["openid"] } else { vec!["openid", "profile"] };
        assert_eq!(read(&more).expect(member).scopes, scopes, "a document is for other servers too");
    }
    for (member, value, named) in [
        ("client_id", json!("https://agent.example/other.json"), "client_id"),
        ("client_id", Value::Null, "client_id"),
        ("client_secret", json!("s"), "client_secret"),
        ("token_endpoint_auth_method", json!("client_secret_basic"), "token_endpoint_auth_method"),
        ("token_endpoint_auth_method", json!("private_key_jwt"), "jwks"),
        ("redirect_uris", json!([]), "redirect_uris"),
        ("redirect_uris", json!("https://agent.example/"), "redirect_uris"),
        ("redirect_uris", json!([1]), "redirect_uris"),
        ("grant_types", json!(["implicit"]), "grant_types"),
        ("response_types", json!(["token"]), "response_types"),
        ("jwks_uri", json!(7), "jwks_uri"),
        ("client_name", json!(7), "client_name"),
    ] {
        let mut wrong = document.clone();
        wrong[member] = value;
        assert_eq!(read(&wrong).expect_err(member).setting, named, "{member}");
    }
    for (body, named) in [("[]".to_owned(), "document"), (format!("\"{}\"", "a".repeat(6000)), "document")] {
        assert_eq!(document::read(DOCUMENT, body.as_bytes()).expect_err("refused").setting, named);
    }
}

#[test]
fn only_documents_have_urls_as_ids() {
    let named = settings(json!({"id": DOCUMENT, "redirect_uris": ["https://agent.example/"]}));
    for source in [ClientSource::Settings, ClientSource::Administrator, ClientSource::Registered] {
        assert_eq!(Client::new(named.clone(), &[], source).expect_err("an id").setting, "id");
    }
    assert!(Client::new(named, &[], ClientSource::Document).is_ok());
}

#[test]
fn a_client_registers_with_the_defaults_of_rfc_7591() {
    let asked = object(&json!({"redirect_uris": ["https://app.example/"], "client_name": "App", "unknown": [1]}));
    let read = registration::read("c1", &asked, AuthMethod::SecretBasic).expect("accepted");
    assert_eq!(read.method, AuthMethod::SecretBasic);
    let client = Client::new(read.settings, &[secret_hash("s")], ClientSource::Registered).expect("a client");
    let described = registration::metadata(&client, UnixMs::from_millis(1_795_000_000_000));
    assert_eq!(described["client_id_issued_at"], 1_795_000_000);
    assert_eq!(described["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(described["redirect_uris"], json!(["https://app.example/"]));
    assert!(!described.contains_key("jwks"));
}

#[test]
fn a_client_does_not_decide_about_its_own_consent() {
    let own = settings(json!({"id": "c1", "redirect_uris": ["https://app.example/"], "consent": false}));
    for (source, asks) in
        [(ClientSource::Settings, false), (ClientSource::Administrator, false), (ClientSource::Registered, true)]
    {
        assert_eq!(Client::new(own.clone(), &[], source).expect("a client").asks_consent(), asks, "{source:?}");
    }
}

#[test]
fn names_have_no_hidden_characters() {
    for (name, good) in
        [("Küche & Co", true), ("a\u{202e}b", false), ("a\u{200b}b", false), ("a\nb", false), (" ", false)]
    {
        let named = settings(json!({"id": "c1", "redirect_uris": ["https://app.example/"], "name": name}));
        assert_eq!(Client::new(named, &[], ClientSource::Settings).is_ok(), good, "{name:?}");
    }
}

#[test]
fn pairwise_clients_have_one_sector() {
    let sector = |uris: &[&str], given: Option<&str>| {
        let named = json!({"id": "c1", "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier": given});
        Client::new(settings(named), &[], ClientSource::Settings).map(|client| client.sector().map(str::to_owned))
    };
    let host = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(sector(&["https://a.example/1", "https://a.example:8443/2"], None), host("a.example"));
    assert_eq!(sector(&["https://a.example/", "https://b.example/"], Some("a.example")), host("a.example"));
    assert!(sector(&["https://a.example/", "https://b.example/"], None).is_err());
    assert!(sector(&["com.example.app:/callback"], None).is_err());
    for bad in ["", "A.example", "a.example/", "a.example:443", "a b"] {
        assert!(sector(&["https://a.example/"], Some(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn attack_a_device_learns_the_name_of_another_sector() {
    let sector = |source, id: &str, more: Value| {
        let mut named =
            object(&json!({"id": id, "redirect_uris": ["https://victim.example/cb"], "subject_type": "pairwise"}));
        named.extend(object(&more));
        Client::new(settings(Value::Object(named)), &[], source).expect("a client").sector().map(str::to_owned)
    };
    for (source, id) in [(ClientSource::Registered, "c1"), (ClientSource::Document, DOCUMENT)] {
        let host = Some("victim.example".to_owned());
        assert_eq!(sector(source, id, json!({})), host, "a code goes to the host, which proves it");
        for more in [
            json!({"device": true}),
            json!({"redirect_uris": ["http://127.0.0.1/cb"]}),
            json!({"redirect_uris": ["http://[::1]/cb"]}),
            json!({"redirect_uris": ["http://localhost/cb"]}),
            json!({"redirect_uris": ["com.example.app:/cb"]}),
        ] {
            assert_eq!(sector(source, id, more.clone()).as_deref(), Some(id), "{more}");
        }
    }
    let host = Some("victim.example".to_owned());
    assert_eq!(
        sector(ClientSource::Administrator, "c1", json!({"device": true})),
        host,
        "administrators know their hosts"
    );
}

#[test]
fn sessions_of_pairwise_clients_have_other_names() {
    let client = |kind: &str| {
        let named = json!({"id": "c1", "redirect_uris": ["https://a.example/"], "subject_type": kind});
        Client::new(settings(named), &[], ClientSource::Settings).expect("a client")
    };
    assert_eq!(client("public").session_id("s1", "u1"), "s1");
    let pairwise = client("pairwise");
    let own = pairwise.session_id("s1", "u1");
    assert_eq!(own, pairwise.session_id("s1", "u1"));
    for other in [pairwise.session_id("s1", "u2"), pairwise.session_id("s2", "u1"), "s1".into()] {
        assert_ne!(own, other);
    }
}

#[test]
fn keys_are_an_object_with_a_public_key_that_can_be_used() {
    let x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    let key = json!({"kty": "EC", "crv": "P-256", "x": x, "y": x, "use": "sig"});
    let client = |jwks: Value| {
        let named = json!({"id": "c1", "redirect_uris": ["https://a.example/"], "jwks": jwks});
        Client::new(settings(named), &[], ClientSource::Administrator)
    };
    let with = |name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    assert!(client(json!({"keys": [key]})).is_ok());
    assert!(client(json!({"keys": [{"kty": "oct-of-later"}, key]})).is_ok(), "one of them can be used");
    for bad in [
        json!("x"),
        json!([]),
        json!({}),
        json!({"keys": []}),
        json!({"keys": "x"}),
        json!({"keys": ["x"]}),
        json!({"keys": [with("use", json!("enc"))]}),
        json!({"keys": [with("x", json!("AQAB"))]}),
        json!({"keys": [with("key_ops", json!(["encrypt"]))]}),
        json!({"keys": [with("alg", json!("ES384"))]}),
        json!({"keys": [with("crv", json!("P-384"))]}),
        json!({"keys": [key, with("d", json!(x))]}),
        json!({"keys": [key, {"kty": "oct", "k": x}]}),
        json!({"keys": vec![key.clone(); 17]}),
    ] {
        assert_eq!(client(bad.clone()).expect_err("refused").setting, "jwks", "{bad}");
    }
    // A short modulus with zeros before it, a short one, an even exponent and the exponent 1.
    let rsa = |n: &[u8], e: &[u8]| json!({"keys": [{"kty": "RSA", "n": base64url(n), "e": base64url(e)}]});
    let (long, short) = ([&[0x80; 255][..], &[1]].concat(), [&[0; 128][..], &[0x81; 128]].concat());
    assert!(client(rsa(&long, &[1, 0, 1])).is_ok());
    let low = [&[0x7f][..], &long[1..]].concat();
    for (n, e) in [(&short, &[1, 0, 1][..]), (&low, &[1, 0, 1]), (&long, &[2]), (&long, &[1]), (&long, &[0, 1, 0, 1])] {
        assert_eq!(client(rsa(n, e)).expect_err("refused").setting, "jwks", "{n:?} {e:?}");
    }
    // A command and a plain form send text.
    let typed = |text: &str| {
        let own = settings(json!({"id": "c1", "redirect_uris": ["https://a.example/"]}));
        let changed = changed(&own, &object(&json!({ "jwks": text }))).expect("typed");
        Client::new(changed, &[], ClientSource::Administrator).map(|client| client.is_public())
    };
    assert_eq!(typed(&json!({"keys": [key]}).to_string()), Ok(false));
    assert_eq!(typed(""), Ok(true));
    assert_eq!(typed("{").expect_err("no JSON").setting, "jwks");
}

#[test]
fn changes_have_the_types_of_plain_forms_and_of_programs() {
    let before = settings(json!({"id": "c1", "redirect_uris": ["https://a.example/"], "name": "A"}));
    let change = |value: Value| changed(&before, &object(&value));
    let after = change(json!({
        "redirect_uris": "https://b.example/\r\nhttps://c.example/?a=1,2", "groups": "family, the staff", "consent": "false",
        "name": "", "second_factor": "passkey", "disabled": "true", "access_token_seconds": "60", "subject_type": "pairwise",
        "id_token_seconds": "90", "refresh_token_seconds": "3600",
    }))
    .expect("changed");
    assert_eq!(after.redirect_uris, ["https://b.example/", "https://c.example/?a=1,2"]);
    assert_eq!(after.groups, ["family", "the staff"]);
    assert_eq!((after.consent, after.name.clone(), after.disabled), (Some(false), None, true));
    assert_eq!((after.access_token_seconds, after.subject_type), (Some(60), SubjectType::Pairwise));
    assert_eq!((after.id_token_seconds, after.refresh_token_seconds), (Some(90), Some(3600)));
    let typed =
        change(json!({"redirect_uris": ["https://b.example/"], "consent": true, "name": null})).expect("changed");
    assert_eq!((typed.redirect_uris.len(), typed.consent, typed.name), (1, Some(true), None));
    for (wrong, named) in [
        (json!({"id": "c2"}), "id"),
        (json!({"secret_hash": "x"}), "secret_hash"),
        (json!({"unknown": 1}), "registration"),
        (json!({"dpop": "perhaps"}), "registration"),
        (json!({"second_factor": "sometimes"}), "registration"),
    ] {
        assert_eq!(change(wrong.clone()).expect_err("refused").setting, named, "{wrong}");
    }
}

#[test]
fn presets_derive_their_uris_from_the_address() {
    let table: [(Preset, &[&str], Option<&str>, Pkce); 6] = [
        (
            Preset::Nextcloud,
            &["https://app.example/apps/user_oidc/code"],
            Some("https://app.example/apps/user_oidc/backchannel-logout/postern"),
            Pkce::Required,
        ),
        (Preset::Grafana, &["https://app.example/login/generic_oauth"], None, Pkce::Required),
        (Preset::Forgejo, &["https://app.example/user/oauth2/postern/callback"], None, Pkce::Optional),
        (
            Preset::Immich,
            &["https://app.example/auth/login", "https://app.example/user-settings", "app.immich:///oauth-callback"],
            None,
            Pkce::Required,
        ),
        (
            Preset::Jellyfin,
            &["https://app.example/sso/OID/redirect/postern", "https://app.example/sso/OID/r/postern"],
            None,
            Pkce::Optional,
        ),
        (Preset::Paperless, &["https://app.example/accounts/oidc/postern/login/callback/"], None, Pkce::Required),
    ];
    assert_eq!(table.each_ref().map(|row| row.0), Preset::ALL);
    assert_eq!(Preset::of(&["https://app.example/auth/login".to_owned()]), None, "many apps have this path");
    for (preset, uris, logout, pkce) in table {
        assert_eq!(Preset::parse(preset.as_str()), Some(preset));
        let mut own = blank("app").expect("blank");
        assert_eq!(Preset::of(&own.redirect_uris), None);
        assert_eq!(preset.apply(&mut own).expect_err("without an address").setting, "url");
        own.url = Some("https://app.example/".to_owned());
        preset.apply(&mut own).expect("applied");
        assert_eq!(own.redirect_uris, uris, "{preset:?}");
        assert_eq!((own.backchannel_logout_uri.as_deref(), own.pkce), (logout, pkce), "{preset:?}");
        assert_eq!(own.post_logout_redirect_uris, ["https://app.example/"], "{preset:?}");
        assert_eq!(Preset::of(&own.redirect_uris), Some(preset));
        // A name in the redirect URI is one that the app must be given.
        let says =
            |text: &str| preset.app_settings().iter().any(|(name, value)| name.contains(text) || value.contains(text));
        assert!(!uris[0].contains("postern") || says("postern"), "{preset:?}");
        assert!(says("PKCE"), "{preset:?}");
        Client::new(own, &[secret_hash("s")], ClientSource::Administrator).expect("a client");
    }
}

#[test]
fn keys_are_in_the_registration_or_at_a_url() {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"});
    let uri = "https://app.example/keys.json";
    let read = |more: Value| {
        let mut asked = object(&json!({"redirect_uris": ["https://app.example/"]}));
        asked.extend(object(&more));
        registration::read("c1", &asked, AuthMethod::SecretBasic)
            .and_then(|read| Client::new(read.settings, &[], ClientSource::Registered))
    };
    let keyed = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri});
    let client = read(keyed.clone()).expect("a client");
    assert!(!client.is_public() && !client.uses_secret());
    let described = registration::metadata(&client, UnixMs::EPOCH);
    assert_eq!(
        (&described["jwks_uri"], &described["token_endpoint_auth_method"]),
        (&json!(uri), &json!("private_key_jwt"))
    );
    let moved = read(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/new"}));
    assert!(!client.is_same_app(&moved.expect("a client")), "people agreed to an app with other keys");
    let secret = read(json!({"jwks_uri": uri})).expect("a client without keys");
    assert_eq!(secret.settings.jwks_uri, None, "not read for another method");
    let mut both = keyed.clone();
    both["jwks"] = json!({ "keys": [key] });
    assert_eq!(read(both).expect_err("refused").setting, "jwks_uri");
    for wrong in ["http://app.example/keys", "com.example.app:/keys", "https://app.example/keys#a", "keys.json"] {
        let mut keyed = keyed.clone();
        keyed["jwks_uri"] = wrong.into();
        assert_eq!(read(keyed).expect_err(wrong).setting, "jwks_uri");
    }
}

#[test]
fn lifetimes_have_limits() {
    let client = |name: &str, seconds: i64| {
        let named = json!({"id": "c1", "redirect_uris": ["https://a.example/"], name: seconds});
        Client::new(settings(named), &[], ClientSource::Settings)
    };
    for (name, least, most) in
        [("access_token_seconds", 30, 3_600), ("id_token_seconds", 30, 600), ("refresh_token_seconds", 60, 31_536_000)]
    {
        for fits in [least, most] {
            client(name, fits).expect(name);
        }
        for wrong in [least - 1, most + 1, -1, i64::MAX] {
            let refused = client(name, wrong).expect_err(name);
            assert_eq!((refused.setting, refused.problem), (name, format!("{least} to {most}")));
        }
    }
    assert_eq!(client("id_token_seconds", 90).expect("a client").id_token_seconds(), 90);
    let short = client("refresh_token_seconds", 60).expect("a client");
    assert_eq!((short.refresh_ms(90_000), short.refresh_ms(30_000)), (60_000, 30_000), "never longer than the session");
    assert_eq!(client("id_token_seconds", 90).expect("a client").refresh_ms(90_000), 90_000);
}
