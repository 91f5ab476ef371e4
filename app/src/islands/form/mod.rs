//! Common parts of the forms that encrypt.
//!
//! Their state is in the page itself: one word on the form, from which the stylesheet derives the button's text, and
//! three sentences. With signals the login page's code was a fifth larger, and people wait for every byte of it.

mod alert;
mod handle;
mod password;
mod strength;
mod submit;

pub(super) use alert::Alert;
pub(super) use handle::{FormHandle, FormStep, wake};
pub(super) use password::PasswordField;
pub(super) use strength::{Strength, judge};
pub(super) use submit::Submit;
