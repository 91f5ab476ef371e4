//! Password hashes that other programs made.

use super::costs::{Cost, Work};
use super::stored::Stored;

/// Maximum work of an imported argon2id hash: memory times passes, in KiB, and memory alone. Every sign-in pays it
/// until the last account with it has signed in.
const MOST_ARGON2: u64 = 1024 * 1024;
const MOST_MEMORY_KIB: u32 = 256 * 1024;
/// The highest cost of an imported bcrypt hash, which takes about a second.
const MOST_BCRYPT: u32 = 14;

/// A hash that the next sign-in can be checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportedHash {
    /// As it is stored.
    pub text: String,
    /// Its parameters, by which every check pays its cost.
    pub parameters: String,
}

impl std::fmt::Debug for ImportedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImportedHash({})", self.parameters)
    }
}

/// The reason why a hash cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHash {
    #[error("there is no password hash")]
    Missing,
    #[error("the password hash is {0}, and only argon2id and bcrypt can be imported")]
    Algorithm(&'static str),
    #[error("the password hash is damaged")]
    Damaged,
    #[error("the password hash is too expensive: every sign-in would be slow")]
    Expensive,
}

impl ImportedHash {
    /// Reads argon2id in PHC form, or bcrypt.
    ///
    /// # Errors
    /// The hash is of another form, or its parameters are not accepted.
    pub fn parse(text: &str) -> Result<Self, InvalidHash> {
        let text = text.trim();
        let text = text.strip_prefix("{CRYPT}").unwrap_or(text);
        for (prefix, name) in [
            ("$2x$", "a faulty form of bcrypt"),
            ("$argon2i$", "argon2i"),
            ("$argon2d$", "argon2d"),
            ("$pbkdf2", "PBKDF2"),
            ("$scrypt$", "scrypt"),
            ("$6$", "SHA-512"),
            ("$5$", "SHA-256"),
            ("$1$", "MD5"),
            ("$y$", "yescrypt"),
        ] {
            if text.starts_with(prefix) {
                return Err(InvalidHash::Algorithm(name));
            }
        }
        if text.is_empty() {
            return Err(InvalidHash::Missing);
        }
        if !text.starts_with('$') {
            return Err(InvalidHash::Algorithm("of an unknown kind"));
        }
        // Another version of argon2 computes other hashes.
        if text.starts_with("$argon2id$") && !text.starts_with("$argon2id$v=19$") {
            return Err(InvalidHash::Algorithm("of an old version of argon2id"));
        }
        let stored = Stored::read(text).ok_or(InvalidHash::Damaged)?;
        match stored.work {
            Work::Argon2(Cost { memory_kib, passes, .. }) => {
                if memory_kib > MOST_MEMORY_KIB || u64::from(memory_kib) * u64::from(passes) > MOST_ARGON2 {
                    return Err(InvalidHash::Expensive);
                }
                let parameters = text.rsplitn(3, '$').nth(2).ok_or(InvalidHash::Damaged)?;
                Ok(Self { text: text.to_owned(), parameters: parameters.to_owned() })
            }
            Work::Bcrypt(cost) if cost > MOST_BCRYPT => Err(InvalidHash::Expensive),
            Work::Bcrypt(cost) => Ok(Self { text: text.to_owned(), parameters: format!("$2b${cost:02}$") }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argon2id_and_bcrypt_are_taken_and_others_named() {
        let argon2 = "$argon2id$v=19$m=65536,t=3,p=2$BpLnfgDsc2WD8F2q$o/vzA4myCqZZ36bUGsDY//8mKUYNZZaR0t4MFFSs+iM";
        let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        let parameters = |text: &str| ImportedHash::parse(text).map(|hash| hash.parameters);
        assert_eq!(parameters(argon2), Ok("$argon2id$v=19$m=65536,t=3,p=2".to_owned()));
        assert_eq!(parameters(&format!(" {{CRYPT}}{argon2}\n")), parameters(argon2));
        assert_eq!(parameters(bcrypt), Ok("$2b$10$".to_owned()));
        for (text, reason) in [
            ("", InvalidHash::Missing),
            ("changeme", InvalidHash::Algorithm("of an unknown kind")),
            ("$6$rounds=50000$salt$hash", InvalidHash::Algorithm("SHA-512")),
            ("$pbkdf2-sha512$310000$salt$hash", InvalidHash::Algorithm("PBKDF2")),
            ("$argon2i$v=19$m=64,t=1,p=1$a$b", InvalidHash::Algorithm("argon2i")),
            (&argon2.replace("v=19$", ""), InvalidHash::Algorithm("of an old version of argon2id")),
            (&argon2.replace("m=65536", "m=1048576"), InvalidHash::Expensive),
            (&argon2.replace("t=3", "t=1000"), InvalidHash::Expensive),
            (&bcrypt.replace("$10$", "$31$"), InvalidHash::Expensive),
            (&bcrypt[..59], InvalidHash::Damaged),
            (&argon2[..40], InvalidHash::Damaged),
        ] {
            assert_eq!(ImportedHash::parse(text), Err(reason), "{text}");
        }
    }
}
