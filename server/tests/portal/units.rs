//! The units of `deploy/systemd`: systemd accepts them, and the programs that they start run and stop.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use testkit::Running;

/// Each unit, its settings file with the settings that a test needs, and a text that the program prints once it
/// listens.
const UNITS: [(&str, &str, &str, &str); 3] = [
    ("postern.service", "postern.toml", "listen = '127.0.0.1:0'\n[operator]\nlisten = 'off'\n", "http://"),
    (
        "postern-gate.service",
        "postern.toml",
        "[toll]\nlisten = '127.0.0.1:0'\n[[toll.routes]]\nname = 'a'\npath = '/a'\nupstream = 'http://127.0.0.1:1'\n",
        "The gate listens on http://127.0.0.1:",
    ),
    (
        "postern-time-server.service",
        "time-server.toml",
        "listen = '127.0.0.1:0'\ntcp = '127.0.0.1:0'\n",
        "and for terminals on 127.0.0.1:",
    ),
];

fn unit(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd").join(name)).unwrap()
}

fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn systemd_takes_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for (name, ..) in UNITS {
        // Neither the program nor the documents need to be installed here.
        let text = unit(name).replace("/usr/local/bin/postern", env!("CARGO_BIN_EXE_postern"));
        let text =
            text.lines().filter(|line| !line.starts_with("Documentation=")).collect::<Vec<_>>().join("\n") + "\n";
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output();
        let verified = verified.expect("Debian's package systemd");
        assert!(verified.status.success(), "{name}: {}", String::from_utf8_lossy(&verified.stderr));
        assert_eq!(String::from_utf8_lossy(&verified.stderr), "", "{name}");
    }
}

#[test]
fn programs_started_by_units_listen_reload_and_stop() {
    for (name, file, settings, says) in UNITS {
        let (folder, unit) = (tempfile::tempdir().unwrap(), unit(name));
        fs::write(folder.path().join(file), settings).unwrap();
        let [start] = values(&unit, "ExecStart")[..] else { panic!("{name}") };
        let mut words = start.split(' ');
        assert_eq!(words.next(), Some("/usr/local/bin/postern"), "{name}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.args(words).env_clear().current_dir(folder.path()).stdout(Stdio::piped());
        for pair in values(&unit, "Environment") {
            let (variable, path) = pair.split_once('=').unwrap();
            let here: PathBuf = folder.path().join(path.strip_prefix("/etc/postern/").unwrap());
            assert!(here.exists(), "{name}: {path}");
            command.env(variable, here);
        }
        let log = folder.path().join("log");
        let mut child = Running::start(command.stderr(fs::File::create(&log).unwrap())).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let published_keys = lines.any(|line| line.contains(says));
        let signal = |signal: &str| {
            assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        };
        if published_keys && !values(&unit, "ExecReload").is_empty() {
            signal("-HUP");
            while !fs::read_to_string(&log).unwrap().contains("were read again") {
                std::thread::yield_now();
            }
        }
        signal("-TERM");
        let ended = child.wait().unwrap();
        assert!(published_keys && ended.success(), "{name}: {ended} {}", fs::read_to_string(&log).unwrap());
    }
}
