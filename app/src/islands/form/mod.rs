//! What the forms that seal have in common.
//!
//! The state of these forms is kept in the page itself: one word on the form, from which the
//! stylesheet makes the button's text, and three sentences. With signals the code of the login
//! page was a fifth larger, and a person waits for every byte of that page.

mod alert;
mod face;
mod password;
mod strength;
mod submit;

pub use alert::Alert;
pub use face::{Face, Step, wake};
pub use password::PasswordField;
pub use strength::{Strength, judge};
pub use submit::Submit;
