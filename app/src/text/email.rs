//! The state of an e-mail address.

/// Returns a short name for lists.
pub fn name(state: &str) -> &'static str {
    match state {
        "vouched_for" => "vouched for",
        "proved" => "proved",
        _ => "unproved",
    }
}

/// Explains the state to an administrator.
pub fn state(state: &str) -> &'static str {
    match state {
        "vouched_for" => "An administrator has vouched for this address.",
        "proved" => "The person has proved this address by a link that was mailed there.",
        _ => "The person wrote this address, and nobody has checked it. Apps do not see it.",
    }
}

/// Explains the state to the owner.
pub fn own_state(state: &str) -> &'static str {
    match state {
        "vouched_for" => "An administrator has vouched for this address. A new one is unproved until it is checked.",
        "proved" => "You have proved this address. A new one is unproved until it is checked.",
        _ => "This address is unproved: apps do not see it until it is proved or an administrator vouches for it.",
    }
}
