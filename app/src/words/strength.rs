//! What a password is worth.

use domain::password::Strength;

pub fn rule(min: u32) -> String {
    ["At least ", &min.to_string(), " characters. Several words in a row are good and easy to keep."].concat()
}

pub fn sentence(strength: Strength) -> String {
    match strength {
        Strength::TooShort { missing: 1 } => "1 character more.".to_owned(),
        Strength::TooShort { missing } => [&missing.to_string(), " characters more."].concat(),
        Strength::Weak => "Long enough, but easy to guess.".to_owned(),
        Strength::Fair => "Good.".to_owned(),
        Strength::Strong => "Strong.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_counted() {
        assert_eq!(sentence(Strength::TooShort { missing: 1 }), "1 character more.");
        assert_eq!(sentence(Strength::TooShort { missing: 7 }), "7 characters more.");
        assert!(rule(15).starts_with("At least 15 characters."));
    }
}
