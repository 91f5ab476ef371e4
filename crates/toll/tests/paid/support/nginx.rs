//! A real nginx in front of the gate, with a cache that stores all it may.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use testkit::Running;
use tokio::net::TcpStream;

pub(crate) struct Nginx {
    pub address: SocketAddr,
    _process: Running,
    _directory: TempDir,
}

impl Nginx {
    /// Starts nginx. `host`: the `Host` that it forwards.
    pub(crate) async fn before(gate: SocketAddr, host: &str) -> Self {
        for _ in 0..3 {
            if let Some(nginx) = Self::start(gate, host).await {
                return nginx;
            }
        }
        panic!("nginx does not start");
    }

    /// Starts nginx. `None`: another program took the port meanwhile.
    async fn start(gate: SocketAddr, host: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], regtest::free_port().unwrap()));
        let root = directory.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {root}/{name};"))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid {root}/pid; error_log stderr;
             events {{ worker_connections 64; }}
             http {{ access_log off; {temporary}
               proxy_cache_path {root}/cache keys_zone=all:1m;
               server {{ listen {address};
                 location / {{
                   proxy_pass http://{gate}; proxy_http_version 1.1; proxy_set_header Host {host};
                   proxy_cache all; proxy_cache_key $request_uri; proxy_cache_valid any 10m;
                   add_header X-Cache $upstream_cache_status always;
                 }} }} }}"
        );
        std::fs::write(directory.path().join("nginx.conf"), config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(directory.path()).args(["-e", "stderr", "-c", "nginx.conf"]).stdin(Stdio::null());
        let mut process = Running::start(&mut command).expect("Debian's package nginx");
        for _ in 0..1000 {
            if TcpStream::connect(address).await.is_ok() && process.try_wait().unwrap().is_none() {
                return Some(Self { address, _process: process, _directory: directory });
            }
            if process.try_wait().unwrap().is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }
}
