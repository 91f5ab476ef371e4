//! Account names and roles.

use crate::encoding::{base64url, sha256};
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use std::borrow::Cow;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton as skeleton_of;
use unicode_security::restriction_level::{RestrictionLevel, RestrictionLevelDetection};

/// A name that a new account may have. Names are compared by the profile `UsernameCaseMapped` of RFC 8265: two
/// that differ only in case, in width or in how accents are encoded are the same account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    shown: String,
    key: String,
}

/// The rule that a new name breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("a name has 1 to 64 characters")]
    Length,
    #[error("a name has letters, digits and . _ - @ +, and begins and ends with a letter or a digit")]
    Characters,
    #[error("the letters of a name come from one alphabet: this one mixes several")]
    MixedScripts,
}

impl AccountName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// Judges a name for a new account.
    ///
    /// # Errors
    /// Says which rule the name breaks.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let text = text.trim();
        // Composed, a name is never longer than this; PRECIS need not look at more.
        if text.is_empty() || text.chars().nth(Self::MAX_CHARS * 4).is_some() {
            return Err(BadName::Length);
        }
        let text = composed(text);
        let shown = UsernameCasePreserved::enforce(&*text).map_err(|_| reason(&text))?.into_owned();
        if shown.chars().count() > Self::MAX_CHARS {
            return Err(BadName::Length);
        }
        let inner = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
        let first = shown.chars().next().is_some_and(|c| c.is_alphanumeric() && !is_combining_mark(c));
        let last = shown.chars().next_back().is_some_and(|c| !c.is_ascii() || c.is_ascii_alphanumeric());
        if !first || !last || !shown.chars().all(inner) {
            return Err(BadName::Characters);
        }
        if mixes_scripts(&shown) {
            return Err(BadName::MixedScripts);
        }
        let key = fold(&UsernameCaseMapped::enforce(&*shown).map_err(|_| BadName::Characters)?);
        Ok(Self { shown, key })
    }

    /// Returns the name as it was written at sign-up, composed and in full width.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Returns what makes two names the same account; unique in the store.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns what makes two names look alike.
    pub fn skeleton(&self) -> String {
        name_skeleton(&self.shown)
    }
}

/// Returns the key that an account is found by, whatever was sent as its name. A name that the profile forbids may
/// belong to an account that is older than this rule, so it has a key too.
pub fn name_key(sent: &str) -> String {
    let sent = sent.trim();
    if sent.chars().nth(AccountName::MAX_CHARS * 4).is_some() {
        return fold(sent);
    }
    let sent = composed(sent);
    fold(&UsernameCaseMapped::enforce(&*sent).unwrap_or(Cow::Borrowed(&sent)))
}

/// Returns the skeleton of a name (Unicode TR39, section 4): equal for names that look alike. Small and capital
/// letters of a skeleton are one, since both may be shown.
pub fn name_skeleton(name: &str) -> String {
    let plain: String = skeleton_of(name.trim()).collect();
    skeleton_of(&plain.to_lowercase()).collect()
}

/// Whether letters come from several scripts (TR39, section 5.2, level 3): Latin beside Chinese, Japanese or Korean
/// is one system of writing, Latin beside Cyrillic is not. Digits and punctuation belong to every script.
fn mixes_scripts(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| !c.is_ascii() || c.is_ascii_alphanumeric()).collect();
    !letters.as_str().is_single_script()
        && !letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

/// PRECIS refuses some mixtures because of the direction of their letters; the person is told of the mixture.
fn reason(text: &str) -> BadName {
    if text.chars().all(|c| !c.is_control() && !c.is_whitespace()) && mixes_scripts(text) {
        return BadName::MixedScripts;
    }
    BadName::Characters
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What failures are counted by, for names that exist and for names that don't: never the text
/// itself, since people type passwords into name fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountDigest(String);

impl AccountDigest {
    /// The digest of whatever was sent as a name. `key` keeps it from being guessed off a database.
    pub fn of(key: &[u8; 32], sent: &str) -> Self {
        let tag = crate::encoding::hmac_sha256(key, &[&sha256(name_key(sent).as_bytes())]);
        Self(base64url(tag.get(..18).unwrap_or(&tag)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Composes what keyboards send in pieces. The profile forbids Korean letters in pieces, and the vowel AM of Thai and
/// Lao unless it is in pieces.
fn composed(text: &str) -> String {
    text.replace('\u{e33}', "\u{e4d}\u{e32}").replace('\u{eb3}', "\u{ecd}\u{eb2}").nfc().collect()
}

/// Makes small and capital letters one. The profile alone would keep apart what a keyboard in capitals cannot write.
fn fold(text: &str) -> String {
    // There and back again, since one way is not enough: σ, ς and Σ are one letter, as are ß, ẞ and SS.
    text.to_lowercase().to_uppercase().chars().flat_map(char::to_lowercase).collect()
}

/// What an account may do.
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
