//! `postern user import`

use crate::support::{PASSWORD, Portal, output_text, postern};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::UnixMs;
use domain::encoding::base64url;
use domain::mail::MailKind;
use http::StatusCode;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use wire::paths;

fn bcrypt_hash() -> String {
    bcrypt::hash_with_salt(PASSWORD, 4, [9; 16]).unwrap().format_for_version(bcrypt::Version::TwoY)
}

/// Makes a hash as Authelia did in 2020: with a salt of 12 bytes.
fn argon2_hash() -> String {
    let (salt, params) = ([5; 12], Params::new(64, 1, 2, Some(32)).unwrap());
    let mut output = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(PASSWORD.as_bytes(), &salt, &mut output).unwrap();
    let b64 = |bytes: &[u8]| base64url(bytes).replace('-', "+").replace('_', "/");
    format!("$argon2id$v=19$m=64,t=1,p=2${}${}", b64(&salt), b64(&output))
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn hashes_from_elsewhere_are_taken_and_upgraded_at_the_next_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let csv = format!("username,password_hash\ncarl,{}\n", bcrypt_hash());
    let csv = write(folder.path(), "users.csv", &csv);
    let yaml = format!(
        "users:\n  ada:\n    displayname: 'Ada L'\n    password: '{}'\n    email: ada@example.org\n    groups: [admins, dev]\n  \
         bob:\n    password: '{}'\n    disabled: true\n",
        argon2_hash(),
        bcrypt_hash()
    );
    let yaml = write(folder.path(), "users_database.yml", &yaml);
    let dry = run(&["user", "import", &yaml, "--format", "authelia", "--dry-run"]);
    assert!(dry.status.success() && output_text(&run(&["user", "list"])).is_empty(), "{dry:?}");
    assert!(run(&["user", "import", &yaml, "--format", "authelia"]).status.success());
    assert!(run(&["user", "import", &csv, "--format", "csv"]).status.success());
    assert_eq!(
        output_text(&run(&["user", "list"])),
        "ada\tuser\tenabled\tadmins,dev\tAda L\tada@example.org (vouched for)\nbob\tuser\tdisabled\t\t\t\n\
         carl\tuser\tenabled\t\t\t\n"
    );
    let again = run(&["user", "import", &yaml, "--format", "authelia"]);
    assert_eq!(again.status.code(), Some(1));

    // A portal on the same folder.
    let portal = Portal::in_folder(&folder.path().join("data"), None).await;
    let hash_of = async |name: &str| portal.store().user_by_key(name).await.unwrap().unwrap().password_hash.0;
    for (name, imported) in [("ada", argon2_hash()), ("carl", bcrypt_hash())] {
        let wrong = portal.browser("203.0.113.7").login(name, "not the password of anybody").await;
        assert_eq!(wrong.code(), "wrong_credentials");
        assert_eq!(hash_of(name).await, imported, "{name}: taken as it is");
        portal.advance(60_000).await;
        let right = portal.browser("203.0.113.8").login(name, PASSWORD).await;
        assert_eq!(right.status, StatusCode::OK, "{name}: {}", right.text);
        let stored = hash_of(name).await;
        assert!(stored.starts_with("$argon2id$") && stored != imported, "{name}: {stored}");
        let right = portal.browser("203.0.113.8").login(name, PASSWORD).await;
        assert_eq!(right.status, StatusCode::OK, "{name}, upgraded: {}", right.text);
    }
    assert_eq!(portal.browser("203.0.113.9").login("bob", PASSWORD).await.code(), "wrong_credentials", "disabled");
    assert_eq!(hash_of("bob").await, bcrypt_hash());
}

#[test]
fn every_faulty_line_is_named_and_nothing_is_written_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let text = format!(
        "username,email,groups,password_hash\nada,ada@example.org,family,{hash}\nAda,,,{hash}\nbob,ADA@example.org,,{hash}\n\
         carl,,\"a\"\"b\",{hash}\ndora,,,$6$salt$hash\n",
        hash = bcrypt_hash()
    );
    let file = write(folder.path(), "users.csv", &text);
    for more in [&["--dry-run"][..], &[]] {
        let refused = run(&[&["user", "import", &file, "--format", "csv"], more].concat());
        assert_eq!(refused.status.code(), Some(1));
        let said = output_text(&refused);
        for says in [
            "line 3\tAda\t",
            "line 4\tbob\tanother account",
            "line 5\tcarl\ta group's name",
            "line 6\tdora\tthe password hash is SHA-512",
        ] {
            assert!(said.contains(says), "{says}: {said}");
        }
        assert!(said.contains("4 of 5 accounts have faults"), "{said}");
        assert_eq!(self::output_text(&run(&["user", "list"])), "");
        assert_eq!(self::output_text(&run(&["group", "list"])), "");
    }
    assert!(run(&["user", "import", &file, "--format", "csv", "--skip-invalid"]).status.success());
    assert_eq!(output_text(&run(&["user", "list"])), "ada\tuser\tenabled\tfamily\t\tada@example.org (vouched for)\n");
    assert_eq!(output_text(&run(&["group", "list"])), "family\t1\n");
    let wrong = write(folder.path(), "wrong.csv", "name\nada\n");
    assert!(output_text(&run(&["user", "import", &wrong, "--format", "csv"])).contains("line 1: column 1 is unknown"));
}

#[tokio::test]
async fn accounts_of_lldap_get_links_because_nobody_can_check_opaque_records() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let file = folder.path().join("lldap.db");
    let mut lldap = SqliteConnectOptions::new().filename(&file).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE users (user_id TEXT PRIMARY KEY, email TEXT NOT NULL, display_name TEXT, password_hash BLOB);
        CREATE TABLE groups (group_id INTEGER PRIMARY KEY, display_name TEXT NOT NULL);
        CREATE TABLE memberships (user_id TEXT, group_id INTEGER);
        INSERT INTO users VALUES ('ada', 'ada@example.org', 'Ada L', x'00ff'), ('bob', 'bob@example.org', NULL, NULL);
        INSERT INTO groups VALUES (1, 'lldap_admin'), (2, 'Media Users');
        INSERT INTO memberships VALUES ('ada', 1), ('ada', 2)",
    )
    .execute(&mut lldap)
    .await
    .unwrap();
    lldap.close().await.unwrap();
    let file = file.to_str().unwrap();
    let refused = run(&["user", "import", file, "--format", "lldap", "--dry-run"]);
    assert!(!refused.status.success() && output_text(&refused).contains("OPAQUE"), "{refused:?}");
    let dry = run(&["user", "import", file, "--format", "lldap", "--dry-run", "--reset-links"]);
    assert!(dry.status.success() && output_text(&run(&["user", "list"])).is_empty(), "{dry:?}");
    // Links that nobody receives make no accounts.
    let (reader, lost) = std::io::pipe().unwrap();
    drop(reader);
    for output in [Stdio::from(lost), File::options().write(true).open("/dev/full").unwrap().into()] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.args(["--data-dir", "data", "user", "import", file, "--format", "lldap", "--reset-links"]);
        assert!(!command.current_dir(folder.path()).stdout(output).status().unwrap().success());
    }
    let nowhere = run(&["user", "import", file, "--format", "lldap", "--links", "missing/links.tsv"]);
    assert!(!nowhere.status.success() && output_text(&nowhere).contains("Nothing was imported"), "{nowhere:?}");
    assert!(output_text(&run(&["user", "list"])).is_empty());
    let done = run(&["user", "import", file, "--format", "lldap", "--links", "links.tsv"]);
    assert!(done.status.success() && done.stdout.is_empty(), "{done:?}");
    let written = folder.path().join("links.tsv");
    assert_eq!(written.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = run(&["user", "import", file, "--format", "lldap", "--links", "links.tsv", "--skip-invalid"]);
    assert!(output_text(&again).contains("is not replaced"), "{again:?}");
    let links = std::fs::read_to_string(&written).unwrap();
    let names: Vec<_> = links.lines().filter_map(|line| line.split_once('\t')).collect();
    assert_eq!(names.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["ada", "bob"]);
    assert!(names.iter().all(|(_, link)| link.contains(&format!("{}#code=", paths::RESET_PAGE))), "{links}");
    assert_eq!(
        output_text(&run(&["user", "list"])),
        "ada\tuser\tenabled\tlldap_admin,Media Users\tAda L\tada@example.org (vouched for)\n\
         bob\tuser\tenabled\t\t\tbob@example.org (vouched for)\n"
    );
}

#[test]
fn an_import_before_set_up_says_how_to_make_an_administrator() {
    const COMMAND: &str = "postern user role NAME administrator";
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let import = |name: &str, more: &[&str]| {
        let file = write(folder.path(), "users.csv", &format!("username,password_hash\n{name},{}\n", bcrypt_hash()));
        let done = run(&[&["user", "import", &file, "--format", "csv"], more].concat());
        assert!(done.status.success(), "{done:?}");
        output_text(&done)
    };
    for more in [&["--dry-run"][..], &[]] {
        let said = import("ada", more);
        assert!(said.contains("no enabled account is an administrator") && said.contains(COMMAND), "{said}");
    }
    let refused = run(&["setup"]);
    assert!(!refused.status.success() && output_text(&refused).contains(COMMAND), "{refused:?}");
    let doctor = run(&["doctor"]);
    let said = output_text(&doctor);
    assert_eq!(doctor.status.code(), Some(1), "{said}");
    assert!(said.contains("No enabled administrator exists") && said.contains(COMMAND), "{said}");
    assert!(!said.contains("Every administrator"), "{said}");
    assert!(run(&["user", "role", "ada", "administrator"]).status.success());
    assert!(!output_text(&run(&["doctor"])).contains("No enabled administrator exists"));
    assert!(!import("bob", &[]).contains("administrator"));
}

#[test]
fn every_format_names_all_faulty_accounts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let hash = bcrypt_hash();
    let csv = format!(
        "Username;EMAIL;disabled;password_hash\nada;a@example.org;;{hash}\nbob;b@example.org;maybe;{hash}\ncarl;{hash}\n\
         dora;nowhere;;{hash}\neve;;;{}\nfay;f@example.org;;{hash};\n",
        "$6$salt$hash"
    );
    let yaml = format!(
        "users:\n  ada:\n    password: '{hash}'\n  bob:\n    password: '{hash}'\n    groups: dev\n  carl:\n    \
         password: [a]\n  dora:\n    password: '{hash}'\n    disabled: perhaps\n  eve:\n    password: '$6$salt$hash'\n  \
         fay: text\n"
    );
    let json = "{\"id\":\"ada\"} {\"id\":\"bob\",\"groups\":\"dev\"} {\"id\":7} {\"id\":\"dora\",\"email\":[\"x\"]}\n\
                [{\"id\":\"eve\",\"email\":\"nowhere\"}, {\"name\":\"group\"}]";
    let cases = [
        (
            "csv",
            csv.as_str(),
            [
                "line 3\tbob\tdisabled is true or false",
                "line 4\tcarl\tthis line has 2 fields, and the first line 4",
                "line 5\tdora\t",
                "line 6\teve\tthe password hash is SHA-512",
                "line 7\tfay\tthis line has 5 fields",
            ],
        ),
        (
            "authelia",
            yaml.as_str(),
            [
                "line 5\tbob\tgroups is not a list",
                "line 8\tcarl\tpassword is not text",
                "line 10\tdora\tdisabled is true or false",
                "line 13\teve\tthe password hash is SHA-512",
                "line 14\tfay\tthis user has no fields",
            ],
        ),
        (
            "lldap",
            json,
            [
                "user bob\tbob\tgroups is not a list of texts",
                "object 3\t\tthis is not a user",
                "user dora\tdora\temail is not text",
                "user eve\teve\t",
                "object 6\t\tthis is not a user",
            ],
        ),
    ];
    for (format, text, faults) in cases {
        let file = write(folder.path(), "users", text);
        for more in [&["--dry-run"][..], &[]] {
            let all = ["user", "import", &file, "--format", format, "--links", "links.tsv"];
            // Links would replace the missing hash of eve.
            let named = if format == "lldap" { &all[..] } else { &all[..5] };
            let refused = run(&[named, more].concat());
            let said = output_text(&refused);
            assert_eq!(refused.status.code(), Some(1), "{said}");
            for fault in faults {
                assert!(said.contains(fault), "{format}: {fault}: {said}");
            }
            assert!(said.contains("5 of 6 accounts have faults"), "{format}: {said}");
        }
        assert_eq!(output_text(&run(&["user", "list"])), "");
        let header = write(folder.path(), "header", if format == "csv" { "username\n" } else { "[]" });
        let empty = run(&["user", "import", &header, "--format", format, "--dry-run"]);
        assert!(!empty.status.success(), "{empty:?}");
    }
    let hint = write(folder.path(), "users", &format!("username,password_hash\nada,{}\n", argon2_hash()));
    let said = output_text(&run(&["user", "import", &hint, "--format", "csv"]));
    assert!(said.contains("has commas, so put it in double quotes") && !said.contains("$argon2"), "{said}");
    let twice = write(folder.path(), "users", "users:\n  ada: {}\n  bob: {}\n  ada: {}\n");
    let said = output_text(&run(&["user", "import", &twice, "--format", "authelia", "--dry-run"]));
    assert!(said.contains("line 4, column 3: this user or field is further up in the file"), "{said}");
    let links = write(folder.path(), "links.tsv", "");
    let good = write(folder.path(), "users", "username\nada\n");
    let dry = run(&["user", "import", &good, "--format", "csv", "--links", &links, "--dry-run"]);
    assert!(!dry.status.success() && output_text(&dry).contains("is not replaced"), "{dry:?}");
}

#[tokio::test]
async fn links_of_an_import_go_by_mail_to_those_who_have_an_address() {
    const WEEK_MS: i64 = 7 * 24 * 60 * 60_000;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    let file = write(folder.path(), "users.csv", "username,email,disabled\nada,ada@example.org,\nbob,,\neve,,yes\n");
    let import = |more: &[&str]| run(&[&["user", "import", &file, "--format", "csv", "--mail"], more].concat());
    let off = import(&[]);
    assert!(!off.status.success() && output_text(&off).contains("mail is off"), "{off:?}");
    let settings = "[mail]\nserver = '127.0.0.1'\nport = 1\nsecurity = 'off'\nfrom = 'postern@example.org'\n";
    write(folder.path(), "postern.toml", settings);
    let unreachable = import(&["--dry-run"]);
    assert!(
        output_text(&unreachable).contains("line 3\tbob\tit has no e-mail address for its link"),
        "{unreachable:?}"
    );
    assert!(output_text(&unreachable).contains("1 of 3 accounts have faults"), "{unreachable:?}");
    let silent = import(&["--links", "links.tsv"]);
    assert!(output_text(&silent).contains("no server has sent mail here"), "{silent:?}");
    assert!(output_text(&run(&["user", "list"])).is_empty() && !folder.path().join("links.tsv").exists());

    let url = format!("sqlite:{}", folder.path().join("data/postern.db").display());
    let store = store::open(&url, store::StoreOptions::default()).await.unwrap();
    store.renew_mail_limit(3, UnixMs::from_millis(1)).await.unwrap();
    let done = import(&["--links", "links.tsv"]);
    assert!(done.status.success() && output_text(&done).contains("mails 1 links, valid for 7 days"), "{done:?}");
    let mails = store.mails().await.unwrap();
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!((mail.recipient.as_str(), mail.kind), ("ada@example.org", MailKind::ResetLink));
    assert_eq!(mail.link_expires_at.unwrap() - mail.created_at, WEEK_MS);
    let links = std::fs::read_to_string(folder.path().join("links.tsv")).unwrap();
    let names: Vec<_> = links.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["bob", "eve"]);
}
