//! `POST /api/signup`

use crate::support::{Answer, PASSWORD, Portal, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::envelope::EnvelopeKind;
use wire::paths;

pub(crate) async fn sign_up(visitor: &Visitor, content: &Value) -> Answer {
    let challenge = visitor.challenge().await;
    let (body, headers) = visitor.seal(&challenge, EnvelopeKind::Signup, content);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visitor.send(Method::POST, paths::SIGNUP, Some(body), &headers).await
}

pub(crate) fn code(portal: &Portal) -> String {
    let link = server::setup::link(&portal.state.config, &portal.state.keyring, portal.state.now());
    link.unwrap().split_once("#code=").unwrap().1.to_owned()
}

#[tokio::test]
async fn the_set_up_code_makes_one_administrator() {
    let portal = Portal::start().await;
    let code = code(&portal);
    let first = portal.browser("203.0.113.7");
    let answer = sign_up(&first, &json!({"username": "Alice", "password": PASSWORD, "code": code})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(first.get(paths::SESSION).await.json()["roles"], json!(["administrator"]));
    let second =
        sign_up(&portal.browser("203.0.113.8"), &json!({"username": "Bob", "password": PASSWORD, "code": code})).await;
    assert_eq!(second.code(), "signup_closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_race_for_the_first_account_one_gets_it() {
    let portal = Portal::start().await;
    let code = code(&portal);
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let visitor = portal.browser(&format!("203.0.113.{number}"));
            let content = json!({"username": format!("user{number}"), "password": PASSWORD, "code": code});
            tokio::spawn(async move { sign_up(&visitor, &content).await.status })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        made += usize::from(task.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(made, 1);
    assert_eq!(portal.store().user_count().await.unwrap(), 1);
}

#[tokio::test]
async fn codes_of_other_days_and_invented_ones_are_worthless() {
    let portal = Portal::start().await;
    let code = code(&portal);
    let visitor = portal.browser("203.0.113.7");
    for wrong in [json!(null), json!(""), json!("AAAA"), json!(format!("{code}A"))] {
        let answer = sign_up(&visitor, &json!({"username": "alice", "password": PASSWORD, "code": wrong})).await;
        assert_eq!(answer.code(), "signup_closed", "{wrong}");
    }
    portal.advance(2 * 24 * 60 * 60_000).await;
    let late = sign_up(&visitor, &json!({"username": "alice", "password": PASSWORD, "code": code})).await;
    assert_eq!(late.code(), "signup_closed");
}

#[tokio::test]
async fn names_and_passwords_have_rules() {
    let portal = Portal::with("signup.mode = 'open'").await;
    portal.add_user("alice").await;
    let cases = [
        ("bob", "too short", "password_too_short"),
        ("bob", "aaaaaaaaaaaaaaaaaaaaaaaa", "password_common"),
        ("bob", "passwordpassword", "password_common"),
        ("margarethe-k", "margarethe-kmargarethe-k", "password_common"),
        ("", PASSWORD, "name_invalid"),
        ("bob<script>", PASSWORD, "name_invalid"),
        ("ALICE", PASSWORD, "name_taken"),
        ("bob", PASSWORD, ""),
    ];
    for (name, password, code) in cases {
        let answer = sign_up(&portal.browser("203.0.113.7"), &json!({"username": name, "password": password})).await;
        assert_eq!(answer.code(), code, "{name} {password}: {}", answer.text);
    }
    let long =
        sign_up(&portal.browser("203.0.113.7"), &json!({"username": "carol", "password": "é".repeat(513)})).await;
    assert_eq!(long.code(), "password_too_long");
}

/// ASVS 6.2.1
#[tokio::test]
async fn a_password_has_15_characters_or_as_few_as_8_where_the_operator_says_so() {
    for (settings, enough) in [("", "kelunu pidira v"), ("password.min = 8", "7tK?x9qZ")] {
        let portal = Portal::with(&format!("signup.mode = 'open'\n{settings}")).await;
        portal.add_user("alice").await;
        let answer = async |name: &str, password: &str| {
            sign_up(&portal.browser("203.0.113.7"), &json!({"username": name, "password": password})).await.code()
        };
        assert_eq!(answer("bob", &enough[..enough.len() - 1]).await, "password_too_short", "{enough}");
        assert_eq!(answer("bob", enough).await, "", "{enough}");
    }
    let seven = toml::from_str("data_dir = '/nowhere'\npassword.min = 7").unwrap();
    let error = server::config::Config::new(seven).unwrap_err().to_string();
    assert!(error.contains("between 8 and 128"), "{error}");
}

/// ASVS 6.1.2 and 6.2.11
#[tokio::test]
async fn a_password_of_the_sites_own_words_is_refused() {
    let password = "verosakelunuverosakelunu";
    for (site, code) in [("Portal", ""), ("Verosakelunu", "password_common")] {
        let portal = Portal::with(&format!("signup.mode = 'open'\nsite.name = '{site}'")).await;
        portal.add_user("alice").await;
        let answer = sign_up(&portal.browser("203.0.113.7"), &json!({"username": "bob", "password": password})).await;
        assert_eq!(answer.code(), code, "{site}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_closed_door_stays_closed() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let answer = sign_up(&portal.browser("203.0.113.7"), &json!({"username": "bob", "password": PASSWORD})).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "signup_closed"));
}

#[tokio::test]
async fn a_name_is_found_in_every_encoding_and_a_look_alike_is_refused() {
    let portal = Portal::with("[signup]\nmode = 'open'").await;
    let mut number = 0;
    let mut visitor = || {
        number += 1;
        portal.browser(&format!("198.51.100.{number}"))
    };
    portal.add_user("root").await;
    let join = |name: &str| json!({"username": name, "password": PASSWORD});
    for (name, code) in [
        ("\u{ff52}\u{ff4f}\u{ff4f}\u{ff54}", "name_taken"),
        ("ROOT", "name_taken"),
        ("r\u{43e}\u{43e}t", "name_mixed_scripts"),
        ("r o o t", "name_invalid"),
        ("ali\u{307}ce", "name_invalid"),
        ("ro\u{338}ot", "name_invalid"),
    ] {
        assert_eq!(sign_up(&visitor(), &join(name)).await.code(), code, "{name}");
    }
    let reserved = sign_up(&visitor(), &join("Supp0rt")).await;
    assert_eq!((reserved.status, reserved.code().as_str()), (StatusCode::CONFLICT, "name_taken"), "{}", reserved.text);
    assert!(reserved.text.contains("reserved"), "{}", reserved.text);
    portal.add_user("paypa").await;
    let cyrillic = sign_up(&visitor(), &join("\u{440}\u{430}\u{443}\u{440}\u{430}")).await;
    assert_eq!((cyrillic.status, cyrillic.code().as_str()), (StatusCode::CONFLICT, "name_confusable"));
    assert!(cyrillic.text.contains("Choose another one."), "{}", cyrillic.text);

    for (name, typed) in [
        ("zo\u{eb}", "ZOE\u{308}"),
        ("\u{926}\u{947}\u{935}", "\u{926}\u{947}\u{935}"),
        ("\u{e2a}\u{e21}\u{e0a}\u{e32}\u{e22}", "\u{e2a}\u{e21}\u{e0a}\u{e32}\u{e22}"),
        ("Nguye\u{302}\u{303}n", "nguy\u{1ec5}n"),
        ("carol", "\u{ff23}arol"),
    ] {
        let made = sign_up(&visitor(), &join(name)).await;
        assert_eq!(made.status, StatusCode::OK, "{name}: {}", made.text);
        assert_eq!(visitor().login(typed, PASSWORD).await.status, StatusCode::OK, "{typed}");
    }
}
