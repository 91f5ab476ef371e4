//! Texts of people within sentences of ours (Unicode Standard Annex 9).

use unicode_normalization::char::is_combining_mark;

/// FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: the text between them has a direction of its own.
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// Isolates a text from the sentence around it, so that a name in Arabic or Hebrew does not reorder its neighbours.
/// Other texts stay as they are.
pub fn isolated(text: &str) -> String {
    if !text.chars().any(is_right_to_left) {
        return text.to_owned();
    }
    let [begin, end] = ISOLATE;
    [begin].into_iter().chain(text.chars()).chain([end]).collect()
}

/// Whether a character changes the direction of writing (Unicode, UAX 9).
pub(crate) fn is_directional(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character belongs to a block of right-to-left scripts, or controls the direction.
fn is_right_to_left(c: char) -> bool {
    matches!(
        u32::from(c),
        0x590..=0x8ff | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069 | 0xfb1d..=0xfdff | 0xfe70..=0xfeff
            | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff
    )
}

/// Returns the first letter of a name in upper case, with the marks that belong to it.
pub fn initial(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.take_while(|c| is_combining_mark(*c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_that_may_reorder_are_isolated() {
        for plain in ["ada", "J\u{fc}rgen", "\u{5f20}\u{4e09}", ""] {
            assert_eq!(isolated(plain), plain);
        }
        assert_eq!(isolated("\u{5e9}\u{5dc}\u{5d5}\u{5dd} 7"), "\u{2068}\u{5e9}\u{5dc}\u{5d5}\u{5dd} 7\u{2069}");
        assert_eq!(isolated("a\u{202e}b"), "\u{2068}a\u{202e}b\u{2069}");
    }

    #[test]
    fn an_initial_keeps_its_marks() {
        assert_eq!(initial("ada"), "A");
        assert_eq!(initial("e\u{301}tude"), "E\u{301}");
        assert_eq!(initial("\u{928}\u{93f}\u{936}\u{93e}"), "\u{928}\u{93f}");
        assert_eq!(initial(""), "");
    }
}
