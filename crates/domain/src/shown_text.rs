//! Texts of others that people read beside the site's own: names of apps, and what an app says about itself.

use crate::account::name_skeleton;
use crate::marks;
use unicode_normalization::char::is_combining_mark;

/// Words that only the site itself uses about itself.
const OWN_WORDS: [&str; 1] = ["postern"];

/// A reason why a text is not shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShownText {
    #[error("is too long, or has no visible character")]
    Length,
    #[error("has line breaks, or invisible or directional characters")]
    Invisible,
    #[error("has accents that cross a letter, repeat or pile up, or begins with one")]
    Marks,
    #[error("names Postern or this site, as if the app were a part of it")]
    OwnWords,
}

/// Checks a text that is shown on one line.
///
/// # Errors
/// The reason why people could not read it, or would read something else.
pub fn check(text: &str, longest: usize) -> Result<(), InvalidShownText> {
    if text.chars().nth(longest).is_some() || text.chars().all(is_blank) {
        return Err(InvalidShownText::Length);
    }
    if text.chars().any(is_invisible) {
        return Err(InvalidShownText::Invisible);
    }
    if marks::are_excessive(text) || text.chars().next().is_some_and(is_combining_mark) {
        return Err(InvalidShownText::Marks);
    }
    Ok(())
}

/// Checks a text by which an app that nobody has checked describes itself. `site`: the name of this site.
///
/// # Errors
/// It could be taken for the site's own.
pub fn check_foreign(text: &str, site: &str) -> Result<(), InvalidShownText> {
    let plain = |text: &str| -> String { name_skeleton(text).chars().filter(|c| c.is_alphanumeric()).collect() };
    let (own, site) = (plain(text), plain(site));
    let is_own = |word: &str| own == word || text.split_whitespace().any(|part| plain(part).contains(word));
    let is_own = OWN_WORDS.iter().any(|word| is_own(&plain(word)));
    if is_own || (!site.is_empty() && own == site) { Err(InvalidShownText::OwnWords) } else { Ok(()) }
}

/// Whether a character is a control, is invisible or reorders others (Unicode's `Default_Ignorable_Code_Point`), is for
/// private use, or is unassigned. Joiners and variation selectors are visible in emoji and in Indic and Persian names.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}'
                | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}'
        )
}

/// Whether a character leaves nothing to see if it is alone: a space, a joiner, a variation selector, the empty braille
/// pattern.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200c}'..='\u{200d}' | '\u{2800}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_scripts_are_shown() {
        for good in
            ["Wiki", "Łukasz' Fotos", "写真", "فوتو", "รูปภาพของฉัน", "Bảo tàng", "👨\u{200d}👩\u{200d}👧", "ང་ཚོའི་པར་རིས།"]
        {
            assert_eq!(check(good, 60), Ok(()), "{good}");
        }
    }

    #[test]
    fn attack_a_name_hides_text_or_covers_the_page() {
        let flood = format!("W{}", "\u{301}".repeat(4));
        for (bad, reason) in [
            ("", InvalidShownText::Length),
            (" \u{a0}\u{3000} ", InvalidShownText::Length),
            ("\u{2800}\u{200d}\u{fe0f}", InvalidShownText::Length),
            (&"x".repeat(61), InvalidShownText::Length),
            ("a\nb", InvalidShownText::Invisible),
            ("\u{3164}", InvalidShownText::Invisible),
            ("Wiki\u{202e}knaB", InvalidShownText::Invisible),
            ("Wi\u{ad}ki", InvalidShownText::Invisible),
            ("Wi\u{e0061}ki", InvalidShownText::Invisible),
            (&flood, InvalidShownText::Marks),
            ("\u{301}Wiki", InvalidShownText::Marks),
            ("\u{1ea5}\u{301}\u{301}", InvalidShownText::Marks),
            ("W\u{336}i\u{336}k\u{336}i\u{336}", InvalidShownText::Marks),
        ] {
            assert_eq!(check(bad, 60), Err(reason), "{bad:?}");
        }
    }

    #[test]
    fn attack_an_app_takes_the_name_of_the_site() {
        for bad in
            ["Postern", "Postern in a terminal", "P o s t e r n", "ΡOSTERN", "Роstеrn login", "Example", " example "]
        {
            assert_eq!(check_foreign(bad, "Example"), Err(InvalidShownText::OwnWords), "{bad}");
        }
        for good in ["Wiki", "Examples of code", "Poster shop", "Poster news"] {
            assert_eq!(check_foreign(good, "Example"), Ok(()), "{good}");
        }
        assert_eq!(check_foreign("写真", ""), Ok(()));
    }
}
