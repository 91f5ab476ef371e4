//! `postern demo`, where something that it needs is missing.

use crate::support::said;
use std::fs;
use std::process::Command;

#[test]
fn without_monerod_it_says_what_to_install_and_begins_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_postern"));
    let output = demo.args(["demo", "--toll"]).current_dir(&folder).env("PATH", folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("apt-get install monero"), "{}", said(&output));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
