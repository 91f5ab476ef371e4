//! `POST /api/signup`

use crate::support::{Answer, PASSWORD, Portal, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::envelope::Kind;
use wire::paths;

async fn sign_up(visitor: &Visitor, content: &Value) -> Answer {
    let challenge = visitor.challenge().await;
    let (body, headers) = visitor.seal(&challenge, Kind::Signup, content);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visitor.send(Method::POST, paths::SIGNUP, Some(body), &headers).await
}

fn code(portal: &Portal) -> String {
    let link = server::setup::link(&portal.state.config, &portal.state.keyring, portal.state.now());
    link.split_once("#code=").unwrap().1.to_owned()
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

#[tokio::test]
async fn a_closed_door_stays_closed() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let answer = sign_up(&portal.browser("203.0.113.7"), &json!({"username": "bob", "password": PASSWORD})).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "signup_closed"));
}
