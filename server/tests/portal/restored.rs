//! What a restore takes over from the database that it replaces, and what it names.

use crate::second_factor::{base32, login_with};
use crate::support::{PASSWORD, Program, output_text, postern};
use crate::toll_books::payment;
use domain::totp::code;
use http::StatusCode;
use serde_json::json;
use server::clock::{Clock, SystemClock};
use std::path::Path;
use store::StoreOptions;
use store::toll::{Redemption, RedemptionOutcome};
use wire::paths;

fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = postern(folder, arguments, &format!("{PASSWORD}\n"));
    assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
    output_text(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_recovery_code_stays_used_and_what_comes_back_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for arguments in [
        &["user", "add", "ada"][..],
        &["user", "add", "bob"],
        &["client", "add", "--redirect-uri", "https://wiki.example/", "wiki"],
        &["allow", "add", "10.1.0.0/16", "--comment", "the office"],
        &["group", "add", "staff"],
        &["user", "set", "bob", "--groups", "staff"],
    ] {
        run(folder, arguments);
    }
    let program = Program::start(folder, &[]);
    let ada = program.browser().signed_in("ada").await;
    let begun = ada.post(paths::TOTP, &json!({})).await.json();
    let first = code(&base32(begun["secret"].as_str().unwrap()), SystemClock.now()).unwrap();
    let confirmed = ada.post(paths::CONFIRM_TOTP, &json!({"id": begun["id"], "code": first})).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    let codes = confirmed.json()["recovery_codes"].clone();
    let codes: Vec<_> = codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    run(folder, &["backup", "then.db"]);
    assert_eq!(login_with(&program.browser(), "ada", PASSWORD, &codes[0]).await.status, StatusCode::OK);
    program.end();

    let restored = run(folder, &["restore", "then.db", "--force"]);
    assert!(!restored.contains("recovery codes are void") && !restored.contains("since the backup,"), "{restored}");
    let program = Program::start(folder, &[]);
    assert_eq!(login_with(&program.browser(), "ada", PASSWORD, &codes[1]).await.status, StatusCode::OK);
    assert_eq!(login_with(&program.browser(), "ada", PASSWORD, &codes[0]).await.code(), "wrong_credentials");
    program.end();

    for arguments in [
        &["user", "remove-factors", "ada"][..],
        &["client", "rotate", "wiki"],
        &["allow", "remove", "10.1.0.0/16"],
        &["allow", "add", "10.2.0.0/16", "--comment", "the new office"],
        &["user", "set", "bob", "--groups="],
        &["ban", "add", "203.0.113.9", "--reason", "scans"],
    ] {
        run(folder, arguments);
    }
    let restored = run(folder, &["restore", "then.db", "--force"]);
    for line in [
        "Second factors removed since the backup, valid again: ada",
        "Groups changed since the backup, as they were: bob",
        "Removed from the allowlist since the backup, never banned again: 10.1.0.0/16",
        "Added to the allowlist since the backup, no longer on it: 10.2.0.0/16",
        "Banned by an operator since the backup, no longer banned: 203.0.113.9",
        "Clients changed or disabled since the backup, as they were, with their old secrets: wiki",
    ] {
        assert!(restored.lines().any(|said| said == line), "{line}: {restored}");
    }
    let program = Program::start(folder, &[]);
    let refused = login_with(&program.browser(), "ada", PASSWORD, &codes[2]).await;
    assert_eq!(refused.code(), "wrong_credentials", "the codes were removed with the factor");
    program.end();

    std::fs::remove_file(folder.join("data/postern.db")).unwrap();
    let restored = run(folder, &["restore", "then.db"]);
    let line = "Accounts whose recovery codes are void, because some may have been used since: 1";
    assert!(restored.lines().any(|said| said == line), "{restored}");
    assert!(restored.contains("no database to compare with"), "{restored}");
}

#[test]
fn keys_that_were_replaced_since_stay_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, &["user", "add", "ada"]);
    let kinds = ["signing", "mac", "envelope"];
    for kind in kinds {
        run(folder, &["key", "rotate", "--kind", kind]);
    }
    std::fs::write(folder.join("passphrase"), "a lantern at the gate\n").unwrap();
    run(folder, &["backup", "--with-key", "--passphrase-file", "passphrase", "with-key.db"]);
    run(folder, &["backup", "then.db"]);
    run(folder, &["key", "revoke", "--all"]);
    let key = folder.join("data/key-encryption.key");
    let old = std::fs::read_to_string(&key).unwrap();
    run(folder, &["key", "rewrap"]);
    let new = std::fs::read_to_string(&key).unwrap();
    assert_ne!(old, new);
    let keys = run(folder, &["key", "list", "--json"]);

    // Ada's keys in this backup are under the old key, which nobody has.
    let refused = postern(folder, &["restore", "then.db", "--force"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(output_text(&refused).contains("lacks the key-encryption key"), "{}", output_text(&refused));
    assert_eq!(run(folder, &["key", "list", "--json"]), keys, "nothing was replaced");

    let restored = run(folder, &["restore", "with-key.db", "--force", "--passphrase-file", "passphrase"]);
    assert!(restored.contains("those of the replaced database stay in use"), "{restored}");
    assert!(!restored.contains("Server keys revoked since"), "{restored}");
    assert_eq!(run(folder, &["key", "list", "--json"]), keys);
    let both = std::fs::read_to_string(&key).unwrap();
    assert_eq!(both, format!("{old}{new}"), "the last key is in use");
    run(folder, &["key", "rewrap"]);
    assert_eq!(std::fs::read_to_string(&key).unwrap(), new);
    Program::start(folder, &[]).end();
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_sessions_are_those_that_nobody_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, &["user", "add", "ada"]);
    let program = Program::start(folder, &[]);
    let (stays, leaves) = (program.browser().signed_in("ada").await, program.browser().signed_in("ada").await);
    run(folder, &["backup", "then.db"]);
    assert!(leaves.post(paths::LOGOUT, &json!({})).await.status.is_success());
    assert_eq!(stays.refresh().await.status, StatusCode::OK);
    program.end();
    let restored = run(folder, &["restore", "then.db", "--force", "--keep-sessions"]);
    assert!(restored.contains("Sessions kept: 1, without"), "{restored}");
    let program = Program::start(folder, &[]);
    assert_eq!(program.browser_of(&stays).refresh().await.status, StatusCode::OK, "its last refresh token is known");
    assert_eq!(program.browser_of(&leaves).get(paths::SESSION).await.status, StatusCode::UNAUTHORIZED);
    program.end();
}

/// The chain keeps a payment, whatever is restored: it must buy neither nothing nor twice.
#[tokio::test]
async fn payments_at_the_gate_since_the_backup_stay_paid() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, &["user", "add", "ada"]);
    let (url, now) = (format!("sqlite:{}", folder.join("data/postern.db").display()), SystemClock.now());
    let open = async || store::open(&url, StoreOptions::default()).await.unwrap();
    let store = open().await;
    store.redeem(&payment("before", 1, now)).await.unwrap();
    store.close().await;
    run(folder, &["backup", "then.db"]);
    let store = open().await;
    store.redeem(&payment("since", 1, now)).await.unwrap();
    store.use_token("before", 40).await.unwrap();
    store.close().await;
    run(folder, &["restore", "then.db", "--force"]);

    let store = open().await;
    assert_eq!(store.toll_token("before").await.unwrap().unwrap().used, 40, "used requests stay used");
    assert!(store.toll_token("since").await.unwrap().unwrap().is_awake(), "a token that was paid for is valid");
    let twice = Redemption { challenge: "another offer".to_owned(), ..payment("since", 1, now) };
    assert_eq!(store.redeem(&twice).await.unwrap(), RedemptionOutcome::Taken);
    store.close().await;
}
