//! The texts of the pages: plain functions from data to sentences.

#[cfg(feature = "ssr")]
pub mod activity;
#[cfg(feature = "ssr")]
pub mod ago;
#[cfg(feature = "ssr")]
pub mod day;
#[cfg(feature = "ssr")]
pub mod email;
#[cfg(feature = "ssr")]
pub mod moment;
#[cfg(feature = "ssr")]
pub mod names;
#[cfg(feature = "ssr")]
pub mod plain;
#[cfg(feature = "ssr")]
pub mod query;
#[cfg(feature = "ssr")]
pub mod registration;

#[cfg(any(feature = "ssr", feature = "login", feature = "private"))]
pub mod countdown;
#[cfg(any(feature = "ssr", feature = "login"))]
pub mod link;
#[cfg(any(feature = "ssr", feature = "login", feature = "signed-in"))]
pub mod no_answer;
#[cfg(any(feature = "ssr", feature = "seal"))]
pub mod refusal;
#[cfg(any(feature = "ssr", feature = "seal"))]
pub mod strength;
#[cfg(any(feature = "ssr", feature = "private"))]
pub mod time;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub mod trigger;
pub mod wait;
