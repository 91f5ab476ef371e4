//! Offers of a gate, parsed from `WWW-Authenticate` (RFC 9110, section 11.6.1).

use serde::{Deserialize, Serialize};
use tpat::header::{AuthChallenge, parse};
use tpat::{Address, Challenge};
use wire::toll::{Network, REDEEM, VERSION};

/// One offer of a gate, with the parts that a payer needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The address to pay to.
    pub address: String,
    /// The amount.
    pub piconero: u64,
    /// The authenticated terms of the gate, sent back with the payment.
    pub challenge: String,
    /// Expiry of the offer, in unix seconds by the gate's clock.
    pub expires: u64,
    /// Lifetime of the token, in seconds.
    pub ttl_s: u64,
    /// Number of requests that it buys.
    pub quota: u64,
    /// Confirmations that the token requires.
    pub conf: u64,
    /// The path for redeeming, on the same host.
    pub redeem: String,
    /// Thumbprint of the only key that may redeem it; absent: any key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
}

/// The reason why a challenge is not paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableOffer {
    /// An offer of the scheme of 2022. Anyone who intercepts such a payment could use it.
    #[error("the gate uses an older protocol, in which a payment is not safe")]
    Old,
    #[error("the gate's challenge has a missing, duplicate or invalid {0}")]
    Wrong(&'static str),
    #[error("the gate's address belongs to another network than stated")]
    OtherNetwork,
    /// The offer names another host. A payment under one host cannot be used under another.
    #[error(
        "the gate was asked under another host than the one you named: a proxy in front of it rewrites the Host header"
    )]
    OtherHost,
}

impl Offer {
    /// Returns the first TPAT challenge in the header's values; `None`: there is none. A value that cannot be parsed is
    /// ignored.
    ///
    /// # Errors
    /// The challenge cannot be paid.
    pub fn find<'a>(values: impl Iterator<Item = &'a str>) -> Result<Option<Self>, UnusableOffer> {
        let challenges = values.filter_map(|value| parse(value).ok()).flatten();
        let mut challenges = challenges.filter(AuthChallenge::is_tpat);
        challenges.next().map(|challenge| Self::read(&challenge)).transpose()
    }

    /// Returns the message that the payment's proof must sign.
    pub fn message(&self) -> String {
        Challenge::message(&self.challenge)
    }

    /// Whether another offer has the same terms and price.
    pub(crate) fn has_same_terms(&self, other: &Self) -> bool {
        let terms = |offer: &Self| (offer.piconero, offer.quota, offer.ttl_s, offer.conf);
        terms(self) == terms(other)
    }

    fn read(given: &AuthChallenge) -> Result<Self, UnusableOffer> {
        match given.get("v").map(str::parse::<u8>) {
            Some(Ok(VERSION)) => {}
            Some(_) => return Err(UnusableOffer::Wrong("version")),
            None => return Err(UnusableOffer::Old),
        }
        let text = |name: &'static str| given.get(name).ok_or(UnusableOffer::Wrong(name));
        let number = |name: &'static str| decimal(text(name)?).ok_or(UnusableOffer::Wrong(name));
        let address = Address::parse(text("address")?).map_err(|_| UnusableOffer::Wrong("address"))?;
        if network(text("network")?) != Some(address.network()) {
            return Err(UnusableOffer::OtherNetwork);
        }
        let offer = Self {
            address: address.to_string(),
            piconero: number("min_amt")?,
            challenge: text("challenge")?.to_owned(),
            expires: number("expires")?,
            ttl_s: number("ttl_s")?,
            quota: number("quota")?,
            conf: number("conf")?,
            redeem: given.get("redeem").unwrap_or(REDEEM).to_owned(),
            jkt: given.get("jkt").map(str::to_owned),
        };
        if offer.piconero == 0 {
            return Err(UnusableOffer::Wrong("min_amt"));
        }
        // After an origin, a text that is not a path could change the host.
        if !offer.redeem.starts_with('/') {
            return Err(UnusableOffer::Wrong("redeem"));
        }
        if text("message")? != offer.message() {
            return Err(UnusableOffer::Wrong("message"));
        }
        Ok(offer)
    }
}

/// Parses a whole number. Accepts digits only, not `+1`.
fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn network(name: &str) -> Option<Network> {
    match name {
        "mainnet" => Some(Network::Mainnet),
        "stagenet" => Some(Network::Stagenet),
        "testnet" => Some(Network::Testnet),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A subaddress of the stored vectors.
    const ADDRESS: &str =
        "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";

    fn header() -> String {
        format!(
            "TPAT address=\"{ADDRESS}\", min_amt=\"2000000000\", ttl=\"30\", hash=\"\", signature=\"\", ast=\"0\", \
             v=\"1\", realm=\"api.example\", challenge=\"Ab-_\", message=\"tpat1:Ab-_\", expires=\"1795240000\", \
             ttl_s=\"3600\", quota=\"100\", conf=\"1\", network=\"mainnet\", redeem=\"/.well-known/tpat/redeem\""
        )
    }

    fn read(value: &str) -> Result<Option<Offer>, UnusableOffer> {
        Offer::find([value].into_iter())
    }

    fn offer() -> Offer {
        read(&header()).unwrap().unwrap()
    }

    #[test]
    fn a_challenge_is_read_however_it_is_written() {
        let offer = offer();
        assert_eq!((offer.piconero, offer.quota, offer.conf, offer.ttl_s), (2_000_000_000, 100, 1, 3600));
        assert_eq!(offer.message(), "tpat1:Ab-_");
        let other = r#"Basic realm="a, TPAT b""#;
        for same in [
            header().replace(", ", ","),
            header().replace("hash=\"\", ", "hash=\"\","),
            header().replace("TPAT", "tpat"),
            header().replace("quota=", "Quota = "),
            header().replace("\"100\"", "100"),
            header().replace(", redeem=\"/.well-known/tpat/redeem\"", ""),
            header() + ", news=\"of a later version\"",
            format!("{other}, {}", header()),
            format!("{}, {other}", header()),
            format!("{}, {}", header(), header().replace("2000000000", "1")),
        ] {
            assert_eq!(read(&same), Ok(Some(offer.clone())), "{same}");
        }
        let header = header();
        assert_eq!(Offer::find(["Digest \"", other, &header].into_iter()), Ok(Some(offer)));
    }

    #[test]
    fn other_answers_are_no_bill() {
        for value in ["", "Basic realm=\"x\"", "Bearer", "TPAT a=\"", "TPATx a=1"] {
            assert_eq!(read(value), Ok(None), "{value}");
        }
        assert_eq!(Offer::find(std::iter::empty()), Ok(None));
    }

    #[test]
    fn nothing_is_paid_for_a_doubtful_challenge() {
        use UnusableOffer::{Old, OtherNetwork, Wrong};
        let other_address = ADDRESS.replace('A', "B");
        for (from, to, expected) in [
            ("v=\"1\", ", "", Old),
            ("v=\"1\"", "v=\"2\"", Wrong("version")),
            (ADDRESS, "", Wrong("address")),
            (ADDRESS, &other_address, Wrong("address")),
            ("mainnet", "stagenet", OtherNetwork),
            ("mainnet", "moonnet", OtherNetwork),
            ("2000000000", "0", Wrong("min_amt")),
            ("2000000000", "-1", Wrong("min_amt")),
            ("2000000000", "2e9", Wrong("min_amt")),
            ("2000000000", "18446744073709551616", Wrong("min_amt")),
            ("quota=", "min_amt=\"1\", quota=", Wrong("min_amt")),
            ("\"tpat1:Ab-_\"", "\"tpat1:other\"", Wrong("message")),
            ("challenge=\"Ab-_\", ", "", Wrong("challenge")),
            ("/.well-known", "@evil.example", Wrong("redeem")),
            ("/.well-known", "https://evil.example", Wrong("redeem")),
            ("quota=\"100\", ", "", Wrong("quota")),
        ] {
            let value = header().replace(from, to);
            assert_ne!(value, header(), "{from}");
            assert_eq!(read(&value), Err(expected), "{value}");
        }
    }
}
