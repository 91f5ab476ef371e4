//! `docs/conformance.md` names existing tests, and all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the texts in backticks of the first column of the tables.
fn first_column(page: &str) -> impl Iterator<Item = &str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.strip_prefix('`')?.split_once('`').map(|(name, _)| name))
}

#[test]
fn every_module_of_the_table_is_a_test_with_its_name() {
    let page = read("../docs/conformance.md");
    let listed: Vec<&str> = first_column(&page).filter(|name| name.starts_with("oidcc-")).collect();
    let named: BTreeSet<String> = listed.iter().map(|name| name.replace('-', "_")).collect();
    assert_eq!(named.len(), listed.len(), "each module once");
    let sources = ["authorization", "logout", "metadata", "tokens"]
        .map(|file| read(&format!("tests/portal/conformance/{file}.rs")));
    let tests: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| source.split("#[tokio::test]\nasync fn ").skip(1))
        .filter_map(|rest| rest.split_once('(').map(|(name, _)| name.to_owned()))
        .collect();
    assert!(tests.len() > 45, "{tests:?}");
    assert_eq!(named, tests);
}

/// Returns the Rust files of a folder whose names begin with this.
fn sources(folder: &str, beginning: &str) -> Vec<String> {
    let all = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_rust = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "rs");
    let wanted = names.filter(|name| name.starts_with(beginning) && is_rust(name));
    wanted.map(|name| read(&format!("{folder}/{name}"))).collect()
}

#[test]
fn every_attack_of_the_table_is_a_test_and_every_test_is_listed() {
    let page = read("../docs/conformance.md");
    let table = page.split_once("## Attacks").unwrap().1.split_once("## Clients of others").unwrap().0;
    let listed: Vec<&str> = table.split('`').filter(|text| text.starts_with("attack_") && *text != "attack_").collect();
    let named: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(named.len(), listed.len(), "each test once");
    let portal = "tests/portal";
    let files = [("../crates/oidc/tests", ""), ("tests/portal/oidc", ""), ("src/outbound", "tests")]
        .into_iter()
        .chain(["oauth_", "oidc_", "remembered_devices", "recent_tokens"].map(|beginning| (portal, beginning)));
    let sources: Vec<String> = files.flat_map(|(folder, beginning)| sources(folder, beginning)).collect();
    let tests = sources.iter().flat_map(|source| source.split("fn attack_").skip(1));
    let tests: BTreeSet<String> = tests.map(|rest| format!("attack_{}", rest.split_once('(').unwrap().0)).collect();
    assert!(tests.len() > 60, "{tests:?}");
    assert_eq!(named, tests.iter().map(String::as_str).collect());
}

#[test]
fn every_program_of_the_table_has_a_browser_test_and_a_page() {
    let page = read("../docs/conformance.md");
    let clients = page.split_once("## Clients of others").unwrap().1;
    let mut pages = BTreeSet::new();
    for row in clients.lines().filter(|line| line.contains("](clients/")) {
        let (name, rest) = row.split_once("| `").unwrap().1.split_once("` in `").unwrap();
        let spec = read(&format!("../end2end/tests/{}", rest.split_once('`').unwrap().0));
        assert!(spec.contains(&format!("test('{name}'")), "{name}");
        let link = row.split_once("](clients/").unwrap().1.split_once(')').unwrap().0;
        pages.insert(link.to_owned());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients");
    let there: BTreeSet<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(pages, there);
}
