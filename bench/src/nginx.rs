//! nginx on one core, for comparison: as a server, and as a proxy.

use crate::{machine, wrk};
use anyhow::{Context, Result, ensure};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    pub port: u16,
    _folder: TempDir,
}

impl Nginx {
    /// Starts one that sends the same small answer to everything, on the load generator's core.
    pub(crate) fn answering() -> Result<Self> {
        Self::start("default_type text/plain; return 200 'what was asked for';", "", "1")
    }

    /// Starts one that forwards everything over kept connections, on the measured core.
    pub(crate) fn forwarding(upstream: u16) -> Result<Self> {
        let location = "proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ''; \
                        proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;";
        let up = format!("upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}");
        Self::start(location, &up, "0")
    }

    fn start(location: &str, upstream: &str, core: &str) -> Result<Self> {
        // Debian installs it in a folder that is on root's path only.
        let known = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().find(|path| Path::new(path).is_file());
        let program = known.unwrap_or("nginx");
        ensure!(known.is_some() || machine::has(program), "no nginx here (Debian: apt-get install nginx)");
        let folder = machine::folder()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let at = folder.path().display();
        // One process, so that its time is all of it.
        let text = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/errors;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; keepalive_requests 100000000;\n\
             client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;\n\
             uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
             {upstream}\n\
             server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }} }}\n"
        );
        let settings = folder.path().join("nginx.conf");
        std::fs::write(&settings, text)?;
        let mut command = if wrk::pinned() { Command::new("taskset") } else { Command::new(program) };
        if wrk::pinned() {
            command.args(["-c", core, program]);
        }
        let child = command.arg("-c").arg(&settings).arg("-p").arg(folder.path()).spawn().context(program)?;
        let nginx = Self { child, port, _folder: folder };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            ensure!(Instant::now() < end, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(nginx)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
