//! Checks of the server's keys.

use super::{Finding, FindingLevel};
use crate::config::{Config, Schedule};
use crate::flows::server_keys;
use crate::key_encryption::{KeyEncryptionKey, KeySource};
use crate::period::period;
use crate::utc_time::utc_time_with_zone;
use domain::UnixMs;
use std::time::Duration;
use store::Store;
use store::sealed::sealer;
use wire::server_keys::{ServerKey, ServerKeyKind, ServerKeyState};

const DAY_MS: i64 = 24 * 60 * 60_000;
/// Maximum count of values; beyond it "many" is enough.
const MANY: u32 = 1000;

pub(super) async fn findings(config: &Config, store: &dyn Store, now: UnixMs) -> store::Result<Vec<Finding>> {
    let keys = server_keys::list(store, config, now).await?;
    let mut findings = ages(config, &keys, now);
    let file = config.key_encryption_key_file();
    let is_missing = matches!(KeySource::of(config), KeySource::File(_)) && matches!(file.try_exists(), Ok(false));
    if is_missing && !store.sealed_by_others("", 1).await?.is_empty() {
        findings.push(Finding::new(
            "sealed_values",
            FindingLevel::Problem,
            format!("The database has encrypted values, but the file with their key is missing: {}.", file.display()),
            "Put the file back, or restore a backup that was made with --with-key.",
        ));
    }
    // A key that cannot be read has its own finding.
    if let Ok(key) = KeyEncryptionKey::find(config) {
        key.reload(store).await?;
        let name = key.sealer_name();
        let others = store.sealed_by_others(name.as_deref().unwrap_or_default(), MANY).await?;
        // A value from before keys had names: if there is only one key, it belongs to that.
        let is_old = |sealed: &str| key.count() > 1 || !sealer(sealed).is_empty();
        let left = others.iter().filter(|value| is_old(&value.sealed)).count();
        findings.push(sealed_values(name.is_some(), key.count(), left));
    }
    Ok(findings)
}

/// Checks whether scheduled rotations of keys took place.
pub(super) fn ages(config: &Config, keys: &[ServerKey], now: UnixMs) -> Vec<Finding> {
    let in_use = |kind| keys.iter().find(|key| key.kind == kind && key.state == ServerKeyState::Current);
    let age = |kind| in_use(kind).map(|key| now - UnixMs::from_millis(key.used_from));
    let mut findings = vec![
        age_of(&Checked::signing(config), age(ServerKeyKind::Signing)),
        age_of(&Checked::mac(config), age(ServerKeyKind::Mac)),
    ];
    findings.extend(keys.iter().filter(|key| key.state == ServerKeyState::Next).map(|key| {
        let (kind, from) =
            (server_keys::stored_kind(key.kind).as_str(), utc_time_with_zone(UnixMs::from_millis(key.used_from)));
        Finding::fine("next_key", format!("The {kind} key {} waits, and is used from {from}.", key.kid))
    }));
    findings
}

/// A kind of key with a rotation schedule.
struct Checked {
    check: &'static str,
    name: &'static str,
    kind: &'static str,
    every: Schedule,
}

impl Checked {
    fn signing(config: &Config) -> Self {
        let every = config.settings.keys.signing_rotation;
        Self { check: "signing_key", name: "signing key", kind: "signing", every }
    }

    fn mac(config: &Config) -> Self {
        Self { check: "mac_key", name: "MAC key", kind: "mac", every: config.settings.keys.mac_rotation }
    }
}

fn age_of(checked: &Checked, age: Option<i64>) -> Finding {
    let Checked { check, name, kind, every } = *checked;
    let Some(age) = age else {
        return Finding::fine(check, format!("There is no {name} yet. The server creates one at start."));
    };
    let days = match (age / DAY_MS).max(0).unsigned_abs() {
        0 => "less than a day".to_owned(),
        days => period(Duration::from_secs(days * 24 * 60 * 60)),
    };
    match every.0 {
        Some(every) if age > every.ms().saturating_mul(2) => Finding::new(
            check,
            FindingLevel::Warning,
            format!("The {name} is {days} old, more than twice keys.{kind}_rotation."),
            format!(
                "See whether the server logs 'rotating server keys failed', or run 'postern key rotate \
                 --kind {kind}'."
            ),
        ),
        _ => Finding::fine(check, format!("The {name} is {days} old.")),
    }
}

fn sealed_values(can_seal: bool, keys: usize, left: usize) -> Finding {
    const CHECK: &str = "sealed_values";
    if !can_seal {
        return Finding::new(
            CHECK,
            FindingLevel::Problem,
            "The key-encryption key was replaced, and this machine does not have the new one: no key can be made.",
            "Copy the file from the machine where 'postern key rewrap' ran.",
        );
    }
    if left > 0 && keys == 1 {
        return Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!(
                "The key-encryption key of this machine does not decrypt {left} values: they are under a key that is \
                 not here."
            ),
            "Put back the key file with which the server ran, or add its key as a second line of the current file.",
        );
    }
    if left > 0 || keys > 1 {
        return Finding::new(
            CHECK,
            FindingLevel::Warning,
            format!("The replacement of the key-encryption key is not finished: {left} values are under the old one."),
            "Run 'postern key rewrap' once every machine has the new file.",
        );
    }
    Finding::fine(CHECK, "All encrypted values are under the current key-encryption key.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_may_be_twice_as_old_as_its_schedule() {
        let config = |text: &str| Config::new(toml::from_str(text).expect("readable")).expect("stands");
        let monthly = config("[keys]\nsigning_rotation = '30d'");
        for (config, days, state) in [
            (&monthly, Some(60), FindingLevel::Fine),
            (&monthly, Some(61), FindingLevel::Warning),
            (&monthly, None, FindingLevel::Fine),
            (&config("[keys]\nsigning_rotation = 'off'"), Some(1000), FindingLevel::Fine),
        ] {
            assert_eq!(age_of(&Checked::signing(config), days.map(|days| days * DAY_MS)).state, state, "{days:?}");
        }
    }

    #[test]
    fn a_key_that_waits_is_named_with_its_time() {
        let key = ServerKey {
            kid: "k2".to_owned(),
            kind: ServerKeyKind::Signing,
            alg: "ES256".to_owned(),
            state: ServerKeyState::Next,
            created_at: 0,
            used_from: 1_801_368_000_000,
            ends_at: None,
            revoked_at: None,
        };
        let config = Config::new(toml::from_str("").expect("readable")).expect("valid");
        let findings = ages(&config, &[key], UnixMs::EPOCH);
        let waits = findings.iter().find(|finding| finding.check == "next_key").expect("a finding");
        assert_eq!(waits.says, "The signing key k2 waits, and is used from 2027-01-31 04:00:00 UTC.");
    }

    #[test]
    fn an_unfinished_replacement_is_reported() {
        assert_eq!(sealed_values(true, 1, 0).state, FindingLevel::Fine);
        assert_eq!(sealed_values(true, 2, 0).state, FindingLevel::Warning);
        assert_eq!(sealed_values(true, 2, 3).state, FindingLevel::Warning);
        // Another file has replaced it, or a new one was made.
        assert_eq!(sealed_values(true, 1, 3).state, FindingLevel::Problem);
        assert_eq!(sealed_values(false, 1, 3).state, FindingLevel::Problem);
    }
}
