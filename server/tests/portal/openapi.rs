//! The `OpenAPI` document and the router agree.

use crate::support::Portal;
use http::{Method, StatusCode};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use wire::paths;
use wire::problem::Code;

type Operations = BTreeMap<String, BTreeSet<String>>;

fn document() -> Value {
    serde_json::from_str(server::openapi::document().unwrap()).unwrap()
}

/// Returns paths and methods of the document.
fn described(document: &Value) -> Operations {
    let methods = |item: &Value| item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
    document["paths"].as_object().unwrap().iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

/// Returns the router's paths that are no pages.
fn routed(portal: &Portal) -> BTreeSet<String> {
    let pages = leptos_axum::generate_route_list(app::App);
    let pages: BTreeSet<_> = pages.iter().map(|page| page.path().to_owned()).chain(["/".to_owned()]).collect();
    // The router has no other way to list its paths.
    let shown = format!("{:?}", server::router::routes(&portal.state));
    let paths = shown.split('"').filter(|text| text.starts_with('/') && !text.contains("__private"));
    // A slash at the end of a page's path leads to the page.
    let is_page = |path: &str| pages.contains(path) || pages.contains(path.trim_end_matches('/'));
    paths.filter(|path| !is_page(path) && *path != "/device/").map(str::to_owned).collect()
}

#[tokio::test]
async fn every_path_of_the_router_is_described_and_the_other_way_round() {
    let portal = Portal::start().await;
    let routed = routed(&portal);
    assert!(routed.contains(paths::LOGIN) && !routed.contains(paths::LOGIN_PAGE), "{routed:?}");
    let described: BTreeSet<_> = described(&document()).into_keys().collect();
    assert_eq!(described, routed);
}

#[tokio::test]
async fn every_path_takes_the_methods_that_are_described() {
    let portal = Portal::start().await;
    for (number, (path, described)) in described(&document()).into_iter().enumerate() {
        let mut taken = BTreeSet::new();
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            // Each path is requested from another address: together they would be a flood.
            let program = portal.program(&format!("203.0.113.{number}"));
            let asked = path.replace("{version}", "1").replace(['{', '}'], "");
            let body = (method != Method::GET).then(|| "{}".to_owned());
            let answer = program.send(method.clone(), &asked, body, &[]).await;
            if answer.status != StatusCode::METHOD_NOT_ALLOWED {
                taken.insert(method.to_string());
            }
        }
        assert_eq!(taken, described, "{path}");
    }
}

#[test]
fn nothing_is_referred_to_that_is_not_there() {
    let document = document();
    let mut all = vec![&document];
    while let Some(value) = all.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                }
                all.extend(members.values());
            }
            Value::Array(items) => all.extend(items),
            _ => {}
        }
    }
}

#[test]
fn codes_and_names_of_operations_are_good() {
    let document = document();
    for code in document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap() {
        assert_ne!(serde_json::from_value::<Code>(code.clone()).unwrap(), Code::Unknown, "{code}");
    }
    let mut names = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} is there twice");
        }
    }
    for name in ["login", "signup", "authenticate", "refresh", "logout", "getUserKey"] {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn every_event_of_the_audit_log_is_named() {
    let document = document();
    let named = document["components"]["schemas"]["AuditEvent"]["enum"].as_array().unwrap();
    let named: Vec<_> = named.iter().map(|name| name.as_str().unwrap()).collect();
    let there = store::audit::AuditEvent::ALL.iter().map(|event| event.as_str());
    assert_eq!(named, [""].into_iter().chain(there).collect::<Vec<_>>(), "any, and each");
}

#[tokio::test]
async fn anyone_reads_it_from_anywhere() {
    let portal = Portal::start().await;
    let answer = portal.program("203.0.113.7").get(paths::OPENAPI).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let metadata = portal.program("203.0.113.7").get(paths::METADATA).await.json();
    assert_eq!(metadata["openapi_uri"], format!("{}{}", crate::support::ORIGIN, paths::OPENAPI));
    assert_eq!(answer.json()["openapi"], "3.1.1");
}
