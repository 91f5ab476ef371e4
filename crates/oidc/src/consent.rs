//! Descriptions of scopes for the consent page.

use crate::scope::{ADDRESS, EMAIL, GROUPS, OFFLINE_ACCESS, OPENID, PHONE, PROFILE, Scopes};

/// Returns one sentence part for each scope: "see your e-mail address".
pub fn plain_words(scopes: &Scopes) -> Vec<&'static str> {
    [
        (OPENID, "recognise you: it gets an id that stays the same"),
        (PROFILE, "see your user name and your display name"),
        (EMAIL, "see your e-mail address"),
        (GROUPS, "see your groups and your role"),
        (ADDRESS, "see your postal address, of which this site has none"),
        (PHONE, "see your phone number, of which this site has none"),
        (OFFLINE_ACCESS, "stay connected until you sign out or revoke this"),
    ]
    .into_iter()
    .filter(|(scope, _)| scopes.contains(scope))
    .map(|(_, words)| words)
    .collect()
}
