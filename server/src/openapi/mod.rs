//! The `OpenAPI` document: written by hand, one file for each tag, checked against the router, and by browser tests
//! that send its examples.

use http::Method;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The part around all paths.
const FRAME: &str = include_str!("frame.json");
/// Paths, with the components that they use first.
const PARTS: &[&str] = &[
    include_str!("sign-in.json"),
    include_str!("passkeys.json"),
    include_str!("sessions.json"),
    include_str!("keys.json"),
    include_str!("second-factors.json"),
    include_str!("apps.json"),
    include_str!("metadata.json"),
    include_str!("oauth.json"),
    include_str!("clients.json"),
    include_str!("accounts.json"),
    include_str!("bans.json"),
    include_str!("server.json"),
    include_str!("toll.json"),
];

static DOCUMENT: LazyLock<Result<String, serde_json::Error>> = LazyLock::new(|| build().map(|value| value.to_string()));

/// Returns the document.
///
/// # Errors
/// One of its files is not JSON.
pub fn document() -> Result<&'static str, &'static serde_json::Error> {
    DOCUMENT.as_deref()
}

/// Whether an operation of this method and path is described. A path that is not described takes every method.
pub fn takes(method: &Method, path: &str) -> bool {
    let described = PATHS.iter().filter(|(template, _)| fits(template, path)).map(|(_, methods)| methods);
    let mut described = described.peekable();
    described.peek().is_none() || described.any(|methods| methods.iter().any(|taken| taken == method.as_str()))
}

/// Paths and the methods that they take.
static PATHS: LazyLock<Vec<(String, Vec<String>)>> = LazyLock::new(|| {
    let whole = build().unwrap_or_default();
    let paths = whole.get("paths").and_then(Value::as_object).into_iter().flatten();
    let methods = |item: &Value| item.as_object().into_iter().flatten().map(|(name, _)| name.to_uppercase()).collect();
    paths.map(|(path, item)| (path.clone(), methods(item))).collect()
});

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    wanted.by_ref().all(|part| given.next().is_some_and(|given| part.starts_with('{') || part == given))
        && given.next().is_none()
}

fn build() -> Result<Value, serde_json::Error> {
    let mut whole: Map<String, Value> = serde_json::from_str(FRAME)?;
    for part in PARTS {
        merge(&mut whole, serde_json::from_str(part)?);
    }
    let version = Map::from_iter([("version".to_owned(), env!("CARGO_PKG_VERSION").into())]);
    merge(&mut whole, Map::from_iter([("info".to_owned(), version.into())]));
    Ok(whole.into())
}

fn merge(into: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => merge(known, more),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}
