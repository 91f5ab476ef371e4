//! Each sequence of bytes has one text, and each sequence of parts one tag.

use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};
use proptest::prelude::*;

#[test]
fn known_answers() {
    assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    assert_eq!(from_base64url("-_8"), Some(vec![0xfb, 0xff]));
    for other in ["-_9", "-_8=", "+/8", "-_", "-_8 ", "é"] {
        assert_ne!(from_base64url(other), Some(vec![0xfb, 0xff]), "{other}");
    }
    assert_eq!(base64url(&sha256(b"abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    // RFC 4231, test case 1, with its key filled up with zeros to 32 bytes, which HMAC does anyway.
    let mut key = [0; 32];
    key[..20].fill(0x0b);
    assert_eq!(base64url(&hmac_sha256(&key, &[b"Hi ", b"There"])), "sDRMYdjbOFNcqK_OrwvxK4gdwgDJgz2nJuk3bC4yz_c");
}

proptest! {
    #[test]
    fn bytes_come_back(bytes: Vec<u8>) {
        prop_assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
    }

    #[test]
    fn a_text_that_is_read_is_the_one_text(text in "[A-Za-z0-9_-]{0,40}") {
        if let Some(bytes) = from_base64url(&text) {
            prop_assert_eq!(base64url(&bytes), text);
        }
    }

    #[test]
    fn a_tag_is_taken_from_half_its_length_on(key: [u8; 32], bytes: Vec<u8>, length in 0..33_usize) {
        let tag = hmac_sha256(&key, &[&bytes]);
        prop_assert_eq!(hmac_is(&key, &[&bytes], &tag[..length.min(32)]), length >= 16);
        let mut wrong = tag;
        wrong[length.min(31)] ^= 1;
        prop_assert!(!hmac_is(&key, &[&bytes], &wrong));
    }
}
