//! Headers that may occur only once.

use http::header::AsHeaderName;
use http::{HeaderMap, HeaderValue};

/// Returns the only value of a header. `None`: it is missing or occurs more than once.
pub fn single_value(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    let mut all = headers.get_all(name).iter();
    let value = all.next()?;
    all.next().is_none().then_some(value)
}

/// Returns the only value of a header as text. `None` also if it has other characters than visible ASCII.
pub fn single_header(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    single_value(headers, name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_occurs_twice_has_no_value() {
        let mut headers = HeaderMap::new();
        assert_eq!(single_header(&headers, "dpop"), None);
        headers.append("dpop", HeaderValue::from_static("one"));
        assert_eq!(single_header(&headers, "dpop"), Some("one"));
        headers.append("dpop", HeaderValue::from_static("one"));
        assert_eq!((single_header(&headers, "dpop"), single_value(&headers, "dpop")), (None, None));
        headers.insert("dpop", HeaderValue::from_bytes(b"caf\xc3\xa9").unwrap());
        assert_eq!(single_header(&headers, "dpop"), None);
        assert!(single_value(&headers, "dpop").is_some());
    }
}
