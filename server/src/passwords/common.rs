//! The blocklist: passwords among the first that are guessed (NIST SP 800-63B-4, section 3.1.1.2).

use zxcvbn::zxcvbn;

/// Fewer guesses than this and it is no password: a list of the common ones, names, words, dates and
/// their repetitions is through by then.
const LEAST_GUESSES_LOG10: f64 = 8.0;

/// Judges by zxcvbn, which knows some 30,000 common passwords, and by `context`: the account's name and
/// the site's. Takes milliseconds for long passwords: not for an async thread.
pub fn is_common(password: &str, context: &[String]) -> bool {
    let context: Vec<&str> = context.iter().map(String::as_str).collect();
    zxcvbn(password, &context).guesses_log10() < LEAST_GUESSES_LOG10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_repeated_and_contextual_passwords_are_refused() {
        let context = ["margarethe".to_owned(), "Castle".to_owned()];
        for password in
            ["passwordpassword", "123456789012345", "qwertyuiopasdfgh", "margarethemargarethe", "aaaaaaaaaaaaaaaaaaaa"]
        {
            assert!(is_common(password, &context), "{password}");
        }
        for password in ["correct horse battery staple", "tadumi-verosa-kelunu-pidira", "Zwölf Boxkämpfer jagen Viktor"]
        {
            assert!(!is_common(password, &context), "{password}");
        }
    }
}
