//! `postern time-server`, run as by an operator.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use testkit::Running;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    // The time server does not read a portal's file and variables.
    command.current_dir(folder).env("POSTERN_CONFIG", "postern.toml").env("POSTERN_TIME_SERVICE", "clock");
    command.arg("time-server").args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

#[test]
fn its_key_is_made_once_and_printed_without_its_private_half() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (run(folder.path(), &["key"]), run(folder.path(), &["key"]));
    assert!(first.status.success());
    let jwk: wire::jwk::EcJwk = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(first.stdout, second.stdout);
    assert!(!String::from_utf8(first.stdout).unwrap().contains(r#""d""#));
    let data = folder.path().join("data");
    assert_eq!(fs::metadata(data.join("time-server.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let beside = fs::read(data.join("time-server.jwk")).unwrap();
    assert_eq!(serde_json::from_slice::<wire::jwk::EcJwk>(&beside).unwrap(), jwk);
    assert!(!data.join("postern.db").exists(), "it needs no database");
}

#[test]
fn invalid_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("time-server.toml"), "listne = '127.0.0.1:0'").unwrap();
    let typo = run(folder.path(), &[]);
    assert_eq!(typo.status.code(), Some(2));
    let said = String::from_utf8(typo.stderr).unwrap();
    assert!(said.contains("time-server.toml") && said.contains("listne"), "{said}");
    fs::write(folder.path().join("other.toml"), "tcp = 'off'").unwrap();
    let flag = run(folder.path(), &["--config", "other.toml", "--set", "idle=1s"]);
    assert!(String::from_utf8(flag.stderr).unwrap().contains("between 10 and 86400"));
}

#[test]
fn it_listens_greets_and_stops_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &["--listen", "127.0.0.1:0", "--tcp", "127.0.0.1:0"]);
    let mut child = Running::start(command.stdout(Stdio::piped())).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("  and for terminals on ").map(str::to_owned)).unwrap();
    assert!(lines.next().unwrap().ends_with("for the service 'clock'."));
    let mut stream = TcpStream::connect(address).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut greeting = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut greeting).unwrap();
    serde_json::from_slice::<wire::time::Greeting>(&greeting).unwrap();

    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut last = Vec::new();
    stream.read_to_end(&mut last).unwrap();
    drop(stream);
    assert_eq!(&last[2..], br#"{"answer":"closed","reason":"going_away"}"#);
    assert!(child.wait().unwrap().success());
}

#[test]
fn its_health_is_asked_like_that_of_the_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--tcp", "off", "--set", "operator_listen=127.0.0.1:0"];
    let mut command = command(folder.path(), &arguments);
    command.env("RUST_LOG", "off").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running::start(&mut command).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("  and for health checks on http://").map(str::to_owned));
    let address = address.unwrap();
    let check = |address: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.current_dir(folder.path()).env("POSTERN_TIME_OPERATOR_LISTEN", address);
        command.args(["health", "time-server"]).output().unwrap()
    };
    let healthy = check(&address);
    assert_eq!((healthy.status.code(), healthy.stdout.as_slice()), (Some(0), &b"alive\n"[..]), "{healthy:?}");
    let off = check("off");
    assert!(String::from_utf8(off.stderr).unwrap().contains("operator_listen is off"));
    let mut log = child.stderr.take().unwrap();
    child.kill().unwrap();
    let mut said = String::new();
    log.read_to_string(&mut said).unwrap();
    assert!(said.contains("RUST_LOG is not read: set log.level"), "{said}");
    assert_eq!(check(&address).status.code(), Some(1), "it is gone");
}
