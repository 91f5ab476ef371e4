//! Checks of the server's own keys.

use super::{Finding, State};
use crate::config::Config;
use crate::flows::server_keys;
use crate::key_encryption::KeyEncryptionKey;
use domain::UnixMs;
use std::time::Duration;
use store::Store;
use store::sealed::sealer;
use wire::server_keys::{Kind, State as KeyState};

const DAY_MS: i64 = 24 * 60 * 60_000;
/// Values that are counted: beyond that, "many" is enough.
const MANY: u32 = 1000;

pub async fn findings(config: &Config, store: &dyn Store, now: UnixMs) -> store::Result<Vec<Finding>> {
    let keys = server_keys::list(store, config, now).await?;
    let in_use = keys.iter().find(|key| key.kind == Kind::Signing && key.state == KeyState::Current);
    let mut findings = vec![signing_key(config, in_use.map(|key| now - key.used_from))];
    // A key that cannot be read has a finding of its own.
    if let Ok(key) = KeyEncryptionKey::find(config) {
        key.hear(store).await?;
        let name = key.sealer_name();
        let others = store.sealed_by_others(name.as_deref().unwrap_or_default(), MANY).await?;
        // From before keys had names: of one key, it can only be that one.
        let is_old = |sealed: &str| key.count() > 1 || !sealer(sealed).is_empty();
        let left = others.iter().filter(|value| is_old(&value.sealed)).count();
        findings.push(sealed_values(name.is_some(), key.count(), left));
    }
    Ok(findings)
}

fn signing_key(config: &Config, age: Option<i64>) -> Finding {
    const CHECK: &str = "signing_key";
    let Some(age) = age else { return Finding::fine(CHECK, "There is no signing key yet: the server makes one.") };
    let days = humantime::format_duration(Duration::from_secs((age.max(0) / DAY_MS).unsigned_abs() * 24 * 60 * 60));
    match config.settings.keys.signing_rotation.0 {
        Some(every) if age > every.ms().saturating_mul(2) => Finding::new(
            CHECK,
            State::Warning,
            format!("The signing key is {days} old, more than twice what keys.signing_rotation says."),
            "See whether the server logs 'server keys could not be looked after', or run 'postern key rotate --kind \
             signing'.",
        ),
        _ => Finding::fine(CHECK, format!("The signing key is {days} old.")),
    }
}

fn sealed_values(can_seal: bool, keys: usize, left: usize) -> Finding {
    const CHECK: &str = "sealed_values";
    if !can_seal {
        return Finding::new(
            CHECK,
            State::Problem,
            "The key-encryption key was replaced, and this machine does not have the new one: no key can be made.",
            "Copy the file from the machine where 'postern key rewrap' ran.",
        );
    }
    if left > 0 || keys > 1 {
        return Finding::new(
            CHECK,
            State::Warning,
            format!("The key-encryption key is being replaced: {left} values are not under the new one yet."),
            "Run 'postern key rewrap', when every machine has the file.",
        );
    }
    Finding::fine(CHECK, "Everything that is sealed is under the one key-encryption key.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_may_be_twice_as_old_as_its_schedule() {
        let config = |text: &str| Config::new(toml::from_str(text).expect("readable")).expect("stands");
        let monthly = config("[keys]\nsigning_rotation = '30d'");
        for (config, days, state) in [
            (&monthly, Some(60), State::Fine),
            (&monthly, Some(61), State::Warning),
            (&monthly, None, State::Fine),
            (&config("[keys]\nsigning_rotation = 'off'"), Some(1000), State::Fine),
        ] {
            assert_eq!(signing_key(config, days.map(|days| days * DAY_MS)).state, state, "{days:?}");
        }
    }

    #[test]
    fn a_replacement_that_was_not_finished_is_told() {
        assert_eq!(sealed_values(true, 1, 0).state, State::Fine);
        assert_eq!(sealed_values(true, 2, 0).state, State::Warning);
        assert_eq!(sealed_values(true, 1, 3).state, State::Warning);
        assert_eq!(sealed_values(false, 1, 3).state, State::Problem);
    }
}
