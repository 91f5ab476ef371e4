//! One file for each page. Pages are rendered by the server only.

pub mod banned;

mod account;
mod activity;
mod ask;
mod audit;
mod bans;
mod devices;
mod enrol;
mod enter;
mod groups;
mod invitations;
mod keys;
mod login;
mod notices;
mod overview;
mod page;
mod profile;
mod reset;
mod resume;
mod server_keys;
mod signup;
mod time;
mod title;
mod toll;
mod users;

pub use page::Page;
pub use title::title;
