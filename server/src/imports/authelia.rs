//! The users file of Authelia.

use super::raw::{ImportError, RawAccount, RawPassword};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct UsersFile {
    users: BTreeMap<String, Spanned<FileUser>>,
}

/// A user of the file. Other fields, such as addresses and birthdays, are ignored.
#[derive(Deserialize)]
struct FileUser {
    #[serde(default)]
    displayname: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    groups: Option<Vec<String>>,
    #[serde(default)]
    disabled: bool,
}

/// Reads all accounts of the file.
///
/// # Errors
/// It is not YAML of this form.
pub(super) fn read(text: &str) -> Result<Vec<RawAccount>, ImportError> {
    let file: UsersFile = serde_saphyr::from_str(text).map_err(|error| of_yaml(&error))?;
    let mut accounts: Vec<_> = file
        .users
        .into_iter()
        .map(|(username, user)| {
            let line = user.referenced.line();
            let user = user.value;
            let hash = user.password.unwrap_or_default();
            let account = RawAccount {
                location: format!("line {line}"),
                username,
                display_name: user.displayname.unwrap_or_default(),
                email: user.email.unwrap_or_default(),
                groups: user.groups.unwrap_or_default(),
                role: String::new(),
                disabled: user.disabled,
                password: if hash.is_empty() { RawPassword::Missing } else { RawPassword::Hash(hash) },
            };
            (line, account)
        })
        .collect();
    accounts.sort_by_key(|(line, _)| *line);
    Ok(accounts.into_iter().map(|(_, account)| account).collect())
}

/// Names the place only, because the message quotes lines of the file, with hashes.
fn of_yaml(error: &serde_saphyr::Error) -> ImportError {
    let place = error.location().map_or_else(String::new, |at| format!("line {}, column {}: ", at.line(), at.column()));
    ImportError::Format(format!("{place}this is not YAML with users, such as users: {{ada: {{displayname: Ada}}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_in_the_order_of_the_file() {
        let text = "---\nusers:\n  john:\n    disabled: false\n    displayname: 'John Doe'\n    password: '$2y$10$x'\n    \
                    email: 'john@example.com'\n    groups:\n      - 'admins'\n      - 'dev'\n  harry:\n    disabled: true\n    \
                    password: ''\n    groups: []\n    given_name: 'Harry'\n...\n";
        let read = read(text).expect("yaml");
        let [john, harry] = &read[..] else { panic!("{read:?}") };
        assert_eq!((john.username.as_str(), john.email.as_str()), ("john", "john@example.com"));
        assert_eq!(john.groups, ["admins", "dev"]);
        assert_eq!(john.password, RawPassword::Hash("$2y$10$x".to_owned()));
        assert!(harry.disabled && harry.password == RawPassword::Missing && harry.location.starts_with("line 1"));
        assert!(super::read("users: [a]").is_err());
        let error = super::read("users:\n  a:\n    password: $2y$10$x\n    groups: $2y$10$x").expect_err("no list");
        assert!(error.to_string().starts_with("line ") && !error.to_string().contains("$2y"), "{error}");
    }
}
