//! The blocklist of common passwords (NIST SP 800-63B-4, section 3.1.1.2).

use zxcvbn::zxcvbn;

/// Minimum number of guesses, as a logarithm to base 10. Lists of common passwords, names, words, dates and their
/// repetitions need fewer.
const LEAST_GUESSES_LOG10: f64 = 8.0;

/// Whether zxcvbn can guess a password. It knows some 30,000 common passwords, and `context`: the names of the account
/// and the site. Takes milliseconds for long passwords, so do not call it on an async thread.
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
        let (of_site, others) = ("verosakelunuverosakelunu", ["margarethe".to_owned(), "Verosakelunu".to_owned()]);
        assert!(is_common(of_site, &others) && !is_common(of_site, &context), "the name of the site");
        for password in ["correct horse battery staple", "tadumi-verosa-kelunu-pidira", "Zwölf Boxkämpfer jagen Viktor"]
        {
            assert!(!is_common(password, &context), "{password}");
        }
    }
}
