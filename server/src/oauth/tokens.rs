//! Tokens for clients: ID tokens, and access tokens as JWT (RFC 9068) or opaque.

use crate::keyring::{Keyring, KeyringError, SigningKey};
use crate::tokens::issued_at;
use domain::UnixMs;
use domain::UnixSeconds;
use domain::encoding::{base64url, from_base64url, sha256};
use domain::thumbprint::Thumbprint;
use oidc::access_token::{OpaqueToken, Targets};
use oidc::client::{AccessTokenFormat, IdTokenAlg};
use oidc::error::{ErrorCode, OAuthError};
use oidc::exchange::id_token_issued_at;
use oidc::logout::Hint;
use oidc::scope::OPENID;
use oidc::{Client, Scopes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use verify::{TYP, UnverifiedToken};

/// Maximum length of a token.
pub(crate) const LONGEST_TOKEN: usize = 8192;

/// A signer and verifier of clients' tokens.
#[derive(Clone)]
pub struct ClientTokens {
    keyring: Arc<Keyring>,
    issuer: String,
    /// Default lifetime of access tokens in seconds.
    lifetime: i64,
}

/// The claims of an access token. The portal's own API does not accept it, because its `aud` is another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClientTokenClaims {
    pub iss: String,
    pub aud: Value,
    pub sub: String,
    pub client_id: String,
    pub scope: String,
    pub exp: UnixSeconds,
    pub iat: UnixSeconds,
    pub jti: String,
    pub sid: String,
    /// The grant, and the number of its refresh.
    pub gid: String,
    #[serde(rename = "gen")]
    pub generation: u32,
    pub auth_time: UnixSeconds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<crate::tokens::Confirmation>,
}

/// A genuine access token of a client that has not expired. Whether its grant is live is checked elsewhere.
#[derive(Debug, Clone)]
pub struct ClientToken {
    /// The grant's id.
    pub grant: String,
    pub generation: u32,
    pub scopes: Scopes,
    pub exp: UnixSeconds,
    /// The audiences that the token names, if it is a JWT.
    pub aud: Option<Value>,
    /// Its resources among those of the grant, if it is opaque.
    pub targets: Targets,
}

/// The content of an access token.
#[derive(Debug)]
pub struct AccessSubject<'a> {
    pub grant: &'a [u8; 16],
    pub generation: u32,
    pub user: &'a str,
    pub session: &'a str,
    pub scopes: &'a Scopes,
    pub resources: &'a [String],
    pub details: &'a oidc::exchange::GrantDetails,
    pub jkt: Option<Thumbprint>,
    pub jti: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientTokenError {
    #[error(transparent)]
    Key(#[from] KeyringError),
    #[error("a token could not be signed")]
    Sign(#[from] jose::Error),
    /// `keys.signing_algorithm` was changed.
    #[error("the client's id_token_alg is {0}, and this server has no such key any more")]
    Algorithm(&'static str),
}

impl ClientTokens {
    pub fn new(keyring: Arc<Keyring>, issuer: &str, lifetime_ms: i64) -> Self {
        Self { keyring, issuer: issuer.to_owned(), lifetime: lifetime_ms.div_euclid(1000) }
    }

    /// Returns the lifetime of the client's access tokens in seconds.
    pub fn lifetime(&self, client: &Client) -> i64 {
        // A signing key that was replaced stays valid no longer than this.
        let longest = domain::server_key::LONGEST_TOKEN_MS.div_euclid(1000);
        let wanted = client.settings.access_token_seconds.unwrap_or(self.lifetime);
        if client.settings.access_token == AccessTokenFormat::Jwt { wanted.min(longest) } else { wanted }
    }

    /// Issues an access token and returns its lifetime in seconds.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn access(
        &self,
        client: &Client,
        subject: AccessSubject<'_>,
        now: UnixMs,
    ) -> Result<(String, i64), ClientTokenError> {
        let (iat, lifetime) = (issued_at(now), self.lifetime(client));
        let exp = now.to_seconds() + lifetime;
        if client.settings.access_token == AccessTokenFormat::Opaque {
            let token = OpaqueToken {
                grant: *subject.grant,
                generation: subject.generation,
                expires_at: exp,
                scopes: subject.scopes.clone(),
                targets: Targets::among(&subject.details.resources, subject.resources),
            };
            return Ok((token.reveal(&self.keyring.macs(now)?.oauth_access), lifetime));
        }
        let aud = match subject.resources {
            [] => Value::from(client.id()),
            [one] => Value::from(one.as_str()),
            more => Value::from(more.to_vec()),
        };
        let claims = ClientTokenClaims {
            iss: self.issuer.clone(),
            aud,
            sub: subject.user.to_owned(),
            client_id: client.id().to_owned(),
            scope: subject.scopes.to_string(),
            exp,
            iat,
            jti: subject.jti,
            sid: subject.session.to_owned(),
            gid: base64url(subject.grant),
            generation: subject.generation,
            auth_time: subject.details.auth_time,
            acr: subject.details.acr.clone(),
            amr: subject.details.amr.clone(),
            cnf: subject.jkt.map(|jkt| crate::tokens::Confirmation { jkt }),
        };
        Ok((self.keyring.signing(now)?.sign(TYP, &claims)?, lifetime))
    }

    /// Issues an ID token with these claims about the person.
    ///
    /// # Errors
    /// The key cannot sign, or is of another algorithm than the client expects.
    pub fn id_token(
        &self,
        client: &Client,
        person: Map<String, Value>,
        session: &str,
        details: &oidc::exchange::GrantDetails,
        access_token: &str,
        now: UnixMs,
    ) -> Result<String, ClientTokenError> {
        let alg = client.settings.id_token_alg;
        let mut claims = person;
        let mut add = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        add("iss", self.issuer.clone().into());
        add("aud", client.id().into());
        let seconds = now.to_seconds();
        add("exp", (seconds + client.id_token_seconds()).as_seconds().into());
        add("iat", id_token_issued_at(issued_at(now), details.auth_time, seconds).as_seconds().into());
        add("auth_time", details.auth_time.as_seconds().into());
        add("sid", session.into());
        if let Some(nonce) = &details.nonce {
            add("nonce", nonce.clone().into());
        }
        if let Some(acr) = &details.acr {
            add("acr", acr.clone().into());
        }
        if !details.amr.is_empty() {
            add("amr", details.amr.clone().into());
        }
        // For EdDSA the hash is not defined in the same way everywhere.
        if alg != IdTokenAlg::EdDsa {
            add("at_hash", base64url(&sha256(access_token.as_bytes())[..16]).into());
        }
        self.sign_id(alg, "JWT", &claims, now)
    }

    /// Signs claims with the key of an ID token algorithm.
    ///
    /// # Errors
    /// As [`Self::id_token`].
    pub fn sign_id(
        &self,
        alg: IdTokenAlg,
        typ: &str,
        claims: &Map<String, Value>,
        now: UnixMs,
    ) -> Result<String, ClientTokenError> {
        Ok(self.id_key(alg, now)?.sign(typ, claims)?)
    }

    fn id_key(&self, alg: IdTokenAlg, now: UnixMs) -> Result<Arc<SigningKey>, ClientTokenError> {
        match alg {
            IdTokenAlg::Rs256 => Ok(self.keyring.id_token(now)?),
            IdTokenAlg::Es256 | IdTokenAlg::EdDsa => {
                self.keyring.signing_with(alg.as_str(), now).ok_or(ClientTokenError::Algorithm(alg.as_str()))
            }
        }
    }

    /// Checks that tokens with these scopes can be signed for the client. A code that was spent without an answer would
    /// look stolen when the client tries again.
    ///
    /// # Errors
    /// The server has no key. The inner error is the client's: its `id_token_alg` is no longer available.
    pub fn check(
        &self,
        client: &Client,
        scopes: &Scopes,
        now: UnixMs,
    ) -> Result<Result<(), OAuthError>, ClientTokenError> {
        self.keyring.signing(now)?;
        self.keyring.macs(now)?;
        if !scopes.contains(OPENID) {
            return Ok(Ok(()));
        }
        match self.id_key(client.settings.id_token_alg, now) {
            Err(error @ ClientTokenError::Algorithm(_)) => {
                tracing::warn!(client = client.id(), cause = %error, "a client cannot sign anybody in");
                let text = format!("{error}: an administrator must change it");
                Ok(Err(OAuthError::new(ErrorCode::UnauthorizedClient, text)))
            }
            found => found.map(|_| Ok(())),
        }
    }

    /// Reads an access token. `None`: this server did not issue it, or it has expired.
    pub fn read(&self, token: &str, now: UnixMs) -> Option<ClientToken> {
        let read =
            |token: &str| self.keyring.authentic(now, |macs| OpaqueToken::authenticate(&macs.oauth_access, token));
        let seconds = now.to_seconds();
        if let Some(OpaqueToken { grant, generation, expires_at, scopes, targets }) = read(token) {
            let grant = base64url(&grant);
            let token = ClientToken { grant, generation, scopes, exp: expires_at, aud: None, targets };
            return (seconds < token.exp).then_some(token);
        }
        let claims = self.claims(token, now)?;
        (claims.iss == self.issuer && seconds < claims.exp).then(|| ClientToken {
            grant: claims.gid,
            generation: claims.generation,
            scopes: Scopes::parse(&claims.scope),
            exp: claims.exp,
            aud: Some(claims.aud),
            targets: Targets::All,
        })
    }

    fn claims(&self, token: &str, now: UnixMs) -> Option<ClientTokenClaims> {
        let token = UnverifiedToken::parse(token, TYP, LONGEST_TOKEN).ok()?;
        let key = self.keyring.verifying(token.kid(), now)?;
        token.claims(&key.verifying).ok()
    }

    /// Reads an ID token that a client shows again. It may have expired, and its key may have been replaced. `None`: this
    /// server did not sign it, or its key was revoked.
    pub fn hint(&self, token: &str, now: UnixMs) -> Option<Hint> {
        #[derive(Deserialize)]
        struct Header {
            kid: String,
            typ: Option<String>,
        }
        #[derive(Deserialize)]
        struct Claims {
            iss: String,
            aud: String,
            sub: String,
            sid: Option<String>,
        }
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let header: Header = serde_json::from_slice(&from_base64url(token.split_once('.')?.0)?).ok()?;
        // Other tokens of the same keys have types of their own.
        if header.typ.as_deref() != Some("JWT") {
            return None;
        }
        let claims: Claims = self.keyring.verifying_hint(&header.kid, now)?.verify(token).ok()?;
        (claims.iss == self.issuer).then_some(Hint { client: claims.aud, sub: claims.sub, session: claims.sid })
    }

    /// Returns the algorithms of the other signing keys, for discovery.
    pub fn signing_algorithms(&self, now: UnixMs) -> Vec<&'static str> {
        self.keyring.signing_algorithms(now)
    }
}

impl std::fmt::Debug for ClientTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientTokens(..)")
    }
}
