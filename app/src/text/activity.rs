//! An account's events as sentences for its owner.

use crate::view::{Activity, ActivityEvent};
use domain::bidi::isolated;

pub fn sentence(activity: &Activity) -> String {
    let Activity { count, address, device, about, .. } = activity;
    let about = &isolated(about);
    let times = if *count > 1 { format!(" {count} times") } else { String::new() };
    let with = if device.is_empty() { String::new() } else { format!(" with {device}") };
    match activity.event {
        ActivityEvent::AccountCreated => "The account was created".to_owned(),
        ActivityEvent::SignedIn => format!("Signed in{times}{with}"),
        ActivityEvent::NewDevice => format!("Signed in on a new device{with}"),
        ActivityEvent::NewPlace => format!("Signed in from a new network{with}"),
        ActivityEvent::WrongPassword if *count > 1 => format!("{count} wrong passwords from {address}"),
        ActivityEvent::WrongPassword => format!("A wrong password from {address}"),
        ActivityEvent::FactorMissing => format!("The right password without a second factor, from {address}"),
        ActivityEvent::WrongFactor if *count > 1 => {
            format!(
                "The right password and {count} wrong codes from {address}. If that was not you, change your password"
            )
        }
        ActivityEvent::WrongFactor => {
            format!("The right password and a wrong code from {address}. If that was not you, change your password")
        }
        ActivityEvent::FactorAdded => format!("A second factor was added: {}", factor(about)),
        ActivityEvent::FactorRemoved => format!("A second factor was removed: {}", factor(about)),
        ActivityEvent::FactorRemovedByAdministrator => {
            format!("An administrator removed second factors: {}", factor(about))
        }
        ActivityEvent::RecoveryCodesMade => "New recovery codes were made; the old ones no longer work".to_owned(),
        ActivityEvent::RecoveryCodeUsed => format!("A recovery code was used{with}. Set up a new second factor"),
        ActivityEvent::SignedOut => format!("Signed out{times}{with}"),
        ActivityEvent::DeviceEnded if *count > 1 => format!("{count} sessions were ended from another device"),
        ActivityEvent::DeviceEnded => "A session was ended from another device".to_owned(),
        ActivityEvent::EndedAfterGuesses => {
            format!("A session{with} was ended after too many wrong passwords or codes. Change your password")
        }
        ActivityEvent::TokenReused => format!("A session{with} was ended, because someone may have copied it"),
        ActivityEvent::WrongKey if about.is_empty() => {
            format!("Refused from {address}: a copy of a session, or a browser that has lost its key")
        }
        ActivityEvent::WrongKey => {
            format!("Refused from {address}: a copy of a token for {about}, or a program that has lost its key")
        }
        ActivityEvent::AppOpened => format!("Opened {about}{times}{with}"),
        ActivityEvent::PasskeyAdded => format!("The passkey {about} was added{with}"),
        ActivityEvent::PasskeyRenamed => format!("A passkey was renamed to {about}"),
        ActivityEvent::DeviceRemembered => format!("This device skips the second factor from now on{with}"),
        ActivityEvent::DeviceForgotten => "Remembered devices are asked for the second factor again".to_owned(),
        ActivityEvent::PasskeyRemoved => format!("The passkey {about} was removed{with}"),
        ActivityEvent::PasskeyChanged => {
            format!("The passkey {about} may have been copied. Remove it if you did not use it")
        }
        ActivityEvent::PasskeyCopied => format!(
            "The passkey {about} was refused, because it may have been copied. Remove it, then add it again on your device"
        ),
        ActivityEvent::PasskeyRefused => format!("A passkey was refused from {address}"),
        ActivityEvent::PasswordChanged => "The password was changed".to_owned(),
        ActivityEvent::ResetAsked => {
            "Somebody requested a link that sets a new password; it was mailed to you".to_owned()
        }
        ActivityEvent::ResetMade => "An administrator created a link that sets a new password".to_owned(),
        ActivityEvent::MadeAdministrator => "Became an administrator".to_owned(),
        ActivityEvent::MadeUser => "No longer an administrator".to_owned(),
        ActivityEvent::KeyReplaced => format!("The key was replaced{with}"),
        ActivityEvent::KeyRevoked => format!("A version of the key was revoked{with}"),
        ActivityEvent::KeyMade => "An administrator created a new version of the key".to_owned(),
        ActivityEvent::Disabled => "An administrator disabled the account".to_owned(),
        ActivityEvent::ProfileChanged => "Display name or e-mail address changed".to_owned(),
        ActivityEvent::GroupsChanged => "An administrator changed the account's groups".to_owned(),
        ActivityEvent::AppRevoked => "Revoked the access of an app".to_owned(),
        ActivityEvent::Renamed => "An administrator renamed the account".to_owned(),
        ActivityEvent::Enabled => "An administrator enabled the account again".to_owned(),
    }
}

/// Returns the words for a kind of second factor.
fn factor(kind: &str) -> &str {
    match kind {
        "totp" => "one-time codes",
        "passkey" => "a passkey",
        "all" => "all of them",
        other => other,
    }
}

/// Returns the other known facts, unless the sentence contains them.
pub fn address_or_device(activity: &Activity) -> &str {
    match activity.event {
        ActivityEvent::WrongPassword
        | ActivityEvent::WrongKey
        | ActivityEvent::FactorMissing
        | ActivityEvent::WrongFactor
        | ActivityEvent::PasskeyRefused => &activity.device,
        _ => &activity.address,
    }
}

/// Returns a sentence about recent unusual events.
pub fn odd(count: u32) -> String {
    match count {
        0 => "Nothing unusual in the last 7 days.".to_owned(),
        1 => "1 unusual event in the last 7 days. Check whether it was you.".to_owned(),
        _ => format!("{count} unusual events in the last 7 days. Check whether they were you."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(event: ActivityEvent, count: u32) -> Activity {
        let (address, device) = ("203.0.113.0/24".to_owned(), "Firefox on Fedora".to_owned());
        Activity { at: 0, event, count, address, device, about: "wiki".to_owned() }
    }

    #[test]
    fn sentences_count_and_name() {
        for (event, count, text) in [
            (ActivityEvent::SignedIn, 1, "Signed in with Firefox on Fedora"),
            (ActivityEvent::SignedIn, 2, "Signed in 2 times with Firefox on Fedora"),
            (ActivityEvent::WrongPassword, 1, "A wrong password from 203.0.113.0/24"),
            (ActivityEvent::WrongPassword, 3, "3 wrong passwords from 203.0.113.0/24"),
            (ActivityEvent::DeviceEnded, 1, "A session was ended from another device"),
            (ActivityEvent::AppOpened, 1, "Opened wiki with Firefox on Fedora"),
            (ActivityEvent::AppOpened, 3, "Opened wiki 3 times with Firefox on Fedora"),
        ] {
            assert_eq!(sentence(&activity(event, count)), text);
        }
    }

    #[test]
    fn an_unknown_device_is_not_mentioned() {
        let activity = Activity { device: String::new(), ..activity(ActivityEvent::SignedOut, 1) };
        assert_eq!(sentence(&activity), "Signed out");
    }

    #[test]
    fn nothing_is_said_twice() {
        assert_eq!(address_or_device(&activity(ActivityEvent::WrongPassword, 1)), "Firefox on Fedora");
        assert_eq!(address_or_device(&activity(ActivityEvent::SignedIn, 1)), "203.0.113.0/24");
    }
}
