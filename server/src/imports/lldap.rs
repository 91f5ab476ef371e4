//! lldap: its SQLite database, or the JSON files of its bootstrap script. lldap keeps OPAQUE records (RFC 9807), with
//! which nobody else can check a password. Passwords in bootstrap files are not taken.

use super::raw::{ImportError, RawAccount, RawPassword};
use serde_json::Value;
use std::path::Path;

/// The first bytes of every SQLite file.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Reads all accounts of the file.
///
/// # Errors
/// The file is of neither form.
pub(super) async fn read(file: &Path) -> Result<Vec<RawAccount>, ImportError> {
    let bytes = std::fs::read(file)?;
    if !bytes.starts_with(SQLITE) {
        return bootstrap(&bytes);
    }
    let users = store::lldap::users(file).await.map_err(ImportError::Lldap)?;
    let account = |user: store::lldap::LldapUser| RawAccount {
        location: format!("user {}", user.id),
        username: user.id,
        display_name: user.display_name,
        email: user.email,
        groups: user.groups,
        password: RawPassword::NotPortable,
        ..RawAccount::default()
    };
    Ok(users.into_iter().map(account).collect())
}

/// Reads the accounts of one JSON object after another, or of lists of them. An object with a wrong field is an account
/// with this fault.
fn bootstrap(bytes: &[u8]) -> Result<Vec<RawAccount>, ImportError> {
    let mut objects = Vec::new();
    for document in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match document.map_err(|error| of_json(&error))? {
            Value::Array(many) => objects.extend(many),
            one => objects.push(one),
        }
    }
    Ok((1..).zip(objects).map(|(number, object)| account(number, object)).collect())
}

/// Returns the account of an object. Faults name no value, which could be a password.
fn account(number: usize, object: Value) -> RawAccount {
    let location = format!("object {number}");
    let unreadable = |fault: &str| RawAccount::unreadable(location.clone(), String::new(), fault.to_owned());
    let Value::Object(mut fields) = object else { return unreadable("this is not an object") };
    let Some(Value::String(username)) = fields.remove("id") else {
        return unreadable("this is not a user of a bootstrap file, which has an id that is text");
    };
    let mut faults = Vec::new();
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            faults.push(format!("{name} is not text"));
            None
        }
    };
    let (email, display_name) = (text("email"), text("displayName"));
    let whole = [text("firstName"), text("lastName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let groups = match fields.remove("groups") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    };
    if groups.is_none() {
        faults.push("groups is not a list of texts".to_owned());
    }
    RawAccount {
        location: format!("user {username}"),
        username,
        display_name: display_name.unwrap_or(whole),
        email: email.unwrap_or_default(),
        groups: groups.unwrap_or_default(),
        password: RawPassword::NotPortable,
        faults,
        ..RawAccount::default()
    }
}

/// Names the place only, because the message of serde quotes a value, such as a password.
fn of_json(error: &serde_json::Error) -> ImportError {
    ImportError::Format(format!("line {}, column {}: this is not JSON", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bootstrap_files_have_users_one_after_another() {
        let text = r#"{"id":"ada","email":"a@example.org","password":"changeme","firstName":"Ada","lastName":"L","groups":["dev"]}
            {"id":"bob","displayName":"Bob"} [{"id":"eve"}]"#;
        let read = bootstrap(text.as_bytes()).expect("json");
        let names: Vec<_> = read.iter().map(|user| (user.username.as_str(), user.display_name.as_str())).collect();
        assert_eq!(names, [("ada", "Ada L"), ("bob", "Bob"), ("eve", "")]);
        assert!(read.iter().all(|user| user.password == RawPassword::NotPortable));
        let error = bootstrap(b"{\"id\":\"ada\"}\n{\"id\":hunter2}").expect_err("no JSON").to_string();
        assert!(error.starts_with("line 2, column ") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn each_object_with_a_wrong_field_is_named() {
        let text = r#"{"id":"ada"} {"id":["hunter2"]} {"name":"group-1"} [{"id":"bob","email":7,"groups":"dev"}, 4]
            {"id":"eve","displayName":["hunter2"],"groups":["a",7]}"#;
        let read = bootstrap(text.as_bytes()).expect("json");
        let faults: Vec<_> = read.iter().map(|one| (one.location.as_str(), one.faults.join("|"))).collect();
        let no_user = "this is not a user of a bootstrap file, which has an id that is text".to_owned();
        assert_eq!(
            faults,
            [
                ("user ada", String::new()),
                ("object 2", no_user.clone()),
                ("object 3", no_user),
                ("user bob", "email is not text|groups is not a list of texts".to_owned()),
                ("object 5", "this is not an object".to_owned()),
                ("user eve", "displayName is not text|groups is not a list of texts".to_owned()),
            ]
        );
    }
}
