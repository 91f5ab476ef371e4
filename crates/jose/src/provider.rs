//! The provider of signers and verifiers for `jsonwebtoken`. It uses the parsed keys of this crate, and passes every
//! other key to the package's own provider.

use crate::registry::Registry;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey, RSA_PKCS1_SHA256, RsaKeyPair};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, aws_lc};
use jsonwebtoken::errors::Result;
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use std::sync::{Arc, OnceLock};

/// The private half of a key, parsed.
pub(crate) enum Private {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// Private keys by the name in the `EncodingKey`, which contains it instead of the key.
pub(crate) static PRIVATE: Registry<Private> = Registry::new();
/// Public keys by their bytes.
pub(crate) static PUBLIC: Registry<ParsedPublicKey> = Registry::new();

/// Installs this as the provider of the process. Returns `false` if the process has another one.
pub(crate) fn install() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| PROVIDER.get_or_init(provider).install_default().is_ok())
}

static PROVIDER: OnceLock<CryptoProvider> = OnceLock::new();

fn provider() -> CryptoProvider {
    CryptoProvider {
        signer_factory: signer,
        verifier_factory: verifier,
        key_utils: aws_lc::DEFAULT_PROVIDER.key_utils.clone(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of the package")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    match PRIVATE.find(key.as_bytes()) {
        Some(private) => Ok(Box::new(ParsedSigner(private))),
        None => (aws_lc::DEFAULT_PROVIDER.signer_factory)(algorithm, key),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of the package")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let parsed = key.try_get_as_bytes().ok().and_then(|bytes| PUBLIC.find(bytes));
    match parsed.filter(|_| algorithm.family() == key.family()) {
        Some(public) => Ok(Box::new(ParsedVerifier { algorithm: *algorithm, public })),
        None => (aws_lc::DEFAULT_PROVIDER.verifier_factory)(algorithm, key),
    }
}

struct ParsedSigner(Arc<Private>);

impl Signer<Vec<u8>> for ParsedSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let signature = match &*self.0 {
            Private::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(Error::from_source)?;
                return Ok(signature);
            }
            Private::Es256(pair) => pair.sign(&SystemRandom::new(), message).map_err(Error::from_source)?,
            Private::EdDsa(pair) => pair.sign(message),
        };
        Ok(signature.as_ref().to_vec())
    }
}

impl JwtSigner for ParsedSigner {
    fn algorithm(&self) -> Algorithm {
        match &*self.0 {
            Private::Es256(_) => Algorithm::ES256,
            Private::EdDsa(_) => Algorithm::EdDSA,
            Private::Rs256(_) => Algorithm::RS256,
        }
    }
}

struct ParsedVerifier {
    algorithm: Algorithm,
    public: Arc<ParsedPublicKey>,
}

impl Verifier<Vec<u8>> for ParsedVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.public.verify_sig(message, signature).map_err(Error::from_source)
    }
}

impl JwtVerifier for ParsedVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
