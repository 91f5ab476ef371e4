//! A client's key and its proofs.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use domain::encoding::{base64url, sha256};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use wire::jwk::{OkpJwk, VerifyingJwk};

pub(crate) struct Key {
    pair: Ed25519KeyPair,
    proofs: AtomicU64,
}

impl Key {
    pub(crate) fn new() -> Self {
        Self { pair: Ed25519KeyPair::generate().unwrap(), proofs: AtomicU64::new(0) }
    }

    pub(crate) fn jwk(&self) -> VerifyingJwk {
        VerifyingJwk::Okp(OkpJwk::ed25519(base64url(self.pair.public_key().as_ref())))
    }

    /// Returns its thumbprint (RFC 7638), as tokens and offers name it.
    pub(crate) fn jkt(&self) -> String {
        tpat::Thumbprint::of(&self.jwk().thumbprint_input()).to_string()
    }

    /// Makes a proof of possession (RFC 9449), for a token if there is one.
    pub(crate) fn prove(&self, method: &str, url: &str, nonce: &str, token: Option<&str>) -> String {
        self.prove_with(method, url, nonce, token, None)
    }

    /// Does the same, with a point for agreeing on a key.
    pub(crate) fn prove_with(
        &self,
        method: &str,
        url: &str,
        nonce: &str,
        token: Option<&str>,
        point: Option<&str>,
    ) -> String {
        let jti = self.proofs.fetch_add(1, Ordering::SeqCst).to_string();
        let mut claims = json!({"jti": jti, "htm": method, "htu": url, "iat": 1, "nonce": nonce});
        if let Some(token) = token {
            claims["ath"] = base64url(&sha256(token.as_bytes())).into();
        }
        if let Some(point) = point {
            claims["mac_epk"] = point.into();
        }
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": self.jwk()});
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&claims));
        format!("{message}.{}", base64url(self.pair.sign(message.as_bytes()).as_ref()))
    }
}
