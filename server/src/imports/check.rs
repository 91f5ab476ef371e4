//! Checks of accounts before they are imported.

use super::raw::{RawAccount, RawPassword};
use crate::passwords::{ImportedHash, InvalidHash};
use domain::account::{AccountName, Role, name_key, name_skeleton};
use domain::profile::{DisplayName, Email, EmailAddress, EmailState, GroupName, fit_one_account};
use std::collections::{BTreeMap, HashMap, HashSet};

/// An account that can be written.
#[derive(Debug, Clone)]
pub(crate) struct ImportAccount {
    pub name: AccountName,
    pub display_name: Option<DisplayName>,
    pub email: Option<Email>,
    pub groups: Vec<GroupName>,
    pub role: Role,
    pub disabled: bool,
    /// `None`: its owner sets a password by a reset link.
    pub hash: Option<ImportedHash>,
}

/// A fault of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub location: String,
    /// The name as the file has it.
    pub username: String,
    pub problem: String,
}

#[derive(Debug, Default)]
pub(crate) struct CheckedImport {
    /// Accounts without a fault.
    pub accounts: Vec<ImportAccount>,
    pub faults: Vec<Fault>,
}

/// The accounts that exist.
#[derive(Debug, Default)]
pub(crate) struct Existing {
    names: HashSet<String>,
    /// An account's name by its skeleton.
    skeletons: HashMap<String, String>,
    emails: HashSet<String>,
}

impl Existing {
    pub(crate) fn new<'a>(
        names: impl IntoIterator<Item = &'a str>,
        reliable_emails: impl IntoIterator<Item = &'a EmailAddress>,
    ) -> Self {
        let mut existing = Self::default();
        for name in names {
            existing.names.insert(name_key(name));
            existing.skeletons.insert(name_skeleton(name), name.to_owned());
        }
        existing.emails.extend(reliable_emails.into_iter().map(EmailAddress::key));
        existing
    }
}

/// Treatment of accounts without a usable hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingHashes {
    /// They are faults.
    Refused,
    /// The operator gets a link for each.
    Links,
    /// Each owner gets a link by mail, so an enabled account needs an address.
    Mail,
}

/// Checks every account.
pub(crate) fn check(raw: &[RawAccount], mut existing: Existing, missing: MissingHashes) -> CheckedImport {
    let mut checked = CheckedImport::default();
    // One spelling of a group in the whole file.
    let mut spellings: BTreeMap<String, GroupName> = BTreeMap::new();
    for one in raw {
        match account(one, &mut existing, &mut spellings, missing) {
            Ok(account) => checked.accounts.push(account),
            Err(problems) => checked.faults.extend(problems.into_iter().map(|problem| Fault {
                location: one.location.clone(),
                username: one.username.clone(),
                problem,
            })),
        }
    }
    checked
}

fn account(
    raw: &RawAccount,
    existing: &mut Existing,
    spellings: &mut BTreeMap<String, GroupName>,
    missing: MissingHashes,
) -> Result<ImportAccount, Vec<String>> {
    let mut problems = raw.faults.clone();
    if raw.unreadable {
        return Err(problems);
    }
    let mut note = |problem: String| problems.push(problem);
    let name = AccountName::parse(&raw.username).map_err(|error| note(error.to_string())).ok();
    let display_name = match raw.display_name.trim() {
        "" => None,
        text => DisplayName::parse_new(text).map_err(|error| note(error.to_string())).ok(),
    };
    let address = match raw.email.trim() {
        "" => None,
        text => EmailAddress::parse(text).map_err(|error| note(error.to_string())).ok(),
    };
    let groups = groups(raw, spellings, &mut note);
    if !fit_one_account(&groups) {
        note("an account is in at most 32 groups with 1,024 bytes of names".to_owned());
    }
    let role = match raw.role.trim() {
        "" => Some(Role::User),
        text => Role::parse(text).or_else(|| {
            note("a role is user or administrator".to_owned());
            None
        }),
    };
    let hash = hash(raw, missing, &mut note);
    if missing == MissingHashes::Mail && hash.is_none() && !raw.disabled && raw.email.trim().is_empty() {
        note("it has no e-mail address for its link; --links FILE writes the link to a file".to_owned());
    }
    // Duplicates last, so that a faulty account takes nothing from a later one.
    if let Some(name) = &name {
        if existing.names.contains(name.key()) {
            note("an account with this name exists, or is further up in the file".to_owned());
        } else if let Some(other) = existing.skeletons.get(&name.skeleton()) {
            note(format!("this name looks like the name of the account {other}"));
        }
    }
    if let Some(address) = &address
        && existing.emails.contains(&address.key())
    {
        note("another account has this e-mail address".to_owned());
    }
    let (Some(name), Some(role), true) = (name, role, problems.is_empty()) else { return Err(problems) };
    existing.names.insert(name.key().to_owned());
    existing.skeletons.insert(name.skeleton(), name.to_string());
    existing.emails.extend(address.as_ref().map(EmailAddress::key));
    let email = address.map(|address| Email { address, state: EmailState::VouchedFor });
    let disabled = raw.disabled;
    Ok(ImportAccount { name, display_name, email, groups, role, disabled, hash })
}

/// Returns the groups of an account, each in the spelling that the file used first.
fn groups(
    raw: &RawAccount,
    spellings: &mut BTreeMap<String, GroupName>,
    note: &mut impl FnMut(String),
) -> Vec<GroupName> {
    let mut groups: Vec<GroupName> = Vec::new();
    for text in &raw.groups {
        match GroupName::parse_new(text) {
            Ok(group) => {
                let group = spellings.entry(group.key()).or_insert(group).clone();
                if !groups.contains(&group) {
                    groups.push(group);
                }
            }
            Err(error) => note(error.to_string()),
        }
    }
    groups
}

/// Returns the hash of an account's password. Notes a missing one, unless links replace it.
fn hash(raw: &RawAccount, missing: MissingHashes, note: &mut impl FnMut(String)) -> Option<ImportedHash> {
    let resets = missing != MissingHashes::Refused;
    let problem = match &raw.password {
        RawPassword::Hash(text) => match ImportedHash::parse(text) {
            Ok(hash) => return Some(hash),
            Err(error) => error.to_string(),
        },
        RawPassword::Missing => InvalidHash::Missing.to_string(),
        RawPassword::Faulty => return None,
        RawPassword::NotPortable => {
            "lldap keeps OPAQUE records, with which no other program can check a password".to_owned()
        }
    };
    if !resets {
        note(no_hash(&problem));
    }
    None
}

fn no_hash(problem: &str) -> String {
    format!("{problem}; --reset-links makes the account with a link that sets a password")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(username: &str) -> RawAccount {
        let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZSBzYWx0IGhlcmUxMg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        RawAccount {
            location: format!("line of {username}"),
            username: username.to_owned(),
            password: RawPassword::Hash(hash.to_owned()),
            ..RawAccount::default()
        }
    }

    #[test]
    fn every_fault_of_every_line_is_named() {
        let taken = EmailAddress::parse("taken@example.org").expect("an address");
        let existing = Existing::new(["Eve", "paypal"], [&taken]);
        let lines = [
            raw("ada"),
            RawAccount { email: "ADA@example.org".to_owned(), groups: vec!["Dev".to_owned()], ..raw("carl") },
            RawAccount { email: "ada@example.org".to_owned(), ..raw("dora") },
            raw("EVE"),
            raw("Ada"),
            raw("paypaI"),
            RawAccount { email: "Taken@example.org".to_owned(), role: "king".to_owned(), ..raw("fay") },
            RawAccount { groups: vec!["a,b".to_owned()], display_name: "\u{202e}x".to_owned(), ..raw(" ") },
            RawAccount { password: RawPassword::Hash("$6$salt$hash".to_owned()), ..raw("gus") },
            RawAccount { password: RawPassword::NotPortable, ..raw("hal") },
            RawAccount { password: RawPassword::Missing, groups: vec!["dev".to_owned()], ..raw("ida") },
        ];
        let strict = check(&lines, existing, MissingHashes::Refused);
        let good: Vec<_> = strict.accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(good, ["ada", "carl"]);
        let faults: Vec<_> =
            strict.faults.iter().map(|fault| (fault.username.as_str(), fault.problem.as_str())).collect();
        for (username, says) in [
            ("dora", "e-mail address"),
            ("EVE", "exists"),
            ("Ada", "exists"),
            ("paypaI", "looks like the name of the account paypal"),
            ("fay", "e-mail address"),
            ("fay", "a role is user or administrator"),
            (" ", "1 to 64"),
            (" ", "invisible"),
            (" ", "a group's name has"),
            ("gus", "SHA-512"),
            ("hal", "OPAQUE"),
            ("ida", "no password hash"),
        ] {
            assert!(
                faults.iter().any(|(name, said)| *name == username && said.contains(says)),
                "{username}: {faults:?}"
            );
        }
        assert_eq!(faults.len(), 12, "{faults:?}");
        let lenient = check(&lines, Existing::default(), MissingHashes::Links);
        let links = lenient.accounts.iter().filter(|account| account.hash.is_none()).count();
        assert_eq!(links, 3, "a reset link for each without a hash");
        let ida = lenient.accounts.iter().find(|account| account.name.as_str() == "ida").expect("ida");
        assert_eq!(ida.groups, [GroupName::parse("Dev").expect("a name")], "one spelling");
        let by_mail = check(&lines, Existing::default(), MissingHashes::Mail);
        let unreachable: Vec<_> =
            by_mail.faults.iter().filter(|fault| fault.problem.contains("for its link")).collect();
        assert_eq!(unreachable.len(), 3, "{unreachable:?}");
    }
}
