//! The paid gate's protocol: `402 Payment Required`, redeeming a payment for a token, and the price list. TPAT's header
//! names and parameters are kept; old clients ignore new ones.
//!
//! Amounts are piconero (10^-12 XMR). In JSON they are decimal text, because many JSON readers lose digits beyond 2^53.
//! Times are unix seconds, durations are seconds.

use crate::jwk::VerifyingJwk;
use serde::{Deserialize, Serialize};

/// Scheme of the challenge, and of a credential with a payment: `TPAT txid:proof`.
pub const SCHEME: &str = "TPAT";
/// Scheme of a credential with a token: `TPAT-Session token`.
pub const SESSION_SCHEME: &str = "TPAT-Session";
/// A client's proof of possession of its key: DPoP (RFC 9449).
pub const PROOF_HEADER: &str = "dpop";
/// The server's nonce for the next proof of possession (RFC 9449, section 8).
pub const NONCE_HEADER: &str = "dpop-nonce";
/// The gate's half of an agreement on a key for MACs: `id.point.seconds`. It answers a proof with the claim `mac_epk`.
pub const MAC_KEY_HEADER: &str = "tpat-mac-key";
/// A MAC under the agreed key, instead of a proof of possession: `id.number.tag`.
pub const MAC_HEADER: &str = "tpat-mac";
/// The challenge of `TPAT txid:proof` in a request that is redeemed and forwarded in one step.
pub const CHALLENGE_HEADER: &str = "tpat-challenge";
/// The token, in the answer to such a request.
pub const TOKEN_HEADER: &str = "tpat-token";
/// The token's remaining requests, in answers to paid requests.
pub const QUOTA_HEADER: &str = "tpat-quota";
/// The token's expiry in unix seconds, sent with the quota.
pub const EXPIRES_HEADER: &str = "tpat-expires";

/// `POST`: redeems a payment for a token.
pub const REDEEM: &str = "/.well-known/tpat/redeem";
/// `GET`: routes and prices for programs.
pub const PRICES: &str = "/.well-known/402";

/// The protocol's version that these types implement.
pub const VERSION: u8 = 1;
/// A payment's proof signs this prefix and the challenge's text.
pub const MESSAGE_PREFIX: &str = "tpat1:";
/// Average seconds for a block; converts seconds to the `ttl` of old clients.
pub const BLOCK_S: u64 = 120;

/// Piconero in one XMR.
const XMR: u64 = 1_000_000_000_000;

/// An amount in piconero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Piconero(pub u64);

impl Piconero {
    /// Formats it exactly in XMR: `0.002`.
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

/// The body of a 402 that asks for a payment. It has the members of the `WWW-Authenticate` header, a text for people,
/// and the other bundles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// A subaddress of the gate's operator.
    pub address: String,
    /// The minimum amount.
    pub min_amt: Piconero,
    /// The token's lifetime in blocks, rounded up, for old clients.
    pub ttl: u64,
    pub v: u8,
    /// Host that the payment is for.
    pub realm: String,
    /// The authenticated terms; sent back with the payment.
    pub challenge: String,
    /// The message that the payment's proof must sign.
    pub message: String,
    /// Expiry of the challenge, in unix seconds.
    pub expires: u64,
    /// The token's lifetime in seconds from its redemption.
    pub ttl_s: u64,
    /// Number of requests that `min_amt` buys.
    pub quota: u64,
    /// Confirmations that the token requires.
    pub conf: u64,
    pub network: Network,
    /// The path for redeeming, on the same host.
    pub redeem: String,
    /// Thumbprint (RFC 7638, base64url) of the only key that may redeem it, if the request was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// For people: one or two sentences.
    pub title: String,
    /// All the bundles of this route: the one above first.
    pub accepts: Vec<OfferedBundle>,
}

/// Another bundle: a challenge of its own for the same address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedBundle {
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

/// The body of `POST redeem`, sent with `Authorization: TPAT txid:proof` and the proof of possession.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeemRequest {
    pub challenge: String,
    /// The key to bind the token to: the one in the proof of possession. Without it the token is a bearer token, if the
    /// route allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<VerifyingJwk>,
}

/// The answer 200 to a valid payment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemedToken {
    /// For `Authorization: TPAT-Session token`.
    pub token: String,
    /// Expiry in unix seconds.
    pub expires: u64,
    /// Number of requests left.
    pub quota: u64,
    /// Whether the payment still needs confirmations, so that the token may be suspended.
    pub provisional: bool,
    /// The amount that bought nothing, because it is less than the price.
    pub remainder: Piconero,
}

impl std::fmt::Debug for RedeemedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redeemed")
            .field("expires", &self.expires)
            .field("quota", &self.quota)
            .field("provisional", &self.provisional)
            .field("remainder", &self.remainder)
            .finish_non_exhaustive()
    }
}

/// The answer 202 to a payment that needs confirmations. Nothing needs to be paid again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRedemption {
    pub status: PendingStatus,
    /// Confirmations that the payment has.
    pub have: u64,
    /// Confirmations that it needs.
    pub need: u64,
    /// Seconds to wait; the same as the `Retry-After` header.
    pub retry_after: u64,
}

/// Distinguishes a 202 from a 200 without the status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingStatus {
    Pending,
}

/// The kind of a gate's error, stable across versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TollCode {
    /// Nothing was paid yet: the challenge is in the `WWW-Authenticate` header. 402.
    PaymentRequired,
    /// Less was paid than asked; `have` and `need` say how much. Pay the rest to the same address and redeem that
    /// transaction with the same challenge. 402.
    Underpaid,
    /// The token is used up or has expired: a new challenge is in the header. 402.
    TokenSpent,
    /// The token's payment has disappeared: the token is suspended until it returns. 403.
    TokenSuspended,
    /// An administrator revoked the token. 403.
    TokenRevoked,
    /// The token is for another route. 403.
    OtherRoute,
    /// Another key redeemed this payment. 409.
    AlreadyRedeemed,
    /// The header or body has the wrong form. 400.
    Malformed,
    /// This gate did not issue the challenge or token. 400 or 401.
    Forged,
    /// The challenge expired before the payment was seen. 422.
    ExpiredChallenge,
    /// The proof signs another message than this challenge's. 422.
    WrongMessage,
    /// The proof does not show a payment to the challenge's address. 422.
    BadProof,
    /// The payment cannot be spent yet: it is locked or newly mined. 422.
    LockedFunds,
    /// The kind of transaction is not supported. 422.
    UnsupportedTransaction,
    /// Another transaction spends the same money. 422.
    DoubleSpent,
    /// No node knows this transaction: if it was just sent, try again. 404.
    NotFound,
    /// The proof of possession is missing or invalid. 401.
    BadPossession,
    /// The proof of possession needs the nonce of the `DPoP-Nonce` header. 401.
    UseDpopNonce,
    /// The request was signed for another host or scheme than the one that arrived: a proxy rewrites it. Nothing was
    /// charged; pay nothing until that is corrected. 421.
    HostRewritten,
    /// Too many attempts: wait `retry_after`. 429.
    TooMany,
    /// The node is not available: nothing is lost, do not pay again, wait `retry_after`. 503.
    NodeUnavailable,
    /// The upstream does not answer; the quota is unchanged. 502, 503 or 504.
    UpstreamUnavailable,
    /// The gate failed; nothing was changed. 500 or 503.
    Unavailable,
    /// A code of a newer version.
    #[serde(other)]
    Unknown,
}

/// The body of an error (RFC 9457, section 3), with this protocol's own members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollProblem {
    pub status: u16,
    pub code: TollCode,
    /// For people: one sentence.
    pub title: String,
    /// The total paid under this challenge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub have: Option<Piconero>,
    /// The price of the challenge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Piconero>,
    /// Seconds to wait, rounded up; the same as the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The name under which the gate's operator finds a payment that bought nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// `GET /.well-known/402`: the price list of this host. The first match applies, so the order matters.
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
    /// The host; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The methods; empty: all.
    pub methods: Vec<String>,
    /// Path pattern.
    pub path: String,
    /// Free requests for each client and day.
    pub free: u64,
    /// Path patterns below it that are free.
    pub free_paths: Vec<String>,
    /// Whether a token is bound to the client's key.
    pub bound: bool,
    /// Whether `TPAT txid:proof` alone is accepted, as in the scheme of 2022.
    pub compat: bool,
    pub bundles: Vec<PricedBundle>,
}

/// One price of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedBundle {
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
            RedeemedToken { token: "t0p".to_owned(), expires: 1, quota: 2, provisional: true, remainder: Piconero(3) };
        assert!(!format!("{shown:?}").contains("t0p"));
    }

    #[test]
    fn codes_of_newer_versions_are_read() {
        assert_eq!(from_value::<TollCode>(json!("new_trouble")).expect("read"), TollCode::Unknown);
        assert_eq!(to_value(TollCode::AlreadyRedeemed).expect("json"), json!("already_redeemed"));
    }

    #[test]
    fn a_body_with_more_members_is_refused() {
        let good: Value = json!({"challenge": "c"});
        assert_eq!(from_value::<RedeemRequest>(good).expect("read").jwk, None);
        assert!(from_value::<RedeemRequest>(json!({"challenge": "c", "address": "8"})).is_err());
    }
}
