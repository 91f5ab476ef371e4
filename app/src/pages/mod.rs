//! One file for each page. Pages are rendered by the server only.

pub mod banned;

mod activity;
mod audit;
mod bans;
mod devices;
mod login;
mod notices;
mod overview;
mod page;
mod resume;
mod signup;
mod title;

pub use page::Page;
pub use title::title;
