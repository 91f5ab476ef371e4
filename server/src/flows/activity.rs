//! An account's events for its owner.

use super::audit::{NEW_DEVICE, NEW_PLACE, OK};
use crate::http::ApiError;
use crate::state::AppState;
use app::view::{Activity, Event as Seen};
use domain::identity::Identity;
use store::audit::{Entry, Event};

/// Equal events within this time are one line.
const TOGETHER_MS: i64 = 60 * 60_000;

/// Returns the newest lines, newest first, from at most `rows` rows.
///
/// # Errors
/// The store fails.
pub async fn lines(state: &AppState, user: &str, rows: u32) -> Result<Vec<Activity>, ApiError> {
    let entries = state.store.audit_of(user, rows).await?;
    let prefix = state.config.settings.ipv6_prefix;
    Ok(fold(entries.iter().filter_map(|entry| line(entry, prefix))))
}

fn line(entry: &Entry, v6_prefix: u8) -> Option<Activity> {
    let event = match (entry.event, entry.outcome.as_str()) {
        (Event::UserAdded, OK) => Seen::AccountCreated,
        (Event::Login, OK) => Seen::SignedIn,
        (Event::Login, NEW_DEVICE) => Seen::NewDevice,
        (Event::Login, NEW_PLACE) => Seen::NewPlace,
        (Event::PasswordSet, OK) => Seen::PasswordChanged,
        (Event::Login | Event::PasswordSet, _) => Seen::WrongPassword,
        (Event::Logout, _) => Seen::SignedOut,
        (Event::SessionEnded, _) => Seen::DeviceEnded,
        (Event::TokenReused, _) => Seen::TokenReused,
        (Event::WrongKey, _) => Seen::WrongKey,
        (Event::AppOpened, _) => Seen::AppOpened,
        (Event::UserDisabled, _) => Seen::Disabled,
        (Event::UserEnabled, _) => Seen::Enabled,
        (Event::ResetMade, _) => Seen::ResetMade,
        (Event::MadeAdministrator, _) => Seen::MadeAdministrator,
        (Event::MadeUser, _) => Seen::MadeUser,
        (Event::UserKeyReplaced, _) => Seen::KeyReplaced,
        (Event::UserKeyRevoked, _) => Seen::KeyRevoked,
        (Event::UserKeyMade, _) => Seen::KeyMade,
        (Event::UserRenamed, _) => Seen::Renamed,
        (
            Event::UserAdded
            | Event::BanMade
            | Event::BanLifted
            | Event::AllowAdded
            | Event::AllowRemoved
            | Event::ServerKeyRotated
            | Event::ServerKeyRevoked
            | Event::KeysRewrapped
            | Event::UserDeleted
            | Event::InvitationMade
            | Event::InvitationRevoked
            | Event::ServiceSet
            | Event::ServiceRemoved
            | Event::TollSuspended
            | Event::TollResumed
            | Event::TollRevoked
            | Event::BackupMade
            | Event::BackupRestored,
            _,
        ) => return None,
    };
    let place = entry.address.parse().map(|address| Identity::of(address, v6_prefix).place());
    // Targets of other events are for operators only.
    let about = if event == Seen::AppOpened { entry.about.clone() } else { String::new() };
    let (address, device) = (place.unwrap_or_default(), entry.device.clone());
    Some(Activity { at: entry.at, event, count: 1, address, device, about })
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
    fn kind(line: &Activity) -> (Seen, &str, &str, &str) {
        (line.event, &line.address, &line.device, &line.about)
    }
    matches!(newer.event, Seen::WrongPassword | Seen::AppOpened)
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
                line(5_000, Seen::WrongPassword, "a"),
                line(4_000, Seen::WrongPassword, "a"),
                line(3_000, Seen::WrongPassword, "b"),
                line(2_000, Seen::SignedIn, "b"),
                line(1_000, Seen::SignedIn, "b"),
            ]
            .into_iter(),
        );
        assert_eq!(folded.iter().map(|line| line.count).collect::<Vec<_>>(), [2, 1, 1, 1]);
        assert_eq!(folded[0].at, 5_000);
    }
}
