//! Postern's pages, rendered by the server, and its islands, which run in the browser.
//!
//! A page is a pure function of [`view::Site`] and `View`, which the server provides. The pages of the dashboard are
//! files of the server, and give their content as a function. An island is compiled for both sides. The browser gets
//! it in one of three bundles, `login`, `dashboard` or `private`.

// A view is one deeply nested type.
#![recursion_limit = "256"]

pub mod browser;
#[cfg(feature = "ssr")]
pub mod dashboard;
pub mod islands;
pub mod text;
pub mod view;

#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use pages::{Content, DashboardView, View, banned};
#[cfg(feature = "ssr")]
pub use routes::App;
#[cfg(feature = "ssr")]
pub use shell::{document, shell};
