//! One home, one wallet, one gate, and a step at which one of them is killed.

use super::files::Files;
use super::{gate, wallet};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::mpsc;

/// An event at a step, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// The client is killed.
    Client,
    /// The wallet or the gate breaks off the connection.
    Other,
}

/// A request to the wallet or the gate, and whether it is carried out before one side is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub step: &'static str,
    pub done: bool,
    pub death: Death,
}

/// The state that wallet and gate share: a network, and faults.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Transactions that nodes have.
    pub network: Mutex<BTreeSet<String>>,
    pub fault: Mutex<Option<Fault>>,
    /// The error that the wallet answers when it is asked to pay.
    pub refusal: Mutex<Option<i64>>,
    /// Requests left of every token.
    pub left: Mutex<u64>,
    /// The files that are bought, if they are more than a price.
    pub files: Arc<Files>,
    kill: mpsc::UnboundedSender<()>,
}

impl Shared {
    /// Ends the client or this connection at this step, if that is due. A client that is killed gets no answer.
    pub(crate) async fn step(&self, step: &str, done: bool) {
        let due = self.fault.lock().take_if(|fault| fault.step == step && fault.done == done);
        match due.map(|fault| fault.death) {
            None => {}
            Some(Death::Client) => {
                self.kill.send(()).unwrap();
                std::future::pending::<()>().await;
            }
            // Ends the connection without an answer, and without output about a panic.
            Some(Death::Other) => std::panic::resume_unwind(Box::new(())),
        }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub shared: Arc<Shared>,
    pub home: TempDir,
    kills: mpsc::UnboundedReceiver<()>,
    wallet: String,
    gate: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (kill, kills) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            network: Mutex::default(),
            fault: Mutex::default(),
            refusal: Mutex::default(),
            left: Mutex::new(6),
            files: Arc::default(),
            kill,
        });
        let (wallet, gate) = (wallet::open(Arc::clone(&shared)).await, gate::open(Arc::clone(&shared)).await);
        Self { shared, home: tempfile::tempdir().unwrap(), kills, wallet, gate }
    }

    /// Runs the program once; `None`: it was killed.
    pub(crate) async fn get(&mut self) -> Option<Output> {
        let url = format!("{}/price", self.gate);
        let arguments = ["get", &url, "--wallet", &self.wallet, "--max-pay", "0.01", "--storage", "file"];
        let child = client(self.home.path(), &arguments).spawn().unwrap();
        tokio::select! {
            output = child.wait_with_output() => Some(output.unwrap()),
            // Dropping the child kills it (SIGKILL).
            _ = self.kills.recv() => None,
        }
    }

    pub(crate) fn paid(&self) -> usize {
        self.shared.network.lock().len()
    }
}

/// Returns a command for the program, with a home of its own and no keyring.
pub(crate) fn client(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern-client"));
    command.args(arguments).env_clear().env("HOME", home).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}
