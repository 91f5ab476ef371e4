//! One home, one wallet, one gate; and where something dies.

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

/// What happens at a step, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// The client is killed.
    Client,
    /// The wallet or the gate breaks the connection off.
    Other,
}

/// A question to the wallet or the gate, and whether what it asks for is done before somebody dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub step: &'static str,
    pub done: bool,
    pub death: Death,
}

/// What wallet and gate share: a network, and faults.
#[derive(Debug)]
pub struct Shared {
    /// Transactions that nodes have.
    pub network: Mutex<BTreeSet<String>>,
    pub fault: Mutex<Option<Fault>>,
    /// The error that the wallet answers when it is asked to pay.
    pub refusal: Mutex<Option<i64>>,
    /// Requests left of every token.
    pub left: Mutex<u64>,
    /// What is bought, where it is more than a price.
    pub files: Arc<Files>,
    kill: mpsc::UnboundedSender<()>,
}

impl Shared {
    /// Dies here, where that is due. A client that is killed gets no answer.
    pub async fn step(&self, step: &str, done: bool) {
        let due = self.fault.lock().take_if(|fault| fault.step == step && fault.done == done);
        match due.map(|fault| fault.death) {
            None => {}
            Some(Death::Client) => {
                self.kill.send(()).unwrap();
                std::future::pending::<()>().await;
            }
            // Ends the connection without an answer, and without a word about a panic.
            Some(Death::Other) => std::panic::resume_unwind(Box::new(())),
        }
    }
}

#[derive(Debug)]
pub struct World {
    pub shared: Arc<Shared>,
    pub home: TempDir,
    kills: mpsc::UnboundedReceiver<()>,
    wallet: String,
    gate: String,
}

impl World {
    pub async fn new() -> Self {
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

    /// One run; `None`: it was killed.
    pub async fn get(&mut self) -> Option<Output> {
        let url = format!("{}/price", self.gate);
        let arguments = ["get", &url, "--wallet", &self.wallet, "--max-pay", "0.01", "--storage", "file"];
        let child = client(self.home.path(), &arguments).spawn().unwrap();
        tokio::select! {
            output = child.wait_with_output() => Some(output.unwrap()),
            // Dropped, and with that killed (SIGKILL).
            _ = self.kills.recv() => None,
        }
    }

    pub fn paid(&self) -> usize {
        self.shared.network.lock().len()
    }
}

/// The program, with a home of its own and no keyring.
pub fn client(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern-client"));
    command.args(arguments).env_clear().env("HOME", home).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}
