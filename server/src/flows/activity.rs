//! An account's events for its owner.

use crate::api_error::ApiError;
use crate::audit::{
    NEW_DEVICE, NEW_PLACE, OK, PASSKEY_REFUSED, SECOND_FACTOR_REQUIRED, TOO_MANY_PROOFS, WRONG_SECOND_FACTOR,
};
use crate::state::CoreState;
use app::view::{Activity, ActivityEvent};
use domain::client_key::ClientKey;
use domain::ids::UserId;
use domain::passkey::PasskeyChange;
use store::audit::{AuditEntry, AuditEvent};

/// Period in which equal events are one line.
const TOGETHER_MS: i64 = 60 * 60_000;

/// Returns the newest lines, newest first, from at most `rows` rows.
///
/// # Errors
/// The store fails.
pub async fn lines(state: &CoreState, user: &UserId, rows: u32) -> Result<Vec<Activity>, ApiError> {
    Ok(of_entries(state, &state.store.audit_of(user, rows).await?))
}

/// Returns the lines of these rows, in their order.
pub fn of_entries(state: &CoreState, entries: &[AuditEntry]) -> Vec<Activity> {
    let prefix = state.config.settings.ipv6_prefix;
    fold(entries.iter().filter_map(|entry| line(entry, prefix)))
}

fn line(entry: &AuditEntry, v6_prefix: u8) -> Option<Activity> {
    // A successful confirmation is part of the action that it was for.
    if entry.event == AuditEvent::IdentityConfirmed && entry.outcome == OK {
        return None;
    }
    let event = match (entry.event, entry.outcome.as_str()) {
        (AuditEvent::UserAdded, OK) => ActivityEvent::AccountCreated,
        (AuditEvent::Login, OK) => ActivityEvent::SignedIn,
        (AuditEvent::Login, NEW_DEVICE) => ActivityEvent::NewDevice,
        (AuditEvent::Login, NEW_PLACE) => ActivityEvent::NewPlace,
        (AuditEvent::Login | AuditEvent::IdentityConfirmed, PASSKEY_REFUSED) => ActivityEvent::PasskeyRefused,
        (AuditEvent::PasswordSet, OK) => ActivityEvent::PasswordChanged,
        (AuditEvent::Login, SECOND_FACTOR_REQUIRED) => ActivityEvent::FactorMissing,
        (AuditEvent::Login | AuditEvent::IdentityConfirmed, WRONG_SECOND_FACTOR) => ActivityEvent::WrongFactor,
        (AuditEvent::Login | AuditEvent::PasswordSet | AuditEvent::IdentityConfirmed, _) => {
            ActivityEvent::WrongPassword
        }
        (AuditEvent::Logout, _) => ActivityEvent::SignedOut,
        (AuditEvent::SessionEnded, TOO_MANY_PROOFS) => ActivityEvent::EndedAfterGuesses,
        (AuditEvent::SessionEnded, _) => ActivityEvent::DeviceEnded,
        (AuditEvent::TokenReused, _) => ActivityEvent::TokenReused,
        (AuditEvent::WrongKey, _) => ActivityEvent::WrongKey,
        (AuditEvent::AppOpened, _) => ActivityEvent::AppOpened,
        (AuditEvent::UserDisabled, _) => ActivityEvent::Disabled,
        (AuditEvent::UserEnabled, _) => ActivityEvent::Enabled,
        (AuditEvent::ResetMade, _) if entry.actor.is_none() && entry.address != "-" => ActivityEvent::ResetAsked,
        (AuditEvent::ResetMade, _) => ActivityEvent::ResetMade,
        (AuditEvent::MadeAdministrator, _) => ActivityEvent::MadeAdministrator,
        (AuditEvent::MadeUser, _) => ActivityEvent::MadeUser,
        (AuditEvent::UserKeyReplaced, _) => ActivityEvent::KeyReplaced,
        (AuditEvent::UserKeyRevoked, _) => ActivityEvent::KeyRevoked,
        (AuditEvent::UserKeyMade, _) => ActivityEvent::KeyMade,
        (AuditEvent::SecondFactorAdded, _) => ActivityEvent::FactorAdded,
        (AuditEvent::SecondFactorRemoved, _) if entry.actor.is_some() || entry.address == "-" => {
            ActivityEvent::FactorRemovedByAdministrator
        }
        (AuditEvent::SecondFactorRemoved, _) => ActivityEvent::FactorRemoved,
        (AuditEvent::RecoveryCodesMade, _) => ActivityEvent::RecoveryCodesMade,
        (AuditEvent::RecoveryCodeUsed, _) => ActivityEvent::RecoveryCodeUsed,
        (AuditEvent::DeviceRemembered, _) => ActivityEvent::DeviceRemembered,
        (AuditEvent::DeviceForgotten, _) => ActivityEvent::DeviceForgotten,
        (AuditEvent::UserRenamed, _) => ActivityEvent::Renamed,
        (AuditEvent::ProfileChanged, _) => ActivityEvent::ProfileChanged,
        (AuditEvent::GroupsChanged, _) => ActivityEvent::GroupsChanged,
        (AuditEvent::PasskeyAdded, _) => ActivityEvent::PasskeyAdded,
        (AuditEvent::PasskeyRenamed, _) => ActivityEvent::PasskeyRenamed,
        (AuditEvent::PasskeyRemoved, _) => ActivityEvent::PasskeyRemoved,
        (AuditEvent::PasskeyChanged, outcome) if outcome == PasskeyChange::Counter.as_str() => {
            ActivityEvent::PasskeyCopied
        }
        (AuditEvent::PasskeyChanged, _) => ActivityEvent::PasskeyChanged,
        (AuditEvent::ConsentWithdrawn, _) => ActivityEvent::AppRevoked,
        (
            AuditEvent::UserAdded
            | AuditEvent::BanMade
            | AuditEvent::BanLifted
            | AuditEvent::AllowAdded
            | AuditEvent::AllowRemoved
            | AuditEvent::ServerKeyRotated
            | AuditEvent::ServerKeyRevoked
            | AuditEvent::KeysRewrapped
            | AuditEvent::UserDeleted
            | AuditEvent::InvitationMade
            | AuditEvent::InvitationRevoked
            | AuditEvent::ServiceSet
            | AuditEvent::ServiceRemoved
            | AuditEvent::TollSuspended
            | AuditEvent::TollResumed
            | AuditEvent::TollRevoked
            | AuditEvent::BackupMade
            | AuditEvent::BackupRestored
            | AuditEvent::GroupAdded
            | AuditEvent::GroupRenamed
            | AuditEvent::GroupRemoved
            | AuditEvent::ClientAdded
            | AuditEvent::ClientChanged
            | AuditEvent::ClientRemoved,
            _,
        ) => return None,
    };
    let place = entry.address.parse().map(|address| ClientKey::of(address, v6_prefix).network_label());
    // Targets of other events are for operators only.
    let is_shown = matches!(
        event,
        ActivityEvent::AppOpened
            | ActivityEvent::WrongKey
            | ActivityEvent::FactorAdded
            | ActivityEvent::FactorRemoved
            | ActivityEvent::FactorRemovedByAdministrator
            | ActivityEvent::PasskeyAdded
            | ActivityEvent::PasskeyRenamed
            | ActivityEvent::PasskeyRemoved
            | ActivityEvent::PasskeyChanged
            | ActivityEvent::PasskeyCopied
    );
    let about = if is_shown { entry.about.clone() } else { String::new() };
    let (address, device) = (place.unwrap_or_default(), entry.device.clone());
    Some(Activity { at: entry.at.as_millis(), event, count: 1, address, device, about })
}

fn fold(lines: impl Iterator<Item = Activity>) -> Vec<Activity> {
    let mut folded: Vec<Activity> = Vec::new();
    for line in lines {
        match folded.last_mut() {
            Some(last) if are_one(last, &line) => last.count += 1,
            _ => folded.push(line),
        }
    }
    folded
}

fn are_one(newer: &Activity, older: &Activity) -> bool {
    fn kind(line: &Activity) -> (ActivityEvent, &str, &str, &str) {
        (line.event, &line.address, &line.device, &line.about)
    }
    matches!(newer.event, ActivityEvent::WrongPassword | ActivityEvent::WrongFactor | ActivityEvent::AppOpened)
        && kind(newer) == kind(older)
        && newer.at - older.at < TOGETHER_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_passwords_from_one_place_are_counted_and_sign_ins_are_not() {
        let line = |at, event, address: &str| Activity {
            at,
            event,
            count: 1,
            address: address.to_owned(),
            device: String::new(),
            about: String::new(),
        };
        let folded = fold(
            [
                line(5_000, ActivityEvent::WrongPassword, "a"),
                line(4_000, ActivityEvent::WrongPassword, "a"),
                line(3_000, ActivityEvent::WrongPassword, "b"),
                line(2_000, ActivityEvent::SignedIn, "b"),
                line(1_000, ActivityEvent::SignedIn, "b"),
            ]
            .into_iter(),
        );
        assert_eq!(folded.iter().map(|line| line.count).collect::<Vec<_>>(), [2, 1, 1, 1]);
        assert_eq!(folded[0].at, 5_000);
    }
}
