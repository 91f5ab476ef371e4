//! Values of a client's registration.

use serde_json::{Map, Value};

/// Returns a value that is a text; empty without one.
pub fn text(registration: &Map<String, Value>, name: &str) -> String {
    registration.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the texts of a list.
pub fn texts(registration: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = registration.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
