//! The strength of a password in words.

use domain::password::Strength;

pub fn rule(min: u32) -> String {
    ["At least ", &min.to_string(), " characters. Several random words are strong and easy to remember."].concat()
}

pub fn sentence(strength: Strength) -> String {
    match strength {
        Strength::TooShort { missing: 1 } => "1 more character.".to_owned(),
        Strength::TooShort { missing } => [&missing.to_string(), " more characters."].concat(),
        Strength::Weak => "Long enough, but easy to guess.".to_owned(),
        Strength::Fair => "Good.".to_owned(),
        Strength::Strong => "Strong.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_characters_are_counted() {
        assert_eq!(sentence(Strength::TooShort { missing: 1 }), "1 more character.");
        assert_eq!(sentence(Strength::TooShort { missing: 7 }), "7 more characters.");
        assert!(rule(15).starts_with("At least 15 characters."));
    }
}
