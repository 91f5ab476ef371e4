//! Proofs of payment in the wallets' format: `OutProofV2`, and for each public key of the transaction a shared secret
//! and a signature in Monero's base58.

use curve25519_dalek::Scalar;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};

/// The only supported kind. Others are weaker (`V1`), made by the receiver (`In...`), or have a damaged header, which
/// the reference wallet accepts.
pub(crate) const PREFIX: &str = "OutProofV2";
/// The transaction's key, and one for each of at most 16 outputs.
pub(crate) const MOST: usize = 17;
/// Lengths of 32 and 64 bytes in base58.
const SECRET: usize = 44;
const SIGNATURE: usize = 88;

/// A parsed proof, not verified. Its text identifies nothing, because a payer can make any number of proofs for one
/// payment.
#[derive(Clone, PartialEq, Eq)]
pub struct OutProof(pub(crate) Vec<ProofPart>);

/// The part for one public key of the transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProofPart {
    /// The shared secret `D`.
    pub secret: EdwardsPoint,
    pub c: Scalar,
    pub r: Scalar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an OutProofV2")]
pub struct InvalidProof;

impl std::str::FromStr for OutProof {
    type Err = InvalidProof;

    fn from_str(text: &str) -> Result<Self, InvalidProof> {
        let parts = text.strip_prefix(PREFIX).ok_or(InvalidProof)?;
        let whole = parts.is_ascii() && parts.len().is_multiple_of(SECRET + SIGNATURE);
        if !whole || parts.is_empty() || parts.len() / (SECRET + SIGNATURE) > MOST {
            return Err(InvalidProof);
        }
        let mut rest = parts;
        let mut proof = Vec::with_capacity(1);
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(SECRET + SIGNATURE);
            proof.push(ProofPart::read(part).ok_or(InvalidProof)?);
            rest = behind;
        }
        Ok(Self(proof))
    }
}

impl ProofPart {
    fn read(text: &str) -> Option<Self> {
        let (secret, signature) = text.split_at(SECRET);
        let secret = point(monero_base58::decode(secret)?.try_into().ok()?)?;
        let signature = monero_base58::decode(signature)?;
        let (c, r) = signature.split_first_chunk::<32>()?;
        let scalar = |bytes: [u8; 32]| Scalar::from_canonical_bytes(bytes).into_option();
        Some(Self { secret, c: scalar(*c)?, r: scalar(r.try_into().ok()?)? })
    }
}

/// Decodes a point in its only encoding, outside the small subgroup.
pub(crate) fn point(bytes: [u8; 32]) -> Option<EdwardsPoint> {
    let compressed = CompressedEdwardsY(bytes);
    compressed.decompress().filter(|point| !point.is_small_order() && point.compress() == compressed)
}

impl std::fmt::Display for OutProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|part| {
            let signature = [part.c.to_bytes(), part.r.to_bytes()].concat();
            let secret = part.secret.compress();
            write!(f, "{}{}", monero_base58::encode(&secret.0), monero_base58::encode(&signature))
        })
    }
}

impl std::fmt::Debug for OutProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutProof({} keys)", self.0.len())
    }
}
