//! A registered client.

use crate::error::{ErrorCode, OAuthError};
use crate::redirect_uri;
use crate::scope::{SUPPORTED, Scopes};
use domain::encoding::{base64url, from_base64url, sha256};
use domain::shown_text;

pub use crate::client_settings::{AccessTokenFormat, ClientSettings, IdTokenAlg, Pkce, SubjectType};

/// Maximum number of redirect URIs, and of each other list.
const MOST_URIS: usize = 64;
/// Maximum number of characters of a name.
const LONGEST_NAME: usize = 60;
/// Minimum and maximum lifetime of clients' access tokens, in seconds.
const LIFETIME: std::ops::RangeInclusive<i64> = 30..=3600;
/// The same of ID tokens. A signing key that was replaced stays published no longer than the maximum.
const ID_TOKEN_LIFETIME: std::ops::RangeInclusive<i64> = 30..=DEFAULT_ID_TOKEN_SECONDS;
/// The same of refresh tokens: up to a year, and never longer than the session.
const REFRESH_LIFETIME: std::ops::RangeInclusive<i64> = 60..=31_536_000;
/// Default lifetime of an ID token in seconds. It says who signed in and gives no access.
const DEFAULT_ID_TOKEN_SECONDS: i64 = 600;

/// The author of a registration, which decides how far it is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientSource {
    /// The settings file.
    Settings,
    /// An administrator, by command, page or API.
    Administrator,
    /// The client itself, by dynamic registration (RFC 7591).
    Registered,
    /// A metadata document at the URL that is the client's id.
    Document,
}

impl ClientSource {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Administrator => "administrator",
            Self::Registered => "registered",
            Self::Document => "document",
        }
    }

    /// Reads the name of a source of stored clients.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Administrator, Self::Registered, Self::Document].into_iter().find(|source| source.as_str() == text)
    }
}

/// A reason why a registration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct InvalidClient {
    pub setting: &'static str,
    pub problem: String,
}

fn invalid(setting: &'static str, problem: &str) -> InvalidClient {
    InvalidClient { setting, problem: problem.to_owned() }
}

/// Checks all URIs of a client but its resources.
fn check_uris(settings: &ClientSettings) -> Result<(), InvalidClient> {
    for (setting, uris) in
        [("redirect_uris", &settings.redirect_uris), ("post_logout_redirect_uris", &settings.post_logout_redirect_uris)]
    {
        if uris.len() > MOST_URIS {
            return Err(invalid(setting, "at most 64"));
        }
        for uri in uris {
            redirect_uri::check(uri).map_err(|error| invalid(setting, &format!("{uri}: {error}")))?;
        }
    }
    for (setting, uri) in [
        ("url", &settings.url),
        ("backchannel_logout_uri", &settings.backchannel_logout_uri),
        ("jwks_uri", &settings.jwks_uri),
    ] {
        let Some(uri) = uri else { continue };
        redirect_uri::check(uri).map_err(|error| invalid(setting, &format!("{uri}: {error}")))?;
        if redirect_uri::origin(uri).is_none() {
            return Err(invalid(setting, "must be an https URL"));
        }
    }
    Ok(())
}

/// Checks how long the client's tokens are valid.
fn check_lifetimes(settings: &ClientSettings) -> Result<(), InvalidClient> {
    for (setting, seconds, range) in [
        ("access_token_seconds", settings.access_token_seconds, LIFETIME),
        ("id_token_seconds", settings.id_token_seconds, ID_TOKEN_LIFETIME),
        ("refresh_token_seconds", settings.refresh_token_seconds, REFRESH_LIFETIME),
    ] {
        if seconds.is_some_and(|seconds| !range.contains(&seconds)) {
            return Err(invalid(setting, &format!("{} to {}", range.start(), range.end())));
        }
    }
    Ok(())
}

/// A validated client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub settings: ClientSettings,
    /// SHA-256 of each valid secret. Two while one is being replaced.
    secrets: Vec<[u8; 32]>,
    pub source: ClientSource,
}

impl Client {
    /// Validates a registration. `secrets`: hashes in base64url.
    ///
    /// # Errors
    /// Names the invalid setting.
    pub fn new(settings: ClientSettings, secrets: &[String], source: ClientSource) -> Result<Self, InvalidClient> {
        let is_document = source == ClientSource::Document && redirect_uri::is_document_id(&settings.id);
        if !is_document && !is_id(&settings.id) {
            return Err(invalid("id", "1 to 64 letters, digits and . _ ~ -"));
        }
        if settings.name.as_ref().is_some_and(|name| !is_name(name)) {
            return Err(invalid("name", "1 to 60 visible characters on one line, without directional characters"));
        }
        let hash = |text: &String| from_base64url(text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let secrets: Option<Vec<_>> = secrets.iter().map(hash).collect();
        let secrets = secrets.ok_or_else(|| invalid("secret_hash", "is not a SHA-256 in base64url"))?;
        // An administrator may disable a document that was never fetched.
        let is_unknown = is_document && settings.disabled;
        if settings.redirect_uris.is_empty() && settings.introspects.is_empty() && !settings.device && !is_unknown {
            return Err(invalid("redirect_uris", "at least one is needed"));
        }
        check_uris(&settings)?;
        if let Some(unknown) = settings.scopes.iter().find(|scope| !SUPPORTED.contains(&scope.as_str())) {
            return Err(invalid("scopes", &format!("'{unknown}' is none of {}", SUPPORTED.join(", "))));
        }
        check_lifetimes(&settings)?;
        for resource in &settings.resources {
            redirect_uri::check(resource).map_err(|error| invalid("resources", &format!("{resource}: {error}")))?;
        }
        if let Some(jwks) = &settings.jwks {
            crate::jwks::check(jwks).map_err(|problem| invalid("jwks", problem))?;
            if settings.jwks_uri.is_some() {
                return Err(invalid("jwks_uri", "is instead of jwks, and not beside it"));
            }
        }
        let client = Self { settings, secrets, source };
        if client.settings.sector_identifier.as_ref().is_some_and(|host| !is_host(host)) {
            return Err(invalid("sector_identifier", "is not the name of a host"));
        }
        if client.settings.subject_type == SubjectType::Pairwise && client.sector().is_none() {
            return Err(invalid("sector_identifier", "is needed: the redirect URIs have several hosts, or none"));
        }
        if client.is_public() && client.settings.pkce == Pkce::Optional {
            return Err(invalid("pkce", "a client without a secret or keys needs PKCE"));
        }
        Ok(client)
    }

    /// Checks the name that people see, when a client is registered or changed. Names that were stored before may break
    /// these rules. `site`: the name of this site.
    ///
    /// # Errors
    /// People could not read the name, or would take an unchecked app for this site.
    pub fn check_name(&self, site: &str) -> Result<(), InvalidClient> {
        let Some(name) = &self.settings.name else { return Ok(()) };
        let foreign = || if self.is_unchecked() { shown_text::check_foreign(name, site) } else { Ok(()) };
        let checked = shown_text::check(name, LONGEST_NAME).and_then(|()| foreign());
        checked.map_err(|problem| InvalidClient { setting: "name", problem: problem.to_string() })
    }

    pub fn id(&self) -> &str {
        &self.settings.id
    }

    /// Returns the lifetime of ID tokens in seconds.
    pub fn id_token_seconds(&self) -> i64 {
        self.settings.id_token_seconds.unwrap_or(DEFAULT_ID_TOKEN_SECONDS)
    }

    /// Returns the lifetime of a grant with refresh tokens in milliseconds. `longest`: of a session.
    pub fn refresh_ms(&self, longest: i64) -> i64 {
        self.settings.refresh_token_seconds.map_or(longest, |seconds| longest.min(seconds.saturating_mul(1000)))
    }

    /// Returns the name for people.
    pub fn name(&self) -> &str {
        self.settings.name.as_deref().unwrap_or(&self.settings.id)
    }

    /// Returns the name for records: with the id, if the client chose its name itself.
    pub fn label(&self) -> String {
        if self.is_unchecked() { format!("{} ({})", self.id(), self.name()) } else { self.name().to_owned() }
    }

    /// Whether the client has neither a secret nor keys, as an app in a browser or on a phone.
    pub fn is_public(&self) -> bool {
        self.secrets.is_empty() && !self.settings.has_keys()
    }

    /// Whether nobody at this site has checked the client: it named itself.
    pub fn is_unchecked(&self) -> bool {
        matches!(self.source, ClientSource::Registered | ClientSource::Document)
    }

    /// Whether this is one of the client's secrets, in time that does not depend on where it differs.
    pub fn has_secret(&self, secret: &str) -> bool {
        let hash = sha256(secret.as_bytes());
        let same = |own: &[u8; 32]| own.iter().zip(&hash).fold(0, |different, (a, b)| different | (a ^ b)) == 0;
        self.secrets.iter().fold(false, |found, own| found | same(own))
    }

    /// Whether the client has any secret.
    pub fn uses_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Returns the number of valid secrets.
    pub fn secret_count(&self) -> usize {
        self.secrets.len()
    }

    /// Returns the requested scopes that this client may have. Others are dropped.
    pub fn allowed(&self, requested: &Scopes) -> Scopes {
        let known = requested.limited_to(&SUPPORTED.into_iter().collect());
        if self.settings.scopes.is_empty() {
            return known;
        }
        known.limited_to(&self.settings.scopes.iter().map(String::as_str).collect())
    }

    /// Whether the URI is one of the client's.
    pub fn redirects_to(&self, uri: &str) -> bool {
        self.settings.redirect_uris.iter().any(|registered| redirect_uri::matches(registered, uri))
    }

    /// Whether a person may be redirected there after signing out.
    pub fn leaves_to(&self, uri: &str) -> bool {
        self.settings.post_logout_redirect_uris.iter().any(|registered| redirect_uri::matches(registered, uri))
    }

    /// Whether the client may ask for a token for this resource. `open`: those that clients may name which nobody at this
    /// site has added.
    pub fn may_name(&self, resource: &str, open: &[String]) -> bool {
        self.resources(open).any(|allowed| allowed == resource)
    }

    /// Returns the resources for which the client may ask for a token. `open`: as in [`Self::may_name`].
    pub fn resources<'a>(&'a self, open: &'a [String]) -> impl Iterator<Item = &'a String> {
        let open = if self.is_unchecked() { open } else { &[] };
        self.settings.resources.iter().chain(open)
    }

    /// Checks the resources of a request (RFC 8707, section 2).
    ///
    /// # Errors
    /// `invalid_target`: the client may not ask for a token for one of them.
    pub fn check_resources(&self, resources: &[String], open: &[String]) -> Result<(), OAuthError> {
        match resources.iter().find(|resource| !self.may_name(resource, open)) {
            None => Ok(()),
            Some(resource) => {
                let text = format!("resource {resource} is not in the registration of this client");
                Err(OAuthError::new(ErrorCode::InvalidTarget, text))
            }
        }
    }

    /// Whether a person with one of these roles and groups may use the client. As in the rules of apps, upper and lower
    /// case are the same: no two groups differ in it alone.
    pub fn admits<'a>(&self, mut groups: impl Iterator<Item = &'a str>) -> bool {
        let wanted = &self.settings.groups;
        wanted.is_empty() || groups.any(|group| wanted.iter().any(|own| own.eq_ignore_ascii_case(group)))
    }
}

/// Returns the hash of a secret, as it is stored.
pub fn secret_hash(secret: &str) -> String {
    base64url(&sha256(secret.as_bytes()))
}

fn is_id(id: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'~' | b'-');
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

fn is_name(name: &str) -> bool {
    // Control characters for the writing direction could hide the text around a name.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.trim().is_empty() && !name.chars().any(hidden)
}

/// Whether a text is a host name or address without a port.
fn is_host(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-' | b':' | b'[' | b']');
    (1..=253).contains(&text.len())
        && text.bytes().all(plain)
        && redirect_uri::host_of(&format!("https://{text}/")) == Some(text)
}
