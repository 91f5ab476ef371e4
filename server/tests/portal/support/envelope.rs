//! Envelopes with any header, for tests of envelopes that no real client would write.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents};
use domain::encoding::{base64url, from_base64url};
use serde_json::{Value, json};
use wire::jwk::RsaJwk;

/// Seals by RFC 7516, section 5.1, with any header.
pub(crate) fn seal_with_header(key: &RsaJwk, header: &Value, plaintext: &[u8]) -> String {
    let components = PublicKeyComponents { n: from_base64url(&key.n).unwrap(), e: from_base64url(&key.e).unwrap() };
    let public: PublicEncryptingKey = components.try_into().unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let (mut content_key, mut iv) = ([0; 32], [0; 12]);
    rand::fill(&mut content_key).unwrap();
    rand::fill(&mut iv).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    let wrapped = public.encrypt(&OAEP_SHA256_MGF1SHA256, &content_key, &mut wrapped, None).unwrap();
    let header = base64url(header.to_string().as_bytes());
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).unwrap());
    let mut content = plaintext.to_vec();
    let (nonce, data) = (Nonce::assume_unique_for_key(iv), Aad::from(header.as_bytes()));
    let tag = cipher.seal_in_place_separate_tag(nonce, data, &mut content).unwrap();
    [header, base64url(wrapped), base64url(&iv), base64url(&content), base64url(tag.as_ref())].join(".")
}

/// Returns the body of a login whose `short_key` no server made.
pub(crate) fn forged_login() -> Value {
    json!({"encrypted_username_password": "a.b.c.d.e", "short_key": "A".repeat(204)})
}
