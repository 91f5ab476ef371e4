//! Whole numbers as JSON may write them: `128` and `128.0` are the same number (RFC 8259, section 6; JSON Schema,
//! `integer`). Clients whose language has one kind of number send the second.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The largest number up to which every whole number is exact as a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub(crate) struct Whole(pub(crate) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        i64::try_from(number).map(Whole).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        if number.fract() == 0.0 && number.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and within the range")]
            return Ok(Whole(number as i64));
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }
}

/// Reads a required number.
///
/// # Errors
/// The number is not whole, or not in the range of `N`.
pub(crate) fn one<'de, D: Deserializer<'de>, N: TryFrom<i64>>(deserializer: D) -> Result<N, D::Error> {
    let Whole(number) = Whole::deserialize(deserializer)?;
    N::try_from(number).map_err(|_| D::Error::invalid_value(Unexpected::Signed(number), &"a number in the range"))
}

/// Reads a number that may be missing or `null`.
///
/// # Errors
/// See [`one`].
pub(crate) fn optional<'de, D: Deserializer<'de>, N: TryFrom<i64>>(deserializer: D) -> Result<Option<N>, D::Error> {
    let number = Option::<Whole>::deserialize(deserializer)?;
    let within = |Whole(number)| {
        N::try_from(number).map_err(|_| D::Error::invalid_value(Unexpected::Signed(number), &"a number in the range"))
    };
    number.map(within).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sent {
        #[serde(deserialize_with = "one")]
        hours: u32,
        #[serde(default, deserialize_with = "optional")]
        at: Option<i64>,
    }

    fn read(text: &str) -> Option<(u32, Option<i64>)> {
        serde_json::from_str(text).ok().map(|Sent { hours, at }| (hours, at))
    }

    #[test]
    fn every_spelling_of_a_whole_number_and_no_other_number() {
        assert_eq!(read(r#"{"hours": 128}"#), Some((128, None)));
        assert_eq!(read(r#"{"hours": 128.0, "at": -1.5e3}"#), Some((128, Some(-1500))));
        assert_eq!(read(r#"{"hours": 0, "at": null}"#), Some((0, None)));
        for wrong in ["128.5", "-1", "4294967296", "1e300", "\"128\"", "null", "true", "18446744073709551615"] {
            assert_eq!(read(&format!(r#"{{"hours": {wrong}}}"#)), None, "{wrong}");
        }
        assert_eq!(read(r#"{"hours": 1, "at": 1e18}"#), None, "its neighbours have no double of their own");
    }
}
