//! A child process that ends with its parent.

use crate::{Error, Result};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Time for a program to write its files when it is told to end.
const TIMEOUT: Duration = Duration::from_secs(8);

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

impl Process {
    /// Starts it in its own process group. `setpriv` has the kernel kill it when the calling thread ends, so that not
    /// even a killed test leaves it behind.
    pub(crate) fn start(name: &'static str, arguments: &[String], log: &Path) -> Result<Self> {
        let output = File::create(log)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", name])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        Ok(Self { child, name, log: log.to_owned() })
    }

    /// Fails if it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(_) => Err(Error::Ended { name: self.name, log: self.last_words() }),
        }
    }

    pub(crate) fn silent(&self) -> Error {
        Error::Silent { name: self.name, log: self.last_words() }
    }

    /// Tells it to end.
    pub(crate) fn ask_to_end(&self) {
        self.signal(Signal::INT);
    }

    /// Tells it to end and waits until it has.
    pub(crate) fn end(&mut self) {
        self.ask_to_end();
        let until = Instant::now() + TIMEOUT;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
    }

    /// Kills it without waiting.
    pub(crate) fn kill_at_once(&self) {
        self.signal(Signal::KILL);
    }

    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Pauses it or lets it continue.
    pub(crate) fn pause(&self, paused: bool) {
        self.signal(if paused { Signal::STOP } else { Signal::CONT });
        // On a busy machine its threads stop later; it counts as paused only when all have stopped.
        if let Some(pid) = self.pid().filter(|_| paused) {
            let _ = waitpid(Some(pid), WaitOptions::UNTRACED);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.pid() {
            let _ = kill_process_group(group, signal);
        }
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
