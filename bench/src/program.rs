//! The release program, as an operator starts it.

use crate::visitor::{NAME, PASSWORD, ServiceAddress};
use anyhow::{Context, Result, bail, ensure};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A data folder with one account in it.
#[derive(Debug)]
pub(crate) struct Program {
    binary: PathBuf,
    folder: PathBuf,
    place: ServiceAddress,
    settings: Vec<&'static str>,
}

#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub place: ServiceAddress,
    /// The time from the start of the program to its first answer.
    pub first_answer: Duration,
}

impl Program {
    pub(crate) fn set_up(folder: &Path) -> Result<Self> {
        let binary = binary()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let place = ServiceAddress { address, origin: format!("http://localhost:{}", address.port()) };
        let program =
            Self { binary, folder: folder.to_owned(), place, settings: vec!["log.level=warn", "time.embedded=false"] };
        let mut add = program.command().args(["user", "add", NAME]).stdin(Stdio::piped()).spawn()?;
        writeln!(add.stdin.take().context("no standard input")?, "{PASSWORD}")?;
        ensure!(add.wait()?.success(), "the account could not be added");
        Ok(program)
    }

    /// Sets `SETTING=VALUE`, from the next start on.
    #[must_use]
    pub(crate) fn with(mut self, setting: &'static str) -> Self {
        self.settings.push(setting);
        self
    }

    /// Starts, and waits for the first answer to `GET /api/challenge`.
    pub(crate) fn start(&self) -> Result<Running> {
        let began = Instant::now();
        let listen = self.place.address.to_string();
        let child = self.command().args(["serve", "--listen", &listen, "--public-url", &self.place.origin]).spawn()?;
        let mut running = Running { child, place: self.place.clone(), first_answer: Duration::ZERO };
        while !answers(self.place.address)? {
            ensure!(began.elapsed() < Duration::from_secs(20), "no answer within 20 seconds");
            if let Some(status) = running.child.try_wait()? {
                bail!("the program ended: {status}");
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        running.first_answer = began.elapsed();
        Ok(running)
    }

    /// Builds the command without our own environment, because every `POSTERN_...` in it would be a setting.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        command.arg("--data-dir").arg(&self.folder).args(["--set", "operator.listen=off"]);
        command.args(self.settings.iter().flat_map(|setting| ["--set", setting]));
        command
    }
}

/// Returns the path of the release program.
pub(crate) fn binary() -> Result<PathBuf> {
    let binary = match std::env::var_os("POSTERN_BIN") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()?.with_file_name("postern"),
    };
    ensure!(binary.is_file(), "{} is not there: run make build", binary.display());
    Ok(binary)
}

/// Sends a request. `false`: nothing listens yet. A listening program answers when the service is ready.
fn answers(address: SocketAddr) -> Result<bool> {
    let Ok(mut stream) = TcpStream::connect(address) else { return Ok(false) };
    let request = format!("GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", wire::paths::CHALLENGE);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(true)
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it by a signal, as an operator does, so that the next start finds a closed database.
    pub(crate) fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        ensure!(asked.success() && self.child.wait()?.success(), "the program did not stop in good order");
        Ok(())
    }
}

impl Drop for Running {
    /// Ends it after an error, because nothing else would.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
