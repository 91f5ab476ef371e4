//! Rules for passwords, and a rough estimate of their strength.
//!
//! NIST SP 800-63B-4, section 3.1.1.2: a minimum length and a blocklist, no composition rules. Passwords are taken
//! exactly as received, without trimming, truncation or Unicode normalisation.

/// Maximum number of bytes in a password.
pub const MAX_BYTES: usize = 1024;

/// The reason why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    #[error("the password is too short")]
    TooShort,
    #[error("the password is longer than 1,024 bytes")]
    TooLong,
}

/// Checks the length: at least `min` code points, at most [`MAX_BYTES`] bytes.
///
/// # Errors
/// The violated limit.
pub fn check_length(password: &str, min: u32) -> Result<(), InvalidPassword> {
    if password.len() > MAX_BYTES {
        Err(InvalidPassword::TooLong)
    } else if missing(password, min) > 0 {
        Err(InvalidPassword::TooShort)
    } else {
        Ok(())
    }
}

/// The value of a strength meter. It is a hint; the server's check decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    TooShort { missing: u32 },
    Weak,
    Fair,
    Strong,
}

/// Estimates quickly from length and variety. Repetitions and sequences ("aaaa", "1234") add nothing.
pub fn strength(password: &str, min: u32) -> Strength {
    let missing = missing(password, min);
    if missing > 0 {
        return Strength::TooShort { missing };
    }
    let chars: Vec<char> = password.chars().collect();
    // Sorting would be the largest function of the sign-in page.
    let distinct = chars.iter().enumerate().filter(|(at, c)| !chars.iter().take(*at).any(|other| other == *c)).count();
    let telling = 1 + chars.windows(2).filter(|pair| !follows(pair)).count();
    match telling.min(distinct * 2) {
        0..12 => Strength::Weak,
        12..18 => Strength::Fair,
        _ => Strength::Strong,
    }
}

fn follows(pair: &[char]) -> bool {
    match pair {
        [a, b] => u32::from(*a).abs_diff(u32::from(*b)) <= 1,
        _ => false,
    }
}

fn missing(password: &str, min: u32) -> u32 {
    let count = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    min.saturating_sub(count)
}

/// Makes a passphrase of four invented words from 9 random bytes (72 bits): six bits a syllable. It can be said, typed
/// and remembered, and needs no word list.
pub fn suggest(random: [u8; 9]) -> String {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 4] = b"aeiu";
    let bits = random.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut phrase = String::with_capacity(27);
    for syllable in 0..12 {
        if syllable > 0 && syllable % 3 == 0 {
            phrase.push('-');
        }
        let six = (bits >> (6 * syllable)) as usize & 63;
        phrase.push(char::from(CONSONANTS[six >> 2]));
        phrase.push(char::from(VOWELS[six & 3]));
    }
    phrase
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_code_points_and_capped_in_bytes() {
        let emoji = "🗝".repeat(15);
        for (password, verdict) in [
            ("a".repeat(14), Err(InvalidPassword::TooShort)),
            ("a".repeat(15), Ok(())),
            (emoji, Ok(())),
            ("a".repeat(64), Ok(())),
            ("a".repeat(1024), Ok(())),
            ("a".repeat(1025), Err(InvalidPassword::TooLong)),
            ("é".repeat(513), Err(InvalidPassword::TooLong)),
        ] {
            assert_eq!(check_length(&password, 15), verdict, "{} bytes", password.len());
        }
    }

    #[test]
    fn repeats_and_runs_are_weak() {
        assert_eq!(strength("short", 15), Strength::TooShort { missing: 10 });
        assert_eq!(strength("aaaaaaaaaaaaaaaaaaaa", 15), Strength::Weak);
        assert_eq!(strength("abcdefghijklmnopqrst", 15), Strength::Weak);
        assert_eq!(strength("correct horse battery staple", 15), Strength::Strong);
    }

    #[test]
    fn a_suggestion_is_long_enough_and_tells_all_its_random_bytes() {
        assert_eq!(suggest([0; 9]), "bababa-bababa-bababa-bababa");
        assert_eq!(suggest([255; 9]), "zuzuzu-zuzuzu-zuzuzu-zuzuzu");
        assert_ne!(suggest([1, 2, 3, 4, 5, 6, 7, 8, 9]), suggest([0, 2, 3, 4, 5, 6, 7, 8, 9]));
        assert_eq!(strength(&suggest([7, 91, 200, 13, 44, 99, 180, 3, 250]), 15), Strength::Strong);
    }
}
