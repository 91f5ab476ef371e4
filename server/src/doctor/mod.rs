//! The checks of `postern doctor`. Each returns one finding, and each finding that is not fine says what to do.

mod accounts;
mod data;
mod examine;
mod finding;
mod gate;
mod keys;
mod machine;
mod second_factors;
mod settings;

pub use data::mail;
pub use examine::{examine, quick_checks};
pub use finding::{Finding, FindingLevel};
pub(crate) use gate::reported;
pub(crate) use machine::certificate;
pub use second_factors::second_factors;
