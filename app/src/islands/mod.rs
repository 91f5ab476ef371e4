//! What comes alive in the browser, one island a file. The server renders all of them; a bundle
//! carries only its own.

#[cfg(any(feature = "ssr", feature = "login"))]
pub mod facts;
#[cfg(any(feature = "ssr", feature = "login"))]
mod form;
#[cfg(any(feature = "ssr", feature = "login"))]
mod login_form;
#[cfg(any(feature = "ssr", feature = "login"))]
mod resume;
#[cfg(any(feature = "ssr", feature = "login"))]
mod signup_form;

#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod busy;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod end_others;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod end_session;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod forms;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod live_refusals;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
mod sign_out;

#[cfg(any(feature = "ssr", feature = "login"))]
pub use {login_form::LoginForm, resume::Resume, signup_form::SignupForm};

#[cfg(any(feature = "ssr", feature = "dashboard"))]
use busy::busy_until_alive;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub use {
    end_others::EndOthers, end_session::EndSession, forms::Forms, live_refusals::LiveRefusals, sign_out::SignOut,
};
