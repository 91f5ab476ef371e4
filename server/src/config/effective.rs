//! The settings in force, in the form of a settings file.

use super::layers::flat_settings;
use super::{Origins, Settings};
use std::fmt::Write;
use toml::{Table, Value};

/// Prints every setting with its value and source, without passwords.
pub fn effective(settings: &Settings, origins: &Origins) -> String {
    // Settings are plain values, so serialization cannot fail.
    let table = Table::try_from(settings).unwrap_or_default();
    let (mut text, mut section) = (String::new(), String::new());
    let (flat, nested): (Vec<_>, Vec<_>) = flat_settings(&table).into_iter().partition(|(name, _)| !name.contains('.'));
    for (name, value) in flat.into_iter().chain(nested) {
        let (own, key) = name.rsplit_once('.').unwrap_or(("", &name));
        if own != section {
            own.clone_into(&mut section);
            let _ = writeln!(text, "\n[{section}]");
        }
        let origin = origins.get(&name).map_or("default", String::as_str);
        let _ = writeln!(text, "{key} = {}  # {origin}", shown(&name, value));
    }
    text
}

fn shown(name: &str, value: &Value) -> String {
    match value.as_str() {
        None if name == "toll.routes" => without_injected(value.clone()).to_string(),
        Some(url) if name == "database_url" => Value::String(without_password(url)).to_string(),
        _ => value.to_string(),
    }
}

/// Hides the values of injected headers, which may contain a key for the upstream.
fn without_injected(mut routes: Value) -> Value {
    for route in routes.as_array_mut().into_iter().flatten() {
        let injected = route.get_mut("inject").and_then(Value::as_table_mut);
        for (_, value) in injected.into_iter().flatten() {
            *value = Value::String("***".to_owned());
        }
    }
    routes
}

/// Returns `postgres://user:***@host/name`. PostgreSQL also accepts the password as a parameter.
pub fn without_password(url: &str) -> String {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    // A password with one of these characters makes a URL that means something else.
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let first = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if rest.find('@').is_some_and(|at| at > first) {
        return format!("{scheme}://***");
    }
    let mut shown = match address.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (who, host))) => match who.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
            None => address.to_owned(),
        },
        None => address.to_owned(),
    };
    if !parameters.is_empty() {
        let hide = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if name.contains("password") => format!("{name}=***"),
            _ => pair.to_owned(),
        };
        shown.push('?');
        shown.push_str(&parameters.split('&').map(hide).collect::<Vec<_>>().join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_settings_read_back_unchanged() {
        let mut settings = Settings::default();
        settings.site.name = "Ada's \"house\" # 1".to_owned();
        settings.ban.limits.at_once = Some(7);
        let origins = Origins::from([("ban.limits.at_once".to_owned(), "POSTERN_BAN__LIMITS__AT_ONCE".to_owned())]);
        let text = effective(&settings, &origins);
        let again: Settings = toml::from_str(&text).expect(&text);
        assert_eq!(toml::to_string(&again).expect("writable"), toml::to_string(&settings).expect("writable"));
        assert!(text.contains("at_once = 7  # POSTERN_BAN__LIMITS__AT_ONCE"), "{text}");
        assert!(text.contains("ipv6_prefix = 64  # default"), "{text}");
    }

    #[test]
    fn no_password_is_shown() {
        for (url, expected) in [
            ("postgres://u:p@ss:word@h:1/n", "postgres://u:***@h:1/n"),
            ("postgres://u@h/n", "postgres://u@h/n"),
            (
                "postgres://h/n?user=u&password=secret&sslpassword=x",
                "postgres://h/n?user=u&password=***&sslpassword=***",
            ),
            ("sqlite:data/postern.db", "sqlite:data/postern.db"),
            ("postgres://u:p?ss@h/n", "postgres://***"),
            ("postgres://u:p/ss@h/n", "postgres://***"),
            ("postgres://u:p#ss@h/n", "postgres://***"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
