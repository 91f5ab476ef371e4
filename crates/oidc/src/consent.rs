//! Descriptions of scopes for the consent page.

use crate::client::{Client, ClientSource};
use crate::redirect_uri;
use crate::scope::{ADDRESS, EMAIL, GROUPS, OFFLINE_ACCESS, OPENID, PHONE, PROFILE, Scopes};
use std::collections::BTreeSet;

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

impl Client {
    /// Whether people are asked.
    pub fn asks_consent(&self) -> bool {
        match self.source {
            ClientSource::Settings => self.settings.consent.unwrap_or(false),
            ClientSource::Administrator => self.settings.consent.unwrap_or(true),
            // A client does not decide about its own consent.
            ClientSource::Registered | ClientSource::Document => true,
        }
    }

    /// Whether another program on the person's device could pass for the client. It proves nothing, and its answers go to
    /// that device. People are therefore asked each time (RFC 8252, section 8.6).
    pub fn may_be_impersonated_at(&self, redirect_uri: &str) -> bool {
        self.is_public() && redirect_uri::is_on_device(redirect_uri)
    }

    /// Whether this is still the app that people agreed to: its name, its keys and the origins that it answers at.
    pub fn is_same_app(&self, other: &Self) -> bool {
        let origins = |client: &Self| -> BTreeSet<String> {
            let uris = client.settings.redirect_uris.iter();
            uris.map(|uri| redirect_uri::origin(uri).unwrap_or(uri).to_owned()).collect()
        };
        self.settings.name == other.settings.name
            && self.settings.jwks == other.settings.jwks
            && self.settings.jwks_uri == other.settings.jwks_uri
            && origins(self) == origins(other)
    }
}
