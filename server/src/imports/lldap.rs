//! lldap: its SQLite database, or the JSON files of its bootstrap script. lldap keeps OPAQUE records (RFC 9807), with
//! which nobody else can check a password. Passwords in bootstrap files are not taken.

use super::raw::{ImportError, RawAccount, RawPassword};
use serde::Deserialize;
use std::path::Path;

/// The first bytes of every SQLite file.
const SQLITE: &[u8] = b"SQLite format 3\0";

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Many(Vec<BootstrapUser>),
    One(BootstrapUser),
}

#[derive(Deserialize)]
struct BootstrapUser {
    id: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default, rename = "displayName")]
    display_name: Option<String>,
    #[serde(default, rename = "firstName")]
    first_name: Option<String>,
    #[serde(default, rename = "lastName")]
    last_name: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
}

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

/// Reads the accounts of one JSON object after another, or of lists of them.
fn bootstrap(bytes: &[u8]) -> Result<Vec<RawAccount>, ImportError> {
    let mut accounts = Vec::new();
    for (number, document) in (1..).zip(serde_json::Deserializer::from_slice(bytes).into_iter::<Document>()) {
        let users = match document.map_err(|error| of_json(number, &error))? {
            Document::Many(users) => users,
            Document::One(user) => vec![user],
        };
        for user in users {
            let whole = [user.first_name, user.last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
            accounts.push(RawAccount {
                location: format!("user {}", user.id),
                username: user.id,
                display_name: user.display_name.unwrap_or(whole),
                email: user.email.unwrap_or_default(),
                groups: user.groups,
                password: RawPassword::NotPortable,
                ..RawAccount::default()
            });
        }
    }
    Ok(accounts)
}

/// Names the place only, because the message of serde quotes a value, such as a password.
fn of_json(number: usize, error: &serde_json::Error) -> ImportError {
    let problem = match error.classify() {
        serde_json::error::Category::Data => "this is not a user of a bootstrap file, which has an id",
        _ => "this is not JSON",
    };
    // An error about a whole object has no position.
    ImportError::Format(match error.line() {
        0 => format!("object {number}: {problem}"),
        line => format!("line {line}, column {}: {problem}", error.column()),
    })
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
        assert!(bootstrap(b"{\"name\":\"group-1\"}").is_err() && bootstrap(b"{").is_err());
        let error = bootstrap(b"{\"id\":\"ada\"}\n{\"id\":[\"hunter2\"]}").expect_err("a list").to_string();
        assert!(error.contains('2') && error.contains("not a user") && !error.contains("hunter2"), "{error}");
    }
}
