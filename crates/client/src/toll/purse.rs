//! The record of one gate: unredeemed payments and tokens.

use super::Bill;
use crate::storage::Keepsake;
use crate::{Machine, ProofKey, Result, Server, Storage};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `Debug` hides the secrets; they are cleared from memory on drop.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purse {
    origin: String,
    key: Secret,
    /// Payments that were or will be sent and are not redeemed.
    pub payments: Vec<Payment>,
    /// Newest first.
    pub tickets: Vec<Ticket>,
}

/// A payment in progress, stored before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub bill: Bill,
    /// The requested path, without its query.
    pub path: String,
    pub txid: String,
    /// The name of the paying wallet. No other wallet can send it.
    pub wallet: String,
    /// The proof of payment. Payments of earlier versions have none until their wallet has sent them.
    pub proof: Option<String>,
    /// The transaction's secret key, with which any wallet's node can be asked about the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
}

/// The token of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
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

impl Keepsake for Purse {
    const SHELF: &'static str = "toll";

    fn origin(&self) -> &str {
        &self.origin
    }
}

impl Purse {
    /// Creates an empty record with a new key, so that two gates cannot tell that they have the same customer.
    ///
    /// # Errors
    /// The random source failed.
    pub fn new(server: &Server, machine: &dyn Machine) -> Result<Self> {
        let key = Secret::from(ProofKey::generate(machine)?.jwk().to_owned());
        Ok(Self { origin: server.origin(), key, payments: Vec::new(), tickets: Vec::new() })
    }

    /// Deletes a payment or token from the stored record; `false`: it does not exist.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn forget_kept(storage: &Storage, server: &Server, txid: &str) -> Result<bool> {
        let _alone = storage.lock::<Self>(server).await?;
        let Some(mut purse) = storage.load::<Self>(server).await? else { return Ok(false) };
        let forgot = purse.forget(txid);
        storage.update(server, &purse).await?;
        purse.forget_transactions(storage, server)?;
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
    pub fn candidates(&self, path: &str) -> Vec<Ticket> {
        let mut usable: Vec<Ticket> = self.tickets.iter().filter(|ticket| ticket.left > 0).cloned().collect();
        usable.sort_by_key(|ticket| ticket.path != path);
        usable
    }

    /// Deletes signed transactions that no payment needs. The caller holds the lock.
    pub(super) fn forget_transactions(&self, storage: &Storage, server: &Server) -> Result<()> {
        let waiting: Vec<&str> = self.payments.iter().map(|payment| payment.txid.as_str()).collect();
        storage.keep_transactions_of::<Self>(server, &waiting)
    }

    /// Stores the remaining quota that the gate reported.
    pub fn note(&mut self, used: &Ticket) {
        if let Some(ticket) = self.tickets.iter_mut().find(|ticket| ticket.token == used.token) {
            ticket.left = used.left;
            ticket.expires = used.expires;
        }
    }

    /// Deletes a payment or token by its transaction; `false`: it does not exist.
    fn forget(&mut self, txid: &str) -> bool {
        let before = self.payments.len() + self.tickets.len();
        self.payments.retain(|payment| payment.txid != txid);
        self.tickets.retain(|ticket| ticket.txid != txid);
        self.payments.len() + self.tickets.len() < before
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

impl std::fmt::Debug for Purse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Purse({}: {} payments, {} tickets)", self.origin, self.payments.len(), self.tickets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ThisMachine;

    fn ticket(path: &str, left: u64) -> Ticket {
        let token = Secret::from(format!("token of {path}"));
        Ticket { token, path: path.to_owned(), txid: path.to_owned(), piconero: 1, expires: 1, left }
    }

    fn purse() -> Purse {
        let server = Server::parse("https://api.example").unwrap();
        let mut purse = Purse::new(&server, &ThisMachine).unwrap();
        purse.tickets = vec![ticket("/b", 1), ticket("/a", 5), ticket("/spent", 0)];
        purse
    }

    #[test]
    fn the_ticket_of_a_path_comes_first_and_a_spent_one_never() {
        let paths = |path| purse().candidates(path).into_iter().map(|ticket| ticket.path).collect::<Vec<_>>();
        assert_eq!(paths("/a"), ["/a", "/b"]);
        assert_eq!(paths("/c"), ["/b", "/a"]);
        assert_eq!(paths("/spent"), ["/b", "/a"]);
    }

    #[test]
    fn a_ticket_is_noted_and_forgotten() {
        let mut purse = purse();
        purse.note(&ticket("/b", 0));
        assert_eq!(purse.candidates("/b").len(), 1);
        assert!(purse.forget("/a"));
        assert!(!purse.forget("/a"));
        assert!(purse.candidates("/a").is_empty());
    }

    #[test]
    fn debug_shows_no_secret() {
        let purse = purse();
        let shown = format!("{purse:?} {:?}", purse.tickets);
        assert!(!shown.contains("token of") && !shown.contains("crv"), "{shown}");
    }
}
