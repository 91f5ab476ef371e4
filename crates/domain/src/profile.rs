//! A person's profile: display name, e-mail address with its state, and groups.

use crate::account::Role;
use crate::marks;
use crate::shown_text::is_invisible;
use email_address::Options;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// A name that apps and people read, composed (NFC). Spaces at the ends and double spaces are removed, and control and
/// invisible characters are refused. It identifies nobody: two accounts may have the same one. The profile `Nickname`
/// of RFC 8266 is not used, because its tables end with Unicode 6.3 and refuse newer letters and emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDisplayName {
    #[error("a display name has 1 to 100 characters")]
    Length,
    #[error("a display name has no control or invisible characters")]
    Characters,
    #[error("a display name has no accents that cross a letter, repeat or pile up: leave them out")]
    Marks,
}

impl DisplayName {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a display name.
    ///
    /// # Errors
    /// The violated rule.
    pub fn parse(text: &str) -> Result<Self, InvalidDisplayName> {
        // A composed name is never longer than this.
        if text.chars().nth(Self::MAX_CHARS * 4).is_some() {
            return Err(InvalidDisplayName::Length);
        }
        if text.chars().any(is_invisible) {
            return Err(InvalidDisplayName::Characters);
        }
        let name: String = text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
        if !(1..=Self::MAX_CHARS).contains(&name.chars().count()) {
            return Err(InvalidDisplayName::Length);
        }
        Ok(Self(name))
    }

    /// Parses a display name that is entered or imported. Accounts from before may have one that breaks its last rule.
    ///
    /// # Errors
    /// The violated rule.
    pub fn parse_new(text: &str) -> Result<Self, InvalidDisplayName> {
        let name = Self::parse(text)?;
        if marks::are_excessive(&name.0) { Err(InvalidDisplayName::Marks) } else { Ok(name) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An e-mail address (RFC 5321) in ASCII: a plain local part and a domain with a dot. It is kept as written, except
/// that its domain is in lower case. Two addresses that differ only in case are one address, although RFC 5321, section
/// 2.4 lets a server distinguish local parts: no large mail server does, and apps compare without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmailAddress {
    #[error("an e-mail address has the form name@example.org")]
    Form,
    #[error("an e-mail address has ASCII characters only; write an international domain as xn--...")]
    NotAscii,
}

impl EmailAddress {
    /// Maximum number of bytes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
    pub const MAX_BYTES: usize = 254;

    /// Parses an address.
    ///
    /// # Errors
    /// The violated rule.
    pub fn parse(text: &str) -> Result<Self, InvalidEmailAddress> {
        let text = text.trim();
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidEmailAddress::Form);
        }
        if !text.is_ascii() {
            return Err(InvalidEmailAddress::NotAscii);
        }
        let options = Options::default().with_minimum_sub_domains(2).without_domain_literal().without_display_text();
        let parsed = email_address::EmailAddress::parse_with_options(text, options);
        let parsed = parsed.map_err(|_| InvalidEmailAddress::Form)?;
        let (local, domain) = (parsed.local_part(), parsed.domain());
        // A quoted local part may contain spaces, commas and more that break lists and headers of apps.
        if local.contains('"') {
            return Err(InvalidEmailAddress::Form);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key by which two addresses are the same one.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The evidence that an e-mail address belongs to its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailState {
    /// An administrator entered or imported it.
    VouchedFor,
    /// The owner opened a link that was mailed there.
    Proved,
    /// The owner entered it and nobody has checked it. Apps never see it.
    Unproved,
}

impl EmailState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VouchedFor => "vouched_for",
            Self::Proved => "proved",
            Self::Unproved => "unproved",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::VouchedFor, Self::Proved, Self::Unproved].into_iter().find(|state| state.as_str() == text)
    }

    /// Whether apps may rely on the address. No two accounts have the same such address.
    pub fn is_reliable(self) -> bool {
        self != Self::Unproved
    }
}

/// An e-mail address with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    pub address: EmailAddress,
    pub state: EmailState,
}

/// Maximum number of groups of one account, and of bytes in their names. Tokens and headers contain all of them.
pub const MAX_GROUPS: usize = 32;
pub const MAX_GROUPS_BYTES: usize = 1024;

/// Whether one account may be in all of these groups.
pub fn fit_one_account(groups: &[GroupName]) -> bool {
    groups.len() <= MAX_GROUPS && groups.iter().map(|group| group.0.len()).sum::<usize>() <= MAX_GROUPS_BYTES
}

/// Parses names of groups separated by commas; empty parts are ignored, and repetitions count once.
///
/// # Errors
/// The violated rule.
pub fn group_list(text: &str) -> Result<Vec<GroupName>, InvalidGroupName> {
    let mut groups: Vec<GroupName> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let group = GroupName::parse(part)?;
        if groups.iter().all(|other| other.key() != group.key()) {
            groups.push(group);
        }
    }
    Ok(groups)
}

/// The name of a group. It is kept as written, and names that differ only in case are one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGroupName {
    #[error("a group's name has 1 to 64 characters")]
    Length,
    #[error(
        "a group's name has ASCII letters, digits, single spaces and . _ - @ + /, and begins and ends with a letter or \
         a digit"
    )]
    Characters,
    #[error(
        "user and administrator are roles: an app could take a member of such a group for one. Choose another name"
    )]
    Role,
}

impl GroupName {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 64;

    /// Parses a name.
    ///
    /// # Errors
    /// The violated rule.
    pub fn parse(text: &str) -> Result<Self, InvalidGroupName> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::MAX_CHARS {
            return Err(InvalidGroupName::Length);
        }
        // No comma, because apps split the header `Remote-Groups` there.
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b" ._-@+/".contains(&b);
        let is_end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        if !is_end(bytes.first()) || !is_end(bytes.last()) || !bytes.iter().copied().all(allowed) || text.contains("  ")
        {
            return Err(InvalidGroupName::Characters);
        }
        Ok(Self(text.to_owned()))
    }

    /// Parses the name of a group that is added, renamed or imported. Groups that exist may still have a role's name.
    ///
    /// # Errors
    /// The violated rule.
    pub fn parse_new(text: &str) -> Result<Self, InvalidGroupName> {
        let name = Self::parse(text)?;
        if name.is_role() { Err(InvalidGroupName::Role) } else { Ok(name) }
    }

    /// Whether this is the name of a role, which many apps mix with groups.
    pub fn is_role(&self) -> bool {
        Role::parse(&self.key()).is_some()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key by which two names are the same group.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_are_trimmed_and_have_no_invisible_characters() {
        for (text, shown) in
            [("  Ada   Lovelace ", "Ada Lovelace"), ("Łukasz", "Łukasz"), ("李 小龍", "李 小龍"), ("🦊", "🦊")]
        {
            assert_eq!(DisplayName::parse(text).map(|name| name.to_string()), Ok(shown.to_owned()), "{text}");
        }
        let (long, longest) = ("x".repeat(101), "x".repeat(100));
        assert_eq!(DisplayName::parse(&longest).map(|name| name.0), Ok(longest));
        for (text, reason) in [
            ("", InvalidDisplayName::Length),
            ("   ", InvalidDisplayName::Length),
            (long.as_str(), InvalidDisplayName::Length),
            ("Ada\nRemote-User: root", InvalidDisplayName::Characters),
            ("Ada\0", InvalidDisplayName::Characters),
            ("\u{202e}adA", InvalidDisplayName::Characters),
            ("A\u{200b}da", InvalidDisplayName::Characters),
        ] {
            assert_eq!(DisplayName::parse(text), Err(reason), "{text:?}");
        }
        let flood = format!("Ada{}", "\u{301}".repeat(60));
        for text in ["A\u{336}d\u{336}a", &flood] {
            assert_eq!(DisplayName::parse_new(text), Err(InvalidDisplayName::Marks), "{text:?}");
            assert!(DisplayName::parse(text).is_ok(), "one that is stored can be read");
        }
        assert!(DisplayName::parse_new("Łukasz").is_ok());
    }

    #[test]
    fn addresses_keep_their_local_part_and_are_compared_without_case() {
        let ada = EmailAddress::parse(" Ada.L+news@Example.ORG ").expect("an address");
        assert_eq!((ada.as_str(), ada.key().as_str()), ("Ada.L+news@example.org", "ada.l+news@example.org"));
        let long = format!("{}@example.org", "x".repeat(65));
        let longer = format!("x@{}org", "abcdefgh.".repeat(28));
        for text in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "ada@[127.0.0.1]",
            "Ada <ada@example.org>",
            "\"a,b\"@example.org",
            "ada@example.org,bob@example.org",
            "ada@example.org\r\nRemote-User: root",
            "ada @example.org",
            "ada@exa mple.org",
            "ada..l@example.org",
            "ada@-example.org",
            &long,
            &longer,
        ] {
            assert_eq!(EmailAddress::parse(text), Err(InvalidEmailAddress::Form), "{text}");
        }
        for text in ["ädä@example.org", "ada@exämple.org", "ada@ｅxample.org"] {
            assert_eq!(EmailAddress::parse(text), Err(InvalidEmailAddress::NotAscii), "{text}");
        }
    }

    #[test]
    fn an_unproved_address_is_not_reliable() {
        for state in [EmailState::VouchedFor, EmailState::Proved, EmailState::Unproved] {
            assert_eq!(EmailState::parse(state.as_str()), Some(state));
            assert_eq!(state.is_reliable(), state != EmailState::Unproved);
        }
        assert_eq!(EmailState::parse("Proved"), None);
    }

    #[test]
    fn groups_can_be_listed_with_commas() {
        for text in ["family", "Media Users", "lldap_admin", "dev/ops", "a"] {
            assert_eq!(GroupName::parse(text).map(|name| name.0), Ok(text.to_owned()));
        }
        assert_eq!(GroupName::parse("Family").map(|name| name.key()), Ok("family".to_owned()));
        for role in ["user", "Administrator", " ADMINISTRATOR "] {
            assert_eq!(GroupName::parse_new(role), Err(InvalidGroupName::Role), "{role}");
            assert!(GroupName::parse(role).is_ok_and(|name| name.is_role()), "one that exists can be read and renamed");
        }
        assert!(GroupName::parse_new("administrators").is_ok());
        for text in ["a,b", "a\nb", "a  b", "-a", "a-", "famille é", "a;b", "\"a\"", "a%2Cb"] {
            assert_eq!(GroupName::parse(text), Err(InvalidGroupName::Characters), "{text}");
        }
        for text in ["", "  ", &"x".repeat(65)] {
            assert_eq!(GroupName::parse(text), Err(InvalidGroupName::Length), "{text}");
        }
    }

    #[test]
    fn lists_of_groups_are_split_at_commas() {
        let names = |text: &str| group_list(text).map(|all| all.iter().map(GroupName::key).collect::<Vec<_>>());
        assert_eq!(names(" Family, media,,family "), Ok(vec!["family".to_owned(), "media".to_owned()]));
        assert_eq!(names(""), Ok(Vec::new()));
        assert_eq!(names("a;b"), Err(InvalidGroupName::Characters));
        let many: Vec<_> = (0..33).map(|n| GroupName(format!("g{n}"))).collect();
        assert!(fit_one_account(&many[1..]) && !fit_one_account(&many));
        let long: Vec<_> = (0..17).map(|n| GroupName(format!("{n:0>64}"))).collect();
        assert!(fit_one_account(&long[1..]) && !fit_one_account(&long));
    }
}
