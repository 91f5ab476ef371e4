//! Names of people and sessions that clients cannot compare (OpenID Connect Core, section 8.1).

use crate::client::{Client, SubjectType};
use crate::redirect_uri;
use domain::encoding::{base64url, sha256};
use std::borrow::Cow;

/// Hosts that every program on a person's computer can answer at.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl Client {
    /// Returns the sector, whose clients know a person by the same pairwise `sub`. `None`: every client gets the same `sub`,
    /// or the redirect URIs have several hosts.
    pub fn sector(&self) -> Option<&str> {
        if self.settings.subject_type == SubjectType::Public {
            return None;
        }
        if let Some(host) = &self.settings.sector_identifier {
            return Some(host);
        }
        if self.is_unchecked() && !self.proves_its_host() {
            return Some(self.id());
        }
        let mut hosts = self.hosts();
        let first = hosts.next()??;
        hosts.all(|host| host == Some(first)).then_some(first)
    }

    /// Whether an answer at a redirect URI proves that the client is of its host. A device gets its answer elsewhere.
    fn proves_its_host(&self) -> bool {
        !self.settings.device && self.hosts().all(|host| host.is_some_and(|host| !LOOPBACK.contains(&host)))
    }

    fn hosts(&self) -> impl Iterator<Item = Option<&str>> {
        self.settings.redirect_uris.iter().map(|uri| redirect_uri::host_of(uri))
    }

    /// Returns the `sid` of a session for this client. A pairwise client gets one of its own sector, or clients could
    /// compare people by their sessions. `sub`: the subject that the client knows.
    pub fn session_id<'a>(&self, session: &'a str, sub: &str) -> Cow<'a, str> {
        match self.settings.subject_type {
            SubjectType::Public => Cow::Borrowed(session),
            SubjectType::Pairwise => {
                let hash = sha256(format!("sid\n{session}\n{sub}").as_bytes());
                Cow::Owned(base64url(&hash[..16]))
            }
        }
    }
}
