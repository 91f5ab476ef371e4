//! What can go wrong, by what a person can do about it.

use crate::toll::NotABill;
use std::path::PathBuf;
use tpat::amount::format_xmr;
use wire::time::CloseReason;
use wire::{Code, Problem};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer came.
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
    /// The connection broke, and what is there now is something else.
    #[error("the answer of {0} broke off, and is another one now: fetch it again")]
    Changed(String),
    /// The connection broke, and the rest would have to be paid for.
    #[error(
        "the answer of {0} broke off, and the gate asks to be paid for the rest: nothing was paid for that. The next \
         run fetches all of it again, and pays if it has to"
    )]
    RestCosts(String),
    /// An answer that is kept in memory is longer than that may be.
    #[error("the answer of {0} is too long to be held in memory: --output FILE takes it, without --json")]
    TooLong(String),
    /// The server says no, and why.
    #[error("{}", sentence(.0))]
    Refused(Box<Problem>),
    /// Nobody has signed in here.
    #[error("not signed in at {0}")]
    NotSignedIn(String),
    /// The session is over: by its age, on another device, or by an administrator.
    #[error("the session at {0} has ended")]
    SessionEnded(String),
    /// Something answered that is no Postern, or one of another version.
    #[error("the answer of {0} cannot be understood (status {1})")]
    Foreign(String, u16),
    /// The address is not that of a server, or of another one.
    #[error("{0}")]
    Server(String),
    /// A service ended the connection.
    #[error("the service ended the connection: {}", word(*.0))]
    Closed(CloseReason),
    /// A service refuses a ticket that was made a moment ago.
    #[error(
        "{service} refuses a ticket that {portal} made a moment ago: one of their clocks is wrong. By the portal's it \
         is {there}, by this machine's {here}; the log of the service names its own"
    )]
    Clocks { service: String, portal: String, there: String, here: String },
    #[error("there is no {0:?}")]
    NoSuch(String),
    #[error("this is no key of this session: sign out, and in again")]
    Key,
    #[error("nothing could be sealed with the server's key: {0}")]
    Seal(#[from] seal::Error),
    /// The person's wallet, or its node.
    #[error("the wallet: {0}")]
    Wallet(#[from] monero::Error),
    /// A gate asks for a payment in a way that nothing is paid for.
    #[error("nothing was paid: {0}")]
    Bill(#[from] NotABill),
    /// A gate says no, and why.
    #[error("{}", .0.title)]
    Gate(Box<wire::toll::Problem>),
    /// A gate refuses a payment that was made, for good.
    #[error(
        "the gate at {origin} refuses the payment {txid}: {title} Nothing more is paid there until it is forgotten"
    )]
    PaymentRefused { origin: String, txid: String, title: String },
    /// The gate does not have the payment deep enough yet. It is kept, and redeemed the next time.
    #[error("the payment {txid} is on its way and kept: ask again later, nothing will be paid twice")]
    PaymentOnItsWay { txid: String },
    /// No node knows the payment, and it may not be sent any more: its offer has run out. Perhaps it was sent in time.
    #[error(
        "nothing was paid: the payment {txid} was prepared for an offer of {origin} that has run out, and your \
         wallet's node does not know it. Others may, and could still mine it. If your wallet does not show it in \
         an hour: postern-client toll forget {origin} {txid}"
    )]
    PaymentUncertain { origin: String, txid: String },
    /// The wallet's node does not take the payment that was written down.
    #[error(
        "nothing more was paid: your wallet's node does not take the payment {txid}. The next run tries again. If \
         another payment has spent the same money, and is in a block: postern-client toll forget {origin} {txid}"
    )]
    PaymentStuck {
        origin: String,
        txid: String,
        #[source]
        cause: monero::Error,
    },
    /// What the wallet signed is not what it was asked for.
    #[error("nothing was paid: the wallet prepared another payment than it was asked for")]
    WrongPayment,
    /// The payment was made from another wallet than the one that is open.
    #[error("the payment {txid} was prepared by another wallet: open that one, or forget the payment")]
    OtherWallet { txid: String },
    /// It costs something, and no wallet is named.
    #[error("this costs {xmr} XMR, and no wallet is named to pay it: --wallet URL", xmr = format_xmr(*.0))]
    NoWallet(u64),
    /// It costs more than is paid unasked, and nobody agreed.
    #[error("not paid: this costs {xmr} XMR, and nobody agreed to that", xmr = format_xmr(*.0))]
    NotAgreed(u64),
    /// The terms are others than those that were agreed to a moment ago.
    #[error("not paid: {0} has changed its price in the meantime")]
    PriceChanged(String),
    /// The gate asks again for what was just paid.
    #[error("{0} asks to be paid again for what was just paid: nothing more was paid")]
    AskedAgain(String),
    #[error("the machine's random source failed")]
    Random,
    #[error(
        "the keyring cannot be used here. Unlock it, or keep secrets in a file: login --storage file. \
         logout --here forgets what is kept for this server"
    )]
    Keyring(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("others can read {0}: make it yours alone (chmod 600), or sign in again")]
    Exposed(PathBuf),
    #[error("{0} cannot be used")]
    File(PathBuf, #[source] std::io::Error),
    #[error("what is kept in {0} cannot be understood: sign in again")]
    Unreadable(PathBuf),
}

impl Error {
    /// How long the server asks to wait, in seconds.
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
}

fn sentence(problem: &Problem) -> String {
    let Problem { title, detail, incident, .. } = problem;
    let detail = detail.as_deref().map(|detail| format!(" {detail}")).unwrap_or_default();
    let incident = incident.as_deref().map(|name| format!(" (incident {name})")).unwrap_or_default();
    format!("{title}{detail}{incident}")
}

/// The reason's name on the wire.
fn word(reason: CloseReason) -> String {
    serde_json::to_string(&reason).unwrap_or_default().trim_matches('"').replace('_', " ")
}
