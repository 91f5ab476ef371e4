//! Combining marks that hide in a text, cross its letters out or pile up on them (Unicode TR39, section 5.4).

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Maximum number of accents that do not compose with their letter (NFC).
const MOST_ACCENTS: usize = 2;
/// Maximum number of marks of any script on one letter (NFC). Burmese syllables have up to six.
const MOST_MARKS: usize = 6;
const DOT_ABOVE: char = '\u{307}';

/// Whether marks make a text look like another one, or cover what is around it: a mark through its letter, the same
/// mark twice on one letter, or more marks than a script needs.
pub fn are_excessive(text: &str) -> bool {
    // Decomposed, because the first of two equal marks may be a part of its letter.
    let (mut letters, mut all) = (Vec::new(), text.nfd());
    let repeats = all.any(|c| repeats(&mut letters, c));
    let (mut marks, mut accents) = (0, 0);
    repeats
        || text.nfc().any(|c| {
            (marks, accents) = match (is_combining_mark(c), is_accent(c)) {
                (false, _) => (0, 0),
                (true, accent) => (marks + 1, accents + usize::from(accent)),
            };
            is_overlay(c) || marks > MOST_MARKS || accents > MOST_ACCENTS
        })
}

/// Whether a letter that has a dot, or lost it, has one more: `i` with a dot above looks like `i`.
pub(crate) fn has_second_dot(text: &str) -> bool {
    without_second_dots(text).chars().count() != text.nfd().count()
}

/// Returns the decomposed text (NFD) without the dots that nobody can see.
pub(crate) fn without_second_dots(text: &str) -> String {
    let mut letter = None;
    text.nfd()
        .filter(|c| {
            if !is_combining_mark(*c) {
                letter = Some(*c);
            }
            *c != DOT_ABOVE || !letter.is_some_and(hides_a_dot)
        })
        .collect()
}

/// Whether a mark is one of its letter's earlier marks, which are in `letter`.
fn repeats(letter: &mut Vec<char>, c: char) -> bool {
    if !is_combining_mark(c) {
        letter.clear();
        return false;
    }
    let repeats = letter.contains(&c);
    letter.push(c);
    repeats
}

/// Whether a mark crosses its letter (canonical combining class 1, of the blocks for Latin letters and symbols).
fn is_overlay(c: char) -> bool {
    matches!(
        c,
        '\u{334}'..='\u{338}' | '\u{20d2}'..='\u{20d3}' | '\u{20d8}'..='\u{20da}' | '\u{20e5}'..='\u{20e6}'
            | '\u{20ea}'..='\u{20eb}'
    )
}

/// Whether a mark belongs to no script of its own. Marks of Hebrew, Thai or Devanagari do.
fn is_accent(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20e2}' | '\u{20e4}'..='\u{20f0}' | '\u{fe20}'..='\u{fe2f}'
    )
}

/// Whether a dot above this letter is invisible (Unicode's `Soft_Dotted`, decomposed), or gives a dotless letter the
/// look of a dotted one.
fn hides_a_dot(letter: char) -> bool {
    matches!(
        letter,
        'i' | 'j' | '\u{249}' | '\u{268}' | '\u{29d}' | '\u{2b2}' | '\u{3f3}' | '\u{456}' | '\u{458}' | '\u{1d62}'
            | '\u{1d96}' | '\u{1da4}' | '\u{1da8}' | '\u{2071}' | '\u{2148}'..='\u{2149}' | '\u{2c7c}'
            | '\u{1d422}'..='\u{1d423}' | '\u{1df1a}' | '\u{1e04c}'..='\u{1e04d}' | '\u{1e068}'
            | '\u{131}' | '\u{237}' | '\u{25f}' | '\u{269}' | '\u{26a}' | '\u{3b9}' | '\u{1d7c}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_every_script_keep_their_marks() {
        for good in [
            "Trần.Văn",
            "Nguye\u{302}\u{303}n",
            "ǟṩ",
            "ᾄδω",
            "Łukasz",
            "देवनागरी",
            "น้ำผึ้ง",
            "שָׁלוֹם",
            "مُحَمَّد",
            "မြွှို့",
            "ང་ཚོའི་པར་རིས།",
            "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
        ] {
            assert!(!are_excessive(good) && !has_second_dot(good), "{good}");
        }
    }

    #[test]
    fn attack_marks_cross_letters_out_repeat_or_pile_up() {
        for bad in
            ["ac\u{338}e", "l\u{335}l", "ade\u{301}\u{301}", "\u{e9}\u{301}", "a\u{323}\u{301}\u{323}", "x\u{20d2}"]
        {
            assert!(are_excessive(bad), "{bad:?}");
        }
        let flood: String = (0..60).filter_map(|place| char::from_u32(0x300 + place % 0x30)).collect();
        for bad in
            [format!("z{flood}"), "z\u{300}\u{301}\u{302}".to_owned(), format!("ก{}", "\u{e31}\u{e34}".repeat(2))]
        {
            assert!(are_excessive(&bad), "{bad:?}");
        }
    }

    #[test]
    fn attack_a_dot_hides_on_a_dotted_letter() {
        for bad in
            ["ali\u{307}ce", "i\u{323}\u{307}", "\u{1ecb}\u{307}", "j\u{307}", "\u{131}\u{307}", "\u{456}\u{307}"]
        {
            assert!(has_second_dot(bad), "{bad:?}");
        }
        for good in ["İnci", "ż", "\u{457}", "e\u{307}", "ii e\u{307}"] {
            assert!(!has_second_dot(good), "{good:?}");
        }
        assert_eq!(without_second_dots("ali\u{307}\u{323}ce"), "ali\u{323}ce");
    }
}
