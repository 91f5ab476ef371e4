//! Keys that sign a target's content, so that mutations reach the checks after the signature.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use domain::encoding::{base64url, from_base64url};
use std::sync::LazyLock;
use verify::PublicKey;

/// The example key of RFC 7515, appendix A.3. Its public half is in the corpora.
pub(crate) const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
pub(crate) const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const P256_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed"));
static P256: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let part = |text| from_base64url(text).expect("base64url");
    let public = [vec![4], part(P256_X), part(P256_Y)].concat();
    EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &part(P256_D), &public)
        .expect("a key")
});

/// Signs with Ed25519.
pub(crate) fn ed25519(header: &[u8], payload: &[u8]) -> String {
    let message = message(header, payload);
    let signature = base64url(ED25519.sign(message.as_bytes()).as_ref());
    format!("{message}.{signature}")
}

/// Signs with P-256.
pub(crate) fn p256(header: &[u8], payload: &[u8]) -> String {
    let message = message(header, payload);
    let signature = P256.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
    format!("{message}.{}", base64url(signature.as_ref()))
}

/// Signs bytes with P-256; the signature is in ASN.1 DER, as authenticators write it.
pub(crate) fn p256_der(message: &[u8]) -> Vec<u8> {
    let private = from_base64url(P256_D).expect("base64url");
    let public = [P256_X, P256_Y].map(|text| from_base64url(text).expect("base64url")).concat();
    let public = [&[4], public.as_slice()].concat();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_ASN1_SIGNING, &private, &public);
    pair.expect("a key").sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec()
}

/// Returns the public half of the Ed25519 key.
pub(crate) fn ed25519_public() -> (Vec<u8>, PublicKey) {
    let bytes = ED25519.public_key().as_ref().to_vec();
    let key = PublicKey::ed25519(&base64url(&bytes)).expect("a key");
    (bytes, key)
}

fn message(header: &[u8], payload: &[u8]) -> String {
    format!("{}.{}", base64url(header), base64url(payload))
}
