//! Services, registered by administrators.

use crate::support::{Portal, output_text, postern, receiving_key};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

fn service(name: &str) -> Value {
    json!({"name": name, "key": receiving_key().public()})
}

#[tokio::test]
async fn are_for_administrators() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(alice.get(paths::SERVICES).await.code(), "forbidden");
    assert_eq!(alice.post(paths::SERVICES, &service("time")).await.code(), "forbidden");
    let path = format!("{}/time", paths::SERVICES);
    assert_eq!(alice.send(Method::DELETE, &path, None, &[]).await.code(), "forbidden");
    assert!(portal.store().services().await.unwrap().is_empty());
}

#[tokio::test]
async fn are_added_changed_and_removed() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    // Events of one millisecond have no order.
    portal.advance(1_000).await;
    let request = service("time");
    let made = root.post(paths::SERVICES, &request).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!((&made.json()["key"], &made.json()["role"]), (&request["key"], &Value::Null));
    portal.advance(1_000).await;
    let mut other = service("time");
    other["role"] = "administrator".into();
    let changed = root.post(paths::SERVICES, &other).await.json();
    assert_eq!((&changed["key"], &changed["role"]), (&other["key"], &json!("administrator")));
    assert_eq!(changed["changed_at"].as_i64().unwrap() - changed["created_at"].as_i64().unwrap(), 1_000);
    assert_eq!(root.get(paths::SERVICES).await.json()["services"], json!([changed]));
    portal.advance(1_000).await;
    let path = format!("{}/time", paths::SERVICES);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.code(), "no_service");
    let audit = root.get(&format!("{}?user=root", paths::AUDIT)).await.json();
    let entries = audit["entries"].as_array().unwrap();
    let done: Vec<_> =
        entries.iter().map(|entry| (entry["event"].as_str().unwrap(), &entry["about"])).take(3).collect();
    let time = json!("time");
    assert_eq!(done, [("service_removed", &time), ("service_set", &time), ("service_set", &time)]);
}

#[tokio::test]
async fn invalid_input_is_refused_with_a_sentence() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let with = |member: &str, value: Value| {
        let mut request = service("time");
        request[member] = value;
        request
    };
    let private: Value = serde_json::from_str(&receiving_key().to_jwk()).unwrap();
    for (request, part) in [
        (with("name", json!("Time")), "lower-case"),
        (with("name", json!("")), "lower-case"),
        (with("key", private.clone()), "private key"),
        (with("key", json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})), "P-256"),
        (with("key", json!({"kty": "OKP", "crv": "X25519", "x": "AA"})), "P-256"),
        (with("key", json!("text")), "P-256"),
        (with("role", json!("root")), "role"),
    ] {
        let answer = root.post(paths::SERVICES, &request).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad_request"), "{request}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(part), "{}", answer.text);
        assert!(!answer.text.contains(private["d"].as_str().unwrap()));
    }
    for request in [json!([]), json!({"name": "time"}), with("more", json!(1))] {
        assert_eq!(root.post(paths::SERVICES, &request).await.code(), "bad_request", "{request}");
    }
    assert!(portal.store().services().await.unwrap().is_empty());
}

#[test]
fn are_registered_by_command_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = postern(folder.path(), &[["service"].as_slice(), arguments].concat(), "");
        (output.status.code().unwrap(), output_text(&output))
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let key = receiving_key();
    write("time.jwk", &serde_json::to_string(&key.public()).unwrap());
    write("private.jwk", &key.to_jwk());
    write("no.jwk", "not JSON");
    let kid = jwe::thumbprint(&key.public()).to_string();
    let (code, text) = run(&["add", "time", "--key", "time.jwk", "--role", "administrator"]);
    assert!(code == 0 && text.contains(&kid), "{text}");
    assert_eq!(run(&["list"]).1.split('\t').take(3).collect::<Vec<_>>(), ["time", &kid, "administrator"]);
    let (_, list) = run(&["list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&list).unwrap()[0]["kid"], json!(kid));
    for (file, part) in [("private.jwk", "private key"), ("no.jwk", "not JSON"), ("missing.jwk", "missing.jwk")] {
        let (code, text) = run(&["add", "other", "--key", file]);
        assert!(code == 1 && text.contains(part), "{text}");
        assert!(!text.contains(&key.to_jwk()[10..20]), "{text}");
    }
    // The same by the command for keys of every kind.
    let keys = |arguments: &[&str]| {
        let output = postern(folder.path(), &[["key"].as_slice(), arguments].concat(), "");
        (output.status.code().unwrap(), output_text(&output))
    };
    let other = receiving_key();
    write("other.jwk", &serde_json::to_string(&other.public()).unwrap());
    assert_eq!(keys(&["rotate", "--kind", "service", "time"]).0, 2, "which key?");
    let (code, text) = keys(&["rotate", "--kind", "service", "time", "--key", "other.jwk"]);
    assert!(code == 0 && text.contains(&jwe::thumbprint(&other.public()).to_string()), "{text}");
    assert_eq!(keys(&["rotate", "--kind", "service", "none", "--key", "other.jwk"]).0, 3);
    assert!(keys(&["list", "--kind", "service"]).1.contains("\tservice time\tECDH-ES+A256KW\tin use\t"));
    let (_, list) = keys(&["list", "--kind", "service", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&list).unwrap()[0]["role"], "administrator", "as before");
    assert_eq!(keys(&["revoke", "--kind", "service", "none"]).0, 3);
    assert_eq!(run(&["remove", "time"]).0, 0);
    assert_eq!(run(&["remove", "time"]).0, 3);
    assert_eq!(run(&["list"]).1, "");
}
