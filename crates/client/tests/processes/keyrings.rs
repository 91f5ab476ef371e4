//! Keyrings that do not exist, and a bus that never answers.

use super::world::client;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Output;

const SERVER: &str = "https://auth.example";
const GATE: &str = "https://gate.example";
const NO_BUS: &str = "unix:path=/nonexistent";

/// Writes the files that a sign-in on the desktop left.
fn signed_in_with_keyring(home: &Path) {
    let folder = home.join(".config/postern-client");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| {
        let file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join(name));
        std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
    };
    write("default.json", &format!(r#"{{"server":"{SERVER}"}}"#));
    let kept = format!(r#"{{"storage":"keyring","origin":"{SERVER}","name":"the-session"}}"#);
    write("https_auth.example.json", &kept);
}

/// Writes the file that a purchase on the desktop left.
fn bought_with_keyring(home: &Path) {
    let folder = home.join(".config/postern-client/toll");
    std::fs::create_dir_all(&folder).unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join("https_gate.example.json"));
    let kept = format!(r#"{{"storage":"keyring","origin":"{GATE}"}}"#);
    std::io::Write::write_all(&mut file.unwrap(), kept.as_bytes()).unwrap();
}

async fn run(home: &Path, bus: &str, arguments: &[&str]) -> Output {
    client(home, arguments).env("DBUS_SESSION_BUS_ADDRESS", bus).output().await.unwrap()
}

/// Runs commands at the same time, because each waits for the keyring.
async fn run_all<'a>(home: &Path, bus: &str, commands: &[&'a [&'a str]]) -> Vec<(&'a [&'a str], Output)> {
    let runs = commands.iter().map(|arguments| async move { (*arguments, run(home, bus, arguments).await) });
    futures::future::join_all(runs).await
}

#[tokio::test]
async fn a_keyring_out_of_reach_is_named_with_the_ways_out() {
    let home = tempfile::tempdir().unwrap();
    // The system accepts each connection, and no program answers it.
    let socket = home.path().join("bus");
    let _silent = UnixListener::bind(&socket).unwrap();
    for bus in [NO_BUS.to_owned(), format!("unix:path={}", socket.display())] {
        signed_in_with_keyring(home.path());
        let commands = [
            &["whoami"][..],
            &["sessions"],
            &["keys", "show"],
            &["keys", "rotate"],
            &["get", "/api/session"],
            &["logout"],
        ];
        for (arguments, output) in run_all(home.path(), &bus, &commands).await {
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
            assert!(said.contains("login --storage file") && said.contains("logout --here"), "{arguments:?}: {said}");
            assert!(bus == NO_BUS || said.contains("it does not answer within 5 seconds"), "{arguments:?}: {said}");
        }
        // What was bought at a gate is in the keyring too. Nothing is bought again without it.
        bought_with_keyring(home.path());
        let commands =
            [&["toll"][..], &["toll", "forget", GATE, "abc", "--yes"], &["get", "https://gate.example/price"]];
        for (arguments, output) in run_all(home.path(), &bus, &commands).await {
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
            assert!(
                said.contains("your payments and tokens at https://gate.example are in a keyring"),
                "{arguments:?}: {said}"
            );
            assert!(said.contains("Unlock it") && said.contains("--storage file"), "{arguments:?}: {said}");
        }
        // The second run reports it again: the item is not forgotten before it is removed.
        for alive in [true, false] {
            let output = run(home.path(), &bus, &["logout", "--here", "--json"]).await;
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
            assert_eq!(answer["left_in_keyring"]["account"], SERVER);
            assert_eq!(said.contains("the-session is still alive"), alive, "{said}");
            assert!(said.contains("\"postern\""), "{said}");
        }
    }
}
