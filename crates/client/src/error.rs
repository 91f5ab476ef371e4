//! Errors, by what a person can do about them.

use crate::toll::UnusableOffer;
use std::path::PathBuf;
use tpat::amount::format_xmr;
use wire::time::CloseReason;
use wire::{Code, Problem};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer arrived.
    #[error("{0} cannot be reached")]
    Unreachable(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke, and the rest could not be fetched.
    #[error("the answer of {origin} broke off after {bytes} bytes")]
    BrokenOff {
        origin: String,
        bytes: u64,
        #[source]
        cause: Box<Error>,
    },
    /// The connection broke, and the content has changed since.
    #[error("the answer of {0} broke off, and its content has changed: fetch it again")]
    Changed(String),
    /// The connection broke, and the rest would cost a payment.
    #[error(
        "the answer of {0} broke off, and the rest would cost another payment: nothing was paid for it. The next run \
         fetches the whole answer again, and pays if necessary"
    )]
    RestCosts(String),
    /// An answer is too long to be held in memory.
    #[error("the answer of {0} is too long for memory: use --output FILE without --json")]
    TooLong(String),
    /// The server refuses, with a reason.
    #[error("{}", sentence(.0))]
    Refused(Box<Problem>),
    /// The account needs a passkey, which only a browser can prove.
    #[error("this account signs in with a passkey, which needs a browser: postern-client login --browser")]
    PasskeyNeeded,
    /// A sign-in through a browser was declined or failed there.
    #[error("not signed in: {0}")]
    Browser(String),
    /// No session is stored.
    #[error("not signed in at {0}")]
    NotSignedIn(String),
    /// The session has ended: by its age, on another device, or by an administrator.
    #[error("the session at {0} has ended")]
    SessionEnded(String),
    /// The answer is not from Postern, or from an incompatible version.
    #[error("{0} sent an unexpected answer (status {1}): is it a Postern server?")]
    Foreign(String, u16),
    /// The text is not a server's URL, or belongs to another server.
    #[error("{0}")]
    Server(String),
    /// A service ended the connection.
    #[error("the service ended the connection: {}", close_reason(*.0))]
    Closed(CloseReason),
    /// A service refuses a new ticket.
    #[error(
        "{service} refuses a ticket that {portal} made a moment ago: one of their clocks is wrong. By the portal's it \
         is {there}, by this machine's {here}; the log of the service names its own"
    )]
    Clocks { service: String, portal: String, there: String, here: String },
    #[error("{0:?} does not exist")]
    NoSuch(String),
    #[error("the server sent a key for another session: sign out and sign in again")]
    Key,
    #[error("encryption with the server's key failed: {0}")]
    Seal(#[from] seal::Error),
    /// The person's wallet or its node failed.
    #[error("the wallet: {0}")]
    Wallet(#[source] monero::Error),
    /// The wallet program runs without a wallet.
    #[error("no wallet is open: start monero-wallet-rpc with --wallet-file")]
    WalletClosed(#[source] monero::Error),
    /// The wallet does not reach its node.
    #[error("your wallet cannot reach its node: nothing was paid")]
    WalletOffline(#[source] monero::Error),
    /// The wallet has less than the price and the network fee.
    #[error("nothing was paid: your wallet does not have enough money for the price and the network fee")]
    TooLittleMoney(#[source] monero::Error),
    /// The wallet has enough money, but it is still locked.
    #[error(
        "nothing was paid: the money in your wallet is locked. After each payment the change is locked for ten blocks, \
         about 20 minutes: try again later"
    )]
    MoneyLocked(#[source] monero::Error),
    /// A gate's request for payment is not acceptable.
    #[error("nothing was paid: {0}")]
    Bill(#[from] UnusableOffer),
    /// A gate refuses, with a reason.
    #[error("{}", .0.title)]
    Gate(Box<wire::toll::TollProblem>),
    /// A gate refuses a payment permanently.
    #[error(
        "the gate at {origin} refuses the payment {txid}: {title} Nothing more is paid there until you run: \
         postern-client toll forget {origin} {txid}"
    )]
    PaymentRefused { origin: String, txid: String, title: String },
    /// The payment does not have enough confirmations yet. It is stored and redeemed in the next run.
    #[error("the payment {txid} is on its way and stored: try again later, nothing is paid twice")]
    PaymentOnItsWay { txid: String },
    /// No node knows the payment, and its offer has expired, so it may not be sent any more. It may have been sent in
    /// time.
    #[error(
        "nothing was paid: the payment {txid} was prepared for an offer of {origin} that has expired, and your \
         wallet's node does not know it. Another node may know it, and it may still be mined. If your wallet does not \
         show it after an hour: postern-client toll forget {origin} {txid}"
    )]
    PaymentUncertain { origin: String, txid: String },
    /// The wallet's node refuses the stored payment.
    #[error(
        "nothing more was paid: your wallet's node does not accept the payment {txid}. The next run tries again. If \
         another payment has spent the same money and is in a block: postern-client toll forget {origin} {txid}"
    )]
    PaymentStuck {
        origin: String,
        txid: String,
        #[source]
        cause: monero::Error,
    },
    /// The wallet signed something other than the requested payment.
    #[error("nothing was paid: the wallet prepared a different payment than requested")]
    WrongPayment,
    /// The payment was made by another wallet than the open one.
    #[error("the payment {txid} was prepared by another wallet: open that wallet, or forget the payment")]
    OtherWallet { txid: String },
    /// It costs something, and no wallet is configured.
    #[error("this costs {xmr} XMR, and no wallet is configured: use --wallet URL", xmr = format_xmr(*.0))]
    NoWallet(u64),
    /// It costs more than the limit, and was not confirmed.
    #[error("not paid: this costs {xmr} XMR, and the payment was not confirmed", xmr = format_xmr(*.0))]
    NotAgreed(u64),
    /// The terms differ from those that were confirmed.
    #[error("not paid: {0} has changed its price: run the command again")]
    PriceChanged(String),
    /// The gate asks for payment again right after a payment.
    #[error("{0} asks for another payment directly after a payment: nothing more was paid")]
    AskedAgain(String),
    #[error("the system's random source failed")]
    Random,
    #[error(
        "the keyring cannot be used here. Unlock it, or keep secrets in a file: login --storage file. \
         logout --here deletes the secrets of this server"
    )]
    Keyring(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The record of a gate is in a keyring that cannot be used. Without it, the client would pay again.
    #[error(
        "your payments and tokens at {origin} are in a keyring that cannot be used here, and nothing is paid without \
         them. Unlock it, or run this where it is unlocked. At other gates, get --storage file needs no keyring"
    )]
    PaymentKeyring {
        origin: String,
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("other users can read {0}: run chmod 600, or sign in again")]
    Exposed(PathBuf),
    #[error("cannot read or write {0}")]
    File(PathBuf, #[source] std::io::Error),
    #[error("the content of {0} is invalid: sign in again")]
    Unreadable(PathBuf),
    /// The stored session is damaged, so nobody is signed in.
    #[error("the stored session at {0} is damaged")]
    DamagedSession(String),
}

// Codes of monero-wallet-rpc (`wallet_rpc_server_error_codes.h`).
const NOT_OPEN: i64 = -13;
const NOT_ENOUGH_MONEY: i64 = -17;
const NOT_ENOUGH_UNLOCKED_MONEY: i64 = -37;
const NO_DAEMON_CONNECTION: i64 = -38;

impl From<monero::Error> for Error {
    fn from(error: monero::Error) -> Self {
        match error {
            monero::Error::Refused { code: NOT_OPEN, .. } => Self::WalletClosed(error),
            monero::Error::Refused { code: NO_DAEMON_CONNECTION, .. } => Self::WalletOffline(error),
            monero::Error::Refused { code: NOT_ENOUGH_MONEY, .. } => Self::TooLittleMoney(error),
            monero::Error::Refused { code: NOT_ENOUGH_UNLOCKED_MONEY, .. } => Self::MoneyLocked(error),
            _ => Self::Wallet(error),
        }
    }
}

impl Error {
    /// Returns the time in seconds that the server says to wait.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Refused(problem) => problem.retry_after,
            Self::Gate(problem) => problem.retry_after,
            _ => None,
        }
    }

    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether a sign-in that needs a second factor takes a code.
    pub fn takes_code(&self) -> bool {
        self.names_proof("totp") || self.names_proof("recovery_code")
    }

    /// Whether a sign-in takes a passkey and no one-time code, so that in a terminal only a recovery code is left.
    pub fn takes_passkey_first(&self) -> bool {
        self.names_proof("passkey") && !self.names_proof("totp")
    }

    fn names_proof(&self, kind: &str) -> bool {
        matches!(self, Self::Refused(problem) if problem.proofs.iter().any(|proof| proof == kind))
    }
}

fn sentence(problem: &Problem) -> String {
    let Problem { title, detail, incident, .. } = problem;
    let detail = detail.as_deref().map(|detail| format!(" {detail}")).unwrap_or_default();
    let incident = incident.as_deref().map(|name| format!(" (incident {name})")).unwrap_or_default();
    format!("{title}{detail}{incident}")
}

/// Returns the reason's name on the wire.
fn close_reason(reason: CloseReason) -> String {
    serde_json::to_string(&reason).unwrap_or_default().trim_matches('"').replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_whose_only_factor_is_a_passkey_takes_no_code() {
        let refused = |proofs: &[&str]| {
            let problem = serde_json::json!({
                "status": 401, "code": "second_factor_required", "title": "A second factor is needed.", "proofs": proofs,
            });
            Error::Refused(Box::new(serde_json::from_value(problem).expect("a problem")))
        };
        assert!(!refused(&["passkey"]).takes_code() && !refused(&[]).takes_code());
        assert!(refused(&["passkey", "recovery_code"]).takes_code() && refused(&["totp"]).takes_code());
        assert!(refused(&["passkey", "recovery_code"]).takes_passkey_first());
        assert!(!refused(&["passkey", "totp", "recovery_code"]).takes_passkey_first());
        assert!(!refused(&["recovery_code"]).takes_passkey_first());
        assert!(Error::PasskeyNeeded.to_string().contains("login --browser"));
    }
}
