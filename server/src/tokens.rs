//! Access tokens: JWT in the profile of RFC 9068, verified once and cached.

use crate::cache_counts::CacheCounts;
use crate::config::Config;
use crate::keyring::{self, Keyring};
use domain::UnixMs;
use domain::UnixSeconds;
use domain::authentication::Authentication;
use domain::encoding::sha256;
use domain::ids::{SessionId, UserId};
use domain::profile::DisplayName;
use domain::thumbprint::Thumbprint;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::profiles::Profile;
use verify::{TYP, UnverifiedToken};

/// Clock tolerance in both directions.
const SKEW_SECONDS: i64 = 30;
const LONGEST_TOKEN: usize = 4096;
/// Number of cached tokens, of about a kilobyte each.
const REMEMBERED: usize = 20_000;

/// The claims of an access token. Times are in seconds (RFC 7519, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    pub iss: String,
    pub aud: String,
    pub sub: UserId,
    pub preferred_username: String,
    pub exp: UnixSeconds,
    pub iat: UnixSeconds,
    pub nbf: UnixSeconds,
    pub jti: String,
    /// The session, and its refresh generation.
    pub sid: SessionId,
    #[serde(rename = "gen")]
    pub generation: u32,
    pub client_id: String,
    pub roles: Vec<String>,
    /// When the person was last authenticated. Absent from tokens of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<UnixSeconds>,
    /// The methods of that authentication (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The level of that authentication, by `domain::authentication`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The key that the session is bound to (RFC 7800, section 3.1; RFC 9449, section 6.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// The person's profile, for apps, in the standard claims of `OpenID` Connect Core 1.0, section 5.1.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonClaims>,
    /// Made for a browser's cookie, where it needs no proof of the key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cookie: bool,
}

/// The claims about a person in tokens for apps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonClaims {
    /// The display name, or the account's name without one.
    pub name: String,
    /// The e-mail address, if it is proved or vouched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `true` with an address. Apps that ignore this claim never see an unproved address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    pub groups: Vec<String>,
}

impl AccessTokenClaims {
    /// Whether verified claims are for this audience and in time.
    pub fn are_for(&self, audience: &str, now: UnixMs) -> bool {
        let now = now.to_seconds();
        // The issuer uses its own clock, so there is no tolerance after the end.
        self.aud == audience && now < self.exp && self.nbf <= now + SKEW_SECONDS
    }
}

impl PersonClaims {
    pub fn of(username: &str, profile: &Profile) -> Self {
        let email = profile.email.as_ref().filter(|email| email.state.is_reliable());
        Self {
            name: profile.display_name.as_ref().map_or(username, DisplayName::as_str).to_owned(),
            email: email.map(|email| email.address.to_string()),
            email_verified: email.map(|_| true),
            groups: profile.groups.iter().map(ToString::to_string).collect(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub jkt: Thumbprint,
}

/// The subject of a token.
#[derive(Debug, Clone)]
pub struct TokenSubject<'a> {
    pub user: &'a UserId,
    pub username: &'a str,
    pub role: &'a str,
    pub session: &'a SessionId,
    pub generation: u32,
    pub jkt: Option<Thumbprint>,
    pub authentication: Authentication,
    /// The claims about the person, in tokens for apps.
    pub person: Option<&'a PersonClaims>,
    /// Whether it is for a cookie.
    pub cookie: bool,
    pub jti: String,
}

/// A signer and verifier of access tokens.
#[derive(Clone)]
pub struct Tokens {
    keyring: Arc<Keyring>,
    issuer: String,
    lifetime_ms: i64,
    /// Verified tokens by their SHA-256. A signature costs four fifths of a session check. Writing to this cache must
    /// be cheap, because tokens that are used once are written and never read.
    verified: Arc<Cache<[u8; 32], VerifiedToken>>,
    counts: CacheCounts,
}

/// A token whose signature was valid at a number of revocations.
#[derive(Clone)]
struct VerifiedToken {
    revocations: u64,
    claims: Arc<AccessTokenClaims>,
}

#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Key(#[from] keyring::KeyringError),
    #[error("a token could not be signed")]
    Sign(#[from] jose::Error),
}

impl Tokens {
    pub fn new(keyring: Arc<Keyring>, config: &Config) -> Self {
        Self {
            keyring,
            issuer: config.origin.clone(),
            lifetime_ms: config.settings.session.access.ms(),
            verified: Arc::new(Cache::new(REMEMBERED)),
            counts: CacheCounts::default(),
        }
    }

    /// Signs a token and returns its expiry.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, subject: TokenSubject<'_>, now: UnixMs) -> Result<(String, UnixMs), SignError> {
        self.sign_for(&self.issuer, subject, now)
    }

    /// Signs a token for an app; `audience` is its origin.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign_for(
        &self,
        audience: &str,
        subject: TokenSubject<'_>,
        now: UnixMs,
    ) -> Result<(String, UnixMs), SignError> {
        let (iat, exp) = (issued_at(now), (now + self.lifetime_ms).to_seconds());
        let claims = AccessTokenClaims {
            iss: self.issuer.clone(),
            aud: audience.to_owned(),
            sub: subject.user.to_owned(),
            preferred_username: subject.username.to_owned(),
            exp,
            iat,
            nbf: iat,
            jti: subject.jti,
            sid: subject.session.to_owned(),
            generation: subject.generation,
            client_id: "postern".to_owned(),
            roles: vec![subject.role.to_owned()],
            auth_time: Some(subject.authentication.auth_time()),
            amr: subject.authentication.methods.amr().into_iter().map(str::to_owned).collect(),
            acr: Some(subject.authentication.methods.acr().to_owned()),
            cnf: subject.jkt.map(|jkt| Confirmation { jkt }),
            person: subject.person.cloned(),
            cookie: subject.cookie,
        };
        Ok((self.keyring.signing(now)?.sign(TYP, &claims)?, exp.to_millis()))
    }

    /// Signs a ticket.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign_ticket(&self, claims: &wire::tickets::TicketClaims, now: UnixMs) -> Result<String, SignError> {
        Ok(self.keyring.signing(now)?.sign(wire::tickets::TYP, claims)?)
    }

    /// Returns the claims of a token that this server signed and that has not expired. Whether its session still
    /// accepts it is checked elsewhere, on every request. `audience`: our own origin, or an app's.
    pub fn verify_for(&self, audience: &str, token: &str, now: UnixMs) -> Option<Arc<AccessTokenClaims>> {
        self.known(token, now).filter(|claims| claims.are_for(audience, now))
    }

    /// Returns the claims of a token that this server signed, of any time and audience. An unknown token is verified
    /// only if `may_verify` allows it.
    pub fn known_or(&self, token: &str, now: UnixMs, may_verify: impl Fn() -> bool) -> Option<Arc<AccessTokenClaims>> {
        let revocations = self.keyring.revocations();
        let hash = sha256(token.as_bytes());
        match self.verified.get(&hash).filter(|known| known.revocations == revocations) {
            Some(known) => {
                self.counts.hits.inc();
                Some(known.claims)
            }
            None if parse(token).is_some() && may_verify() => self.known(token, now),
            None => None,
        }
    }

    /// Returns the claims, even of an expired token.
    pub fn verify_signature(&self, token: &str, now: UnixMs) -> Option<Arc<AccessTokenClaims>> {
        self.known(token, now).filter(|claims| claims.aud == self.issuer)
    }

    fn known(&self, token: &str, now: UnixMs) -> Option<Arc<AccessTokenClaims>> {
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let hash = sha256(token.as_bytes());
        // Read before the key look-up, so that a concurrent revocation invalidates the cached result.
        let revocations = self.keyring.revocations();
        if let Some(known) = self.verified.get(&hash).filter(|known| known.revocations == revocations) {
            self.counts.hits.inc();
            return Some(known.claims);
        }
        self.counts.misses.inc();
        let claims = Arc::new(self.decode(token, now)?);
        self.verified.insert(hash, VerifiedToken { revocations, claims: Arc::clone(&claims) });
        Some(claims)
    }

    /// Whether the token names a key that this process does not know.
    pub fn has_unknown_key(&self, token: &str, now: UnixMs) -> bool {
        parse(token).is_some_and(|token| !self.keyring.knows(token.kid(), now))
    }

    /// Returns a token's lifetime in milliseconds.
    pub fn lifetime_ms(&self) -> i64 {
        self.lifetime_ms
    }

    /// Returns how often a signature was cached.
    pub fn cache(&self) -> &CacheCounts {
        &self.counts
    }

    fn decode(&self, token: &str, now: UnixMs) -> Option<AccessTokenClaims> {
        let token = parse(token)?;
        let key = self.keyring.verifying(token.kid(), now)?;
        let claims: AccessTokenClaims = token.claims(&key.verifying).ok()?;
        (claims.iss == self.issuer).then_some(claims)
    }
}

/// Returns a token's `iat` and `nbf`. They are slightly in the past for readers with slow clocks, because some refuse a
/// token from their future.
pub fn issued_at(now: UnixMs) -> UnixSeconds {
    now.to_seconds() - SKEW_SECONDS
}

fn parse(token: &str) -> Option<UnverifiedToken<'_>> {
    UnverifiedToken::parse(token, TYP, LONGEST_TOKEN).ok()
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}
