//! Accounts that changed after a backup was made, and that its restoration changes back.

use std::collections::HashMap;
use store::copies::Account;

/// Names of the accounts that differ from those of the replaced database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RevertedAccounts {
    /// Deleted after the backup. They exist again.
    pub deleted: Vec<String>,
    /// Disabled after the backup. They can sign in again.
    pub disabled: Vec<String>,
    /// Demoted after the backup. They are administrators again.
    pub administrators: Vec<String>,
    /// Their password was changed after the backup. The old one is valid again.
    pub passwords: Vec<String>,
    /// Created after the backup. They no longer exist.
    pub lost: Vec<String>,
}

/// Compares the accounts of a backup with those of the database that it replaces.
pub(super) fn compare(backup: &[Account], replaced: &[Account]) -> RevertedAccounts {
    let since: HashMap<_, _> = replaced.iter().map(|account| (account.id.as_str(), account)).collect();
    let then: HashMap<_, _> = backup.iter().map(|account| (account.id.as_str(), account)).collect();
    let mut reverted = RevertedAccounts::default();
    for account in backup {
        let Some(newer) = since.get(account.id.as_str()) else {
            reverted.deleted.push(account.name.clone());
            continue;
        };
        for (is_back, names) in [
            (newer.is_disabled && !account.is_disabled, &mut reverted.disabled),
            (account.is_administrator && !newer.is_administrator, &mut reverted.administrators),
            (account.password_hash != newer.password_hash, &mut reverted.passwords),
        ] {
            if is_back {
                names.push(account.name.clone());
            }
        }
    }
    let lost = replaced.iter().filter(|account| !then.contains_key(account.id.as_str()));
    reverted.lost = lost.map(|account| account.name.clone()).collect();
    reverted
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::users::PasswordHash;

    fn account(name: &str, is_administrator: bool, is_disabled: bool, hash: &str) -> Account {
        let (id, password_hash) = (format!("id of {name}"), PasswordHash(hash.to_owned()));
        Account { id, name: name.to_owned(), is_administrator, is_disabled, password_hash }
    }

    #[test]
    fn everything_that_somebody_may_have_to_do_again_is_named() {
        let backup = [
            account("as it was", true, false, "1"),
            account("deleted", false, false, "2"),
            account("disabled", false, false, "3"),
            account("demoted", true, false, "4"),
            account("new password", false, false, "5"),
            account("enabled", false, true, "6"),
        ];
        let replaced = [
            account("as it was", true, false, "1"),
            account("disabled", false, true, "3"),
            account("demoted", false, false, "4"),
            account("new password", false, false, "5b"),
            account("enabled", false, false, "6"),
            account("new", true, false, "7"),
        ];
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = RevertedAccounts {
            deleted: names(&["deleted"]),
            disabled: names(&["disabled"]),
            administrators: names(&["demoted"]),
            passwords: names(&["new password"]),
            lost: names(&["new"]),
        };
        assert_eq!(compare(&backup, &replaced), expected);
        assert_eq!(compare(&backup, &backup), RevertedAccounts::default());
    }
}
