//! Account names and roles.

use crate::encoding::{base64url, sha256};
use crate::marks;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use std::borrow::Cow;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton as skeleton_of;
use unicode_security::restriction_level::{RestrictionLevel, RestrictionLevelDetection};

/// A name for a new account. Names are compared by the profile `UsernameCaseMapped` of RFC 8265: names that differ only
/// in case, width or the encoding of accents are the same account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    shown: String,
    key: String,
}

/// The rule that a new name violates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAccountName {
    #[error("a name has 1 to 64 characters")]
    Length,
    #[error("a name has letters, digits and . _ - @ +, and begins and ends with a letter or a digit")]
    Characters,
    #[error("a name uses letters of one alphabet, but this one mixes several")]
    MixedScripts,
    #[error(
        "a name has no accents that cross a letter, repeat, pile up or hide on the dot of an i, as this one does: leave \
         them out"
    )]
    Marks,
}

impl AccountName {
    /// Maximum number of characters in a name.
    pub const MAX_CHARS: usize = 64;

    /// Validates a name for a new account.
    ///
    /// # Errors
    /// The violated rule.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountName> {
        let text = text.trim();
        // A composed name is never longer than this, so PRECIS need not see more.
        if text.is_empty() || text.chars().nth(Self::MAX_CHARS * 4).is_some() {
            return Err(InvalidAccountName::Length);
        }
        let text = composed(text);
        let shown = UsernameCasePreserved::enforce(&*text).map_err(|_| reason(&text))?.into_owned();
        if shown.chars().count() > Self::MAX_CHARS {
            return Err(InvalidAccountName::Length);
        }
        let inner = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
        let first = shown.chars().next().is_some_and(|c| c.is_alphanumeric() && !is_combining_mark(c));
        let last = shown.chars().next_back().is_some_and(|c| !c.is_ascii() || c.is_ascii_alphanumeric());
        if !first || !last || !shown.chars().all(inner) {
            return Err(InvalidAccountName::Characters);
        }
        if mixes_scripts(&shown) {
            return Err(InvalidAccountName::MixedScripts);
        }
        if has_deceptive_marks(&shown) {
            return Err(InvalidAccountName::Marks);
        }
        let key = fold(&UsernameCaseMapped::enforce(&*shown).map_err(|_| InvalidAccountName::Characters)?);
        Ok(Self { shown, key })
    }

    /// Returns the name as written at sign-up, composed and in full width.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Returns the key by which two names are the same account; unique in the store.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the skeleton by which two names look alike.
    pub fn skeleton(&self) -> String {
        name_skeleton(&self.shown)
    }
}

/// Names under which a stranger could speak for the site.
const RESERVED: [&str; 18] = [
    "administrator",
    "admin",
    "root",
    "superuser",
    "sysadmin",
    "system",
    "postern",
    "support",
    "helpdesk",
    "security",
    "abuse",
    "hostmaster",
    "postmaster",
    "webmaster",
    "mailer-daemon",
    "moderator",
    "operator",
    "noreply",
];

/// Whether a name is one of the people who run the site, or looks like one. Only they give such a name.
pub fn is_reserved(name: &AccountName) -> bool {
    let looks = |text: &str| name_skeleton(&text.replace(['.', '_', '-', '@', '+'], ""));
    // A capital I looks like an l, and the small letter does not.
    let asked = [looks(name.as_str()), looks(name.key())];
    RESERVED.iter().any(|reserved| asked.contains(&looks(reserved)))
}

/// Returns the key for finding an account by any text that was sent as its name. A forbidden name has a key too,
/// because it may belong to an account from before this rule.
pub fn name_key(sent: &str) -> String {
    let sent = sent.trim();
    if sent.chars().nth(AccountName::MAX_CHARS * 4).is_some() {
        return fold(sent);
    }
    let sent = composed(sent);
    fold(&UsernameCaseMapped::enforce(&*sent).unwrap_or(Cow::Borrowed(&sent)))
}

/// Returns the skeleton of a name (Unicode TR39, section 4), which is equal for names that look alike. It ignores case,
/// because a name may be shown in either. A Turkish İ becomes an i with a dot that nobody sees, so that is ignored too.
pub fn name_skeleton(name: &str) -> String {
    let plain: String = skeleton_of(&name.trim().nfc().collect::<String>().replace('İ', "i")).collect();
    let plain = marks::without_second_dots(&plain.to_lowercase());
    skeleton_of(&plain).collect()
}

/// Whether combining marks make a name look like another one. Accounts from before this rule may have such a name.
pub fn has_deceptive_marks(name: &str) -> bool {
    marks::are_excessive(name) || marks::has_second_dot(name)
}

/// Whether letters come from several scripts (TR39, section 5.2, level 3). Latin with Chinese, Japanese or Korean is
/// one writing system, but Latin with Cyrillic is not. Digits and punctuation count as part of every script.
fn mixes_scripts(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| !c.is_ascii() || c.is_ascii_alphanumeric()).collect();
    !letters.as_str().is_single_script()
        && !letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

/// Returns the reason for the person. PRECIS refuses some mixtures because of their direction; the person then reads
/// that scripts are mixed.
fn reason(text: &str) -> InvalidAccountName {
    if text.chars().all(|c| !c.is_control() && !c.is_whitespace()) && mixes_scripts(text) {
        return InvalidAccountName::MixedScripts;
    }
    InvalidAccountName::Characters
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The key for counting failures, for existing and unknown names. It is never the text itself, because people type
/// passwords into name fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountDigest(String);

impl AccountDigest {
    /// Computes the digest of a text that was sent as a name. `key` prevents guessing it from a copy of the database.
    pub fn of(key: &[u8; 32], sent: &str) -> Self {
        let tag = crate::encoding::hmac_sha256(key, &[&sha256(name_key(sent).as_bytes())]);
        Self(base64url(tag.get(..18).unwrap_or(&tag)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Composes decomposed characters. The profile forbids decomposed Korean letters, and the composed vowel AM of Thai and
/// Lao.
fn composed(text: &str) -> String {
    text.replace('\u{e33}', "\u{e4d}\u{e32}").replace('\u{eb3}', "\u{ecd}\u{eb2}").nfc().collect()
}

/// Folds case. The profile alone would distinguish texts that a keyboard with caps lock cannot type differently.
fn fold(text: &str) -> String {
    // In both directions, because one is not enough: σ, ς and Σ are one letter, and so are ß, ẞ and SS.
    text.to_lowercase().to_uppercase().chars().flat_map(char::to_lowercase).collect()
}

/// The permissions of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Administrator,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "administrator" => Some(Self::Administrator),
            _ => None,
        }
    }
}
