//! The program's commands, run as an operator runs them.

use crate::support::{postern, said};

const PASSWORD: &str = "correct horse battery staple\n";

#[test]
fn accounts_are_added_listed_disabled_and_given_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| postern(folder.path(), arguments, input);
    assert!(said(&run(&["setup"], "")).starts_with("http://localhost:3000/signup#code="));
    assert!(run(&["user", "add", "Alice", "--role", "administrator"], PASSWORD).status.success());
    let twice = run(&["user", "add", "alice"], PASSWORD);
    assert_eq!(twice.status.code(), Some(1));
    assert!(said(&twice).contains("taken"), "{}", said(&twice));
    let short = run(&["user", "add", "bob"], "short\n");
    assert!(said(&short).contains("15 characters"), "{}", said(&short));
    assert_eq!(said(&run(&["user", "list"], "")), "Alice\tadministrator\tenabled\n");
    let last = run(&["user", "disable", "ALICE"], "");
    assert_eq!(last.status.code(), Some(1));
    assert!(said(&last).contains("last administrator"), "{}", said(&last));
    assert!(run(&["user", "add", "Bob"], PASSWORD).status.success());
    assert!(run(&["user", "role", "bob", "administrator"], "").status.success());
    assert!(run(&["user", "disable", "ALICE"], "").status.success());
    assert_eq!(said(&run(&["user", "list"], "")), "Alice\tadministrator\tdisabled\nBob\tadministrator\tenabled\n");
    assert!(said(&run(&["user", "disable", "alice"], "")).contains("already"));
    assert!(run(&["user", "enable", "alice"], "").status.success());
    assert!(said(&run(&["user", "reset", "alice"], "")).starts_with("http://localhost:3000/reset#code="));
    assert_eq!(run(&["user", "delete", "bob"], "").status.code(), Some(1), "there is nobody to ask");
    assert!(run(&["user", "delete", "bob", "--yes"], "").status.success());
    assert_eq!(said(&run(&["user", "list"], "")), "Alice\tadministrator\tenabled\n");
    assert!(run(&["user", "set-password", "alice"], "another long enough phrase\n").status.success());
    assert_eq!(run(&["user", "set-password", "nobody"], PASSWORD).status.code(), Some(1));
    assert_eq!(run(&["setup"], "").status.code(), Some(1), "somebody has an account");
    assert_eq!(said(&run(&["ban", "list"], "")), "");
    assert_eq!(run(&["ban", "lift", "203.0.113.7"], "").status.code(), Some(1));
    assert!(said(&run(&["ban", "lift", "nonsense"], "")).contains("write 203.0.113.7"));
}

#[test]
fn invitations_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    assert!(said(&run(&["invite", "--note", "the cook"])).starts_with("http://localhost:3000/signup#code="));
    assert_eq!(run(&["invite", "--hours", "721"]).status.code(), Some(1));
    let list = said(&run(&["invite", "list"]));
    let (id, rest) = list.split_once('\t').unwrap();
    assert!(rest.starts_with("user\t6days 23h") && rest.ends_with("\tthe cook\n"), "{list}");
    assert!(run(&["invite", "revoke", id]).status.success());
    assert_eq!(run(&["invite", "revoke", id]).status.code(), Some(1));
    assert_eq!(said(&run(&["invite", "list"])), "");
}

#[test]
fn keys_and_database_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["setup"], "").status.success());
    for (name, mode) in [("data", 0o700), ("data/key-encryption.key", 0o600), ("data/postern.db", 0o600)] {
        let found = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name} has mode {found:o}");
    }
    let key = folder.path().join("data/key-encryption.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = postern(folder.path(), &["setup"], "");
    assert!(said(&open).contains("chmod 600"), "{}", said(&open));
    std::fs::remove_file(&key).unwrap();
    let other = postern(folder.path(), &["setup"], "");
    assert!(said(&other).contains("was not encrypted with this key-encryption key"), "{}", said(&other));
}

#[test]
fn settings_that_cannot_stand_refuse_to_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postern.toml"), "[ban]\npresets = 'strict'\n").unwrap();
    let output = postern(folder.path(), &["user", "list"], "");
    assert_eq!(output.status.code(), Some(2));
    for part in ["postern.toml", "line 2", "presets", "`preset`"] {
        assert!(said(&output).contains(part), "{}", said(&output));
    }
}
