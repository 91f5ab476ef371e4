//! Proofs of possession (RFC 9449): accepted proofs meet section 4.3, and the algorithms of the gate change nothing for
//! a key of the portal.

use crate::{input, signing};
use serde_json::Value;
use verify::Algorithm;

const METHOD: &str = "POST";
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];
const URL: &str = "https://portal.example/api/refresh";

/// Checks `data`: a proof, or its header and its claims with a line break between them. The latter are signed here by
/// the key of the corpus (`ES256`, or `EdDSA` if the first byte is a space).
pub(crate) fn check(data: &[u8]) {
    let (header, claims) = input::halves(data);
    if claims.is_empty() {
        let Some(proof) = input::text(data) else { return };
        judge(proof);
    } else if header.starts_with(b" ") {
        judge(&signing::ed25519(header, claims));
    } else {
        judge(&signing::p256(header, claims));
    }
}

fn judge(proof: &str) {
    let portal = verify::dpop::verify(proof, METHOD, URL);
    let gate = verify::dpop::verify_any_url(proof, METHOD, &ALGORITHMS).filter(|proof| proof.htu == URL);
    let part = |at: usize| -> Option<Value> {
        serde_json::from_slice(&domain::encoding::from_base64url(proof.split('.').nth(at)?)?).ok()
    };
    // In a member that is not read, an escape may be an invalid character.
    let (Some(header), Some(claims)) = (part(0), part(1)) else { return };
    let alg = header["alg"].as_str();
    if alg != Some("EdDSA") {
        assert_eq!(portal, gate, "portal and gate differ");
    }
    if portal.is_none() && gate.is_none() {
        return;
    }
    assert_eq!(header["typ"], "dpop+jwt");
    assert!(matches!(alg, Some("ES256" | "EdDSA")));
    assert!(header.get("crit").is_none() && header.get("b64").is_none(), "an extension that nobody understands");
    assert!(header["jwk"].get("d").is_none(), "a private key was shown");
    assert_eq!((claims["htm"].as_str(), claims["htu"].as_str()), (Some(METHOD), Some(URL)));
    assert!(claims["iat"].is_i64() && claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    if let Some(portal) = portal {
        assert_eq!(claims["nonce"].as_str(), portal.nonce.as_deref());
        assert_eq!(claims["ath"].as_str(), portal.ath.as_deref());
    }
}
