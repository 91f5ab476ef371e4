//! Exact conversion between XMR as people write it and piconero.

/// Piconero in one XMR.
pub const XMR: u64 = 1_000_000_000_000;
const DIGITS: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    #[error("an amount consists of digits and at most one point: 0.002")]
    Malformed,
    #[error("an amount has at most 12 digits after the point")]
    TooFine,
    #[error("the amount is larger than possible")]
    TooMuch,
}

/// Parses XMR to piconero: `0.002`, `.002`, `2`, `2.`.
pub fn parse_xmr(text: &str) -> Result<u64, InvalidAmount> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(InvalidAmount::Malformed);
    }
    if fraction.len() > DIGITS {
        return Err(InvalidAmount::TooFine);
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| InvalidAmount::TooMuch)? };
    let fraction: u64 = format!("{fraction:0<DIGITS$}").parse().map_err(|_| InvalidAmount::Malformed)?;
    let piconero = whole.checked_mul(XMR).and_then(|whole| whole.checked_add(fraction));
    piconero.ok_or(InvalidAmount::TooMuch)
}

/// Formats piconero as XMR without trailing zeros: `0.002`.
pub fn format_xmr(piconero: u64) -> String {
    wire::toll::Piconero(piconero).xmr()
}

/// Returns the number of blocks that cover a duration, at least one, at 120 s a block.
pub fn blocks(seconds: u64) -> u64 {
    seconds.div_ceil(wire::toll::BLOCK_S).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_of_a_table() {
        let good = [
            ("0", 0),
            ("1", XMR),
            ("0.002", 2_000_000_000),
            (".5", XMR / 2),
            ("7.", 7 * XMR),
            ("0.000000000001", 1),
            ("18446744.073709551615", u64::MAX),
        ];
        for (text, piconero) in good {
            assert_eq!(parse_xmr(text), Ok(piconero), "{text}");
        }
        for text in ["", ".", "-1", "+1", "1,5", "1e3", " 1", "1 ", "1.2.3", "0x1", "\u{663}", "1_000"] {
            assert_eq!(parse_xmr(text), Err(InvalidAmount::Malformed), "{text}");
        }
        assert_eq!(parse_xmr("0.0000000000001"), Err(InvalidAmount::TooFine));
        for text in ["18446744.073709551616", "18446745", "99999999999999999999"] {
            assert_eq!(parse_xmr(text), Err(InvalidAmount::TooMuch), "{text}");
        }
        assert_eq!(format_xmr(2_000_000_000), "0.002");
        assert_eq!(format_xmr(u64::MAX), "18446744.073709551615");
        assert_eq!([0, 1, 120, 121, u64::MAX].map(blocks), [1, 1, 1, 2, u64::MAX / 120 + 1]);
    }

    proptest! {
        #[test]
        fn fuzz_amount_there_and_back(piconero: u64) {
            prop_assert_eq!(parse_xmr(&format_xmr(piconero)), Ok(piconero));
        }

        #[test]
        fn fuzz_amount_of_any_text(text in "[0-9.]{0,30}|.{0,30}") {
            if let Ok(piconero) = parse_xmr(&text) {
                prop_assert_eq!(parse_xmr(&format_xmr(piconero)), Ok(piconero));
            }
        }
    }
}
