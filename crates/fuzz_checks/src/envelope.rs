//! The login envelope: one that opens has exactly the known members in its header, and the sealed content.

use crate::{input, portal};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use domain::encoding::{base64url, from_base64url};
use serde_json::Value;
use server::entropy::SystemEntropy;
use server::envelope;
use std::sync::LazyLock;
use wire::envelope::{ALG, ENC};
use wire::jwk::RsaJwk;

const CONTENT_KEY: [u8; 32] = [9; 32];
const MEMBERS: [&str; 9] = ["alg", "enc", "kid", "typ", "sk", "org", "jwk", "enc_jwk", "iat"];
/// A placeholder in the corpus for the id of the server's key, which is new at each start.
const KID: &str = "{kid}";

/// The content key, wrapped once: only the header and the content change.
static WRAPPED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let jwk = &portal::get().envelope.public;
    let public = PublicEncryptingKey::from_der(&subject_public_key_info(jwk)).expect("a key");
    let public = OaepPublicEncryptingKey::new(public).expect("a key");
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, &CONTENT_KEY, &mut wrapped, None).expect("wrapped");
    wrapped
});

/// Writes an RSA key as DER (RFC 8017, appendix A.1; RFC 5280, section 4.1.2.7).
fn subject_public_key_info(jwk: &RsaJwk) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82], length.as_slice(), content].concat()
    };
    // The leading zero marks the number as positive.
    let integer = |text: &str| element(2, &[vec![0], from_base64url(text).expect("base64url")].concat());
    let key = element(0x30, &[integer(&jwk.n), [2, 3, 1, 0, 1].to_vec()].concat());
    element(0x30, &[RSA_ENCRYPTION.as_slice(), &element(3, &[vec![0], key].concat())].concat())
}

/// Checks `data`: an envelope; or its header and its content, with a line break between them, which are sealed here.
pub(crate) fn check(data: &[u8]) {
    let key = &portal::get().envelope;
    let (header, content) = input::halves(data);
    if content.is_empty() {
        let Some(text) = input::text(data) else { return };
        assert!(envelope::open(key, &SystemEntropy, text).is_none(), "it was sealed by nobody");
        return;
    }
    let header = String::from_utf8_lossy(header).replace(KID, &key.public.kid);
    let sealed = seal(header.as_bytes(), content);
    let opened = envelope::open(key, &SystemEntropy, &sealed);
    if let Some(opened) = &opened {
        assert_eq!(*opened.plaintext, content);
        let said: Value = serde_json::from_str(&header).expect("JSON");
        assert_eq!(
            (&said["alg"], &said["enc"], &said["kid"]),
            (&ALG.into(), &ENC.into(), &key.public.kid.clone().into())
        );
        assert!(said.as_object().expect("an object").keys().all(|name| MEMBERS.contains(&name.as_str())));
        if let Some(changed) =
            input::changed(sealed.as_bytes(), content).and_then(|bytes| String::from_utf8(bytes).ok())
        {
            assert!(envelope::open(key, &SystemEntropy, &changed).is_none(), "a changed envelope opens");
        }
    }
}

fn seal(header: &[u8], content: &[u8]) -> String {
    let header = base64url(header);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &CONTENT_KEY).expect("a key"));
    let iv = [1; 12];
    let mut sealed = content.to_vec();
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::from(&header), &mut sealed);
    let tag = tag.expect("sealed");
    [header, base64url(&WRAPPED), base64url(&iv), base64url(&sealed), base64url(tag.as_ref())].join(".")
}
