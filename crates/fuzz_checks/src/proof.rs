//! `Authorization` of the gate, proofs of payment and addresses: each meaning has one text, and a changed proof shows
//! no payment.

use crate::input;
use crate::vectors::VECTORS;
use tpat::credential::Credential;
use tpat::{Address, OutProof};

/// Checks `data`: the header's value, a proof or an address; or the position and bits of a change to a valid proof.
pub(crate) fn check(data: &[u8]) {
    if let Some(text) = input::text(data) {
        if let Ok(credential) = Credential::parse(text) {
            assert_eq!(Credential::parse(&credential.header()), Ok(credential));
        }
        if let Ok(address) = text.parse::<Address>() {
            assert_eq!(address.to_string(), text);
        }
        judge(text);
    }
    for vector in VECTORS.iter() {
        if let Some(text) =
            input::changed(vector.proof.as_bytes(), data).and_then(|bytes| String::from_utf8(bytes).ok())
        {
            judge(&text);
        }
    }
}

fn judge(text: &str) {
    let Ok(proof) = text.parse::<OutProof>() else { return };
    assert_eq!(proof.to_string(), text, "one proof has two texts");
    for vector in VECTORS.iter().filter(|vector| vector.proof != text) {
        // Parts over another address's key are ignored.
        if let Ok(received) = vector.verify(&vector.blob, &proof) {
            assert!(vector.proof.len() > 142 && Ok(received) == vector.verify(&vector.blob, &vector.proof()), "{text}");
        }
    }
}
