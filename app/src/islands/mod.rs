//! The islands, one in each file. The server renders all of them; a bundle contains only its own.

#![expect(unreachable_pub, reason = "leptos makes the function of a component public")]

#[cfg(any(feature = "ssr", feature = "login", feature = "private"))]
pub mod facts;
#[cfg(any(feature = "ssr", feature = "login", feature = "private"))]
pub(crate) mod form;

#[cfg(any(feature = "ssr", feature = "login"))]
mod aside;
#[cfg(any(feature = "ssr", feature = "login"))]
mod login_form;
#[cfg(any(feature = "ssr", feature = "login"))]
mod reset_form;
#[cfg(any(feature = "ssr", feature = "login"))]
mod resume;
#[cfg(any(feature = "ssr", feature = "login"))]
mod signup_form;

#[cfg(any(feature = "ssr", feature = "signed-in"))]
mod act;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
mod busy;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
mod confirm_dialog;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
mod prove_again;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
mod sign_out;

#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod account_actions;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod decide;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod end_session;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod forms;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod invite;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod live_refusals;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod one_time_link;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod passkey_signals;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod passkey_upgrade;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod revoke_invitation;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod secret_forms;

#[cfg(any(feature = "ssr", feature = "private"))]
mod deletion_form;
#[cfg(any(feature = "ssr", feature = "private"))]
mod passkeys;
#[cfg(any(feature = "ssr", feature = "private"))]
mod password_form;
#[cfg(any(feature = "ssr", feature = "private"))]
mod plot;
#[cfg(any(feature = "ssr", feature = "private"))]
mod saved_codes;
#[cfg(any(feature = "ssr", feature = "private"))]
mod second_factor;
#[cfg(any(feature = "ssr", feature = "private"))]
mod time_connection;

#[cfg(any(feature = "ssr", feature = "login"))]
pub use {login_form::LoginForm, reset_form::ResetForm, resume::Resume, signup_form::SignupForm};

#[cfg(any(feature = "ssr", feature = "signed-in"))]
use busy::busy_until_alive;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub use {act::Act, act::ConfirmedAction, prove_again::ProveAgain, sign_out::SignOut};

#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub use {
    account_actions::AccountActions, decide::Decide, end_session::EndSession, forms::Forms, invite::Invite,
    live_refusals::LiveRefusals, passkey_signals::PasskeySignals, passkey_upgrade::PasskeyUpgrade,
    revoke_invitation::RevokeInvitation, secret_forms::SecretForms,
};

#[cfg(any(feature = "ssr", feature = "private"))]
pub use {
    deletion_form::DeletionForm, passkeys::AddPasskey, passkeys::PasskeyActions, password_form::PasswordForm,
    second_factor::SecondFactorForm, time_connection::TimeConnection,
};
