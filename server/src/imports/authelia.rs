//! The users file of Authelia.

use super::raw::{ImportError, RawAccount, RawPassword};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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

/// The users file with values of any type, to name each fault.
#[derive(Deserialize)]
struct AnyUsersFile {
    users: BTreeMap<String, Spanned<Value>>,
}

/// A value of any type.
enum Value {
    Absent,
    Flag(bool),
    Text(String),
    List(Vec<Value>),
    Fields(BTreeMap<String, Value>),
    Number,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, value)) = fields.next_entry()? {
            map.insert(name, value);
        }
        Ok(Value::Fields(map))
    }
}

/// Reads all accounts of the file. A user with a wrong field is an account with this fault.
///
/// # Errors
/// It is not YAML with users.
pub(super) fn read(text: &str) -> Result<Vec<RawAccount>, ImportError> {
    let mut accounts: Vec<_> = match serde_saphyr::from_str::<UsersFile>(text) {
        Ok(file) => file
            .users
            .into_iter()
            .map(|(username, user)| (user.referenced.line(), account(username, user.value)))
            .collect(),
        // Texts that look like numbers are texts above, but not here. So this is only for a file with a fault.
        Err(error) => serde_saphyr::from_str::<AnyUsersFile>(text)
            .map_err(|_| of_yaml(&error))?
            .users
            .into_iter()
            .map(|(username, user)| (user.referenced.line(), faulty_account(username, user.value)))
            .collect(),
    };
    accounts.sort_by_key(|(line, _)| *line);
    let located = |(line, account)| RawAccount { location: format!("line {line}"), ..account };
    Ok(accounts.into_iter().map(located).collect())
}

fn account(username: String, user: FileUser) -> RawAccount {
    let hash = user.password.unwrap_or_default();
    RawAccount {
        username,
        display_name: user.displayname.unwrap_or_default(),
        email: user.email.unwrap_or_default(),
        groups: user.groups.unwrap_or_default(),
        disabled: user.disabled,
        password: if hash.is_empty() { RawPassword::Missing } else { RawPassword::Hash(hash) },
        ..RawAccount::default()
    }
}

/// Returns an account with the faults of its fields. They name no value, which could be a hash.
fn faulty_account(username: String, user: Value) -> RawAccount {
    let mut fields = match user {
        Value::Fields(fields) => fields,
        Value::Absent => BTreeMap::new(),
        _ => return RawAccount::unreadable(String::new(), username, "this user has no fields".to_owned()),
    };
    let mut faults = Vec::new();
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Absent) => None,
        Some(Value::Text(text)) => Some(text),
        Some(_) => {
            faults.push(format!("{name} is not text: put it in quotes"));
            None
        }
    };
    let (displayname, password, email) = (text("displayname"), text("password"), text("email"));
    let has_wrong_hash = faults.iter().any(|fault| fault.starts_with("password"));
    let groups = match fields.remove("groups") {
        None | Some(Value::Absent) => Vec::new(),
        Some(Value::List(list)) => {
            let texts = list.into_iter().map(|item| if let Value::Text(text) = item { Some(text) } else { None });
            texts.collect::<Option<Vec<_>>>().unwrap_or_else(|| {
                faults.push("groups has an item that is not text: put it in quotes".to_owned());
                Vec::new()
            })
        }
        Some(_) => {
            faults.push("groups is not a list".to_owned());
            Vec::new()
        }
    };
    let disabled = match fields.remove("disabled") {
        None | Some(Value::Absent) => false,
        Some(Value::Flag(disabled)) => disabled,
        Some(_) => {
            faults.push("disabled is true or false".to_owned());
            false
        }
    };
    let mut raw = account(username, FileUser { displayname, password, email, groups: Some(groups), disabled });
    if has_wrong_hash {
        raw.password = RawPassword::Faulty;
    }
    RawAccount { faults, ..raw }
}

/// Names the place only, because the message quotes lines of the file, with hashes.
fn of_yaml(error: &serde_saphyr::Error) -> ImportError {
    let place = error.location().map_or_else(String::new, |at| format!("line {}, column {}: ", at.line(), at.column()));
    let text = if matches!(error.without_snippet(), serde_saphyr::Error::DuplicateMappingKey { .. }) {
        "this user or field is further up in the file: remove one of them"
    } else {
        "this is not YAML with users, such as users: {ada: {displayname: Ada}}"
    };
    ImportError::Format(format!("{place}{text}"))
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
        let error = super::read("users:\n  a: {password: $2y$10$x").expect_err("no end");
        assert!(error.to_string().starts_with("line ") && !error.to_string().contains("$2y"), "{error}");
        let twice = "users:\n  ada:\n    password: $2y$10$x\n  bob: {}\n  ada:\n    password: $2y$10$y\n";
        let error = super::read(twice).expect_err("the name is there twice").to_string();
        assert!(error.starts_with("line 5, ") && error.contains("further up") && !error.contains("$2y"), "{error}");
    }

    #[test]
    fn each_user_with_a_wrong_field_is_named() {
        let text = "users:\n  ada:\n    displayname: Ada\n    password: $2y$10$x\n  bob:\n    password: $2y$10$x\n    \
                    groups: $2y$10$x\n  carl:\n    password: [a]\n  dora:\n    displayname: 7\n    disabled: maybe\n    \
                    groups: [a, [b]]\n  eve: text\n  fay:\n";
        let faults: Vec<_> =
            read(text).expect("yaml").iter().map(|one| (one.username.clone(), one.faults.join("|"))).collect();
        let named = |name: &str, faults: &str| (name.to_owned(), faults.to_owned());
        assert_eq!(
            faults,
            [
                named("ada", ""),
                named("bob", "groups is not a list"),
                named("carl", "password is not text: put it in quotes"),
                named(
                    "dora",
                    "displayname is not text: put it in quotes|groups has an item that is not text: put it in quotes|\
                     disabled is true or false"
                ),
                named("eve", "this user has no fields"),
                named("fay", ""),
            ]
        );
    }
}
