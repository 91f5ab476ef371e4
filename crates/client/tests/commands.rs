//! Commands without a server.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn client(home: &Path, arguments: &[&str]) -> Output {
    let input = home.join("input");
    std::fs::write(&input, "a password\n").unwrap();
    client_with(home, arguments, std::fs::File::open(input).unwrap().into())
}

fn client_with(home: &Path, arguments: &[&str], input: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern-client"))
        .args(arguments)
        .env_clear()
        .envs([("HOME", home), ("XDG_CONFIG_HOME", &home.join("config"))])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .current_dir(home)
        .stdin(input)
        .output()
        .unwrap()
}

fn code(home: &Path, arguments: &[&str]) -> i32 {
    client(home, arguments).status.code().unwrap()
}

#[test]
fn exit_codes_say_what_happened() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = "http://127.0.0.1:9";
    for (arguments, expected) in [
        (&["--version"][..], 0),
        (&["nonsense"], 2),
        (&["login", "ada", "--password-stdin"], 2),
        (&["login", "ada", "--password-stdin", "--server", "not a server"], 2),
        (&["login", "ada", "--password-stdin", "--server", "http://auth.example"], 2),
        (&["login", "ada", "--password-stdin", "--server", nowhere], 5),
        (&["whoami"], 3),
        (&["whoami", "--server", nowhere], 3),
        (&["keys", "show"], 3),
        (&["time"], 3),
        (&["get", "/api/session"], 2),
        (&["get", "http://127.0.0.1:9/"], 5),
    ] {
        assert_eq!(code(home.path(), arguments), expected, "{arguments:?}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    // It answers as a server without TLS does.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    for (arguments, part) in [
        (&["whoami"][..], "postern-client login --server URL"),
        (&["get", "/api/session"], "--server URL"),
        (&["login", "ada", "--password-stdin", "--server", "not a server"], "write https://auth.example.com"),
        (&["login", "ada", "--password-stdin", "--server", &server], "write http:// before its name"),
    ] {
        let said = String::from_utf8(client(home.path(), arguments).stderr).unwrap();
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn an_answer_does_not_control_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let body = r#"{"status":403,"code":"cross_site","title":"T\u001b[2J","detail":"D\u009b1m\u202e"}"#;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let head = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-type: application/problem+json";
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    for arguments in [&["login", "ada", "--password-stdin", "--server", &server][..], &["get", &server]] {
        let said = String::from_utf8(client(home.path(), arguments).stderr).unwrap();
        assert!(said.contains("T\u{fffd}[2J") || said.contains('D'), "{arguments:?}: {said:?}");
        let controls = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
        assert!(!said.contains(controls), "{arguments:?}: {said:?}");
    }
}

#[test]
fn a_machine_without_certificate_authorities_is_told_what_to_install() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_postern-client"))
        .args(["get", "http://127.0.0.1:9/"])
        .env_clear()
        .envs([("HOME", home.path()), ("SSL_CERT_DIR", home.path()), ("SSL_CERT_FILE", &home.path().join("none.pem"))])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("install the package ca-certificates"), "{said}");
}

#[test]
fn help_names_every_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let help = String::from_utf8(client(home.path(), &["--help"]).stdout).unwrap();
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "130"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
    }
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let output = client(home.path(), &["whoami", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["exit"], 3);
    assert!(output.stdout.is_empty());
}

#[test]
fn completions_and_pages_name_every_command() {
    let home = tempfile::tempdir().unwrap();
    let commands = ["login", "menu", "keys", "time", "sessions", "notices", "logout", "whoami", "get", "toll"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let completions = String::from_utf8(client(home.path(), &["completions", shell]).stdout).unwrap();
        assert!(commands.iter().all(|command| completions.contains(command)), "{shell}");
    }
    assert_eq!(code(home.path(), &["man", "pages"]), 0);
    let page = |name: &str| std::fs::read_to_string(home.path().join("pages").join(name)).unwrap();
    assert!(page("postern-client.1").contains("not reachable"));
    assert!(commands.iter().all(|command| page(&format!("postern-client-{command}.1")).contains(".SH NAME")));
}

#[test]
fn an_empty_password_is_not_sent() {
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let body = serde_json::json!({"issuer": server}).to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    // A script whose secret is missing has no first line.
    let with = |name: &str, input: Stdio| {
        let output = client_with(home.path(), &["login", name, "--password-stdin", "--server", &server], input);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    std::fs::write(home.path().join("input"), "a password\n").unwrap();
    let password = || std::fs::File::open(home.path().join("input")).unwrap().into();
    for (code, said) in [with("ada", Stdio::null()), with("", password())] {
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("nothing was sent"), "{said}");
    }
    assert_ne!(with("ada", password()).0, Some(2));
}

#[test]
fn a_damaged_session_is_no_session() {
    let home = tempfile::tempdir().unwrap();
    let server = "http://127.0.0.1:9";
    let sessions = home.path().join("config/postern-client");
    std::fs::create_dir_all(&sessions).unwrap();
    let file = sessions.join("http_127.0.0.1_9.json");
    for content in ["", "{", "[]", "{\"keyring\":7}"] {
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let output = client(home.path(), &["whoami", "--server", server]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{content}: {said}");
        assert!(said.contains("is damaged") && said.contains("postern-client login"), "{said}");
    }
}
