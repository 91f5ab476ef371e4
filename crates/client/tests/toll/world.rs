//! One customer, one wallet, one gate.

use super::gate::FakeGate;
use super::payer::{Network, Wallet};
use async_trait::async_trait;
use client::toll::{AgreedKeys, GateAccount, Offer, PayingClient, PaymentEvent, Prompt, Quote};
use client::{Answer, HttpClient, Result, Server, Storage, StorageChoice, SystemEnvironment};
use parking_lot::Mutex;
use tempfile::TempDir;

#[derive(Debug)]
pub(crate) struct World {
    pub gate: FakeGate,
    pub wallet: Wallet,
    pub prompt: FixedPrompt,
    pub max_pay: Option<u64>,
    pub wait_seconds: u64,
    pub without_wallet: bool,
    pub storage: Storage,
    pub agreed: AgreedKeys,
    _folder: TempDir,
}

/// A prompt with the same answer to everything; `None`: no person can be asked.
#[derive(Default)]
pub(crate) struct FixedPrompt {
    pub answer: Mutex<Option<bool>>,
    /// A function that runs before the answer.
    pub thinks: Option<Box<dyn Fn() + Send + Sync>>,
    pub events: Mutex<Vec<PaymentEvent>>,
    pub waited: Mutex<u64>,
}

impl std::fmt::Debug for FixedPrompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Somebody")
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let network = Network::default();
        Self {
            gate: FakeGate::open(path.clone(), network.clone()).await,
            wallet: Wallet::new(path.clone(), network),
            prompt: FixedPrompt::default(),
            max_pay: Some(super::gate::PRICE),
            wait_seconds: 600,
            without_wallet: false,
            storage: Storage::new(path),
            agreed: AgreedKeys::default(),
            _folder: folder,
        }
    }

    /// Runs the program once.
    pub(crate) async fn get(&self) -> Result<Answer> {
        let http = HttpClient::new(self.server()).unwrap();
        self.paying_client(&http).get(&self.gate.url()).await
    }

    pub(crate) async fn quote(&self) -> Result<Quote> {
        let http = HttpClient::new(self.server()).unwrap();
        self.paying_client(&http).quote(&self.gate.url()).await
    }

    /// Checks that the client gets the answer that it pays for.
    pub(crate) async fn opens(&self) {
        let answer = self.get().await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"the price".as_slice()));
    }

    pub(crate) fn sent(&self) -> usize {
        self.wallet.sent.lock().len()
    }

    pub(crate) fn server(&self) -> Server {
        Server::of(&self.gate.url()).unwrap()
    }

    pub(crate) async fn account(&self) -> GateAccount {
        self.storage.load::<GateAccount>(&self.server()).await.unwrap().unwrap()
    }

    /// Removes the proofs, as in records of a version that proved only what it had sent.
    pub(crate) fn without_proof(&self) {
        let folder = self.storage.folder().join("toll");
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let mut kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let payment = kept["content"]["payments"][0].as_object_mut().unwrap();
                payment.remove("key");
                payment.insert("proof".to_owned(), serde_json::Value::Null);
                std::fs::write(&path, kept.to_string()).unwrap();
            }
            if path.extension().is_some_and(|extension| extension == "tx") {
                std::fs::remove_file(&path).unwrap();
            }
        }
    }

    fn paying_client<'a>(&'a self, http: &'a HttpClient) -> PayingClient<'a> {
        PayingClient {
            http,
            environment: &SystemEnvironment,
            agreed: &self.agreed,
            storage: &self.storage,
            choice: StorageChoice::File,
            payer: if self.without_wallet { None } else { Some(&self.wallet) },
            prompt: &self.prompt,
            max_pay: self.max_pay,
            wait_seconds: self.wait_seconds,
        }
    }
}

#[async_trait]
impl Prompt for FixedPrompt {
    fn is_interactive(&self) -> bool {
        self.answer.lock().is_some()
    }

    async fn confirm(&self, _: &Offer, fee: u64) -> bool {
        assert_eq!(fee, 30);
        if let Some(thinks) = &self.thinks {
            thinks();
        }
        self.answer.lock().unwrap()
    }

    fn notify(&self, event: &PaymentEvent) {
        self.events.lock().push(event.clone());
    }

    async fn wait(&self, seconds: u64) {
        *self.waited.lock() += seconds;
    }
}
