//! The checks of `postern doctor`. Each returns one finding, and each finding that is not fine says what to do.

mod data;
mod examine;
mod finding;
mod gate;
mod keys;
mod machine;
mod settings;

pub use data::{mail, second_factors};
pub use examine::{examine, glance};
pub use finding::{Finding, FindingLevel};
