//! The signature of an access token, alone.

use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};

/// ES256 by a key that is read once, over a message as long as an access token.
#[derive(Debug)]
pub(crate) struct Signature {
    key: ParsedPublicKey,
    bytes: Vec<u8>,
}

const MESSAGE: [u8; 500] = [b'a'; 500];

impl Signature {
    pub(crate) fn make() -> Result<Self> {
        let failed = "a signature could not be made";
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.context(failed)?.as_ref())?;
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())?;
        let bytes = pair.sign(&SystemRandom::new(), &MESSAGE).ok().context(failed)?.as_ref().to_vec();
        Ok(Self { key, bytes })
    }

    pub(crate) fn is_good(&self) -> bool {
        self.key.verify_sig(&MESSAGE, &self.bytes).is_ok()
    }
}
