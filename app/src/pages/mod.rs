//! One file for each page. Pages are rendered by the server only.

#![expect(unreachable_pub, reason = "leptos makes the function of a component public")]

pub mod banned;
pub mod time;

mod account;
mod activity;
mod ask;
mod audit;
mod bans;
mod client;
mod clients;
mod devices;
mod enrol;
mod enter;
mod forgotten;
mod groups;
mod help;
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
mod title;
mod toll;
mod users;

pub(crate) use page::Page;
pub use page::View;
pub(crate) use title::title;
