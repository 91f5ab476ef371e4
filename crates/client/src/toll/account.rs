//! The record of one gate: unredeemed payments and tokens.

use super::Offer;
use crate::storage::StoredRecord;
use crate::{Environment, ProofKey, Result, Server, Storage};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The record of a gate. `Debug` hides the secrets; they are cleared from memory on drop.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateAccount {
    origin: String,
    key: Secret,
    /// Payments that were or will be sent and are not redeemed.
    pub payments: Vec<OpenPayment>,
    /// Tokens, newest first.
    #[serde(rename = "tickets")]
    pub tokens: Vec<StoredToken>,
}

/// A payment in progress, stored before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPayment {
    #[serde(rename = "bill")]
    pub offer: Offer,
    /// The requested path, without its query.
    pub path: String,
    pub txid: String,
    /// The name of the paying wallet. No other wallet can send it.
    pub wallet: String,
    /// The proof of payment. Payments of earlier versions have none until their wallet has sent them.
    pub proof: Option<String>,
    /// The transaction's secret key, with which any wallet's node can be queried about the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
}

/// The token of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredToken {
    pub token: Secret,
    /// The path that it was bought for.
    pub path: String,
    /// The payment's transaction id.
    pub txid: String,
    pub piconero: u64,
    /// Expiry, in unix seconds by the gate's clock.
    pub expires: u64,
    /// Requests left, as last reported by the gate.
    pub left: u64,
}

/// A text that `Debug` hides.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl StoredRecord for GateAccount {
    const KIND: &'static str = "toll";

    fn origin(&self) -> &str {
        &self.origin
    }
}

impl GateAccount {
    /// Creates an empty record with a new key, so that two gates cannot tell that they have the same customer.
    ///
    /// # Errors
    /// The random source failed.
    pub fn new(server: &Server, environment: &dyn Environment) -> Result<Self> {
        let key = Secret::from(ProofKey::generate(environment)?.jwk().to_owned());
        Ok(Self { origin: server.origin(), key, payments: Vec::new(), tokens: Vec::new() })
    }

    /// Deletes a payment or token from the stored record; `false`: it does not exist.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn forget_kept(storage: &Storage, server: &Server, txid: &str) -> Result<bool> {
        let _alone = storage.lock::<Self>(server).await?;
        let Some(mut account) = storage.load::<Self>(server).await? else { return Ok(false) };
        let forgot = account.forget(txid);
        storage.update(server, &account).await?;
        account.forget_transactions(storage, server)?;
        Ok(forgot)
    }

    pub fn gate(&self) -> &str {
        &self.origin
    }

    /// Returns the key that tokens of this gate are bound to.
    ///
    /// # Errors
    /// The stored text is not a key.
    pub fn key(&self) -> Result<ProofKey> {
        ProofKey::from_jwk(self.key.expose())
    }

    /// Returns tokens that may admit a request to this path, the most likely first: those bought there, then the
    /// others.
    pub fn candidates(&self, path: &str) -> Vec<StoredToken> {
        let mut usable: Vec<StoredToken> = self.tokens.iter().filter(|stored| stored.left > 0).cloned().collect();
        usable.sort_by_key(|stored| stored.path != path);
        usable
    }

    /// Deletes signed transactions that no payment needs. The caller holds the lock.
    pub(super) fn forget_transactions(&self, storage: &Storage, server: &Server) -> Result<()> {
        let waiting: Vec<&str> = self.payments.iter().map(|payment| payment.txid.as_str()).collect();
        storage.keep_transactions_of::<Self>(server, &waiting)
    }

    /// Stores the remaining quota that the gate reported.
    pub fn note(&mut self, used: &StoredToken) {
        if let Some(stored) = self.tokens.iter_mut().find(|stored| stored.token == used.token) {
            stored.left = used.left;
            stored.expires = used.expires;
        }
    }

    /// Deletes a payment or token by its transaction; `false`: it does not exist.
    fn forget(&mut self, txid: &str) -> bool {
        let before = self.payments.len() + self.tokens.len();
        self.payments.retain(|payment| payment.txid != txid);
        self.tokens.retain(|stored| stored.txid != txid);
        self.payments.len() + self.tokens.len() < before
    }
}

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl std::fmt::Debug for GateAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Purse({}: {} payments, {} tickets)", self.origin, self.payments.len(), self.tokens.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEnvironment;

    fn stored(path: &str, left: u64) -> StoredToken {
        let token = Secret::from(format!("token of {path}"));
        StoredToken { token, path: path.to_owned(), txid: path.to_owned(), piconero: 1, expires: 1, left }
    }

    fn account() -> GateAccount {
        let server = Server::parse("https://api.example").unwrap();
        let mut account = GateAccount::new(&server, &SystemEnvironment).unwrap();
        account.tokens = vec![stored("/b", 1), stored("/a", 5), stored("/spent", 0)];
        account
    }

    #[test]
    fn the_ticket_of_a_path_comes_first_and_a_spent_one_never() {
        let paths = |path| account().candidates(path).into_iter().map(|stored| stored.path).collect::<Vec<_>>();
        assert_eq!(paths("/a"), ["/a", "/b"]);
        assert_eq!(paths("/c"), ["/b", "/a"]);
        assert_eq!(paths("/spent"), ["/b", "/a"]);
    }

    #[test]
    fn a_ticket_is_noted_and_forgotten() {
        let mut account = account();
        account.note(&stored("/b", 0));
        assert_eq!(account.candidates("/b").len(), 1);
        assert!(account.forget("/a"));
        assert!(!account.forget("/a"));
        assert!(account.candidates("/a").is_empty());
    }

    #[test]
    fn debug_shows_no_secret() {
        let account = account();
        let shown = format!("{account:?} {:?}", account.tokens);
        assert!(!shown.contains("token of") && !shown.contains("crv"), "{shown}");
    }
}
