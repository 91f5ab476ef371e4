//! Checks of an installation: its settings, its health, its speed.

use crate::support::{Program, output_text, postern};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A private view key, and its primary address.
const VIEW_KEY: &str = "0500000000000000000000000000000000000000000000000000000000000000";
const PRIMARY: &str = "48wBb9Q2357aKNwuqVYtCw6MMk3r34QB7Ww59dYCbVDvNQ54Uf5g8a53jkGXBaUCK19GEkqd6h4AfeYK9bfu4JT9SBLRv3S";

const STRONG: [&str; 4] = ["--set", "password.memory_kib=19456", "--set", "password.passes=2"];

/// Returns the doctor's result for each check, and its exit code.
fn doctor(folder: &Path, settings: &[&str]) -> (serde_json::Value, Option<i32>) {
    let output = postern(folder, &[&STRONG, settings, &["doctor", "--json"]].concat(), "");
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", output_text(&output)));
    let states = report["findings"].as_array().unwrap().iter();
    let states = states.map(|finding| (finding["check"].as_str().unwrap().to_owned(), finding["state"].clone()));
    (states.collect::<serde_json::Map<_, _>>().into(), output.status.code())
}

#[test]
fn settings_are_checked_and_printed_with_their_origins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postern.toml"), "[site]\nname = \"Ada's\"\n").unwrap();
    assert!(output_text(&postern(folder.path(), &["config", "check"], "")).starts_with("Configuration is valid"));
    let url = "database_url=postgres://ada:canary@db/postern";
    let printed = output_text(&postern(folder.path(), &["--set", url, "config", "print"], ""));
    for line in [
        "name = \"Ada's\"  # postern.toml",
        "memory_kib = 64  # --set password.memory_kib",
        "database_url = \"postgres://ada:***@db/postern\"  # --set database_url",
        "listen = \"127.0.0.1:3001\"  # default",
        "mac_rotation = \"90d\"  # default",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
    std::fs::write(folder.path().join("postern.toml"), "[site]\nnaem = \"Ada's\"\n").unwrap();
    let wrong = postern(folder.path(), &["config", "check"], "");
    assert_eq!(wrong.status.code(), Some(2));
    for part in ["line 2", "naem", "`name`"] {
        assert!(output_text(&wrong).contains(part), "{}", output_text(&wrong));
    }
    std::fs::write(folder.path().join("postern.toml"), "[password]\nmin = 3\n").unwrap();
    let wrong = output_text(&postern(folder.path(), &["config", "check"], ""));
    assert!(wrong.contains("postern.toml, line 2: password.min: must be between"), "{wrong}");
    assert!(!folder.path().join("data").exists(), "nothing is made");
}

/// A restart must not be what finds a broken certificate, key or password.
#[test]
fn the_check_of_the_settings_reads_the_files_that_a_start_reads() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o600)).unwrap();
    };
    file("nothing.pem", "no certificate\n");
    file("short.key", "too short\n");
    file("empty", "\n");
    let primary = format!("toll.primary_address={PRIMARY}");
    let address = primary.as_str();
    let mail = ["mail.server=mail.example", "mail.from=a@b.example", "mail.certificate_authority=nothing.pem"];
    for (settings, part) in [
        (&["public_url=https://a.example", "tls.certificate=nothing.pem", "tls.key=nothing.pem"][..], "nothing.pem"),
        (&["public_url=https://a.example", "tls.certificate=gone.pem", "tls.key=gone.pem"], "gone.pem"),
        (&["key_encryption_key_file=short.key"], "short.key: is not 32 bytes"),
        (&mail, "nothing.pem"),
        (
            &["mail.server=127.0.0.1", "mail.from=a@b.example", "mail.username=a", "mail.password_file=empty"],
            "mail.password_file is empty",
        ),
        (&["oauth.certificate_authorities=nothing.pem"], "oauth.certificate_authorities"),
        (&[address, "toll.view_key_file=gone.key"], "toll.view_key_file: gone.key"),
        (&[address, "toll.view_key_file=short.key"], "toll.view_key_file"),
    ] {
        let mut arguments: Vec<_> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        arguments.extend(["config", "check"]);
        let checked = postern(folder.path(), &arguments, "");
        let says = output_text(&checked);
        assert!(checked.status.code() == Some(2) && says.contains(part), "{settings:?}: {says}");
        assert!(!says.contains("is valid"), "{says}");
    }
    // A new installation has no key yet.
    assert!(postern(folder.path(), &["config", "check"], "").status.success());
}

#[test]
fn a_machine_without_certificate_authorities_is_told_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["--set", "mail.server=mail.example", "--set", "mail.from=a@b.example", "config", "check"])
        .envs([("SSL_CERT_DIR", folder.path()), ("SSL_CERT_FILE", &folder.path().join("none.pem"))])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output_text(&output).contains("Install the package ca-certificates"), "{}", output_text(&output));
}

#[test]
fn a_command_in_a_wrong_folder_says_that_it_made_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| output_text(&postern(folder.path(), arguments, ""));
    let made = run(&["user", "list"]);
    assert!(made.contains("made an empty one: /") && made.contains("data/postern.db"), "{made}");
    assert_eq!(run(&["user", "list"]), "");
}

#[test]
fn a_database_that_cannot_be_seen_is_not_a_missing_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    // A path below a file gives another error than "not found", as a folder of another user does.
    let run = |arguments: &[&str]| {
        output_text(&postern(
            folder.path(),
            &[&["--set", "database_url=sqlite:file/postern.db"], arguments].concat(),
            "",
        ))
    };
    let found = run(&["doctor"]);
    assert!(found.contains("The database does not answer") && !found.contains("No database exists"), "{found}");
    let refused = run(&["backup", "copy.db"]);
    assert!(refused.contains("sqlite:file/postern.db: the database failed:"), "{refused}");
}

#[test]
fn the_doctor_finds_what_is_wrong_and_nothing_where_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let (before, code) = doctor(folder.path(), &[]);
    assert_eq!((before["database"].as_str(), code), (Some("hint"), Some(0)), "{before}");
    assert!(!folder.path().join("data").exists(), "nothing is made");

    assert!(postern(folder.path(), &["user", "add", "ada"], "correct horse battery staple\n").status.success());
    let key = folder.path().join("data/key-encryption.key");
    std::fs::write(&key, "not a key").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let settings = ["--set", "public_url=http://a.lan", "--set", "allow_insecure_http=true"];
    let (states, code) =
        doctor(folder.path(), &[&settings[..], &["--set", "trusted_proxies=[\"64.0.0.0/2\"]"]].concat());
    for (check, state) in [
        ("trusted_proxies", "problem"),
        ("cookies", "warning"),
        ("password_strength", "fine"),
        ("key_file", "problem"),
        ("key_place", "hint"),
        ("database", "fine"),
        ("clock", "fine"),
        ("addresses", "fine"),
        ("backup", "hint"),
        ("administrators", "problem"),
        ("clients", "fine"),
    ] {
        assert_eq!(states[check], state, "{check} of {states}");
    }
    assert_eq!(code, Some(1));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(doctor(folder.path(), &[]).0["key_file"], "problem", "the file holds no valid key");
    std::fs::remove_file(&key).unwrap();
    std::fs::write(folder.path().join("data/last-backup"), "1000\n").unwrap();
    let (states, code) = doctor(folder.path(), &[]);
    assert_eq!(states["sealed_values"], "problem", "the key of the account's secrets is missing: {states}");
    assert_eq!((states["backup"].as_str(), code), (Some("warning"), Some(1)), "{states}");
    std::fs::write(folder.path().join("data/postern.db"), "this is no database, whatever it is called").unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("data/postern.db{ending}")));
    }
    let (states, _) = doctor(folder.path(), &[]);
    assert_eq!(states["database"], "problem", "{states}");
}

#[test]
fn the_doctor_looks_at_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = std::net::TcpListener::bind((testkit::own_loopback(), 0)).unwrap();
    let (node, good) = crate::toll::node();
    let write = |view_key: &str, extra: &str| {
        std::fs::write(folder.path().join("view.key"), view_key).unwrap();
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.path().join("view.key"), mode).unwrap();
        let text = format!(
            "[toll]\nmonerod = ['http://{node}']\nprimary_address = '{}'\nview_key_file = 'view.key'\n{extra}\
             [[toll.routes]]\nname = 'price'\npath = '/price'\nupstream = 'http://{}'\nprice = '0.002 XMR'\n",
            PRIMARY,
            upstream.local_addr().unwrap()
        );
        std::fs::write(folder.path().join("postern.toml"), text).unwrap();
    };
    let (without, _) = doctor(folder.path(), &[]);
    assert!(without.as_object().unwrap().keys().all(|check| !check.starts_with("toll")), "{without}");
    write(VIEW_KEY, "");
    let (states, code) = doctor(folder.path(), &[]);
    for check in ["toll_node", "toll_view_key", "toll_upstream"] {
        assert_eq!(states[check], "fine", "{check} of {states}");
    }
    assert_eq!(code, Some(0));
    // Each fault alone has a sentence.
    let says = || output_text(&postern(folder.path(), &[&STRONG[..], &["doctor"]].concat(), ""));
    good.store(false, std::sync::atomic::Ordering::SeqCst);
    assert!(says().contains("The Monero node does not answer"), "{}", says());
    good.store(true, std::sync::atomic::Ordering::SeqCst);
    write(VIEW_KEY, "network = 'mainnet'\n");
    write(&"01".repeat(32), "");
    assert!(says().contains("The view key cannot be used"), "{}", says());
    let (wallet, answers) = crate::toll::node();
    write(VIEW_KEY, &format!("verifier = 'wallet-rpc'\nwallet_rpc = 'http://{wallet}'\n"));
    let (states, code) = doctor(folder.path(), &[]);
    assert_eq!((states["toll_wallet"].as_str(), code), (Some("fine"), Some(0)), "{states}");
    answers.store(false, std::sync::atomic::Ordering::SeqCst);
    let (states, code) = doctor(folder.path(), &[]);
    assert_eq!((states["toll_wallet"].as_str(), code), (Some("problem"), Some(1)), "{states}");
    assert!(says().contains("The wallet that verifies payments does not answer"), "{}", says());
    write(VIEW_KEY, "");
    drop(upstream);
    let (states, code) = doctor(folder.path(), &[]);
    assert_eq!((states["toll_upstream"].as_str(), code), (Some("problem"), Some(1)), "{states}");
}

#[tokio::test]
async fn the_doctor_sees_that_everybody_has_the_proxys_address() {
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "ada"], "correct horse battery staple\n").status.success());
    let program = Program::start(folder.path(), &[]);
    program.browser().signed_in("ada").await;
    let (here, _) = doctor(folder.path(), &[]);
    assert_eq!(here["addresses"], "fine", "localhost is served on localhost");
    let (states, code) = doctor(folder.path(), &["--set", "public_url=https://auth.example.com"]);
    assert_eq!((states["addresses"].as_str(), code), (Some("warning"), Some(1)), "{states}");
}

#[test]
fn calibrate_suggests_what_stands_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = output_text(&postern(folder.path(), &["calibrate", "--target", "1ms"], ""));
    let suggestion = output.split_once("[password]").expect(&output).1;
    for line in ["memory_kib = 19456", "passes = 2"] {
        assert!(suggestion.contains(line), "never below the least: {output}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
