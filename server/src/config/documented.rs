//! Tests that `postern.toml` and `time-server.toml` name every setting, because operators look nowhere else.

use super::{Settings, TimeServerSettings};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = include_str!("../../../postern.toml");
const TIME_SERVER_FILE: &str = include_str!("../../../time-server.toml");

/// Returns the sections of a file with their lines, without the `#` of commented examples.
fn sections(file: &str) -> BTreeMap<String, String> {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    for line in file.lines() {
        let line = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line);
        let header = line.trim_start_matches('[').trim_end_matches(']');
        if line.starts_with('[') && header.len() < line.len() && !header.contains(' ') {
            header.clone_into(&mut current);
        } else {
            let section = sections.entry(current.clone()).or_default();
            section.push_str(line);
            section.push('\n');
        }
    }
    sections
}

/// Returns the keys of a section. The program lists them in its error about an unknown key.
fn keys<T: DeserializeOwned + std::fmt::Debug>(section: &str) -> BTreeSet<String> {
    let text = if section.is_empty() {
        "no_such_key = 1".to_owned()
    } else if let Some((parent, inline)) = section.split_once('/') {
        format!("[[{parent}]]\n{inline} = [{{ no_such_key = 1 }}]")
    } else if FILE.contains(&format!("[[{section}]]")) {
        // A list inside a list needs an entry of the outer list first.
        let parent =
            section.rsplit_once('.').map(|(parent, _)| parent).filter(|parent| FILE.contains(&format!("[[{parent}]]")));
        let parent = parent.map(|parent| format!("[[{parent}]]\n")).unwrap_or_default();
        format!("{parent}[[{section}]]\nno_such_key = 1")
    } else {
        format!("[{section}]\nno_such_key = 1")
    };
    let error = toml::from_str::<T>(&text).expect_err(section).to_string();
    let listed = error.split_once("expected ").unwrap_or_else(|| panic!("[{section}]: {error}")).1;
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn has(lines: &str, key: &str) -> bool {
    lines.lines().any(|line| line.starts_with(&format!("{key} = ")))
}

#[test]
fn the_file_names_every_setting() {
    let sections = sections(FILE);
    let inline = ["toll.routes/bundles", "toll.routes/more_confirmations"].map(str::to_owned);
    let mut known = 0;
    let mut missing = Vec::new();
    for section in sections.keys().cloned().chain(inline) {
        let lines = &sections[section.split('/').next().unwrap_or_default()];
        for key in keys::<Settings>(&section) {
            known += 1;
            // A key is documented by a section of its own, or by a line.
            let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
            // Keys that the rules of all bans share are documented once.
            let rule = section.starts_with("ban.") && section != "ban.limits";
            let shared = rule && sections.iter().any(|(other, lines)| other.starts_with("ban.") && has(lines, &key));
            let named = has(lines, &key)
                || shared
                || (section.contains('/') && lines.contains(&format!("{key} = ")))
                || sections.contains_key(&path);
            if !named {
                missing.push(path);
            }
        }
    }
    assert!(missing.is_empty(), "postern.toml does not say what these do: {missing:?}");
    assert!(known > 100, "{known} keys were looked for");
}

#[test]
fn the_time_servers_file_names_every_setting_of_its_own() {
    let sections = sections(TIME_SERVER_FILE);
    for (section, lines) in &sections {
        for key in keys::<TimeServerSettings>(section) {
            assert!(has(lines, &key) || sections.contains_key(&key), "time-server.toml does not say what {key} does");
        }
    }
    assert!(sections.len() > 1, "there are sections");
}

/// Returns the pages for operators, by path.
fn pages() -> Vec<(String, String)> {
    let docs = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
    let mut pages = Vec::new();
    for folder in [docs.to_owned(), docs.join("guides"), docs.join("guides/apps"), docs.join("clients")] {
        for file in std::fs::read_dir(&folder).expect("a folder") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|ending| ending == "md") {
                pages.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a page")));
            }
        }
    }
    pages
}

/// Returns the setting that a text in code font names: `toll.operator_listen`, `database_url = "..."`.
fn named(code: &str) -> Option<(&str, &str)> {
    let name = code.strip_prefix("--set ").unwrap_or(code);
    let name = name.split([' ', '=']).next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    name.rsplit_once('.').filter(|(section, _)| !section.is_empty() && name.chars().all(is_name))
}

#[test]
fn pages_name_only_settings_that_exist() {
    let sections = sections(FILE);
    let (mut known, mut unknown) = (0, Vec::new());
    for (page, text) in pages() {
        // Every second part is code.
        for (section, key) in text.split('`').skip(1).step_by(2).filter_map(named) {
            // Names of files and of other programs' members look like settings, but are in no section.
            let in_section = |own: &String| own == section || own.starts_with(&format!("{section}."));
            if !sections.keys().any(in_section) || matches!(key, "md" | "rs" | "toml") {
                continue;
            }
            let exists = sections.get(section).is_some_and(|lines| has(lines, key));
            let is_section = sections.contains_key(&format!("{section}.{key}"));
            known += 1;
            if !exists && !is_section {
                unknown.push(format!("{page}: {section}.{key}"));
            }
        }
    }
    assert_eq!(unknown, [""; 0]);
    assert!(known > 50, "only {known} names were found");
}

#[test]
fn the_page_on_the_gate_names_every_setting_of_a_route() {
    let page = include_str!("../../../docs/toll.md");
    // These are of every route, and in the example.
    let of_example = ["name", "path", "upstream", "methods", "hosts", "price", "quota", "ttl", "bundles"];
    let keys = keys::<Settings>("toll.routes").into_iter().filter(|key| !of_example.contains(&key.as_str()));
    let missing: Vec<_> = keys.filter(|key| !page.contains(&format!("`{key}"))).collect();
    assert_eq!(missing, [""; 0]);
}
