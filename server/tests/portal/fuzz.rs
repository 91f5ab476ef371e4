//! Random requests: each gets an answer and never an internal error. `make fuzz` runs many more cases of the same.

use crate::support::{Portal, Visitor};
use domain::account::Role;
use http::Method;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use wire::paths;

/// Runs the cases on one portal, because most of the time would be spent on starting one for each.
fn on_a_portal<S: Strategy>(strategy: &S, test: impl Fn(&Runtime, &Portal, &Visitor, S::Value) -> TestCaseResult) {
    let runtime = Runtime::new().unwrap();
    let (portal, root) = runtime.block_on(async {
        let portal = Portal::with("trusted_proxies = ['203.0.113.1']").await;
        let id = portal.add_user("root").await;
        let entry = portal.entry(store::audit::AuditEvent::MadeAdministrator, &id);
        portal.store().set_role(&id.as_str().into(), Role::Administrator, &entry, portal.state.now()).await.unwrap();
        let root = portal.browser("203.0.113.1").signed_in("root").await;
        (portal, root)
    });
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    runner.run(strategy, |value| test(&runtime, &portal, &root, value)).unwrap();
}

/// Text that may be a header's value: visible characters and others, no line ends.
fn header_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,120}",
        "(__Host-postern-(access|refresh|device|login)=[A-Za-z0-9_.=%\"-]{0,200};? ?){0,4}",
        "((for|by|host|proto)=\"?[0-9a-f:.\\[\\]_]{0,40}\"?[;,] ?){0,6}",
        "([0-9]{1,3}\\.){0,4}[0-9a-f:]{0,30}(, ?[0-9a-f:.]{0,40}){0,6}",
    ]
}

#[test]
fn headers_of_any_shape() {
    const NAMES: [&str; 6] = ["cookie", "x-forwarded-for", "forwarded", "authorization", "dpop", "user-agent"];
    const PATHS: [&str; 5] = [paths::SESSION, paths::CHALLENGE, paths::LOGIN_PAGE, paths::DASHBOARD_PAGE, paths::USERS];
    let case = (0..PATHS.len(), proptest::collection::vec((0..NAMES.len(), header_text()), 1..4));
    on_a_portal(&case, |runtime, portal, _, (path, lines)| {
        let program = portal.program("203.0.113.1");
        let lines: Vec<_> = lines.iter().map(|(name, text)| (NAMES[*name], text.as_str())).collect();
        let answer = runtime.block_on(program.send(Method::GET, PATHS[path], None, &lines));
        prop_assert!(!answer.status.is_server_error(), "{lines:?}: {} {}", answer.status, answer.text);
        // A forwarded address may reach a limit of its own; time passes for all of them.
        portal.clock.advance(100);
        Ok(())
    });
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,40}".prop_map(Value::from),
        "[\\x00-\\x1f'\";<>&]{0,20}".prop_map(Value::from),
        "(user|administrator|root|%|_|\\.\\./|' OR 1=1 --|<script>)".prop_map(Value::from),
    ];
    let keys =
        "(role|disabled|note|hours|username|refresh_token|identity|reason|address|until|network|comment|[a-z]{1,8})";
    leaf.prop_recursive(2, 12, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(keys, inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

#[test]
fn administrators_inputs_of_any_shape() {
    const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PATCH, Method::DELETE];
    let path = prop_oneof![
        Just(paths::USERS.to_owned()),
        Just(paths::INVITATIONS.to_owned()),
        "/api/admin/(users|invitations|bans|allow|audit)/[A-Za-z0-9%._~-]{0,40}(/reset)?",
        "/api/admin/(bans|audit|allow|bans/explain)\\?(address|user|event|since|until|after|limit)=[A-Za-z0-9%.:/-]{0,40}",
    ];
    let body = prop_oneof![any_json().prop_map(|json| json.to_string()), "\\PC{0,80}"];
    let seen = Arc::new(Mutex::new(0_u32));
    let counted = Arc::clone(&seen);
    on_a_portal(&(0..METHODS.len(), path, body), move |runtime, _, root, (method, path, body)| {
        let Ok(path) = path.parse::<http::Uri>() else { return Ok(()) };
        let method = METHODS[method].clone();
        let body = (method != Method::GET).then_some(body);
        let answer = runtime.block_on(root.send(method.clone(), &path.to_string(), body.clone(), &[]));
        prop_assert!(!answer.status.is_server_error(), "{method} {path} {body:?}: {} {}", answer.status, answer.text);
        prop_assert_ne!(answer.code(), "no_session");
        *counted.lock().unwrap() += 1;
        Ok(())
    });
    assert!(*seen.lock().unwrap() > 100);
}
