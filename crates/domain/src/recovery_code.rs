//! Recovery codes: 120 random bits each, for a person who has lost the other factors. Each works once.

use crate::encoding::{base64url, sha256};
use crate::typed_code;
use base32::Alphabet;

/// Number of codes in a set.
pub const COUNT: usize = 10;
/// Random bytes of a code.
pub const BYTES: usize = 15;
/// Length in characters without separators.
const LENGTH: usize = 24;
const GROUP: usize = 4;

/// Returns a code for reading and typing, in Crockford's alphabet: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`.
pub fn code(random: &[u8; BYTES]) -> String {
    let text = base32::encode(Alphabet::Crockford, random);
    let groups: Vec<_> = text.as_bytes().chunks(GROUP).map(String::from_utf8_lossy).collect();
    groups.join("-")
}

/// Returns the hash to store, of a code as people type it. `None`: it is no recovery code.
///
/// It needs no key or salt, because nobody can guess 120 bits.
pub fn hash(typed: &str) -> Option<String> {
    let plain = typed_code::plain(typed);
    if plain.len() != LENGTH || !plain.is_ascii() {
        return None;
    }
    // The alphabet reads O as 0, and I and L as 1.
    let bytes = base32::decode(Alphabet::Crockford, &plain.to_ascii_uppercase())?;
    (bytes.len() == BYTES).then(|| base64url(&sha256(&[b"postern recovery code".as_slice(), &bytes].concat())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_in_every_way_that_people_type_it() {
        let written = code(&[0x08, 0x42, 0x10, 0x84, 0x21, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(written, "1111-1111-0000-0000-ZZZZ-ZZZZ");
        let expected = hash(&written);
        assert!(expected.is_some());
        for typed in [
            "1111 1111 0000 0000 zzzz zzzz",
            "iill-llll-oooo-OOOO-zzzzzzzz",
            " 11111111 00000000zzzzzzzz\n",
            "1111\u{2013}1111\u{2010}0000-0000-ZZZZ-ZZZZ",
        ] {
            assert_eq!(hash(typed), expected, "{typed}");
        }
    }

    #[test]
    fn nothing_else_is_one() {
        for wrong in [
            "",
            "123456",
            "1111-1111-0000-0000-ZZZZ-ZZZ",
            "1111-1111-0000-0000-ZZZZ-ZZZU",
            "1111-1111-0000-0000-ZZZZ-ZZZZZ",
        ] {
            assert_eq!(hash(wrong), None, "{wrong}");
        }
    }
}
