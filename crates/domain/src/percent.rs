//! Percent-encoding (RFC 3986, section 2.1).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode, utf8_percent_encode};

/// All characters except the unreserved ones (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// All characters that a value in a query of ours does not keep. A path stays readable there.
const NOT_IN_QUERY: &AsciiSet = &RESERVED.remove(b'/');

/// Encodes all characters except the unreserved ones.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes text for a value in a query.
pub fn query_value(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_QUERY).to_string()
}

/// Encodes the bytes that are in `set`, and those that are not ASCII.
pub(crate) fn written_out(bytes: &[u8], set: &'static AsciiSet) -> String {
    percent_encode(bytes, set).to_string()
}

/// Decodes once. Keeps a percent sign without two digits.
pub fn decoded(text: &[u8]) -> Vec<u8> {
    percent_decode(text).collect()
}

/// Decodes once. `None`: a percent sign has no two digits.
pub fn strictly_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let is_escape = |after: &[u8]| after.first_chunk::<2>().is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
    text.split(|byte| *byte == b'%').skip(1).all(is_escape).then(|| decoded(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_for_their_place() {
        assert_eq!(encoded("a-b._~ /é:\"%"), "a-b._~%20%2F%C3%A9%3A%22%25");
        assert_eq!(query_value("/a?b=c&d"), "/a%3Fb%3Dc%26d");
    }

    #[test]
    fn an_incomplete_escape_is_kept_or_refused() {
        for text in ["%", "a%", "%4", "%4g", "%%41", "%+1"] {
            assert_eq!(strictly_decoded(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decoded(b"%4g%%41%"), b"%4g%A%");
        assert_eq!(strictly_decoded(b"/%25%34%FF"), Some(b"/%4\xff".to_vec()));
    }
}
