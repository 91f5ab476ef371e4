//! Data of the list of events.

/// One line of the account's history; consecutive equal events are one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Unix milliseconds of the newest event.
    pub at: i64,
    pub event: ActivityEvent,
    /// Number of equal events on this line, at least 1.
    pub count: u32,
    /// Address prefix: "203.0.113.0/24".
    pub address: String,
    /// "Firefox on Fedora"; empty where unknown.
    pub device: String,
    /// The opened app; otherwise empty.
    pub about: String,
}

/// The kind of an event, for the account's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityEvent {
    AccountCreated,
    SignedIn,
    /// Signed in from a new browser.
    NewDevice,
    /// Signed in from a new network.
    NewPlace,
    WrongPassword,
    /// The password was right, and no second factor followed yet.
    FactorMissing,
    /// The password was right, and the code was wrong.
    WrongFactor,
    /// `about` has the kind.
    FactorAdded,
    FactorRemoved,
    FactorRemovedByAdministrator,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    SignedOut,
    /// One session was ended from another.
    DeviceEnded,
    /// A session was ended after too many wrong passwords, codes or passkeys in it.
    EndedAfterGuesses,
    /// A spent refresh token was used: somebody may have copied it. The session was ended.
    TokenReused,
    /// A session's token was used without its browser's key: somebody may have copied it. It was refused.
    WrongKey,
    /// A session was used to open an app.
    AppOpened,
    PasswordChanged,
    PasskeyAdded,
    PasskeyRenamed,
    DeviceRemembered,
    DeviceForgotten,
    PasskeyRemoved,
    /// A passkey was used whose backup flag changed.
    PasskeyChanged,
    /// A passkey was refused because its counter did not rise.
    PasskeyCopied,
    PasskeyRefused,
    /// An administrator created a link that sets a new password.
    ResetMade,
    /// The owner, or somebody who knows the name, asked for a link by mail.
    ResetAsked,
    MadeAdministrator,
    MadeUser,
    /// The user key has a new version.
    KeyReplaced,
    KeyRevoked,
    /// An administrator made a new version of the key.
    KeyMade,
    Disabled,
    Enabled,
    /// The account was renamed.
    Renamed,
    ProfileChanged,
    GroupsChanged,
    /// The access of an app was revoked.
    AppRevoked,
}

// Only the server renders the list of events.
#[cfg(feature = "ssr")]
impl ActivityEvent {
    /// Whether the owner should check this.
    pub fn is_odd(self) -> bool {
        matches!(
            self,
            Self::NewDevice
                | Self::NewPlace
                | Self::WrongPassword
                | Self::WrongFactor
                | Self::EndedAfterGuesses
                | Self::TokenReused
                | Self::WrongKey
                | Self::ResetMade
                | Self::ResetAsked
        )
    }
}
