//! Converts stable words of the API for people: `ban_lifted` becomes "Ban lifted".

pub fn plain(word: &str) -> String {
    let spaced = word.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn words_begin_with_a_capital_and_have_spaces() {
        assert_eq!(plain("ban_lifted"), "Ban lifted");
        assert_eq!(plain(""), "");
    }
}
