//! Programs that start although something that they need is missing.

use crate::support::output_text;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use testkit::Running;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern")).args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn servers_name_a_taken_port_and_the_flag_that_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (toll, terminals) = (format!("toll.listen={address}"), ["time-server", "--listen", "127.0.0.1:0", "--tcp"]);
    for (arguments, flag) in [
        (&["serve", "--listen", &address][..], "--listen ADDRESS:"),
        (&["time-server", "--tcp", "off", "--listen", &address], "--listen ADDRESS:"),
        (&[&terminals[..], &[&address]].concat(), "--tcp ADDRESS:"),
        (&["toll", "run", "--set", &toll], "--set toll.listen=ADDRESS:"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = run(folder.path(), arguments);
        let said = output_text(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(&address) && said.contains("another program") && said.contains(flag), "{said}");
        assert!(!said.contains(":0 "), "a port that is free: {said}");
    }
}

/// Starts a portal whose time server's port is in use, and returns the lines that it prints until it listens.
fn greeting_without_time(embedded: &[&str]) -> (Vec<String>, Option<i32>) {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let time = format!("time.listen={}", taken.local_addr().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command
        .current_dir(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--set", "operator.listen=off", "--set", &time])
        .args(embedded)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Running::start(&mut command).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut seen = Vec::new();
    for line in lines {
        let listens = line.starts_with("Postern listens on");
        seen.push(line);
        if listens {
            child.kill().unwrap();
            break;
        }
    }
    (seen, child.wait().unwrap().code())
}

#[test]
fn a_port_that_the_time_server_cannot_have_stops_the_portal_only_where_it_was_asked_for() {
    let (seen, _) = greeting_without_time(&[]);
    assert!(seen[0].contains("Time is not available") && seen[0].contains("another program"), "{seen:?}");
    assert!(seen.last().unwrap().starts_with("Postern listens on"), "{seen:?}");
    let (seen, code) = greeting_without_time(&["--set", "time.embedded=true"]);
    assert_eq!((seen.len(), code), (0, Some(1)));
}
