//! The program's commands, run as by an operator.

use crate::support::{Program, output_text, postern};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use testkit::Running;

const PASSWORD: &str = "correct horse battery staple\n";

#[test]
fn accounts_are_added_listed_disabled_and_given_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| postern(folder.path(), arguments, input);
    assert!(output_text(&run(&["setup"], "")).starts_with("http://localhost:3000/signup#code="));
    assert!(run(&["user", "add", "Alice", "--role", "administrator"], PASSWORD).status.success());
    let twice = run(&["user", "add", "alice"], PASSWORD);
    assert_eq!(twice.status.code(), Some(1));
    assert!(output_text(&twice).contains("taken"), "{}", output_text(&twice));
    let short = run(&["user", "add", "bob"], "short\n");
    assert!(output_text(&short).contains("15 characters"), "{}", output_text(&short));
    assert_eq!(output_text(&run(&["user", "list"], "")), "Alice\tadministrator\tenabled\t\t\t\n");
    let last = run(&["user", "disable", "ALICE"], "");
    assert_eq!(last.status.code(), Some(1));
    assert!(output_text(&last).contains("last administrator"), "{}", output_text(&last));
    assert!(run(&["user", "add", "Bob"], PASSWORD).status.success());
    assert!(run(&["user", "role", "bob", "administrator"], "").status.success());
    assert!(run(&["user", "disable", "ALICE"], "").status.success());
    assert_eq!(
        output_text(&run(&["user", "list"], "")),
        "Alice\tadministrator\tdisabled\t\t\t\nBob\tadministrator\tenabled\t\t\t\n"
    );
    let json: serde_json::Value = serde_json::from_str(&output_text(&run(&["user", "list", "--json"], ""))).unwrap();
    assert_eq!((json[0]["username"].as_str(), json[0]["disabled"].as_bool()), (Some("Alice"), Some(true)));
    assert!(output_text(&run(&["user", "disable", "alice"], "")).contains("already"));
    assert!(run(&["user", "enable", "alice"], "").status.success());
    assert!(output_text(&run(&["user", "reset", "alice"], "")).starts_with("http://localhost:3000/reset#code="));
    assert_eq!(run(&["user", "delete", "bob"], "").status.code(), Some(1), "there is nobody to ask");
    assert!(run(&["user", "delete", "bob", "--yes"], "").status.success());
    assert_eq!(output_text(&run(&["user", "list"], "")), "Alice\tadministrator\tenabled\t\t\t\n");
    assert!(run(&["user", "set-password", "alice"], "another long enough phrase\n").status.success());
    assert_eq!(run(&["user", "set-password", "nobody"], PASSWORD).status.code(), Some(3));
    assert_eq!(run(&["setup"], "").status.code(), Some(1), "somebody has an account");
    assert_eq!(output_text(&run(&["ban", "list"], "")), "");
    assert_eq!(run(&["ban", "lift", "203.0.113.7"], "").status.code(), Some(3));
    assert!(output_text(&run(&["ban", "lift", "nonsense"], "")).contains("write 203.0.113.7"));
}

#[test]
fn invitations_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    assert!(output_text(&run(&["invite", "--note", "the cook"])).starts_with("http://localhost:3000/signup#code="));
    assert_eq!(run(&["invite", "--hours", "721"]).status.code(), Some(2));
    let list = output_text(&run(&["invite", "list"]));
    let (id, rest) = list.split_once('\t').unwrap();
    assert!(rest.starts_with("user\t") && rest.ends_with("\tthe cook\n"), "{list}");
    let json = output_text(&run(&["invite", "list", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json[0]["id"].as_str(), json[0]["note"].as_str()), (Some(id), Some("the cook")));
    assert!(run(&["invite", "revoke", id]).status.success());
    assert_eq!(run(&["invite", "revoke", id]).status.code(), Some(3));
    assert_eq!(output_text(&run(&["invite", "list"])), "");
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
    assert!(output_text(&open).contains("chmod 600"), "{}", output_text(&open));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(&key, folder.path().join("kept")).unwrap();
    for command in [&["setup"][..], &["key", "rotate", "--kind", "signing"]] {
        let missing = postern(folder.path(), command, "");
        let says = output_text(&missing);
        assert!(says.contains("key-encryption.key is missing") && says.contains("put the file back"), "{says}");
        assert!(!key.exists(), "{command:?} makes no other key");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(postern(elsewhere.path(), &["setup"], "").status.success());
    std::fs::copy(elsewhere.path().join("data/key-encryption.key"), &key).unwrap();
    let other = postern(folder.path(), &["setup"], "");
    assert!(output_text(&other).contains("was not encrypted with this key-encryption key"), "{}", output_text(&other));
    std::fs::copy(folder.path().join("kept"), &key).unwrap();
    assert!(postern(folder.path(), &["setup"], "").status.success());
}

#[test]
fn settings_that_cannot_stand_refuse_to_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postern.toml"), "[ban]\npresets = 'strict'\n").unwrap();
    let output = postern(folder.path(), &["user", "list"], "");
    assert_eq!(output.status.code(), Some(2));
    for part in ["postern.toml", "line 2", "presets", "`preset`"] {
        assert!(output_text(&output).contains(part), "{}", output_text(&output));
    }
}

#[test]
fn a_ban_of_this_machine_says_why_it_is_short() {
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "alice"], PASSWORD).status.success());
    let add = |address| {
        let arguments = ["ban", "add", address, "--reason", "a test", "--for", "2h", "--force"];
        output_text(&postern(folder.path(), &arguments, ""))
    };
    let here = add("127.0.0.1");
    assert!(here.contains("is banned for 1m") && here.contains("Bans of this machine last one minute."), "{here}");
    assert!(!add("203.0.113.7").contains("this machine"));
}

#[test]
fn operators_close_allow_and_look_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, PASSWORD);
    let done = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        output_text(&output)
    };
    let code = |arguments: &[&str]| run(arguments).status.code();
    assert!(run(&["user", "add", "alice"]).status.success());

    let scan = ["--reason", "It scans our ports.", "--for", "2h"];
    assert!(done(&[&["ban", "add", "203.0.113.7"], &scan[..]].concat()).contains("is banned for 2h, incident"));
    done(&[&["ban", "add", "2001:db8::9"], &scan[..]].concat());
    done(&[&["ban", "add", "203.0.113.8", "--scope", "sign-in"], &scan[..]].concat());
    let here = run(&[&["ban", "add", "127.0.0.1"], &scan[..]].concat());
    assert_eq!(here.status.code(), Some(1));
    assert!(output_text(&here).contains("--force"), "{}", output_text(&here));
    assert_eq!(code(&["ban", "add", "203.0.113.7"]), Some(2), "a reason is asked for");
    assert_eq!(code(&["ban", "add", "203.0.113.7", "--reason", "x", "--for", "soon"]), Some(2));

    let listed = done(&["ban", "list"]);
    assert!(listed.contains("203.0.113.7\teverything\t"), "{listed}");
    let json: Vec<wire::bans::Ban> = serde_json::from_str(&done(&["ban", "list", "--json"])).unwrap();
    assert_eq!(
        json.iter().map(|ban| ban.address.as_str()).collect::<Vec<_>>(),
        ["203.0.113.8", "2001:db8::/64", "203.0.113.7"]
    );
    assert!(json.iter().all(|ban| ban.made_by == "command line"));
    assert!(done(&["ban", "list", &json[0].incident]).starts_with("203.0.113.8\t"));
    assert_eq!(code(&["ban", "list", "203.0.113.99"]), Some(3));
    assert!(done(&["ban", "explain", "203.0.113.8"]).starts_with("203.0.113.8 is banned from sign-in"));
    assert_eq!(done(&["ban", "export"]), "203.0.113.7\n2001:db8::/64\n");

    done(&["allow", "add", "2001:db8::/32", "--comment", "home", "--for", "30d"]);
    assert!(done(&["allow", "list"]).starts_with("2001:db8::/32\t"));
    assert_eq!(done(&["ban", "export"]), "203.0.113.7\n");
    let useless = run(&[&["ban", "add", "2001:db8::9"], &scan[..]].concat());
    assert!(output_text(&useless).contains("postern allow remove 2001:db8::/32"), "{}", output_text(&useless));
    assert_eq!(useless.status.code(), Some(1));
    assert_eq!(code(&["allow", "add", "::/0", "--comment", "all"]), Some(2));
    done(&["allow", "remove", "2001:db8::/32"]);
    assert_eq!(code(&["allow", "remove", "2001:db8::/32"]), Some(3));

    done(&["ban", "lift", "203.0.113.7", "--reason", "It was us."]);
    assert!(done(&["ban", "list", "203.0.113.7", "--all"]).contains("lifted"));
    let done_so_far = done(&["audit", "--event", "ban_lifted", "--since", "1h"]);
    assert!(done_so_far.contains("203.0.113.7"), "{done_so_far}");
    assert!(done(&["audit", "--user", "alice"]).contains("user_added"));
    assert_eq!(code(&["audit", "--user", "nobody"]), Some(3));
    assert_eq!(code(&["audit", "--event", "nothing"]), Some(2));
    assert_eq!(code(&["session", "list", "alice"]), Some(3));
    assert_eq!(code(&["session", "end", "alice"]), Some(3));
    assert_eq!(code(&["session", "end", "nobody"]), Some(3));
    assert!(done(&["--help"]).contains("3 the named object does not exist"));
}

#[test]
fn server_keys_are_listed_rotated_and_revoked_beside_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let json = |arguments: &[&str]| -> Value { serde_json::from_slice(&run(arguments).stdout).unwrap() };
    let listed = output_text(&run(&["key", "list", "--kind", "signing"]));
    let (first, rest) = listed.split_once('\t').unwrap();
    assert!(rest.starts_with("signing\tES256\tin use\t"), "{listed}");
    assert_eq!(json(&["key", "list", "--json"]).as_array().unwrap().len(), 4);
    let next = json(&["key", "rotate", "--kind", "signing", "--at", "12h", "--json"]);
    assert_eq!((&next["state"], &next["alg"]), (&"next".into(), &"ES256".into()));
    assert!(output_text(&run(&["key", "rotate", "--kind", "signing"])).contains("is already waiting"));
    assert_eq!(run(&["key", "rotate", "--kind", "signing", "--at", "1000d"]).status.code(), Some(2));
    assert_eq!(run(&["key", "rotate", "--kind", "digest"]).status.code(), Some(2));
    let envelope = output_text(&run(&["key", "rotate", "--kind", "envelope"]));
    assert!(envelope.starts_with("The new key "), "{envelope}");
    let revoked = output_text(&run(&["key", "revoke", "--kind", "signing", first]));
    assert!(revoked.contains("is revoked. Running servers follow"), "{revoked}");
    assert_eq!(run(&["key", "revoke", "--kind", "signing", first]).status.code(), Some(3));
    assert_eq!(
        run(&["key", "revoke", "--kind", "signing", "-wX"]).status.code(),
        Some(3),
        "base64url begins as it likes"
    );
    assert_eq!(run(&["key", "revoke", "--kind", "envelope", next["kid"].as_str().unwrap()]).status.code(), Some(3));
    let trail = output_text(&run(&["audit", "--event", "server_key_rotated"]));
    assert!(trail.contains(next["kid"].as_str().unwrap()), "{trail}");
    let doctor = run(&["doctor", "--json"]);
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    for check in ["signing_key", "mac_key", "sealed_values"] {
        let finding = doctor["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).unwrap();
        assert_eq!(finding["state"], "fine", "{finding}");
    }
    // The running server applies it without a restart.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = std::time::Instant::now();
    let published_keys = |program: &Program| {
        let keys = runtime.block_on(program.browser().get(wire::paths::JWKS)).json();
        let of_access_tokens = keys["keys"].as_array().unwrap().iter().filter(|key| key["alg"] != "RS256");
        of_access_tokens.map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    while published_keys(&program) != [next["kid"].clone()] {
        assert!(began.elapsed().as_secs() < 30, "{:?}", published_keys(&program));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    program.end();
}

#[test]
fn the_real_nft_reads_what_is_exported() {
    let Some(nft) = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"].into_iter().find(|path| Path::new(path).exists())
    else {
        assert!(std::env::var_os("CI").is_none(), "the package nftables must be there under CI");
        println!("skipped: there is no nft");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let check = || {
        let file = folder.path().join("closed.nft");
        std::fs::write(&file, run(&["ban", "export", "--format", "nft"]).stdout).unwrap();
        let checked = Command::new(nft).args(["-c", "-f"]).arg(&file).output().unwrap();
        assert!(checked.status.success(), "{}\n{}", output_text(&checked), std::fs::read_to_string(&file).unwrap());
        std::fs::read_to_string(file).unwrap()
    };
    assert!(!check().contains("elements"), "an empty set is a set");
    for address in ["203.0.113.7", "203.0.113.8", "2001:db8::1", "2001:db8:0:1::1"] {
        assert!(run(&["ban", "add", address, "--reason", "A test."]).status.success());
    }
    // A ban inside another, as if IPv6 prefixes had had another length before.
    let wide = ["--set", "ipv6_prefix=48", "ban", "add", "2001:db8::1", "--reason", "A test."];
    assert!(run(&wide).status.success());
    let exported = check();
    assert_eq!(exported.matches("timeout 86").count(), 3, "{exported}");
    assert!(exported.contains("2001:db8::/48") && !exported.contains("2001:db8::/64"), "{exported}");
}

#[test]
fn output_that_cannot_be_written_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "ada"], PASSWORD).status.success());
    let run = |arguments: &[&str], output: Stdio, errors: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.args(["--data-dir", "data"]).args(arguments).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().unwrap().wait_with_output().unwrap()
    };
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let full = || Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let lists = [&["user", "list"][..], &["audit"], &["config", "print"], &["completions", "bash"]];
    for arguments in lists.into_iter().chain([&["time-server", "key"][..]]) {
        let unread = run(arguments, closed(), Stdio::piped());
        assert!(unread.status.success() && unread.stderr.is_empty(), "{arguments:?}: {}", output_text(&unread));
        let lost = run(arguments, full(), Stdio::piped());
        assert_eq!(lost.status.code(), Some(1), "{arguments:?}: {}", output_text(&lost));
        let says = output_text(&lost);
        assert!(says.contains("incomplete: No space left") && !says.contains("panicked"), "{arguments:?}: {says}");
    }
    let done = run(&["user", "disable", "nobody"], closed(), closed());
    assert_eq!(done.status.code(), Some(3), "the command does its work");
}

#[test]
fn a_hangup_ends_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Program::start(folder.path(), &[]);
    portal.signal("HUP");
    // Of two signals that wait together, the server may read the one that ends it first.
    while !portal.log().contains("SIGHUP changes nothing") {
        std::thread::yield_now();
    }
    portal.end();

    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.args(["--data-dir", "data", "time-server", "--listen", "127.0.0.1:0", "--tcp", "off"]);
    let mut time = Running::start(command.current_dir(folder.path()).stdout(Stdio::piped())).unwrap();
    let mut line = String::new();
    BufReader::new(time.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    for signal in ["-HUP", "-TERM"] {
        assert!(Command::new("kill").args([signal, &time.id().to_string()]).status().unwrap().success());
    }
    assert!(time.wait().unwrap().success(), "only SIGTERM has ended it");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postern.toml"), "database_url = postgres://u:hunter2@h/n\n").unwrap();
    let of_file = postern(folder.path(), &["config", "check"], "");
    assert_eq!(of_file.status.code(), Some(2));
    let says = output_text(&of_file);
    assert!(says.contains("postern.toml, line 1, column") && !says.contains("hunter2"), "{says}");
    std::fs::remove_file(folder.path().join("postern.toml")).unwrap();
    for set in ["hunter2", "database_url=hunter2", "trusted_proxies=['hunter2']", "mail.per_hour=hunter2"] {
        let of_flag = postern(folder.path(), &["--set", set, "config", "check"], "");
        assert_eq!(of_flag.status.code(), Some(2), "{set}");
        assert!(!output_text(&of_flag).contains("hunter2"), "{}", output_text(&of_flag));
    }
}

/// An operator explains a link that a stranger has sent.
#[test]
fn text_of_others_does_not_control_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let link = "https://auth.example/oauth/authorize?client_id=%1b%5b2Jx%c2%9b1m%e2%80%ae%0aforged";
    let explained = output_text(&postern(folder.path(), &["client", "explain", link], ""));
    let shown = "Presented client_id: \u{fffd}[2Jx\u{fffd}1m\u{fffd}\u{fffd}forged";
    assert!(explained.contains(shown), "{explained:?}");
    let missing = output_text(&postern(folder.path(), &["user", "show", "a\u{1b}[2J"], ""));
    assert!(missing.contains("a\u{fffd}[2J"), "{missing:?}");
}

#[test]
fn a_wrong_value_on_the_command_line_has_its_own_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, PASSWORD);
    assert!(run(&["user", "add", "alice"]).status.success());
    assert!(run(&["client", "add", "--redirect-uri", "https://wiki.example/a", "wiki"]).status.success());
    std::fs::write(folder.path().join("key.json"), "{}").unwrap();
    for wrong in [
        &["user", "add", ""][..],
        &["user", "add", "a b"],
        &["user", "add", "ali\u{307}ce"],
        &["user", "rename", "alice", "-"],
        &["user", "set", "alice"],
        &["user", "set", "alice", "--email", "a@b"],
        &["user", "set", "alice", "--display-name", "a\u{202e}b"],
        &["user", "set", "alice", "--groups", "a;b"],
        &["user", "role", "alice", "king"],
        &["user", "list", "--limit", "0"],
        &["group", "add", "a;b"],
        &["group", "add", "administrator"],
        &["invite", "--hours", "721"],
        &["mail", "test", "a@b"],
        &["ban", "add", "nonsense", "--reason", "x"],
        &["ban", "add", "203.0.113.7", "--reason", ""],
        &["ban", "add", "203.0.113.7", "--reason", "x", "--for", "soon"],
        &["ban", "add", "203.0.113.7", "--reason", "x", "--scope", "half"],
        &["ban", "lift", "nonsense"],
        &["ban", "explain", "nonsense"],
        &["ban", "list", "--limit", "0"],
        &["allow", "add", "nonsense", "--comment", "x"],
        &["allow", "add", "0.0.0.0/0", "--comment", "x"],
        &["allow", "add", "203.0.113.7", "--comment", ""],
        &["key", "rotate", "--kind", "signing", "--at", "soon"],
        &["key", "rotate", "--kind", "signing", "--at", "2099-01-01"],
        &["audit", "--since", "99999999999d"],
        &["audit", "--event", "nonsense"],
        &["client", "add", "a b"],
        &["client", "add", "--redirect-uri", "nonsense", "shop"],
        &["client", "set", "wiki", "name"],
        &["client", "set", "wiki", "colour=red"],
        &["service", "add", "Time", "--key", "key.json"],
        &["calibrate", "--target", "soon"],
        &["config", "print", "--set", "site.nome=x"],
    ] {
        let output = run(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", output_text(&output));
        assert!(!output_text(&output).is_empty(), "{wrong:?}");
    }
    let refusals: [(&[&str], i32); 9] = [
        (&["user", "add", "alice"], 1),
        (&["user", "add", "support"], 1),
        (&["client", "add", "--redirect-uri", "https://wiki.example/a", "wiki"], 1),
        (&["user", "show", "nobody"], 3),
        (&["client", "show", "nobody"], 3),
        (&["group", "remove", "nobody"], 3),
        (&["user", "set", "alice", "--groups", "nobody"], 3),
        (&["allow", "remove", "nonsense"], 3),
        (&["audit", "--user", "nobody"], 3),
    ];
    for (refused, code) in refusals {
        let output = run(refused);
        assert_eq!(output.status.code(), Some(code), "{refused:?}: {}", output_text(&output));
    }
}

#[test]
fn ids_that_begin_with_a_hyphen_are_no_flags() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    for id in ["-abc", "--abc"] {
        for arguments in [
            &["client", "add", id, "--redirect-uri", "https://wiki.example/a"][..],
            &["client", "show", id],
            &["client", "set", id, "name=Wiki"],
            &["client", "disable", id],
            &["client", "enable", id],
            &["client", "rotate", "--keep-old", id],
            &["client", "remove", id],
        ] {
            let output = run(arguments);
            assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        }
        for arguments in [&["service", "remove", id][..], &["mail", "queue", "drop", id], &["client", "show", id]] {
            assert_eq!(run(arguments).status.code(), Some(3), "{arguments:?}");
        }
    }
    assert_eq!(run(&["client", "show", "wiki", "--jsn"]).status.code(), Some(2), "a mistyped flag after an id");
}

#[tokio::test]
async fn the_doctor_names_accounts_whose_accents_hide_and_they_keep_working() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, PASSWORD);
    assert!(run(&["user", "add", "bob"]).status.success());
    let database = SqliteConnectOptions::new().filename(folder.path().join("data/postern.db"));
    let mut database = database.connect().await.unwrap();
    let set = sqlx::query("UPDATE users SET name = $1, name_key = $1, skeleton = $1 WHERE name = 'bob'");
    set.bind("b\u{338}ob").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    assert!(run(&["user", "show", "b\u{338}ob"]).status.success());
    let said = output_text(&run(&["doctor"]));
    assert!(said.contains("Accents hide in these names: b\u{338}ob ("), "{said}");
}

#[test]
fn lists_for_programs_are_never_missing_and_writes_have_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, PASSWORD);
    let json = |arguments: &[&str]| -> Value {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert!(run(&["user", "add", "alice"]).status.success());
    for arguments in [
        &["session", "list", "alice", "--json"][..],
        &["ban", "list", "203.0.113.99", "--json"],
        &["ban", "list", "--json"],
        &["audit", "--event", "ban_made", "--json"],
        &["allow", "list", "--json"],
        &["invite", "list", "--json"],
        &["group", "list", "--json"],
        &["client", "list", "--json"],
        &["client", "tokens", "--json"],
        &["service", "list", "--json"],
        &["user", "passkeys", "alice", "--json"],
        &["mail", "queue", "--json"],
    ] {
        assert_eq!(json(arguments), serde_json::json!([]), "{arguments:?}");
    }
    let unknown = run(&["user", "passkeys", "alice", "--remove", "unknown"]);
    assert_eq!(unknown.status.code(), Some(3), "{}", output_text(&unknown));
    let factors = json(&["user", "factors", "alice", "--json"]);
    assert_eq!((&factors["totp"], &factors["passkeys"]), (&false.into(), &0.into()), "{factors}");
    assert!(json(&["user", "reset", "alice", "--json"])["link"].as_str().unwrap().contains("/reset#code="));
    assert!(json(&["invite", "--json"])["link"].as_str().unwrap().contains("/signup#code="));
    let ban = json(&["ban", "add", "203.0.113.7", "--reason", "a test", "--json"]);
    assert_eq!((&ban["address"], &ban["in_force"]), (&"203.0.113.7".into(), &true.into()), "{ban}");
    let lifted = json(&["ban", "lift", "203.0.113.7", "--json"]);
    assert_eq!((&lifted[0]["incident"], &lifted[0]["in_force"]), (&ban["incident"], &false.into()), "{lifted}");
    let made = json(&["client", "add", "wiki", "--redirect-uri", "https://wiki.example/callback", "--json"]);
    let rotated = json(&["client", "rotate", "wiki", "--json"]);
    assert_eq!(rotated["client_id"], "wiki");
    assert!(rotated["client_secret"].is_string() && rotated["client_secret"] != made["client_secret"]);
}

#[test]
fn a_hyphen_is_not_the_name_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "alice"], PASSWORD).status.success());
    for arguments in [
        &["backup", "-"][..],
        &["restore", "-", "--force"],
        &["backup", "a.db", "--with-key", "--passphrase-file", "-"],
        &["user", "import", "-", "--format", "csv"],
        &["service", "add", "wiki", "--key", "-"],
    ] {
        let output = postern(folder.path(), arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", output_text(&output));
        assert!(output_text(&output).contains("name a file"), "{arguments:?}: {}", output_text(&output));
    }
    assert!(!folder.path().join("-").exists() && !folder.path().join("a.db").exists());
}

#[test]
fn an_empty_database_beside_its_key_is_not_a_new_installation() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, PASSWORD);
    let (database, data) = (folder.path().join("data/postern.db"), folder.path().join("data"));
    // An empty file in a fresh folder is a new database.
    std::fs::create_dir(&data).unwrap();
    std::fs::write(&database, "").unwrap();
    assert!(run(&["user", "add", "alice"]).status.success());
    assert!(run(&["backup", "kept.db"]).status.success());

    std::fs::write(&database, "").unwrap();
    for arguments in [&["user", "list"][..], &["setup"], &["serve", "--listen", "127.0.0.1:0"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", output_text(&output));
        let said = output_text(&output);
        assert!(said.contains("is empty") && said.contains("postern restore --force"), "{arguments:?}: {said}");
        assert_eq!(std::fs::metadata(&database).unwrap().len(), 0, "{arguments:?}");
    }
    assert!(output_text(&run(&["doctor"])).contains("may have been truncated"));
    let restored = run(&["restore", "--force", "kept.db"]);
    assert!(restored.status.success(), "{}", output_text(&restored));
    assert!(output_text(&run(&["user", "list"])).starts_with("alice"));

    std::fs::remove_file(&database).unwrap();
    assert!(run(&["user", "list"]).status.success(), "the operator begins again");
}
