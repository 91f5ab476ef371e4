//! Transactions and proofs that real wallets made.

use serde_json::Value;
use std::sync::LazyLock;
use tpat::{Address, OutProof, ProofRefusal, ReceivedPayment, Txid};

pub(crate) struct Vector {
    pub txid: Txid,
    pub proof: String,
    pub blob: Vec<u8>,
    address: Address,
    message: String,
}

pub(crate) static VECTORS: LazyLock<[Vector; 2]> = LazyLock::new(|| {
    [
        include_str!("../../tpat/tests/vectors/outproof-single-0.json"),
        include_str!("../../tpat/tests/vectors/outproof-multi.json"),
    ]
    .map(Vector::read)
});

impl Vector {
    fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let text = |name: &str| value[name].as_str().expect("a text").to_owned();
        let hex = value["tx"]["as_hex"].as_str().expect("a text");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        Self {
            txid: text("txid").parse().expect("an id"),
            proof: text("proof"),
            blob: (0..hex.len()).step_by(2).map(byte).collect(),
            address: text("sub").parse().expect("an address"),
            message: text("msg"),
        }
    }

    pub(crate) fn proof(&self) -> OutProof {
        self.proof.parse().expect("a proof")
    }

    pub(crate) fn verify(&self, blob: &[u8], proof: &OutProof) -> Result<ReceivedPayment, ProofRefusal> {
        self.verify_as(blob, &self.txid, proof)
    }

    pub(crate) fn verify_as(
        &self,
        blob: &[u8],
        txid: &Txid,
        proof: &OutProof,
    ) -> Result<ReceivedPayment, ProofRefusal> {
        tpat::verify(blob, txid, &self.address, self.message.as_bytes(), proof)
    }
}
