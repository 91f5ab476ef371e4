//! Headers of JOSE objects: compact JWS (RFC 7515) and JWE (RFC 7516).

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A member that must be absent. Reading it is an error with any value, including `null`.
///
/// Use it in a type with `#[serde(default)]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("a member that must be absent"))
    }
}

/// The members that change how an object is read. None of the extensions is implemented.
#[derive(Deserialize)]
struct Extensions {
    #[serde(default, rename = "crit")]
    _crit: Absent,
    #[serde(default, rename = "b64")]
    _b64: Absent,
}

/// Reads the header of a JOSE object. All headers are read here.
///
/// # Errors
/// It is not a JSON object of this type, or it has `crit` (RFC 7515, section 4.1.11) or `b64` (RFC 7797). With an
/// ignored extension, an object would be misread.
pub fn header<'a, T: Deserialize<'a>>(json: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice::<Extensions>(json)?;
    serde_json::from_slice(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Named<'a> {
        alg: &'a str,
    }

    #[test]
    fn a_header_with_an_extension_is_not_read() {
        let read = |json: &'static str| header::<Named<'_>>(json.as_bytes()).map(|header| header.alg);
        assert_eq!(read(r#"{"alg":"ES256","x":1}"#).expect("read"), "ES256");
        for (name, value) in
            [("crit", r#"["exp"]"#), ("crit", "[]"), ("crit", "null"), ("b64", "false"), ("b64", "true")]
        {
            let json = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
            assert!(header::<Named<'_>>(json.as_bytes()).is_err(), "{json}");
        }
        assert!(read(r#"{"alg":"ES256","\u0063rit":["exp"]}"#).is_err(), "escaped");
    }
}
