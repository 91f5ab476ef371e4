//! The content of the log, and secrets that are never in it.

use crate::support::{PASSWORD, Program, Visitor, output_text, postern, receiving_key};
use domain::encoding::{base64url, from_base64url};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::key_encryption::Cipher;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::path::Path;
use std::process::Output;
use wire::envelope::EnvelopeKind;
use wire::paths;

/// Marked values of everything that a client sends.
const NAME: &str = "canary-name";
const SET: &str = "canary of a password that is right";
const WRONG: &str = "canary of a password that is wrong";
const HEADERS: [(&str, &str); 7] = [
    ("user-agent", "Mozilla/5.0 canary-agent"),
    ("referer", "http://localhost:3000/canary-referer"),
    ("x-forwarded-for", "198.51.100.99, canary-forwarded"),
    ("x-request-id", "canary-request-id"),
    ("authorization", "Bearer canary-bearer"),
    (
        "cookie",
        "canary-cookie=canary-value; __Host-postern-access=canary-access; __Host-postern-refresh=canary-refresh",
    ),
    ("dpop", "canary-proof"),
];

async fn sign_up(visitor: &Visitor, name: &str, password: &str) -> String {
    let challenge = visitor.challenge().await;
    let content = json!({"username": name, "password": password, "code": "canary-code"});
    let (body, headers) = visitor.seal(&challenge, EnvelopeKind::Signup, &content);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visitor.send(Method::POST, paths::SIGNUP, Some(body.clone()), &headers).await;
    body
}

/// Makes a signed-in person's requests for keys and tickets; returns everything in the answers that is or opens a
/// secret.
async fn keys_and_tickets(visitor: &Visitor, service: &jwe::PrivateKey) -> Vec<String> {
    let answer = visitor.prove_and_post(paths::USER_KEYS, &json!({})).await;
    let sealed = answer.json()["key"].as_str().unwrap().to_owned();
    let parsed = jwe::parse::<wire::user_keys::UserKeyHeader>(&sealed).unwrap();
    let content = parsed.open(&visitor.receiving.agree(parsed.epk()).unwrap()).unwrap();
    let content: wire::user_keys::UserKeyJwk = serde_json::from_slice(&content).unwrap();
    assert_eq!(visitor.prove_and_post(paths::ROTATE_USER_KEY, &json!({})).await.status, StatusCode::CREATED);
    let ticket = visitor.prove_and_post(paths::TICKETS, &json!({"service": "time", "version": 1})).await;
    let ticket = ticket.json()["ticket"].as_str().unwrap().to_owned();
    let parsed = jwe::parse::<wire::tickets::TicketHeader>(&ticket).unwrap();
    let signed = parsed.open(&service.agree(parsed.epk()).unwrap()).unwrap();
    for path in [paths::USER_KEYS, paths::ROTATE_USER_KEY, paths::TICKETS] {
        let wrong = [("dpop", "canary-proof")];
        visitor.send(Method::POST, path, Some(r#"{"canary":"canary-body"}"#.to_owned()), &wrong).await;
    }
    vec![content.k.clone(), sealed, ticket, String::from_utf8(signed.to_vec()).unwrap()]
}

fn add(folder: &std::path::Path, name: &str, password: &str) -> Output {
    postern(folder, &["user", "add", name], &format!("{password}\n"))
}

#[tokio::test]
async fn no_canary_gets_into_the_log_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    assert!(add(folder.path(), NAME, SET).status.success());
    let service = receiving_key();
    std::fs::write(folder.path().join("time.jwk"), serde_json::to_string(&service.public()).unwrap()).unwrap();
    assert!(postern(folder.path(), &["service", "add", "time", "--key", "time.jwk"], "").status.success());
    let settings = ["log.level=trace", "log.format=json", "signup.mode=open", "ban.limits.sign_in_per_minute=6000"];
    let program = Program::start(folder.path(), &settings);
    let mut secrets: Vec<String> = vec![NAME.into(), SET.into(), WRONG.into(), "canary".into()];
    let mut keep = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        for part in ["short_key", "encrypted_username_password"] {
            secrets.push(body[part].as_str().unwrap().to_owned());
        }
    };

    let visitor = program.browser();
    let sealed = visitor.sealed(NAME, SET).await;
    keep(&sealed.0);
    assert_eq!(visitor.send_login(&sealed).await.status, StatusCode::OK);
    assert_eq!(visitor.get("/dashboard?next=canary-query&canary=1").await.status, StatusCode::OK);
    let mut cookies = vec![visitor.cookie("access"), visitor.cookie("refresh")];
    assert_eq!(visitor.refresh().await.status, StatusCode::OK);
    cookies.extend([visitor.cookie("access"), visitor.cookie("refresh"), visitor.cookie("device")]);

    let mut keys = keys_and_tickets(&visitor, &service).await;
    keys.push(std::fs::read_to_string(folder.path().join("data/key-encryption.key")).unwrap().trim().to_owned());

    let stranger = program.browser();
    keep(&sign_up(&stranger, "canary-new", "canary of a password that is new").await);
    keep(&sign_up(&stranger, "canary/invalid name", "canary of a password that is new").await);
    let new = json!({"old": SET, "new": "canary of a password that is newer"});
    assert!(visitor.post_sealed(EnvelopeKind::Password, &new).await.status.is_success());
    cookies.extend([visitor.cookie("access"), visitor.cookie("refresh")]);
    let reset = json!({"code": "canary-reset-code", "password": "canary of a password that is new"});
    assert!(stranger.post_sealed(EnvelopeKind::Reset, &reset).await.status.is_client_error());
    let guess = program.browser().sealed(NAME, WRONG).await;
    keep(&guess.0);
    assert_eq!(program.browser().send_login(&guess).await.status, StatusCode::BAD_REQUEST, "another browser's");
    let guesser = program.browser();
    assert_eq!(guesser.login(NAME, WRONG).await.code(), "wrong_credentials");
    for (method, path, body) in [
        (Method::GET, "/login?next=canary-next&why=canary-why", None),
        (Method::GET, "/api/session?canary-query", None),
        (Method::POST, paths::REFRESH, Some(r#"{"refresh_token":"canary-body"}"#)),
        (Method::POST, paths::LOGIN, Some(r#"{"short_key":"canary-key","encrypted_username_password":"canary"}"#)),
        (Method::POST, paths::LOGOUT, Some("{}")),
        (Method::GET, "/.well-known/jwks.json?canary", None),
    ] {
        program.browser().send(method, path, body.map(str::to_owned), &HEADERS).await;
    }
    let log = program.end();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().any(|line| line["fields"]["message"] == "banned"), "{log}");
    assert!(lines.iter().filter(|line| line["level"] == "DEBUG").count() > 15, "every request has a line: {log}");
    secrets.extend(cookies.into_iter().chain(keys));
    for secret in secrets {
        assert!(secret.len() > 5, "an empty secret finds nothing");
        assert!(!log.contains(&secret), "{secret} in\n{log}");
    }
}

#[tokio::test]
async fn a_line_and_an_answer_have_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    assert!(add(folder.path(), "ada", PASSWORD).status.success());
    let program = Program::start(folder.path(), &["log.level=server=debug", "log.format=json"]);
    let ada = program.browser();
    let sealed = ada.sealed("ada", WRONG).await;
    let answer = ada.send_login(&sealed).await;
    assert_eq!(answer.code(), "wrong_credentials");
    let other = ada.send(Method::GET, "/robots.txt", None, &[("x-request-id", "0123456789abcdef")]).await;
    assert_ne!(other.header("x-request-id"), "0123456789abcdef", "ours, not theirs");
    let log = program.end();
    let named = |id: &str| -> Vec<Value> {
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["span"]["id"] == id).map(|line| line["fields"].clone()).collect()
    };
    let login = named(answer.header("x-request-id"));
    assert_eq!(login.len(), 2, "{log}");
    assert_eq!(
        (login[0]["message"].as_str(), login[0]["trigger"].as_str()),
        (Some("banned"), Some("invalid_credentials"))
    );
    assert_eq!((login[1]["path"].as_str(), login[1]["status"].as_u64()), (Some(paths::LOGIN), Some(401)));
    assert_eq!(named(other.header("x-request-id")).len(), 1);
}

#[tokio::test]
async fn the_log_says_why_a_client_was_not_authenticated_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let hash = oidc::client::secret_hash("canary of the right secret");
    let settings = format!(
        "[[clients]]\nid = 'app'\nsecret_hash = '{hash}'\nredirect_uris = ['https://app.example/']\n\
         [[clients]]\nid = 'spa'\nredirect_uris = ['https://spa.example/']\n\
         [[clients]]\nid = 'keyed'\njwks_uri = 'https://keyed.example/keys'\nredirect_uris = ['https://keyed.example/']\n"
    );
    std::fs::write(folder.path().join("postern.toml"), settings).unwrap();
    let program = Program::start(folder.path(), &["log.level=info", "log.format=json"]);
    let wrong = "canary of a wrong secret";
    let requests = [
        (vec![("client_id", "canary-id"), ("client_secret", wrong)], None, "no client has this id, or it is disabled"),
        (vec![("client_id", "app"), ("client_secret", wrong)], Some("app"), "the secret is wrong"),
        (vec![("client_id", "app")], Some("app"), "the request has no secret, and the client has one"),
        (
            vec![("client_id", "spa"), ("client_secret", wrong)],
            Some("spa"),
            "the request has a secret, and the client has none: it is public",
        ),
        (
            vec![("client_id", "keyed"), ("client_secret", wrong)],
            Some("keyed"),
            "the client has keys, so it must send a client_assertion",
        ),
    ];
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    for (pairs, ..) in &requests {
        let body = oidc::params::with_query("", pairs).trim_start_matches('?').to_owned();
        let answer = program.browser().send_each(Method::POST, paths::OAUTH_TOKEN, Some(body), &kind).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
    }
    let log = program.end();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["fields"].clone());
    let refused: Vec<_> = lines.filter(|line| line["message"] == "client authentication failed").collect();
    let logged: Vec<_> = refused.iter().map(|line| (line["client"].as_str(), line["reason"].as_str())).collect();
    let expected: Vec<_> = requests.iter().map(|(_, client, reason)| (*client, Some(*reason))).collect();
    assert_eq!(logged, expected, "{log}");
    assert!(!log.contains("canary"), "{log}");
}

/// Returns every form in which bytes may be written to a log.
fn spelled(secret: &[u8]) -> Vec<String> {
    let hex = secret.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let text = base64url(secret);
    vec![hex, text.replace('-', "+").replace('_', "/"), text, format!("{secret:?}").trim_matches(['[', ']']).to_owned()]
}

/// Returns the private parts of every key in the folder's database, and the key-encryption keys.
async fn private_keys(folder: &Path) -> Vec<String> {
    let file = folder.join("data/key-encryption.key");
    let mut secrets: Vec<String> = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    let options = SqliteConnectOptions::new().filename(folder.join("data/postern.db"));
    let mut database = options.connect().await.unwrap();
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT kind, kid, sealed FROM keys WHERE sealed <> ''").fetch_all(&mut database).await.unwrap();
    let ciphers: Vec<_> = secrets.iter().map(|key| Cipher::parse(key).unwrap()).collect();
    for key in secrets.clone() {
        secrets.extend(spelled(&from_base64url(&key).unwrap()));
    }
    for (kind, kid, sealed) in rows {
        let content = sealed.split_once('.').unwrap().1;
        let opened =
            ciphers.iter().find_map(|cipher| cipher.open(&format!("keys/{kind}/{kid}"), content).ok()).unwrap();
        // At a multiple of three bytes, so that the base64 of the whole value contains it, too.
        let private = match kind.as_str() {
            "envelope" => &opened[900..930],
            "signing" => &opened[36..66],
            _ => &opened[..30],
        };
        secrets.extend(spelled(private));
        secrets.push(sealed);
    }
    secrets
}

#[tokio::test]
async fn no_private_key_gets_into_a_log_an_error_or_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    assert!(add(folder.path(), NAME, SET).status.success());
    let program = Program::start(folder.path(), &["log.level=trace", "log.format=json"]);
    let mut said_so_far = String::new();
    let mut secrets = private_keys(folder.path()).await;
    let mut run = |arguments: &[&str]| {
        let output = output_text(&postern(folder.path(), arguments, ""));
        said_so_far.push_str(&output);
        output
    };
    run(&["key", "rotate", "--kind", "signing", "--json"]);
    run(&["key", "rotate", "--kind", "envelope"]);
    let kid = run(&["key", "list", "--kind", "signing"]).split('\t').next().unwrap().to_owned();
    run(&["key", "revoke", "--kind", "signing", &kid]);
    secrets.extend(private_keys(folder.path()).await);
    run(&["key", "rewrap"]);
    run(&["key", "list", "--json"]);
    run(&["doctor"]);
    secrets.extend(private_keys(folder.path()).await);
    let visitor = program.browser();
    assert_eq!(visitor.login(NAME, SET).await.status, StatusCode::OK);
    for path in [paths::JWKS, paths::METADATA, paths::CHALLENGE, paths::SERVER_KEYS] {
        said_so_far.push_str(&visitor.get(path).await.text);
    }
    // A key that does not open: the error names the row and nothing else.
    let file = folder.path().join("data/key-encryption.key");
    let good = std::fs::read_to_string(&file).unwrap();
    let mut other = good.trim().to_owned();
    other.replace_range(..1, if other.starts_with('A') { "B" } else { "A" });
    for wrong in [other.as_str(), "not a key"] {
        std::fs::write(&file, wrong).unwrap();
        let output = postern(folder.path(), &["setup"], "");
        said_so_far.push_str(&output_text(&output));
        said_so_far.push_str(&output_text(&postern(folder.path(), &["key", "rotate", "--kind", "signing"], "")));
    }
    std::fs::write(&file, good).unwrap();
    said_so_far.push_str(&program.end());
    assert!(secrets.len() > 50, "{} secrets", secrets.len());
    for secret in secrets {
        assert!(secret.len() >= 16, "{secret}");
        assert!(!said_so_far.contains(&secret), "{secret} in\n{said_so_far}");
    }
}

/// fail2ban reads them, so a flood must not hide one.
#[tokio::test]
async fn every_new_ban_has_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &["log.format=json", "trusted_proxies=[\"127.0.0.1\"]"]);
    let forged = json!({"encrypted_username_password": "a.b.c.d.e", "short_key": "A".repeat(204)}).to_string();
    let visitor = program.program();
    let attacks = (0..100).map(|n| {
        let (visitor, forged) = (&visitor, forged.clone());
        async move {
            let from = format!("203.0.113.{n}");
            visitor.send(Method::POST, paths::LOGIN, Some(forged), &[("x-forwarded-for", &from)]).await.code()
        }
    });
    for code in futures::future::join_all(attacks).await {
        assert_eq!(code, "short_key_forged");
    }
    let log = program.end();
    let banned: std::collections::BTreeSet<String> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|line| line["fields"]["message"] == "banned")
        .map(|line| line["fields"]["identity"].to_string())
        .collect();
    assert_eq!(banned.len(), 100, "{log}");
}

/// A log line or a panic may show any value with `Debug`.
#[test]
fn secrets_of_messages_are_in_no_debug_text() {
    fn read<T: serde::de::DeserializeOwned + std::fmt::Debug>(message: Value) -> String {
        format!("{:?}", serde_json::from_value::<T>(message).unwrap())
    }
    let response = json!({"clientDataJSON": "", "authenticatorData": "", "signature": "", "userHandle": null});
    let problem = json!({"status": 401, "code": "second_factor_required", "title": "", "pending": "canary"});
    let ticket = json!({"ticket": "canary", "jti": "", "version": 1, "expires_at": 0, "key_until": 0});
    for text in [
        read::<wire::account::ForgottenPassword>(json!({"account": "canary"})),
        read::<wire::passkeys::AssertionCredential>(json!({"id": "", "response": response, "pending": "canary"})),
        read::<wire::Problem>(problem),
        read::<wire::tickets::IssuedTicket>(ticket),
        read::<wire::time::Hello>(json!({"ticket": "canary", "client_random": "", "proof": "canary"})),
        read::<wire::second_factor::RecoveryCodes>(json!({"recovery_codes": ["canary"]})),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn lines_of_one_kind_are_bounded_and_the_rest_is_counted() {
    const REQUESTS: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let add = ["client", "add", "wiki", "--redirect-uri", "https://wiki.example/a"];
    assert!(postern(folder.path(), &add, "").status.success());
    let limits = ["ban.limits.per_minute=100000", "ban.limits.refused_per_minute=100000"];
    let program = Program::start(folder.path(), &limits);
    let began = std::time::Instant::now();
    let wrong = format!("grant_type=authorization_code&code=x&client_id=wiki&client_secret={}", "a".repeat(43));
    for _ in 0..REQUESTS {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = program.program().send(Method::POST, paths::OAUTH_TOKEN, Some(wrong.clone()), &form).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
    }
    // The count is written within a second.
    let log = folder.path().join("log");
    let counted = || std::fs::read_to_string(&log).unwrap().contains("suppressed lines of one kind");
    while !counted() {
        assert!(began.elapsed().as_secs() < 120, "{}", std::fs::read_to_string(&log).unwrap());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 2;
    let lines = program.end().matches("client authentication failed").count();
    assert!(lines > 0 && lines < REQUESTS && lines <= 20 * seconds, "{lines} lines in {seconds} s");
}

#[tokio::test]
async fn a_proxy_that_names_no_client_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postern.toml"), "trusted_proxies = ['127.0.0.1']\n").unwrap();
    let program = Program::start(folder.path(), &[]);
    for _ in 0..2 {
        let answer = program.program().send(Method::GET, "/login", None, &[("x-forwarded-for", "unknown")]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    }
    let log = program.end();
    assert_eq!(log.matches("this trusted proxy names a client that is no address").count(), 1, "{log}");
}
