//! Codes as people type and copy them: with spaces, hyphens and invisible characters, and in the digits of their script.

use crate::bidi::is_directional;

/// The zeros of scripts whose keyboards have digits of their own (Unicode, general category Nd).
const ZEROS: [char; 18] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}', '\u{ce6}',
    '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}', '\u{1810}', '\u{ff10}',
];

/// Removes separators and invisible characters, and writes digits in ASCII.
pub(crate) fn plain(typed: &str) -> String {
    typed.chars().filter(|c| !is_separator(*c)).map(ascii_digit).collect()
}

fn is_separator(c: char) -> bool {
    let is_dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    // Soft hyphens and marks of zero width, which copied text contains.
    let is_invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    c.is_whitespace() || is_dash || is_invisible || is_directional(c)
}

fn ascii_digit(c: char) -> char {
    let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_read_and_separators_are_not() {
        for zero in ZEROS {
            let typed: String = (0..10).filter_map(|value| char::from_u32(u32::from(zero) + value)).collect();
            assert_eq!(plain(&typed), "0123456789", "{zero}");
        }
        assert_eq!(plain(" 913\u{2013}8-4\u{200f}3\n"), "913843");
        assert_eq!(plain("\u{2460}a"), "\u{2460}a", "a number in a circle is no digit");
    }
}
