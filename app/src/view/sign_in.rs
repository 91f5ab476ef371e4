//! Data of the pages around sign-in.

use super::viewer::Viewer;

#[derive(Debug, Clone)]
pub struct LoginView {
    /// The page to open after sign-in: a validated local path.
    pub next: String,
    /// The account name that an app proposes. Empty: none.
    pub name: String,
    /// Why the person was sent here, if so.
    pub why: Option<SignInReason>,
    /// This address is banned from sign-in.
    pub closed: Option<BanNotice>,
    /// No account exists yet: refer to the set-up link that the server printed.
    pub first_run: bool,
    /// Whether a link to `/signup` makes sense.
    pub signup: bool,
    /// Whether this site mails a link for a forgotten password.
    pub forgotten: bool,
    /// For how many days a browser may be remembered; `None`: it may not.
    pub remember_days: Option<u32>,
}

impl LoginView {
    /// Whether the second factor is asked for even in a remembered browser: the person has to prove it again.
    pub fn asks_for_factor(&self) -> bool {
        use SignInReason::{Again, Confirm, Factor};
        matches!(self.why, Some(Again | Confirm | Factor))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// The session expired or was ended remotely.
    Ended,
    /// The browser has lost the key of the session.
    KeyGone,
    /// An app wants to know that the same person is still there.
    Again,
    /// A change needs a fresh proof of the person.
    Confirm,
    /// The account or an app requires a second factor.
    Factor,
    /// Signed out on purpose. `apps`: people sign in to apps here, which may have sessions of their own.
    SignedOut { apps: bool },
    /// A one-time link has set the password.
    PasswordSet,
    /// The account is gone.
    Deleted,
}

/// The public part of a ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanNotice {
    /// Unix milliseconds.
    pub until: i64,
    /// "7F3K-2Q"
    pub incident: String,
}

#[derive(Debug, Clone)]
pub struct SignupView {
    /// The page to open after sign-up: a validated local path.
    pub next: String,
    /// The first account: an administrator, for which the set-up link's code is needed.
    pub first_run: bool,
    /// Sign-up is closed.
    pub shut: bool,
    /// Only with an invitation.
    pub invited: bool,
    /// Minimum number of characters in a password.
    pub password_min: u32,
}

/// The page where people set up the second factor that is required of them.
#[derive(Debug, Clone)]
pub struct EnrolView {
    pub viewer: Viewer,
    /// Whether an app requires it, and not the account.
    pub by_app: bool,
    /// Whether it must be a passkey.
    pub passkey: bool,
    pub passkeys: wire::passkeys::Passkeys,
    pub factors: wire::second_factor::SecondFactors,
    /// The page that proves a factor, if the account has one that is sufficient.
    pub sign_in: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ResetView {
    /// Minimum number of characters in a password.
    pub password_min: u32,
}

/// The page that asks for a link for a forgotten password.
#[derive(Debug, Clone)]
pub struct ForgottenView {
    /// The page to open after sign-in: a validated local path.
    pub next: String,
    /// The request was sent.
    pub done: bool,
}

#[derive(Debug, Clone)]
pub struct ResumeView {
    /// A validated local path.
    pub next: String,
}
