//! The data that an island gets from its page.
//!
//! The forms that encrypt have no properties. Leptos sends those as JSON, and its parser would be a fifth of the login
//! bundle. The page writes the data as `data-` attributes of its `main` element. The island reads it there, or from
//! the context while the server renders it.

#[cfg(not(feature = "ssr"))]
use crate::browser::page::fact;
#[cfg(feature = "ssr")]
use crate::view::FormFacts;
#[cfg(feature = "ssr")]
use leptos::prelude::use_context;

/// Returns the milliseconds until this address's ban ends, and the ban's id.
#[cfg(feature = "ssr")]
pub fn closed() -> Option<(i64, String)> {
    use_context::<FormFacts>()?.closed
}

#[cfg(not(feature = "ssr"))]
pub fn closed() -> Option<(i64, String)> {
    Some((fact("closed-ms")?.parse().ok()?, fact("incident").unwrap_or_default()))
}

/// Whether the second factor is asked for even in a remembered browser.
#[cfg(feature = "ssr")]
pub fn factor() -> bool {
    use_context::<FormFacts>().unwrap_or_default().factor
}

#[cfg(not(feature = "ssr"))]
pub fn factor() -> bool {
    fact("factor").is_some()
}

/// Returns the minimum number of characters in a password.
#[cfg(feature = "ssr")]
pub fn password_min() -> u32 {
    use_context::<FormFacts>().unwrap_or_default().password_min
}

#[cfg(not(feature = "ssr"))]
pub fn password_min() -> u32 {
    fact("password-min").and_then(|min| min.parse().ok()).unwrap_or(0)
}

/// Returns the name of the account that the page was rendered for.
#[cfg(feature = "ssr")]
pub fn username() -> String {
    use_context::<FormFacts>().unwrap_or_default().username
}

#[cfg(all(not(feature = "ssr"), feature = "private"))]
pub fn username() -> String {
    fact("username").unwrap_or_default()
}
