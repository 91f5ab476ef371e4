//! The parts of the program that packages need: manual pages, completions, a health check, and the version of the
//! database.

use crate::support::{Program, output_text, postern};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

#[test]
fn manual_pages_and_completions_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let written = postern(folder.path(), &["man", "pages"], "");
    assert!(written.status.success(), "{}", output_text(&written));
    let page = |name: &str| std::fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
    assert!(page("postern.1").contains("postern\\-user(1)"));
    assert!(page("postern-user-add.1").contains("Add an account"));
    for shell in ["bash", "zsh", "fish"] {
        let text = output_text(&postern(folder.path(), &["completions", shell], ""));
        assert!(text.contains("set-password"), "{shell}");
    }
    assert!(!folder.path().join("data").exists(), "nothing else is made");
}

#[test]
fn the_version_is_the_packages() {
    let folder = tempfile::tempdir().unwrap();
    let version = output_text(&postern(folder.path(), &["--version"], ""));
    assert!(version.starts_with(concat!("postern ", env!("CARGO_PKG_VERSION"))), "{version}");
}

#[test]
fn the_health_check_follows_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let own = format!("operator.listen={}:0", testkit::own_loopback());
    let program = Program::start(folder.path(), &[&own]);
    let listen = format!("operator.listen={}", program.operator_address());
    let healthy = postern(folder.path(), &["--set", &listen, "health"], "");
    assert_eq!((healthy.status.code(), output_text(&healthy).trim()), (Some(0), "ready"));
    // Some checks close their half of the connection after the request, as `nc -N` does.
    for _ in 0..20 {
        let mut half_closed = TcpStream::connect(program.operator_address()).unwrap();
        half_closed.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").unwrap();
        half_closed.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        half_closed.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200") && answer.contains("ready"), "{answer}");
    }
    program.end();
    let gone = postern(folder.path(), &["--set", &listen, "health"], "");
    assert_eq!(gone.status.code(), Some(1), "{}", output_text(&gone));
    let off = postern(folder.path(), &["--set", "operator.listen=off", "health"], "");
    assert!(output_text(&off).contains("operator.listen is off"), "{}", output_text(&off));
}

#[tokio::test]
async fn a_command_leaves_a_database_of_an_earlier_version_to_the_server() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "ada"], "correct horse battery staple\n").status.success());
    let file = folder.path().join("data/postern.db");
    let mut database = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    let undo = "DROP INDEX oauth_logouts_next; DELETE FROM _sqlx_migrations WHERE version = 38";
    sqlx::raw_sql(undo).execute(&mut database).await.unwrap();
    let backup = folder.path().join("backup.db").display().to_string();
    for command in [&["client", "list"][..], &["user", "list"], &["backup", &backup]] {
        let refused = postern(folder.path(), command, "");
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {}", output_text(&refused));
        assert!(output_text(&refused).contains("start the server of this version"), "{}", output_text(&refused));
    }
    Program::start(folder.path(), &[]).end();
    let listed = postern(folder.path(), &["user", "list"], "");
    assert!(listed.status.success(), "{}", output_text(&listed));
}

/// The number of the last migration of version 0.1.
const LAST_OF_0_1: i64 = 31;

/// Makes a database of version 0.1 with one account.
async fn make_database_of_0_1(file: &std::path::Path) {
    use sqlx::migrate::{Migration, MigrationType, Migrator};
    use sqlx::{ConnectOptions, SqlStr, sqlite::SqliteConnectOptions};
    let mut migrations = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/store/migrations")).unwrap() {
        let path = entry.unwrap().path();
        let (number, name) = path.file_stem().unwrap().to_str().unwrap().split_once('_').unwrap();
        let number: i64 = number.parse().unwrap();
        if number <= LAST_OF_0_1 {
            let sql = SqlStr::from_static(Box::leak(std::fs::read_to_string(&path).unwrap().into_boxed_str()));
            migrations.push(Migration::new(number, name.to_owned().into(), MigrationType::Simple, sql, false));
        }
    }
    migrations.sort_by_key(|migration| migration.version);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut database = options.connect().await.unwrap();
    Migrator::with_migrations(migrations).run(&mut database).await.unwrap();
    let account = "INSERT INTO users (id, name, name_key, password_hash, role, created_at)
        VALUES ('01', 'Ada', 'ada', '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA', 'administrator', 1)";
    sqlx::raw_sql(account).execute(&mut database).await.unwrap();
}

#[tokio::test]
async fn a_database_of_version_0_1_is_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    make_database_of_0_1(&folder.path().join("data/postern.db")).await;
    let said = |arguments: &[&str]| output_text(&postern(folder.path(), arguments, ""));
    assert!(said(&["doctor"]).contains("changes of the database are pending: 32 mails"), "{}", said(&["doctor"]));
    assert!(said(&["user", "list"]).contains("start the server of this version"));
    Program::start(folder.path(), &[]).end();
    assert!(said(&["doctor"]).contains("every change that this version needs"), "{}", said(&["doctor"]));
    assert!(said(&["user", "list"]).contains("Ada"), "{}", said(&["user", "list"]));
}

/// The package's files in a folder instead of `/`, with programs that change nothing.
struct Package {
    folder: tempfile::TempDir,
}

impl Package {
    /// `config_print`: the shell commands that the installed program runs for `config print`.
    fn new(environment: &str, config_print: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let package = Self { folder: tempfile::tempdir().unwrap() };
        let program =
            format!(r#"[ "$3" != config ] || {{ {config_print}; exit; }}; echo "$3 in $PWD: $4, $DATABASE_URL""#);
        let programs = [
            ("postern", &*program),
            ("bin/runuser", r#"shift 3; exec "$@""#),
            ("bin/getent", "exit 0"),
            ("bin/install", r#"for last; do :; done; mkdir -p "$last""#),
            ("bin/dpkg-statoverride", "exit 0"),
            ("bin/deb-systemd-helper", "exit 0"),
            ("bin/deb-systemd-invoke", "exit 0"),
            ("bin/systemctl", "exit 0"),
        ];
        for folder in ["bin", "etc", "home"] {
            std::fs::create_dir(package.path(folder)).unwrap();
        }
        for (path, text) in programs {
            std::fs::write(package.path(path), format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(package.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::write(package.path("etc/postern.toml"), "").unwrap();
        std::fs::write(package.path("etc/environment"), environment).unwrap();
        package
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    /// Runs a script of the package. Returns whether it succeeded, and what it printed.
    fn run(&self, name: &str, arguments: &[&str]) -> (bool, String) {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/debian/postern/");
        let mut script = std::fs::read_to_string(format!("{shipped}{name}")).unwrap();
        for (path, here) in [("/usr/bin/postern", "postern"), ("/etc/postern", "etc"), ("/var/lib/postern", "home")] {
            script = script.replace(path, self.path(here).to_str().unwrap());
        }
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let output = std::process::Command::new("sh")
            .args(["-c", &script, name])
            .args(arguments)
            .env("PATH", path)
            .env_remove("DATABASE_URL")
            .output()
            .unwrap();
        (output.status.success(), output_text(&output))
    }
}

/// Prints the variable `DATABASE_URL` as the setting.
const PRINTS_ITS_ENVIRONMENT: &str = r#"echo "database_url = \"$DATABASE_URL\"  # environment""#;

#[test]
fn the_package_reads_the_servers_environment() {
    let lines =
        "# A comment\nPOSTERN_NAME=My Portal\nDATABASE_URL=postgres://u:p@db.example/postern?sslmode=require&a=b\n";
    for environment in [lines, &lines.replace("=postgres", "=\"postgres").replace("a=b\n", "a=b\"")] {
        let package = Package::new(environment, PRINTS_ITS_ENVIRONMENT);
        std::fs::write(package.path("home/postern.db"), "of an earlier time").unwrap();
        let (done, before) = package.run("preinst", &["upgrade", "0.1.0"]);
        assert!(done && before.contains("back it up with pg_dump"), "{before}");
        let (done, after) = package.run("postinst", &["configure", ""]);
        assert!(done && after.contains("postgres://u:p@db.example/postern?sslmode=require&a=b\n"), "{after}");
    }
}

#[test]
fn an_upgrade_of_the_package_makes_a_backup_or_stops() {
    let relative = r#"echo 'data_dir = "data"  # postern.toml'"#;
    let package = Package::new("", relative);
    std::fs::create_dir(package.path("home/data")).unwrap();
    std::fs::write(package.path("home/data/postern.db"), "").unwrap();
    let (done, backup) = package.run("preinst", &["upgrade", "0.1.0"]);
    assert!(done && backup.contains(&format!("backup in {}", package.path("home").display())), "{backup}");

    let fresh = Package::new("", relative);
    assert_eq!(fresh.run("preinst", &["upgrade", "0.1.0"]), (true, String::new()), "no server has run yet");

    let elsewhere = Package::new("", relative);
    std::fs::write(elsewhere.path("home/postern.db"), "").unwrap();
    let unreadable = Package::new("", "echo 'postern.toml: line 3' >&2; exit 2");
    for (package, reason) in [(elsewhere, "which does not exist beside"), (unreadable, "has an error")] {
        let (done, stopped) = package.run("preinst", &["upgrade", "0.1.0"]);
        assert!(!done && stopped.contains(reason) && stopped.contains("POSTERN_UPGRADE_BACKUP=no"), "{stopped}");
    }
}

#[tokio::test]
async fn the_doctor_runs_no_migration() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "ada"], "correct horse battery staple\n").status.success());
    let file = folder.path().join("data/postern.db");
    let mut database = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    let doctor = |says: &str| {
        let found = output_text(&postern(folder.path(), &["doctor"], ""));
        assert!(found.contains(says), "{says}: {found}");
    };
    doctor("every change that this version needs");

    sqlx::raw_sql("DELETE FROM _sqlx_migrations WHERE version = 18").execute(&mut database).await.unwrap();
    doctor("changes of the database are pending: 18 gates.");
    doctor("changes of the database are pending: 18 gates.");

    sqlx::raw_sql("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 16")
        .execute(&mut database)
        .await
        .unwrap();
    doctor("A newer version of Postern has changed the database");
}
