//! `docs/asvs.md`: every row names tests, and they exist.

use crate::support::{PASSWORD, Portal};
use http::StatusCode;
use server::entropy::{Entropy, SystemEntropy};
use server::flows::factors::fresh_codes;
use std::collections::BTreeSet;
use std::path::Path;

/// The rows that the second factor has to meet.
const SECOND_FACTOR: [&str; 16] = [
    "6.1.3", "6.3.3", "6.3.4", "6.3.5", "6.3.7", "6.4.3", "6.4.4", "6.4.6", "6.5.1", "6.5.2", "6.5.3", "6.5.4",
    "6.5.5", "6.5.6", "6.5.8", "6.7.2",
];

/// Collects the names of functions in Rust files and the names of browser tests.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "node_modules" && name != "target" {
            collect(&path, names);
        } else if path.extension().is_some_and(|ext| ext == "ts") {
            names.insert(name);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let functions = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('(')).map(|(name, _)| name);
            names.extend(functions.filter(|name| name.contains('_')).map(str::to_owned));
        }
    }
}

fn is_test_name(word: &str) -> bool {
    let plain = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    word.contains(".spec.") || (word.matches('_').count() > 1 && plain(word))
}

#[test]
fn every_row_names_tests_and_they_exist() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut names = BTreeSet::new();
    for folder in ["server/src", "server/tests", "crates", "app", "end2end/tests"] {
        collect(&root.join(folder), &mut names);
    }
    let page = std::fs::read_to_string(root.join("docs/asvs.md")).unwrap();
    let mut rows = BTreeSet::new();
    let (mut nist, mut in_nist) = (0, false);
    for line in page.lines() {
        in_nist |= line.starts_with("## NIST");
        let cells: Vec<_> = line.split(" | ").collect();
        let is_chapter = line.starts_with("| 6.");
        let is_nist = in_nist && line.starts_with("| ") && !line.starts_with("| Requirement");
        if !is_chapter && !is_nist {
            continue;
        }
        let named: Vec<_> = line.split('`').skip(1).step_by(2).filter(|word| is_test_name(word)).collect();
        for name in &named {
            assert!(names.contains(*name), "no test has the name {name}: {line}");
        }
        if is_chapter {
            rows.insert(cells[0].trim_start_matches("| ").to_owned());
        } else {
            nist += 1;
        }
        // A row about a thing that does not exist has nothing to test.
        assert!(!named.is_empty() || cells.get(2) == Some(&"n/a"), "this row names no test: {line}");
    }
    let missing: Vec<_> = SECOND_FACTOR.iter().filter(|row| !rows.contains(**row)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // Chapter V6 of version 5.0.0 has 47 requirements.
    assert_eq!((rows.len(), nist), (47, 6), "{rows:?}");
}

/// ASVS 6.1.3: exactly the paths in the row give a session to somebody who has none.
#[tokio::test]
async fn the_ways_to_sign_in_are_those_of_the_asvs_page() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/asvs.md")).unwrap();
    let row = page.lines().find(|line| line.starts_with("| 6.1.3 |")).unwrap();
    let listed: BTreeSet<_> = row.split('`').filter(|text| text.starts_with("/api/")).map(str::to_owned).collect();
    let portal = Portal::start().await;
    let shown = format!("{:?}", server::router::routes(&portal.state));
    let routed: BTreeSet<_> = shown.split('"').filter(|text| text.starts_with("/api/")).map(str::to_owned).collect();
    assert!(listed.is_subset(&routed), "{listed:?}");
    // All of these answer with a session, by the document; a refresh continues one.
    let document: serde_json::Value = serde_json::from_str(server::openapi::document().unwrap()).unwrap();
    let gives_session = |path: &str| {
        let success = document["paths"][path]["post"]["responses"].as_object();
        let mut answers = success.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
        answers.any(|(_, answer)| answer.to_string().contains("SignedIn"))
    };
    let mut giving: BTreeSet<_> = routed.into_iter().filter(|path| gives_session(path)).collect();
    assert!(giving.remove(wire::paths::REFRESH), "{giving:?}");
    assert_eq!(giving, listed);
}

/// ASVS 6.2.10
#[tokio::test]
async fn a_password_does_not_expire() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    portal.advance(400 * 24 * 3_600_000).await;
    let answer = portal.browser("203.0.113.7").login("alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

/// ASVS 6.5.3: secrets are bytes of the portal's own source, which is the system's unless a test gives another.
#[tokio::test]
async fn secrets_come_from_the_systems_generator() {
    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    let portal = Portal::start().await;
    let make = |entropy: &dyn Entropy| {
        server::totp::make(&portal.state.key_encryption, entropy, &"user".into(), "generator").unwrap().0.to_vec()
    };
    assert_eq!(make(&Fixed), [7; 20], "nothing but the source decides");
    assert_eq!(fresh_codes(&Fixed).first(), fresh_codes(&Fixed).last());
    let (one, other) = (make(&SystemEntropy), make(&SystemEntropy));
    assert!(one.len() == 20 && one != other);
    let codes: BTreeSet<_> = fresh_codes(&SystemEntropy).into_iter().collect();
    assert_eq!(codes.len(), 10);
}

#[test]
fn settings_and_paths_of_the_page_are_no_tests() {
    for (word, is_test) in [
        ("a_code_signs_in_once", true),
        ("login.spec.ts", true),
        ("auth_time", false),
        ("session.remember_device", false),
        ("/api/login", false),
    ] {
        assert_eq!(is_test_name(word), is_test, "{word}");
    }
}

/// Threads in which others found a bug. Each has a test that is named after it.
const THREADS: [(&str, &str); 13] = [
    ("supabase/auth#2732", "supabase_auth_2732"),
    ("keepassxreboot/keepassxc#13239", "keepassxc_13239"),
    ("pocket-id#397", "pocket_id_397"),
    ("kanidm/webauthn-rs#513", "webauthn_rs_513"),
    ("keycloak#32816", "keycloak_32816"),
    ("logto-io/logto#8345", "logto_8345"),
    ("healthchecks#980", "healthchecks_980"),
    ("exactly/exa#1037", "exactly_exa_1037"),
    ("discourse#39859", "discourse_39859"),
    ("zitadel#10717", "zitadel_10717"),
    ("pocket-id#862", "pocket_id_862"),
    ("Abrechen2/TravStats#242", "travstats_242"),
    ("voidauth#363", "voidauth_363"),
];

#[test]
fn every_bug_of_others_is_a_test_of_ours() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut names = BTreeSet::new();
    for folder in ["server/src", "server/tests", "crates"] {
        collect(&root.join(folder), &mut names);
    }
    let mut specs = String::new();
    for entry in std::fs::read_dir(root.join("end2end/tests")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        specs.extend(text.lines().filter(|line| line.trim_start().starts_with("test(")).flat_map(|line| [line, "\n"]));
    }
    for (thread, part) in THREADS {
        let is_named = specs.contains(thread) || names.iter().any(|name| name.contains(part));
        assert!(is_named, "no test is named after {thread}");
    }
}
