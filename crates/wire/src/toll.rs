//! The paid gate on the wire: what `402 Payment Required` says, how a payment becomes a token, and the
//! price list. Header names and parameters of TPAT are kept; what is new is ignored by old clients.
//!
//! Amounts are piconero (10^-12 XMR). In JSON they are decimal text, since a JSON number loses digits
//! past 2^53 in many readers. Times are unix seconds, spans are seconds.

use crate::jwk::VerifyingJwk;
use serde::{Deserialize, Serialize};

/// Scheme of the challenge, and of a credential that shows a payment: `TPAT txid:proof`.
pub const SCHEME: &str = "TPAT";
/// Scheme of a credential that shows a token: `TPAT-Session token`.
pub const SESSION_SCHEME: &str = "TPAT-Session";
/// A client's proof of possession of its key: DPoP (RFC 9449).
pub const PROOF_HEADER: &str = "dpop";
/// The server's nonce for the next proof of possession (RFC 9449, section 8).
pub const NONCE_HEADER: &str = "dpop-nonce";
/// The challenge, beside `TPAT txid:proof`, in a request that is redeemed in place and forwarded.
pub const CHALLENGE_HEADER: &str = "tpat-challenge";
/// The token, in the answer to a request that was redeemed in place.
pub const TOKEN_HEADER: &str = "tpat-token";
/// How many requests a token has left, in the answers to requests that were paid with it.
pub const QUOTA_HEADER: &str = "tpat-quota";
/// When a token ends, unix seconds, beside the quota.
pub const EXPIRES_HEADER: &str = "tpat-expires";

/// `POST`: a payment becomes a token.
pub const REDEEM: &str = "/.well-known/tpat/redeem";
/// `GET`: routes and prices, for machines.
pub const PRICES: &str = "/.well-known/402";

/// The protocol's version that these types speak.
pub const VERSION: u8 = 1;
/// What a payment's proof signs: this, then the challenge's text.
pub const MESSAGE_PREFIX: &str = "tpat1:";
/// Seconds of a block, on the average: what turns seconds into the `ttl` of old clients.
pub const BLOCK_S: u64 = 120;

/// Piconero in one XMR.
const XMR: u64 = 1_000_000_000_000;

/// An amount in piconero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Piconero(pub u64);

impl Piconero {
    /// As people write it, in XMR and exactly: `0.002`.
    pub fn xmr(self) -> String {
        let (whole, rest) = (self.0 / XMR, self.0 % XMR);
        let text = format!("{whole}.{rest:012}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl Serialize for Piconero {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Piconero {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number.map(Self).ok_or_else(|| serde::de::Error::custom("not a whole number of piconero"))
    }
}

/// The networks of Monero, by the prefix of their addresses. Regtest uses `mainnet`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    Mainnet,
    Stagenet,
    Testnet,
}

/// The body of a 402 that asks for a payment: the members of the `WWW-Authenticate` header, what to say
/// to a person, and what else is for sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Where to pay: a subaddress of the gate's owner.
    pub address: String,
    /// The least that opens the gate.
    pub min_amt: Piconero,
    /// How long the token lasts in blocks, rounded up: for old clients.
    pub ttl: u64,
    pub v: u8,
    /// Host that the payment is for.
    pub realm: String,
    /// The terms, under the gate's seal: goes back with the payment.
    pub challenge: String,
    /// What the payment's proof must sign.
    pub message: String,
    /// Until when the challenge may be paid, unix seconds.
    pub expires: u64,
    /// How long the token lasts, seconds from its redemption.
    pub ttl_s: u64,
    /// How many requests `min_amt` buys.
    pub quota: u64,
    /// Confirmations that the payment needs before the token is given out.
    pub conf: u64,
    pub network: Network,
    /// Where the payment is redeemed: a path on the same host.
    pub redeem: String,
    /// The one key that may redeem it, where the request was signed: its thumbprint (RFC 7638), base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// For people: one or two plain sentences.
    pub title: String,
    /// All the bundles of this route: the one above first.
    pub accepts: Vec<Offer>,
}

/// A bundle at another price: a challenge of its own for the same address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The bundle's name, unique in its route.
    pub name: String,
    pub min_amt: Piconero,
    pub ttl_s: u64,
    pub quota: u64,
    pub conf: u64,
    pub challenge: String,
    pub message: String,
    pub expires: u64,
}

/// The body of `POST redeem`, beside `Authorization: TPAT txid:proof` and the proof of possession.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    pub challenge: String,
    /// The key that the token shall be bound to: the one in the proof of possession. Without one the
    /// token is for whoever holds it, where the route allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<VerifyingJwk>,
}

/// The answer to a payment that is good: 200.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeemed {
    /// For `Authorization: TPAT-Session token`.
    pub token: String,
    /// When it ends, unix seconds.
    pub expires: u64,
    /// How many requests it has left.
    pub quota: u64,
    /// Whether the payment still waits for confirmations, so that the token may yet be taken back.
    pub provisional: bool,
    /// What was paid and bought nothing, since it is no whole multiple of the price.
    pub remainder: Piconero,
}

impl std::fmt::Debug for Redeemed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redeemed")
            .field("expires", &self.expires)
            .field("quota", &self.quota)
            .field("provisional", &self.provisional)
            .field("remainder", &self.remainder)
            .finish_non_exhaustive()
    }
}

/// The answer to a payment that is seen and waits for blocks: 202. Nothing needs to be paid again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub status: PendingStatus,
    /// Confirmations that the payment has.
    pub have: u64,
    /// Confirmations that it needs.
    pub need: u64,
    /// Seconds to wait; the same as the `Retry-After` header.
    pub retry_after: u64,
}

/// Tells a 202 from a 200 without the status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingStatus {
    Pending,
}

/// What went wrong at the gate, stable across versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Nothing was paid yet: the challenge is in the `WWW-Authenticate` header. 402.
    PaymentRequired,
    /// Less was paid than asked; `have` and `need` say how much. Pay the rest to the same address and
    /// redeem that transaction under the same challenge. 402.
    Underpaid,
    /// The token's requests are used up or its time is over: a new challenge is in the header. 402.
    TokenSpent,
    /// The payment that the token stands for is no longer to be seen: the token sleeps until it is back. 403.
    TokenSuspended,
    /// An administrator took the token back. 403.
    TokenRevoked,
    /// The token was made for other routes. 403.
    OtherRoute,
    /// Another key redeemed this payment. 409.
    AlreadyRedeemed,
    /// The header or body does not have the form that this protocol has. 400.
    Malformed,
    /// The challenge, or the token, was not made here. 400 or 401.
    Forged,
    /// The challenge ran out before the payment was seen. 422.
    ExpiredChallenge,
    /// The proof signs another message than this challenge's. 422.
    WrongMessage,
    /// The proof does not show a payment to the challenge's address. 422.
    BadProof,
    /// The payment cannot be spent yet: it is locked, or comes from mining. 422.
    LockedFunds,
    /// The transaction is of a kind that is not taken. 422.
    UnsupportedTransaction,
    /// Another transaction spends the same money. 422.
    DoubleSpent,
    /// No node knows this transaction: if it was just sent, try again. 404.
    NotFound,
    /// The proof of possession is missing or wrong. 401.
    BadPossession,
    /// The proof of possession needs the nonce of the `DPoP-Nonce` header. 401.
    UseDpopNonce,
    /// The request was signed for another host or scheme than it arrived with: a proxy in between rewrites it.
    /// Nothing was charged and nothing must be paid until that is mended. 421.
    HostRewritten,
    /// Too many tries: wait `retry_after`. 429.
    TooMany,
    /// The node cannot be asked now: nothing is lost, do not pay again, wait `retry_after`. 503.
    NodeUnavailable,
    /// The service behind the gate does not answer; nothing was taken from the quota. 502, 503 or 504.
    UpstreamUnavailable,
    /// Something broke here; nothing was changed. 500 or 503.
    Unavailable,
    /// A code of a newer version.
    #[serde(other)]
    Unknown,
}

/// The body of a refusal (RFC 9457, section 3), with the members that only this protocol has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub status: u16,
    pub code: Code,
    /// For people: one plain sentence.
    pub title: String,
    /// What was paid under this challenge, all transactions together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub have: Option<Piconero>,
    /// What the challenge asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Piconero>,
    /// Seconds to wait, rounded up; the same as the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Name under which whoever runs the gate finds a payment that bought nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// `GET /.well-known/402`: what is for sale on this host. First match wins, so order matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    pub v: u8,
    pub network: Network,
    pub redeem: String,
    pub routes: Vec<PricedRoute>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedRoute {
    pub name: String,
    /// Host that it holds for; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Methods that it holds for; empty: all.
    pub methods: Vec<String>,
    /// Path pattern.
    pub path: String,
    /// Requests without payment, for each client and day.
    pub free: u64,
    /// Path patterns below it that cost nothing.
    pub free_paths: Vec<String>,
    /// Whether a token is bound to the client's key.
    pub bound: bool,
    /// Whether `TPAT txid:proof` alone opens it, as in the scheme of 2022.
    pub compat: bool,
    pub bundles: Vec<Bundle>,
}

/// One price of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    pub name: String,
    pub min_amt: Piconero,
    pub ttl_s: u64,
    pub quota: u64,
    pub conf: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json, to_value};

    #[test]
    fn amounts_are_text_and_keep_every_digit() {
        for amount in [0, 1, 2_000_000_000, (1 << 53) + 1, u64::MAX] {
            let text = to_value(Piconero(amount)).expect("json");
            assert_eq!(text, json!(amount.to_string()));
            assert_eq!(from_value::<Piconero>(text).expect("read"), Piconero(amount));
        }
        for wrong in [json!("18446744073709551616"), json!("+1"), json!("-1"), json!(""), json!("1.0"), json!(1)] {
            assert!(from_value::<Piconero>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_said_in_xmr() {
        for (piconero, said) in [(0, "0"), (1, "0.000000000001"), (2_000_000_000, "0.002"), (10 * XMR, "10")] {
            assert_eq!(Piconero(piconero).xmr(), said);
        }
        assert_eq!(Piconero(u64::MAX).xmr(), "18446744.073709551615");
    }

    #[test]
    fn a_token_is_not_in_debug() {
        let shown =
            Redeemed { token: "t0p".to_owned(), expires: 1, quota: 2, provisional: true, remainder: Piconero(3) };
        assert!(!format!("{shown:?}").contains("t0p"));
    }

    #[test]
    fn codes_of_newer_versions_are_read() {
        assert_eq!(from_value::<Code>(json!("new_trouble")).expect("read"), Code::Unknown);
        assert_eq!(to_value(Code::AlreadyRedeemed).expect("json"), json!("already_redeemed"));
    }

    #[test]
    fn a_body_with_more_members_is_refused() {
        let good: Value = json!({"challenge": "c"});
        assert_eq!(from_value::<Redeem>(good).expect("read").jwk, None);
        assert!(from_value::<Redeem>(json!({"challenge": "c", "address": "8"})).is_err());
    }
}
