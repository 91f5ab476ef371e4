//! The stored proofs.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use curve25519_dalek::Scalar;
use serde_json::Value;
use tpat::{Address, OutProof, ProofRefusal, ReceivedPayment, Txid, verify};

pub(crate) struct Vector {
    pub txid: Txid,
    pub address: Address,
    pub message: Vec<u8>,
    pub proof: String,
    pub inproof: Option<String>,
    pub blob: Vec<u8>,
    /// The transaction's secret key, if it was stored.
    pub secret: Option<Scalar>,
}

pub(crate) fn vectors() -> Vec<Vector> {
    ["outproof-single-0", "outproof-single-1", "outproof-multi"].map(Vector::read).into()
}

impl Vector {
    pub(crate) fn read(name: &str) -> Self {
        let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let value: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("json");
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
        };
        let secret = text("key").map(|key| hex(&key).try_into().expect("32 bytes"));
        Self {
            txid: text("txid").expect("txid").parse().expect("a txid"),
            address: text("sub").expect("sub").parse().expect("an address"),
            message: text("msg").expect("msg").into_bytes(),
            proof: text("proof").expect("proof"),
            inproof: text("inproof"),
            blob: hex(value["tx"]["as_hex"].as_str().expect("bytes")),
            secret: secret.map(Scalar::from_bytes_mod_order),
        }
    }

    pub(crate) fn parsed(&self) -> OutProof {
        self.proof.parse().expect("a proof")
    }

    pub(crate) fn verify(&self) -> Result<ReceivedPayment, ProofRefusal> {
        self.with_proof(&self.parsed())
    }

    pub(crate) fn with_proof(&self, proof: &OutProof) -> Result<ReceivedPayment, ProofRefusal> {
        verify(&self.blob, &self.txid, &self.address, &self.message, proof)
    }

    pub(crate) fn with_message(&self, message: &str) -> Result<ReceivedPayment, ProofRefusal> {
        verify(&self.blob, &self.txid, &self.address, message.as_bytes(), &self.parsed())
    }
}

/// The payer's own functions: a proof over any transaction made with the same secret key.
pub(crate) mod payer {
    use super::Vector;
    use curve25519_dalek::edwards::CompressedEdwardsY;
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use monero_oxide::primitives::keccak256;
    use monero_oxide::transaction::{NotPruned, Transaction};
    use tpat::{OutProof, ProofRefusal, ReceivedPayment, Txid, verify};

    /// Returns the vector's transaction, for changes.
    pub(crate) fn transaction(vector: &Vector) -> Transaction<NotPruned> {
        Transaction::read(&mut vector.blob.as_slice()).expect("a transaction")
    }

    /// Makes a new proof that a changed transaction pays the vector's address, and verifies it.
    pub(crate) fn judge(
        vector: &Vector,
        transaction: &Transaction<NotPruned>,
    ) -> Result<ReceivedPayment, ProofRefusal> {
        let txid = Txid(transaction.hash());
        let proof = prove(vector, &txid);
        verify(&transaction.serialize(), &txid, &vector.address, &vector.message, &proof)
    }

    /// Makes a proof: `D = rA`; `c`, `r` over `X = kB`, `Y = kA`.
    fn prove(vector: &Vector, txid: &Txid) -> OutProof {
        let bytes = monero_base58::decode(&vector.address.to_string()).expect("base58");
        let point = |at: usize| {
            let bytes: [u8; 32] = bytes[at..at + 32].try_into().expect("32 bytes");
            CompressedEdwardsY(bytes).decompress().expect("a point")
        };
        let (spend, view) = (point(1), point(33));
        let secret = vector.secret.expect("a secret key");
        let k = Scalar::from(1_234_567_u64);
        let prefix = keccak256([txid.0.as_slice(), &vector.message].concat());
        let shared = view * secret;
        let bytes = |point: EdwardsPoint| point.compress().0;
        let parts = [
            prefix,
            bytes(shared),
            bytes(spend * k),
            bytes(view * k),
            keccak256("TXPROOF_V2"),
            bytes(spend * secret),
            bytes(view),
            bytes(spend),
        ];
        let c = Scalar::from_bytes_mod_order(keccak256(parts.concat()));
        let r = k - c * secret;
        let text = format!(
            "OutProofV2{}{}",
            monero_base58::encode(&bytes(shared)),
            monero_base58::encode(&[c.to_bytes(), r.to_bytes()].concat())
        );
        text.parse().expect("a proof")
    }
}
