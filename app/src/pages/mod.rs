//! The pages around sign-in, one file each, and the choice of the page. The pages of the dashboard are files of the
//! server. Only the server renders pages.

#![expect(unreachable_pub, reason = "leptos makes the function of a component public")]

pub mod banned;

mod ask;
mod content;
mod enrol;
mod enter;
mod forgotten;
mod login;
mod notices;
mod page;
mod reset;
mod resume;
mod signup;
mod title;

pub use content::{Content, DashboardView};
pub(crate) use page::Page;
pub use page::View;
pub(crate) use title::title;
