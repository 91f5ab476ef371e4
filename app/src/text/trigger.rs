//! Short names of triggers.

/// Names a trigger by its stable word in the API. An unknown word of a newer version is returned unchanged.
pub fn name(trigger: &str) -> &str {
    match trigger {
        "invalid_credentials" => "Wrong name or password",
        "spray" => "Many names tried",
        "forged_short_key" => "Forged sign-in",
        "replayed_short_key" => "Sign-in sent twice",
        "expired_short_key" => "Sign-in sent too late",
        "wrong_second_factor" => "Wrong codes",
        "bad_envelope" => "Unreadable sign-in",
        "flood" => "Too many requests",
        "manual" => "Manual",
        other => other,
    }
}

/// Returns the text for the scope of an expired ban.
#[cfg(feature = "ssr")]
pub(crate) fn past_scope(scope: &str) -> &'static str {
    if scope == "everything" { "was banned from everything" } else { "was banned from signing in" }
}

/// Returns the text for the scope of a ban.
pub fn scope(scope: &str) -> &'static str {
    if scope == "everything" { "banned from everything" } else { "banned from signing in" }
}
