//! Merges file, environment and flags, and reports an invalid one by its own name.

use super::ConfigError;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// The sources of settings, the weakest first.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// `--config`, or else `postern.toml` in the working directory or in `/etc/postern`, if one exists.
    pub file: Option<PathBuf>,
    /// The whole environment; only `POSTERN_...` and `DATABASE_URL` are read.
    pub environment: Vec<(String, String)>,
    /// Flags as (setting, value): `("ban.preset", "strict")`.
    pub flags: Vec<(String, String)>,
}

/// Variables that are read elsewhere, or by tests and benchmarks.
const NOT_SETTINGS: [&str; 4] =
    ["POSTERN_CONFIG", "POSTERN_BIN", "POSTERN_KEY_ENCRYPTION_KEY", super::mail::PASSWORD_VARIABLE];
/// Default settings files. The first that exists is read.
const DEFAULT_FILES: [&str; 2] = ["postern.toml", "/etc/postern/postern.toml"];
/// Settings of the time server, which has its own file.
pub(super) const TIME_SERVER: &str = "POSTERN_TIME_";

/// Whether a variable is a setting of the time server: `POSTERN_TIME_LISTEN`. `POSTERN_TIME__LISTEN` is the portal's
/// `time.listen`.
pub(super) fn is_of_time_server(name: &str) -> bool {
    name.strip_prefix(TIME_SERVER).is_some_and(|setting| !setting.starts_with('_'))
}

/// The file, variable or flag of each setting, by its full name: `ban.preset`.
pub type Origins = BTreeMap<String, String>;

impl Layers {
    /// Returns the variables that are settings, as (setting, name, value).
    pub(super) fn variables(&self) -> impl Iterator<Item = (String, &str, &str)> {
        self.environment.iter().filter_map(|(name, value)| {
            let setting = match name.strip_prefix("POSTERN_") {
                _ if name == "DATABASE_URL" => "database_url".to_owned(),
                Some(_) if NOT_SETTINGS.contains(&name.as_str()) || is_of_time_server(name) => return None,
                rest => rest?.to_ascii_lowercase().replace("__", "."),
            };
            Some((setting, name.as_str(), value.as_str()))
        })
    }

    /// Returns the settings file, if any.
    pub fn file(&self) -> Option<PathBuf> {
        self.file.clone().or_else(|| first_of(&DEFAULT_FILES).map(Path::to_owned))
    }
}

/// Returns the first default file that exists. A folder counts, and so does a file in `/etc` that this user may not
/// see: without an error, the defaults would be used silently. The working directory may be another user's.
pub(super) fn first_of<'a>(files: &[&'a str]) -> Option<&'a Path> {
    files.iter().map(|file| Path::new(*file)).find(|file| file.try_exists().unwrap_or(file.is_absolute()))
}

/// Merges settings of any type from a file, from variables as (setting, name, value), and from flags.
pub(super) fn layered<'a, T: DeserializeOwned>(
    file: Option<&Path>,
    variables: impl Iterator<Item = (String, &'a str, &'a str)>,
    flags: &[(String, String)],
) -> Result<(T, Origins), ConfigError> {
    let mut origins = Origins::new();
    let mut table = match file {
        Some(path) => {
            let table = read::<T>(path)?;
            for (setting, _) in flat_settings(&table) {
                origins.insert(setting, path.display().to_string());
            }
            table
        }
        None => Table::new(),
    };
    for (setting, name, value) in variables {
        set_value::<T>(&mut table, &setting, value, name)?;
        origins.insert(setting, name.to_owned());
    }
    for (setting, value) in flags {
        let place = format!("--set {setting}");
        set_value::<T>(&mut table, setting, value, &place)?;
        origins.insert(setting.clone(), place);
    }
    let settings = deserialize(table).map_err(|problem| ConfigError { place: "settings".into(), problem })?;
    Ok((settings, origins))
}

fn deserialize<T: DeserializeOwned>(table: Table) -> Result<T, String> {
    T::deserialize(Value::Table(table)).map_err(|error: toml::de::Error| explained(error.message()))
}

/// Says what to write where the library's message does not, or names a type of Rust. Leaves out the value, which may
/// be a secret in the wrong place.
fn explained(problem: &str) -> String {
    const PLAIN: [(&str, &str); 6] = [
        ("invalid socket address syntax", "write an address and a port, as in 127.0.0.1:3000 or [::1]:3000"),
        ("expected socket address", "expected an address and a port, as in \"127.0.0.1:3000\""),
        ("expected a sequence", "expected a list, as in [\"first\", \"second\"]"),
        ("expected a boolean", "expected true or false, without quotes"),
        ("expected a map", "expected a section"),
        ("unknown variant", "unknown value"),
    ];
    let plain = PLAIN.iter().fold(without_value(problem), |text, (library, plain)| text.replace(library, plain));
    let numbers = ["u8", "u16", "u32", "u64", "usize"].map(|name| format!("expected {name}"));
    match numbers.iter().find(|number| plain.ends_with(*number) || plain.contains(&format!("{number}\n"))) {
        Some(number) => plain.replace(number, "expected a whole number, without quotes"),
        None => plain,
    }
}

/// Removes the value from a message of serde. The expected form follows it.
fn without_value(problem: &str) -> String {
    let expected = || problem.rfind("expected ").map(|at| problem.get(at..).unwrap_or_default());
    let quotes = ["invalid type: ", "invalid value: "].iter().any(|form| problem.starts_with(form));
    match expected() {
        Some(expected) if quotes => expected.to_owned(),
        Some(expected) if problem.starts_with("unknown variant ") => format!("unknown value, {expected}"),
        None if quotes || problem.starts_with("unknown variant ") => "the value has another form".to_owned(),
        _ => problem.to_owned(),
    }
}

/// Says why a settings file cannot be read.
fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => format!("{error}: run this as the user that the server runs as"),
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns the source of a setting and its line if that is a file. `setting`: also a part of one, or a section.
pub(super) fn source(setting: &str, origins: &Origins, file: Option<&Path>) -> Option<String> {
    let whole = std::iter::successors(Some(setting), |part| part.rsplit_once('.').map(|(section, _)| section));
    let section = format!("{setting}.");
    let (setting, origin) = whole
        .filter_map(|name| origins.get_key_value(name))
        .chain(origins.iter().filter(|(name, _)| name.starts_with(&section)))
        .next()?;
    let is_file = file.is_some_and(|file| file.display().to_string() == *origin);
    let line = file.filter(|_| is_file).and_then(|file| line_of(setting, &std::fs::read_to_string(file).ok()?));
    Some(line.map_or_else(|| origin.clone(), |line| format!("{origin}, line {line}")))
}

/// Returns the line of a setting; `None` for lists of sections, such as `[[apps]]`, which have several.
fn line_of(setting: &str, text: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut parts = setting.split('.').peekable();
    while let Some(part) = parts.next() {
        let (key, value) = table.get_key_value(part)?;
        match value.get_ref() {
            DeValue::Table(inner) if parts.peek().is_some() => table = inner,
            DeValue::Array(list) if list.iter().any(|item| matches!(item.get_ref(), DeValue::Table(_))) => return None,
            _ => return Some(text.get(..key.span().start)?.matches('\n').count() + 1),
        }
    }
    None
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Table, ConfigError> {
    let place = || path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError { place: place(), problem: unreadable(&error) })?;
    let invalid = |error: toml::de::Error| ConfigError {
        place: error.span().map_or_else(place, |span| format!("{}{}", place(), position(&text, span.start))),
        // Its Display prints the whole line, and so a password.
        problem: explained(error.message()),
    };
    // Parsed as settings first, because only this error contains the line.
    toml::from_str::<T>(&text).map_err(invalid)?;
    toml::from_str(&text).map_err(invalid)
}

/// Formats a place in a file as `, line 3, column 10: ban.preset`.
fn position(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let (document, _) = DeTable::parse_recoverable(text);
    let key = key_at(document.get_ref(), at).map(|key| format!(": {key}")).unwrap_or_default();
    format!(", line {line}, column {column}{key}")
}

/// Returns the full name of the key whose name or value is at a position.
fn key_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref();
        if key.span().contains(&at) {
            return Some(name.to_string());
        }
        let inner = match value.get_ref() {
            DeValue::Table(table) => key_at(table, at),
            DeValue::Array(list) => list.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(table) => key_at(table, at),
                _ => None,
            }),
            _ => None,
        };
        match inner {
            Some(inner) => Some(format!("{name}.{inner}")),
            None => value.span().contains(&at).then(|| name.to_string()),
        }
    })
}

/// Sets one value in the table. Parses it alone first, so that an error names its source.
fn set_value<T: DeserializeOwned>(
    table: &mut Table,
    setting: &str,
    value: &str,
    place: &str,
) -> Result<(), ConfigError> {
    let literal = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    let readings = [literal, Some(Value::String(value.to_owned()))];
    let mut problem = String::new();
    for reading in readings.into_iter().flatten() {
        let alone = nested_table(setting, reading);
        match deserialize::<T>(alone.clone()) {
            Ok(_) => {
                merge(table, alone);
                return Ok(());
            }
            Err(why) if problem.is_empty() => problem = why,
            Err(_) => {}
        }
    }
    Err(ConfigError { place: place.to_owned(), problem })
}

fn nested_table(setting: &str, value: Value) -> Table {
    match setting.split_once('.') {
        Some((head, rest)) => Table::from_iter([(head.to_owned(), Value::Table(nested_table(rest, value)))]),
        None => Table::from_iter([(setting.to_owned(), value)]),
    }
}

/// Returns every value with its full name, in order.
pub(super) fn flat_settings(table: &Table) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                let inner = flat_settings(inner).into_iter();
                all.extend(inner.map(|(rest, leaf)| (format!("{key}.{rest}"), leaf)));
            }
            leaf => all.push((key.clone(), leaf)),
        }
    }
    all
}

fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

impl ConfigError {
    /// Adds the source of the setting: a file with the line, a variable, or a flag.
    pub(super) fn located(self, origins: &Origins, file: Option<&Path>) -> Self {
        match source(&self.place, origins, file) {
            Some(source) if source.ends_with(&self.place) => Self { place: source, ..self },
            Some(source) => Self { place: format!("{source}: {}", self.place), ..self },
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Preset, Settings};

    fn layers(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("postern.toml");
        std::fs::write(&path, file).expect("written");
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Layers { file: Some(path), environment: pairs(environment), flags: pairs(flags) }.load()
    }

    #[test]
    fn the_later_layer_is_the_stronger() {
        let file = "[ban]\npreset = 'strict'\n[site]\nname = 'File'\n[password]\nmin = 20";
        let environment = [
            ("POSTERN_SITE__NAME", "Environment"),
            ("POSTERN_PASSWORD__MIN", "21"),
            ("HOME", "/root"),
            ("POSTERN_TIME__TCP", "time.example:3003"),
            ("POSTERN_TIME_TCP", "of the time server"),
        ];
        let config = layers(file, &environment, &[("password.min", "22")]).expect("loads");
        assert_eq!(config.settings.time.tcp, "time.example:3003");
        assert_eq!(config.settings.ban.preset, Preset::Strict);
        assert_eq!(config.settings.site.name, "Environment");
        assert_eq!(config.settings.password.min, 22);
    }

    #[test]
    fn an_error_names_its_place_and_the_allowed_values() {
        type Pairs = &'static [(&'static str, &'static str)];
        let cases: [(&str, Pairs, Pairs, &[&str]); 12] = [
            ("\n[ban]\npreset = 'hard'", &[], &[], &["postern.toml", "line 3", "`default` or `strict`"]),
            ("listne = '0.0.0.0:1'", &[], &[], &["line 1", "listne", "expected one of", "`listen`"]),
            ("[session]\naccess = '5 bananas'", &[], &[], &["line 2", "90s, 5m"]),
            ("", &[("POSTERN_BAN__PRESET", "hard")], &[], &["POSTERN_BAN__PRESET", "`strict`"]),
            ("", &[("POSTERN_NO_SUCH", "1")], &[], &["POSTERN_NO_SUCH", "no_such"]),
            ("", &[], &[("password.min", "3")], &["--set password.min:", "between 8 and 128"]),
            ("\n[password]\nmin = 3", &[], &[], &["postern.toml, line 3: password.min:", "between 8 and 128"]),
            ("", &[("POSTERN_PASSWORD__MIN", "3")], &[], &["POSTERN_PASSWORD__MIN: password.min:"]),
            ("[tls]\nkey = 'x'", &[], &[], &["line 2: tls:", "set together"]),
            ("[[clients]]\nid = 'a'", &[], &[], &["postern.toml: clients.redirect_uris: a:"]),
            ("trusted_proxies = '10.0.0.1'", &[], &[], &["line 1", "expected a list, as in [\"first\""]),
            ("[password]\nmin = '15'", &[], &[], &["line 2", "expected a whole number, without quotes"]),
        ];
        for (file, environment, flags, says) in cases {
            let error = layers(file, environment, flags).expect_err(file).to_string();
            for part in says {
                assert!(error.contains(part), "'{error}' does not say '{part}'");
            }
        }
    }

    #[test]
    fn an_error_never_quotes_a_value() {
        const SECRET: &str = "hunter2";
        let files: [(&str, &[&str]); 13] = [
            ("database_url = 'postgres://u:hunter2@h/n", &["line 1, column"]),
            ("\ndatabase_url = postgres://u:hunter2@h/n", &["line 2, column"]),
            ("password = { min = 'hunter2' }", &["line 1, column", "password.min", "a whole number"]),
            ("database_url = ['hunter2']", &["line 1, column 16", "database_url", "expected a string"]),
            ("[ban]\npreset = 'hunter2'", &["line 2, column 10", "ban.preset", "`strict`"]),
            ("[session]\nidle = 'hunter2, expected'", &["session.idle", "30d"]),
            ("[keys]\nmac_rotation = 'hunter2'", &["keys.mac_rotation", "off"]),
            ("operator.listen = 'hunter2'", &["operator.listen", "127.0.0.1:3001"]),
            ("trusted_proxies = ['hunter2']", &["trusted_proxies", "10.0.0.0/8"]),
            ("toll.monerod = ['http://u:hunter2@127.0.0.1:18081']", &["toll.monerod", "127.0.0.1:18081"]),
            ("[[toll.routes]]\nname = 'a'\nupstream = 'http://u:hunter2@h'", &["toll.routes.upstream"]),
            (
                "[[clients]]\nid = 'a'\nredirect_uris = ['https://a.example']\nsecret_file = '/hunter2'",
                &["secret_file"],
            ),
            (
                "mail = { server = 'localhost', from = 'a@example.org', username = 'a', password_file = '/hunter2' }",
                &["mail.password_file"],
            ),
        ];
        for (file, says) in files {
            let error = layers(file, &[], &[]).expect_err(file).to_string();
            assert!(!error.contains(SECRET), "{error}");
            for part in says {
                assert!(error.contains(part), "'{error}' does not say '{part}'");
            }
        }
        for setting in ["database_url", "password.min", "ban.preset", "public_url", "listen", "session.idle", "clients"]
        {
            let variable = format!("POSTERN_{}", setting.to_uppercase().replace('.', "__"));
            let of_variable = layers("", &[(&variable, SECRET)], &[]).expect_err(setting).to_string();
            let of_flag = layers("", &[], &[(setting, SECRET)]).expect_err(setting).to_string();
            assert!(of_variable.contains(&variable) && !of_variable.contains(SECRET), "{of_variable}");
            assert!(of_flag.contains(setting) && !of_flag.contains(SECRET), "{of_flag}");
        }
    }

    #[test]
    fn a_settings_file_is_not_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (missing, made) = (path("missing"), path("made"));
        assert_eq!(first_of(&[&missing, &made]), None);
        std::fs::create_dir(&made).expect("created");
        assert_eq!(first_of(&[&missing, &made]), Some(Path::new(&made)), "a folder in place of the file is an error");
        let read = Layers { file: Some(made.into()), ..Layers::default() }.load().expect_err("a folder");
        assert!(read.to_string().contains("directory"), "{read}");
    }

    #[test]
    fn the_commented_file_says_what_the_defaults_are() {
        let file: Settings = toml::from_str(include_str!("../../../postern.toml")).expect("readable");
        let default = Settings::default();
        assert_eq!(toml::to_string(&file).expect("writable"), toml::to_string(&default).expect("writable"));
        // The file has the limits of a preset as comments.
        let limits = domain::ban::RateLimits::DEFAULT;
        for (name, value) in [
            ("sign_in_at_once", Some(limits.sign_in_at_once)),
            ("sign_in_per_minute", Some(limits.sign_in_per_minute)),
            ("at_once", Some(limits.at_once)),
            ("per_minute", Some(limits.per_minute)),
            ("refused_per_minute", limits.refused_per_minute),
        ] {
            let line = format!("\n#{name} = {}\n", value.unwrap_or_default());
            assert!(include_str!("../../../postern.toml").contains(&line), "{line}");
        }
    }
}
