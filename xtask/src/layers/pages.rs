//! A page of the dashboard is one file and one line of the table.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const TABLE: &str = "app/src/dashboard.rs";
const FOLDER: &str = "server/src/http/pages";
/// The folders whose code may name no page.
const CODE: [&str; 2] = ["app/src", "server/src"];

/// A line of the table.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    variant: String,
    /// The name of the page's file, without its ending.
    file: String,
}

/// A file with Rust code: its path below the workspace, and its text.
type Source = (String, String);

/// Returns a line for each page without exactly one file and one line, and for each other file that names a page.
///
/// # Errors
/// A file cannot be read.
pub(super) fn faults(workspace: &Path) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    for folder in CODE {
        read(workspace, folder, &mut sources)?;
    }
    let table = sources.iter().find(|(path, _)| path == TABLE).context(TABLE)?;
    Ok(check(&lines(&table.1), &sources))
}

fn read(workspace: &Path, folder: &str, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(workspace.join(folder)).with_context(|| folder.to_owned())? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(workspace, &path, sources)?;
        } else if entry.path().extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(entry.path()).with_context(|| path.clone())?;
            sources.push((path, text));
        }
    }
    Ok(())
}

/// Returns the lines of the table.
fn lines(text: &str) -> Vec<Line> {
    let table = text.split_once("$with! {").map_or("", |(_, rest)| rest);
    let table = table.split_once('}').map_or("", |(table, _)| table);
    let line = |line: &str| {
        let (variant, file) = (line.split_whitespace().next()?, line.rsplit(',').next()?.trim());
        Some(Line { variant: variant.to_owned(), file: file.to_owned() })
    };
    table.split(';').filter_map(line).collect()
}

fn check(lines: &[Line], sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_page = |path: &str| path.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'));
    for (path, _) in sources.iter().filter(|(path, _)| is_page(path)) {
        let named = lines.iter().filter(|line| *path == own_file(line)).count();
        if named != 1 {
            wrong.push(format!("{path} has {named} lines in {TABLE}, not 1"));
        }
    }
    for line in lines {
        let own = own_file(line);
        if !sources.iter().any(|(path, _)| *path == own) {
            wrong.push(format!("{TABLE} names {}, but {own} is missing", line.file));
        }
        let names = [
            format!("DashboardPage::{}", line.variant),
            format!("pages::{}", line.file),
            format!("super::{}", line.file),
        ];
        for (path, text) in sources.iter().filter(|(path, _)| path != TABLE && *path != own) {
            let is_named = |name: &String| (is_page(path) || !name.starts_with("super")) && has_path(text, name);
            if let Some(name) = names.iter().find(|name| is_named(name)) {
                wrong.push(format!("{path} has {name}, but a page is its file and its line in {TABLE}"));
            }
        }
    }
    wrong
}

fn own_file(line: &Line) -> String {
    format!("{FOLDER}/{}.rs", line.file)
}

/// Whether the text has the path, and not only a longer name.
fn has_path(text: &str, path: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let parts = text.split(path).collect::<Vec<_>>();
    parts.windows(2).any(|pair| !pair[0].ends_with(is_part) && !pair[1].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "macro_rules! dashboard_pages { ($with:ident) => { $with! {
        Keys \"/dashboard/keys\" \"Keys\", Own, Everyone, keys;
        KeysOld \"/dashboard/keys/old\" \"Keys\", Below(DashboardPage::Keys), Everyone,
            old_keys;
    } } }";

    fn wrong(more: &[(&str, &str)]) -> Vec<String> {
        let own = [(TABLE, TEXT), ("server/src/http/pages/keys.rs", "fn f() { DashboardPage::Keys }")];
        let sources = own.iter().chain(more).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        check(&lines(TEXT), &sources.collect::<Vec<_>>())
    }

    #[test]
    fn a_page_is_one_file_and_one_line() {
        let old = ("server/src/http/pages/old_keys.rs", "");
        assert_eq!(wrong(&[old]), Vec::<String>::new());
        assert_eq!(wrong(&[]), [format!("{TABLE} names old_keys, but server/src/http/pages/old_keys.rs is missing")]);
        let extra = ("server/src/http/pages/new.rs", "");
        assert_eq!(wrong(&[old, extra]), [format!("server/src/http/pages/new.rs has 0 lines in {TABLE}, not 1")]);
    }

    #[test]
    fn a_second_place_that_names_a_page_is_found() {
        for (path, text) in [
            ("app/src/shell.rs", "DashboardPage::KeysOld => private,"),
            ("server/src/http/render.rs", "use super::pages::old_keys;"),
            ("server/src/http/pages/keys.rs", "use super::old_keys::row;"),
        ] {
            let found = wrong(&[("server/src/http/pages/old_keys.rs", ""), (path, text)]);
            assert!(found.len() == 1 && found[0].starts_with(path), "{found:?}");
        }
        let other = ("server/src/http/keys.rs", "use super::keys; fn f() { DashboardPage::KeysOldest }");
        assert_eq!(wrong(&[("server/src/http/pages/old_keys.rs", ""), other]), Vec::<String>::new());
    }
}
