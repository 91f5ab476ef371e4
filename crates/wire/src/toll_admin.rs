//! `/api/admin/toll` and below: the paid gate's routes, payments and tokens. Times are unix milliseconds.

use crate::toll::Piconero;
use serde::{Deserialize, Serialize};

/// The routes in the order in which they are tried, with prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollRoutes {
    /// Running gates, whose routes these are. Empty: the routes are those of the portal's settings.
    #[serde(default)]
    pub gates: Vec<Gate>,
    pub routes: Vec<TollRoute>,
}

/// A running gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    pub started_at: i64,
    pub heard_at: i64,
    pub chain: ChainState,
}

/// A gate's view of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainState {
    /// The node answers and is in sync with the network.
    Seen,
    /// The node does not answer, or is behind. No payments are requested.
    Away,
    /// A value from a newer version.
    #[serde(other)]
    Unknown,
}

impl ChainState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Away => "away",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollRoute {
    pub name: String,
    /// Host names; empty: every host.
    pub hosts: Vec<String>,
    /// Methods; empty: every method.
    pub methods: Vec<String>,
    pub path: String,
    /// Prices; empty: the route is free.
    pub prices: Vec<RoutePrice>,
    pub upstream: String,
    /// Whether the upstream accepts connections now.
    pub up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutePrice {
    pub piconero: Piconero,
    /// Number of requests.
    pub quota: u32,
    /// Lifetime in milliseconds.
    pub ttl_ms: i64,
}

/// Payments, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollPayments {
    pub payments: Vec<TollPayment>,
}

/// The part of a transaction that pays one of our addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollPayment {
    pub txid: String,
    pub account: u32,
    pub subaddress: u32,
    pub route: String,
    pub piconero: Piconero,
    pub state: PaymentState,
    /// The block of the transaction, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<i64>,
    pub seen_at: i64,
    /// The token that it bought; empty until it has its confirmations and the full price.
    pub token: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Unconfirmed.
    Pool,
    /// In a block, and still watched.
    Mined,
    /// Confirmed so deeply that it is no longer watched.
    Settled,
    /// Neither in the pool nor the chain.
    Gone,
    /// Made after its offer had ended: it bought nothing.
    Late,
}

/// Tokens, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollTokens {
    pub tokens: Vec<TollToken>,
}

/// A token. Its id is not secret and admits nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollToken {
    pub id: String,
    pub route: String,
    /// Whether the client must prove its key.
    pub bound: bool,
    pub quota: i64,
    /// Requests left.
    pub left: i64,
    pub state: TokenState,
    /// Whether its payment is unconfirmed.
    pub provisional: bool,
    pub minted_at: i64,
    pub expires_at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    Open,
    /// Used up.
    Spent,
    /// Expired.
    Expired,
    /// The token's payment has disappeared; it resumes when that returns.
    Asleep,
    /// An operator has suspended it.
    Suspended,
    /// An operator has revoked it permanently.
    Revoked,
}

/// Totals by day and route, oldest first; days without any are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollDays {
    pub days: Vec<TollDay>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollDay {
    /// The beginning of the day, in UTC.
    pub at: i64,
    pub route: String,
    /// The number of challenges.
    pub challenges: i64,
    pub payments: i64,
    /// The paid amount, without payments that have disappeared.
    pub piconero: Piconero,
}
