//! `Authorization: TPAT txid:proof[:x]` and `Authorization: TPAT-Session token`.

use crate::proof::OutProof;
use crate::token;
use crate::transaction::Txid;
use wire::toll::{SCHEME, SESSION_SCHEME};

/// Maximum length of a value in bytes; a proof for a transaction with 16 outputs has 2,254.
pub const LONGEST: usize = 2560;

/// A client's credential.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    Payment(PaymentCredential),
    /// A token that was not verified yet.
    Session(String),
}

/// A transaction and the proof of its payment. A third part, which some clients send, is ignored, because the address
/// comes from the challenge and never from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCredential {
    pub txid: Txid,
    pub proof: OutProof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredential {
    /// The credential has another scheme: Basic, Bearer and so on.
    #[error("the credential has another scheme")]
    OtherScheme,
    #[error("the credential is malformed")]
    Malformed,
}

impl Credential {
    /// Parses the value of `Authorization`. This checks only syntax, and costs no more than decoding base58.
    pub fn parse(value: &str) -> Result<Self, InvalidCredential> {
        let (scheme, rest) = value.split_once(' ').ok_or(InvalidCredential::OtherScheme)?;
        let session = scheme.eq_ignore_ascii_case(SESSION_SCHEME);
        if !session && !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(InvalidCredential::OtherScheme);
        }
        if value.len() > LONGEST {
            return Err(InvalidCredential::Malformed);
        }
        let rest = rest.trim_matches(' ');
        let read = if session { read_token(rest) } else { PaymentCredential::parse(rest).map(Self::Payment) };
        read.ok_or(InvalidCredential::Malformed)
    }

    /// Returns the value of `Authorization`.
    pub fn header(&self) -> String {
        match self {
            Self::Payment(PaymentCredential { txid, proof }) => format!("{SCHEME} {txid}:{proof}"),
            Self::Session(token) => format!("{SESSION_SCHEME} {token}"),
        }
    }
}

/// Hides tokens, because they may be secret.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Payment(payment) => payment.fmt(f),
            Self::Session(_) => f.write_str("Session(..)"),
        }
    }
}

impl PaymentCredential {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (txid, proof) = (parts.next()?, parts.next()?);
        let readable = parts.next().is_none_or(|third| third.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if !readable {
            return None;
        }
        Some(Self { txid: txid.parse().ok()?, proof: proof.parse().ok()? })
    }
}

fn read_token(text: &str) -> Option<Credential> {
    let good = text.len() == token::TEXT
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    good.then(|| Credential::Session(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TXID: &str = "ab97b2b992d9aa8cab614de14c02b0b10a4487307aa4dc8b244b625c52015768";
    const PROOF: &str = "OutProofV2Jq9WRKEUPwuaWdzVC3C9e5BkGHUTdJ5y4NdUhP8Lda5RX1wVeLxvsBeRhLKZaHN62KjXMaUAJgihdXJUbpsWzJujKXi4YEMyvEq3fpwCceJm2mfj4DmxXzKCdGP6LsQvXMkW";

    #[test]
    fn a_payment_is_read_and_written() {
        for value in [
            format!("TPAT {TXID}:{PROOF}"),
            format!("tpat {TXID}:{PROOF}"),
            format!("TPAT   {TXID}:{PROOF}:87omSJ "),
            format!("TPAT {TXID}:{PROOF}:"),
        ] {
            let read = Credential::parse(&value).expect("read");
            assert_eq!(read.header(), format!("TPAT {TXID}:{PROOF}"));
        }
    }

    #[test]
    fn a_token_is_read_and_not_shown() {
        let token = "A".repeat(token::TEXT);
        let read = Credential::parse(&format!("tpat-session {token}")).expect("read");
        assert_eq!(read.header(), format!("TPAT-Session {token}"));
        assert!(!format!("{read:?}").contains("AAA"));
        for wrong in [&token[1..], &format!("{token}A"), &format!("{}=", &token[1..]), ""] {
            assert_eq!(Credential::parse(&format!("TPAT-Session {wrong}")), Err(InvalidCredential::Malformed));
        }
    }

    #[test]
    fn others_and_malformed_ones() {
        for value in ["", "TPAT", "Bearer x", "Basic YTpi", "TPATx a:b", "TPAT\ta:b"] {
            assert_eq!(Credential::parse(value), Err(InvalidCredential::OtherScheme), "{value}");
        }
        let upper = TXID.to_uppercase();
        for rest in [
            "",
            ":",
            TXID,
            &format!("{TXID}:"),
            &format!("{upper}:{PROOF}"),
            &format!("{TXID}:{PROOF}:a b"),
            &format!("{TXID}:{PROOF}:a:b"),
            &format!("{TXID}:OutGARBAGE{}", &PROOF[10..]),
            &format!("{TXID}:Outxxxxxxx{}", &PROOF[10..]),
            &format!("{TXID}:InProofV2{}", &PROOF[10..]),
            &format!("{TXID}:OutProofV1{}", &PROOF[10..]),
            &format!("{TXID}:{PROOF}{}", "1".repeat(3000)),
        ] {
            assert_eq!(Credential::parse(&format!("TPAT {rest}")), Err(InvalidCredential::Malformed), "{rest}");
        }
    }

    proptest! {
        #[test]
        fn fuzz_credential_of_any_text(scheme in "TPAT|TPAT-Session|tpat", rest in "[0-9a-f]{64}:OutProofV2[1-9A-Za-z]{132}|[ -~]{0,200}|.{0,200}") {
            if let Ok(read) = Credential::parse(&format!("{scheme} {rest}")) {
                prop_assert_eq!(Credential::parse(&read.header()), Ok(read));
            }
        }
    }
}
