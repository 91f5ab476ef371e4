//! The demo without something that it needs.
#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn without_monerod_it_says_what_to_install_and_begins_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_postern-demo"));
    let output = demo.args(["demo", "--toll"]).current_dir(&folder).env("PATH", folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("apt-get install monero"), "{said}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern-demo")).args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn every_taken_port_is_named_before_anything_is_printed_or_made() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let free = regtest::free_port().unwrap();
    let (portal, terminals) = (first.local_addr().unwrap(), second.local_addr().unwrap().port());
    let output = run(
        folder.path(),
        &[
            "demo",
            "--set",
            &format!("listen={portal}"),
            "--set",
            &format!("time.tcp=localhost:{terminals}"),
            "--set",
            "time.url=ws://localhost:0/time",
            "--set",
            "operator.listen=off",
            "--set",
            &format!("apps=[{{ name = \"hello\", origin = \"http://hello.localhost:{free}\" }}]"),
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let of = |words: &str| errors.lines().find(|line| line.contains(words)).unwrap_or_default();
    assert!(of(&portal.to_string()).contains("the portal cannot listen"), "{errors}");
    assert!(of(&portal.to_string()).contains("--set public_url=http://localhost:"), "{errors}");
    assert!(of(&format!("127.0.0.1:{terminals}")).contains("--set time.tcp=localhost:"), "{errors}");
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn the_taken_port_of_the_paid_gate_is_named_before_a_network_starts() {
    let (folder, programs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // The demo looks for these programs, and starts none of them here.
    for program in ["monerod", "monero-wallet-rpc", "setpriv", "tar", "xz"] {
        fs::write(programs.path().join(program), "").unwrap();
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate = taken.local_addr().unwrap();
    let [portal, terminals, app] = [(); 3].map(|()| regtest::free_port().unwrap());
    let settings = [
        format!("listen=127.0.0.1:{portal}"),
        format!("time.tcp=localhost:{terminals}"),
        "time.url=ws://localhost:0/time".to_owned(),
        "operator.listen=off".to_owned(),
        format!("apps=[{{ name = \"hello\", origin = \"http://hello.localhost:{app}\" }}]"),
        format!("toll.listen={gate}"),
    ];
    let mut demo = Command::new(env!("CARGO_BIN_EXE_postern-demo"));
    demo.args(["demo", "--toll"]).args(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
    let output = demo.current_dir(&folder).env("PATH", programs.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the paid gate cannot listen") && said.contains(&gate.to_string()), "{said}");
    assert!(said.contains("--set toll.listen=127.0.0.1:"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
