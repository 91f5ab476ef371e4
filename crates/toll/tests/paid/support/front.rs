//! A real proxy with the configuration that `deploy/` ships. Only names, ports and the certificate's paths are
//! replaced.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use testkit::Running;
use tokio::net::TcpStream;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
    Haproxy,
}

pub(crate) struct Front {
    pub address: SocketAddr,
    _process: Running,
    _directory: TempDir,
}

impl Front {
    /// Starts the proxy in front of a gate that clients know as `host`.
    pub(crate) async fn before(kind: Kind, gate: SocketAddr, host: &str) -> Self {
        for _ in 0..3 {
            if let Some(front) = Self::start(kind, gate, host).await {
                return front;
            }
        }
        panic!("{kind:?} does not start");
    }

    /// Starts the proxy. `None`: another program took a port meanwhile.
    async fn start(kind: Kind, gate: SocketAddr, host: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let (address, plain) = (free(), free());
        certify(directory.path(), host);
        let mut command = match kind {
            Kind::Nginx => nginx(directory.path(), gate, host, address, plain),
            Kind::Caddy => caddy(directory.path(), gate, host, address, plain),
            Kind::Haproxy => haproxy(directory.path(), gate, host, address, plain),
        };
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        command.current_dir(directory.path()).env("PATH", path).stdin(Stdio::null()).stdout(Stdio::null());
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, directory.path());
        }
        command.env("CADDY_ADMIN", format!("unix/{}/admin.sock", directory.path().display())).stderr(Stdio::null());
        let mut process =
            Running::start(&mut command).unwrap_or_else(|error| panic!("Debian's package for {kind:?}: {error}"));
        for _ in 0..1000 {
            if process.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(address).await.is_ok() {
                return Some(Self { address, _process: process, _directory: directory });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }
}

fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], regtest::free_port().unwrap()))
}

fn certify(folder: &Path, host: &str) {
    let (key, chain) = (folder.join("key.pem"), folder.join("fullchain.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"])
        .args(["-subj", "/CN=gate", "-addext", &format!("subjectAltName=DNS:{host}"), "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .stderr(Stdio::null())
        .status()
        .expect("Debian's package openssl");
    assert!(made.success());
    let both = [std::fs::read(&chain).unwrap(), std::fs::read(&key).unwrap()].concat();
    std::fs::write(folder.join("both.pem"), both).unwrap();
}

/// Returns a file of `deploy/` with replacements. Each replaced text must exist, because otherwise another
/// configuration would be tested.
fn shipped(path: &str, replacements: &[(&str, &str)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path);
    let mut text = std::fs::read_to_string(file).unwrap();
    for (from, to) in replacements {
        assert!(text.contains(from), "there is no \"{from}\" in {path}");
        text = text.replace(from, to);
    }
    text
}

fn nginx(folder: &Path, gate: SocketAddr, host: &str, address: SocketAddr, plain: SocketAddr) -> Command {
    let root = folder.display();
    let site = shipped(
        "nginx/gate.conf",
        &[
            ("    listen [::]:443 ssl http2;\n", ""),
            ("    listen [::]:80;\n", ""),
            ("listen 443 ssl", &format!("listen {address} ssl")),
            ("listen 80;", &format!("listen {plain};")),
            ("127.0.0.1:3004", &gate.to_string()),
            ("/etc/letsencrypt/live/api.example.com/fullchain.pem", &format!("{root}/fullchain.pem")),
            ("/etc/letsencrypt/live/api.example.com/privkey.pem", &format!("{root}/key.pem")),
            ("api.example.com", host),
        ],
    );
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {root}/{name};"))
        .concat();
    let around = format!(
        "daemon off; master_process off; pid {root}/pid; error_log stderr; events {{ worker_connections 64; }}
         http {{ access_log off; {temporary} {site} }}"
    );
    std::fs::write(folder.join("nginx.conf"), around).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).args(["-e", "stderr", "-c", "nginx.conf"]);
    command
}

fn caddy(folder: &Path, gate: SocketAddr, host: &str, address: SocketAddr, plain: SocketAddr) -> Command {
    let root = folder.display();
    let site = shipped(
        "caddy/gate.Caddyfile",
        &[
            ("127.0.0.1:3004 {", &format!("{gate} {{")),
            ("#tls /etc/caddy/fullchain.pem /etc/caddy/key.pem", &format!("tls {root}/fullchain.pem {root}/key.pem")),
            ("api.example.com {", &format!("{host} {{")),
        ],
    );
    let (http, https) = (plain.port(), address.port());
    let around = format!("{{\n\thttp_port {http}\n\thttps_port {https}\n\tdefault_bind 127.0.0.1\n}}\n{site}");
    std::fs::write(folder.join("Caddyfile"), around).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--config", "Caddyfile", "--adapter", "caddyfile"]);
    command
}

fn haproxy(folder: &Path, gate: SocketAddr, host: &str, address: SocketAddr, plain: SocketAddr) -> Command {
    let file = shipped(
        "haproxy/gate.cfg",
        &[
            ("bind :80,[::]:80 v6only", &format!("bind {plain}")),
            ("bind :443,[::]:443 v6only", &format!("bind {address}")),
            ("127.0.0.1:3004 send", &format!("{gate} send")),
            ("/etc/haproxy/api.example.com.pem", &folder.join("both.pem").display().to_string()),
            ("api.example.com", host),
        ],
    );
    std::fs::write(folder.join("haproxy.cfg"), file).unwrap();
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f", "haproxy.cfg"]);
    command
}
