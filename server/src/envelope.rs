//! Decryption of the login envelope: compact JWE (RFC 7516), `RSA-OAEP-256`, `A256GCM`.

use crate::entropy::Entropy;
use crate::keyring::EnvelopeKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rsa::OAEP_SHA256_MGF1SHA256;
use domain::encoding::from_base64url;
use wire::envelope::{ALG, ENC, EnvelopeHeader};
use wire::jose;
use zeroize::Zeroizing;

/// A decrypted envelope.
#[derive(Debug)]
pub struct OpenedEnvelope {
    pub header: EnvelopeHeader,
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// Decrypts an envelope. Returns `None` for every failure. If the content key does not unwrap, a random one takes its
/// place and the work continues (RFC 7516, section 11.5). Otherwise the timing would help an attacker.
pub fn open(key: &EnvelopeKey, entropy: &dyn Entropy, envelope: &str) -> Option<OpenedEnvelope> {
    let mut parts = envelope.split('.');
    let (header64, wrapped, iv, content, tag) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let header: EnvelopeHeader = jose::header(&from_base64url(header64)?).ok()?;
    if header.alg != ALG || header.enc != ENC || header.kid != key.public.kid {
        return None;
    }
    let wrapped = from_base64url(wrapped)?;
    let iv: [u8; NONCE_LEN] = from_base64url(iv)?.try_into().ok()?;
    let tag: [u8; 16] = from_base64url(tag)?.try_into().ok()?;
    let mut content = Zeroizing::new(from_base64url(content)?);
    content.extend_from_slice(&tag);

    let content_key = unwrap(key, entropy, &wrapped);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key.as_slice()).ok()?);
    let length = cipher.open_in_place(Nonce::assume_unique_for_key(iv), Aad::from(header64), &mut content).ok()?.len();
    content.truncate(length);
    Some(OpenedEnvelope { header, plaintext: content })
}

fn unwrap(key: &EnvelopeKey, entropy: &dyn Entropy, wrapped: &[u8]) -> Zeroizing<[u8; 32]> {
    let stand_in = Zeroizing::new(entropy.bytes::<32>());
    let mut output = Zeroizing::new(vec![0; key.private.min_output_size()]);
    match key.private.decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut output, None) {
        Ok(content_key) => content_key.try_into().map_or(stand_in, Zeroizing::new),
        Err(_) => stand_in,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use proptest::prelude::*;
    use std::sync::LazyLock;
    use wire::envelope::EnvelopeKind;

    static KEY: LazyLock<EnvelopeKey> = LazyLock::new(|| EnvelopeKey::fresh().expect("a key"));

    fn sealed(plaintext: &[u8]) -> String {
        seal::seal(&KEY.public, EnvelopeKind::Login, "sk", "http://localhost:3000", None, 0, plaintext).expect("sealed")
    }

    fn opens(envelope: &str) -> Option<Vec<u8>> {
        open(&KEY, &SystemEntropy, envelope).map(|opened| opened.plaintext.to_vec())
    }

    #[test]
    fn a_sealed_envelope_opens() {
        for length in [0, 1, 15, 1024, 4096] {
            let plaintext = vec![b'x'; length];
            assert_eq!(opens(&sealed(&plaintext)), Some(plaintext));
        }
    }

    #[test]
    fn two_envelopes_of_one_text_share_nothing_but_the_header() {
        let (one, two) = (sealed(b"text"), sealed(b"text"));
        for (number, (a, b)) in one.split('.').zip(two.split('.')).enumerate() {
            assert_eq!(a == b, number == 0, "part {number}");
        }
    }

    #[test]
    fn only_one_suite_is_taken() {
        use domain::encoding::base64url;
        let envelope = sealed(b"text");
        let (header, rest) = envelope.split_once('.').expect("parts");
        let header = String::from_utf8(from_base64url(header).expect("text")).expect("JSON");
        for (from, to) in [
            ("RSA-OAEP-256", "RSA-OAEP"),
            ("RSA-OAEP-256", "RSA1_5"),
            ("RSA-OAEP-256", "dir"),
            ("A256GCM", "A128GCM"),
            ("\"iat\":0", "\"iat\":0,\"zip\":\"DEF\""),
            ("\"iat\":0", "\"iat\":0,\"crit\":[\"x\"]"),
            ("\"iat\":0", "\"iat\":0,\"crit\":null"),
            ("\"iat\":0", "\"iat\":0,\"b64\":true"),
            ("\"iat\":0", "\"iat\":0,\"iat\":0"),
        ] {
            let forged = header.replace(from, to);
            assert_ne!(forged, header);
            assert_eq!(opens(&format!("{}.{rest}", base64url(forged.as_bytes()))), None, "{to}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Tests every byte of header, wrapped key, IV, content and tag.
        #[test]
        fn a_changed_byte_anywhere_does_not_open(place in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
            static ENVELOPE: LazyLock<String> = LazyLock::new(|| sealed(br#"{"username":"alice","password":"secret"}"#));
            let mut changed = ENVELOPE.clone();
            let at = place.index(changed.len());
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != *ENVELOPE);
            prop_assert_eq!(opens(&changed), None);
        }

        #[test]
        fn nonsense_does_not_open(text in "\\PC{0,200}") {
            prop_assert_eq!(opens(&text), None);
        }
    }
}
