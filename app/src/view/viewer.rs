//! The person who looks at a page.

/// The person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The account's id.
    pub account: String,
    pub username: String,
    pub administrator: bool,
    /// Whether the session is bound to a key of this device.
    pub bound: bool,
    /// Whether the navigation offers the paid gate: to administrators, once a gate is configured.
    pub toll: bool,
}
