//! Apps behind Postern and their access rules.
//!
//! A rule has a path, but an app may read the same bytes as another path: decoded again, in lower case, cut at a
//! `;`. Therefore the rules are applied to every reading that an app may use, and the strictest result counts. A
//! path without a certain reading gets the strictest result of all.

use crate::account::Role;
use crate::app_path::narrow;
use crate::percent::{decoded, strictly_decoded};
use crate::profile::GroupName;
use crate::second_factor::Requirement;
use crate::service::admits;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Maximum length in bytes of a path to which the rules are applied.
const LONGEST: usize = 4096;
/// Maximum number of readings; a path with more gets the strictest result.
const MOST_READINGS: usize = 32;

/// The required permission, in ascending strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allow {
    /// Everybody.
    Public,
    /// People with a session.
    SignedIn,
    /// Administrators.
    Administrator,
}

impl Allow {
    /// Whether an account with this role may pass.
    pub fn admits(self, role: Role) -> bool {
        admits((self == Self::Administrator).then_some(Role::Administrator), role)
    }
}

/// The source of the app's `Authorization` header, in ascending strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authorization {
    /// The client's own header, for the app to verify.
    App,
    /// A token from Postern; the client's own header is removed.
    Postern,
}

/// Groups of which an account must be in one, by their keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OneOf(Arc<BTreeSet<String>>);

impl OneOf {
    pub fn new<'a>(groups: impl IntoIterator<Item = &'a GroupName>) -> Self {
        Self(Arc::new(groups.into_iter().map(GroupName::key).collect()))
    }

    fn admits(&self, groups: &[GroupName]) -> bool {
        groups.iter().any(|group| self.0.contains(&group.key()))
    }
}

/// The result of an app's rules for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDecision {
    pub allow: Allow,
    /// Sets of groups, all of which must be fulfilled. Several occur if the path's readings match several rules.
    pub groups: Vec<OneOf>,
    /// The sign-in that is required of a signed-in person.
    pub second_factor: Requirement,
    pub authorization: Authorization,
}

impl RuleDecision {
    const DEFAULT: Self = Self {
        allow: Allow::SignedIn,
        groups: Vec::new(),
        second_factor: Requirement::Optional,
        authorization: Authorization::Postern,
    };

    fn strictest(mut self, other: Self) -> Self {
        for group in other.groups {
            if !self.groups.contains(&group) {
                self.groups.push(group);
            }
        }
        Self {
            allow: self.allow.max(other.allow),
            groups: self.groups,
            second_factor: self.second_factor.max(other.second_factor),
            authorization: self.authorization.max(other.authorization),
        }
    }

    /// Whether a signed-in account with this role and these groups may pass.
    pub fn admits(&self, role: Role, groups: &[GroupName]) -> bool {
        self.allow.admits(role) && self.groups.iter().all(|one_of| one_of.admits(groups))
    }
}

/// The permission for a pattern of paths, for some or all methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRule {
    pattern: RulePattern,
    /// Methods that the rule applies to; empty: any.
    methods: Vec<String>,
    ruling: RuleDecision,
}

/// `/exactly/this`, or `/this/and/below/*`. A trailing slash is ignored, because many apps ignore it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RulePattern {
    /// The path without a trailing slash.
    text: String,
    /// The same in lower case.
    folded: String,
    below: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    #[error(
        "a path begins with /, ends where it likes or with /*, and is written as an app reads it: no %, \\, ;, ?, #, \
         spaces, and no empty, . or .. between slashes"
    )]
    Path,
    #[error("a method must be in capital letters: GET, POST")]
    Method,
}

impl AppRule {
    /// Builds a rule.
    ///
    /// # Errors
    /// The path or a method is not in canonical form.
    pub fn new(path: &str, methods: Vec<String>, allow: Allow) -> Result<Self, InvalidRule> {
        if !methods
            .iter()
            .all(|method| (1..=32).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err(InvalidRule::Method);
        }
        let (text, below) = match path.strip_suffix('*') {
            Some(rest) => (rest, true),
            None => (path, false),
        };
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"%\\;?#*".contains(c);
        let segments = text.strip_prefix('/').ok_or(InvalidRule::Path)?;
        let last = segments.matches('/').count();
        let proper = segments.split('/').enumerate().all(|(place, part)| match part {
            "" => place == last,
            part => part != "." && part != "..",
        });
        let fits = text.len() <= LONGEST && proper && text.chars().all(plain) && (!below || text.ends_with('/'));
        if !fits {
            return Err(InvalidRule::Path);
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let pattern = RulePattern { text: text.to_owned(), folded: text.to_lowercase(), below };
        Ok(Self { pattern, methods, ruling: RuleDecision { allow, ..RuleDecision::DEFAULT } })
    }

    /// Returns the same rule with this header for the app.
    #[must_use]
    pub fn with(mut self, authorization: Authorization) -> Self {
        self.ruling.authorization = authorization;
        self
    }

    /// Returns the same rule for accounts in one of these groups.
    #[must_use]
    pub fn within(mut self, groups: OneOf) -> Self {
        self.ruling.groups = vec![groups];
        self
    }

    /// Returns the same rule for sign-ins that meet this.
    #[must_use]
    pub fn requiring(mut self, second_factor: Requirement) -> Self {
        self.ruling.second_factor = second_factor;
        self
    }

    fn takes(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|own| own.eq_ignore_ascii_case(method))
    }
}

impl RulePattern {
    fn is(&self, path: &str) -> bool {
        fits(&self.text, self.below, path)
    }

    /// Whether it matches in an app that ignores case.
    fn is_folded(&self, folded: &str) -> bool {
        fits(&self.folded, self.below, folded)
    }
}

fn fits(pattern: &str, below: bool, path: &str) -> bool {
    match path.strip_prefix(pattern) {
        Some("" | "/") => true,
        Some(rest) => below && rest.starts_with('/'),
        None => false,
    }
}

/// The rules of one app in order. The first match decides; without one, any signed-in person may pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppRules(Vec<AppRule>);

impl AppRules {
    pub fn new(rules: Vec<AppRule>) -> Self {
        Self(rules)
    }

    /// Returns the strictest result of all rules.
    pub fn strictest(&self) -> RuleDecision {
        self.0.iter().map(|rule| rule.ruling.clone()).fold(RuleDecision::DEFAULT, RuleDecision::strictest)
    }

    /// Applies the rules to `target`, a path with query as in the request line (RFC 9112, section 3.2.1). `overridden`:
    /// a header names another method, which some apps obey.
    pub fn judge(&self, method: &str, target: &str, overridden: bool) -> RuleDecision {
        if self.0.is_empty() {
            return RuleDecision::DEFAULT;
        }
        let path = target.split('?').next().unwrap_or_default();
        // A request target has no fragment (RFC 9112, section 3.2). Some apps read a number sign as part of the path.
        if overridden || path.contains('#') {
            return self.strictest();
        }
        // Frameworks answer HEAD like GET.
        let methods = if method.eq_ignore_ascii_case("HEAD") { ["HEAD", "GET"] } else { [method, method] };
        let judged = |readings: &[&str]| {
            let each = readings.iter().flat_map(|path| methods.map(|method| self.of_reading(method, path)));
            each.reduce(RuleDecision::strictest).unwrap_or(RuleDecision::DEFAULT)
        };
        if is_plain(path) {
            return judged(&[path]);
        }
        match readings(path) {
            Some(all) => judged(&all.iter().map(String::as_str).collect::<Vec<_>>()),
            None => self.strictest(),
        }
    }

    /// Applies the rules to one reading, with and without regard to case.
    fn of_reading(&self, method: &str, path: &str) -> RuleDecision {
        let exact = self.first(method, |pattern| pattern.is(path));
        let folded = path.to_lowercase();
        exact.strictest(self.first(method, |pattern| pattern.is_folded(&folded)))
    }

    fn first(&self, method: &str, fits: impl Fn(&RulePattern) -> bool) -> RuleDecision {
        let rule = self.0.iter().find(|rule| rule.takes(method) && fits(&rule.pattern));
        rule.map_or(RuleDecision::DEFAULT, |rule| rule.ruling.clone())
    }
}

/// Whether every app reads the path in the same way, except for case.
fn is_plain(path: &str) -> bool {
    path.len() <= LONGEST
        && path.starts_with('/')
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'~' | b'.'))
        && !["//", "/.", "./"].iter().any(|odd| path.contains(odd))
        && !path.ends_with('.')
}

/// Returns all readings of the path, including itself. `None`: its meaning in an app is uncertain.
fn readings(path: &str) -> Option<Vec<String>> {
    if path.len() > LONGEST || !path.starts_with('/') {
        return None;
    }
    let mut all = vec![path.to_owned()];
    let mut next = 0;
    while let Some(reading) = all.get(next).cloned() {
        next += 1;
        if reading.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ') {
            return None;
        }
        let bytes = reading.as_bytes();
        let ways = [
            // The request's path must be well-formed, but its decoded forms need not be.
            String::from_utf8(if next == 1 { strictly_decoded(bytes)? } else { decoded(bytes) }).ok()?,
            reading.replace('\\', "/"),
            without_parameters(&reading),
            without_empty(&reading),
            without_dots(&reading),
            without_ends(&reading),
            reading.split(['?', '#']).next().unwrap_or_default().to_owned(),
            narrow(&reading),
        ];
        for way in ways {
            if !all.contains(&way) {
                all.push(way);
            }
        }
        if all.len() > MOST_READINGS {
            return None;
        }
    }
    Some(all)
}

/// Removes `;parameters` in a segment (RFC 3986, section 3.3), as servlets do.
fn without_parameters(path: &str) -> String {
    let parts: Vec<_> = path.split('/').map(|part| part.split(';').next().unwrap_or_default()).collect();
    parts.join("/")
}

fn without_empty(path: &str) -> String {
    let mut plain = path.to_owned();
    while plain.contains("//") {
        plain = plain.replace("//", "/");
    }
    plain
}

/// Removes dots and spaces at the ends of segments, as Windows does in file names.
fn without_ends(path: &str) -> String {
    let end = |part: &str| match part {
        "." | ".." => part.to_owned(),
        part => part.trim_end_matches(['.', ' ']).to_owned(),
    };
    path.split('/').map(end).collect::<Vec<_>>().join("/")
}

/// Removes dot segments (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for part in path.split('/').skip(1) {
        ends_open = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if ends_open && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}
