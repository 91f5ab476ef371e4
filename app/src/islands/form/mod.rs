//! Common parts of the forms that encrypt.
//!
//! Their state is in the page itself: one word on the form, from which the stylesheet derives the button's text, and
//! three sentences. With signals the login page's code was a fifth larger, and people wait for every byte of it.

mod deadline;
mod handle;
mod password;
mod strength;

pub(super) use deadline::local_time;
pub(super) use handle::{FormHandle, FormStep, wake};
#[cfg(any(feature = "ssr", feature = "private"))]
pub(super) use strength::judge;

// The server renders them. Only the forms of signed-in people render them in the browser too.
#[cfg(any(feature = "ssr", feature = "private"))]
mod alert;
#[cfg(any(feature = "ssr", feature = "private"))]
mod submit;
#[cfg(any(feature = "ssr", feature = "private"))]
pub(crate) use {alert::Alert, password::PasswordField, strength::Strength, submit::Submit};
