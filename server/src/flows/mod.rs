//! What the endpoints do, each in the same order: guard, load, judge, save, tell.

pub mod activity;
pub mod audit;
pub mod ban;
pub mod issue;
pub mod login;
pub mod logout;
pub mod refresh;
pub mod sealed;
pub mod sessions;
pub mod signup;
pub mod to_its_end;

pub use to_its_end::to_its_end;
