//! The credentials of a client at the token endpoint and related ones (RFC 6749, section 2.3; RFC 7523).

use crate::client::Client;
use crate::error::{ErrorCode, OAuthError};
use crate::params::Params;
use base64ct::{Base64, Encoding};
use domain::UnixSeconds;
use domain::encoding::sha256;

/// The type of a `client_assertion` (RFC 7523, section 2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Maximum number of seconds until an assertion expires.
const LONGEST_ASSERTION: i64 = 600;
/// Tolerance for the client's clock, in seconds.
const SKEW: i64 = 30;
/// The values of `typ` in an assertion's header. Other JWTs that the client signs are no assertions.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// The credentials of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// `client_secret_basic` or `client_secret_post`: a client may use either.
    /// `unencoded`: the password of Basic as it was sent.
    Secret { client_id: String, secret: String, unencoded: Option<String> },
    /// `private_key_jwt`.
    Assertion { client_id: String, jwt: String },
    /// A public client names itself.
    None { client_id: String },
}

/// The reason why a client's authentication failed, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongCredentials {
    #[error("no client has this id, or it is disabled")]
    UnknownClient,
    #[error("the request has a secret, and the client has none: it is public")]
    NoSecretRegistered,
    #[error("the secret is wrong")]
    WrongSecret,
    #[error("the request has no secret, and the client has one")]
    SecretMissing,
    #[error("the client has keys, so it must send a client_assertion")]
    KeysExpected,
    #[error("the request has a client_assertion, and the client has no keys")]
    NoKeysRegistered,
    #[error("none of the client's keys has signed the client_assertion, or its header is wrong")]
    WrongSignature,
    #[error("the claims of the client_assertion are wrong: iss, sub, aud, exp, nbf or jti")]
    WrongClaims,
    #[error("the client_assertion was used before")]
    UsedAssertion,
}

/// The claims of an assertion that are read.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct AssertionClaims {
    pub iss: String,
    pub sub: String,
    pub aud: serde_json::Value,
    pub exp: UnixSeconds,
    #[serde(default)]
    pub nbf: Option<UnixSeconds>,
    pub jti: String,
}

impl Credentials {
    /// Reads the credentials of a request. `authorization`: its header, if it has one.
    ///
    /// # Errors
    /// `invalid_client`, or `invalid_request` for two ways at once.
    pub fn read(authorization: Option<&str>, params: &Params) -> Result<Self, OAuthError> {
        let invalid = |text: &str| OAuthError::new(ErrorCode::InvalidRequest, text);
        if let Some(name) = params.repeated() {
            return Err(invalid(&format!("{name} occurs more than once")));
        }
        let (id, secret) = (params.get("client_id"), params.get("client_secret"));
        let assertion = params.get("client_assertion");
        let basic = authorization.and_then(|header| strip_scheme(header, "Basic"));
        match (basic, secret, assertion) {
            (Some(basic), None, None) => {
                let (client_id, secret, unencoded) = decode_basic(basic)
                    .ok_or_else(|| OAuthError::new(ErrorCode::InvalidClient, "the Basic credentials are malformed"))?;
                if id.is_some_and(|id| id != client_id) {
                    return Err(invalid("client_id differs from the one in the Authorization header"));
                }
                // Some libraries of public clients send an empty password.
                if secret.is_empty() {
                    return Ok(Self::None { client_id });
                }
                Ok(Self::Secret { client_id, secret, unencoded: Some(unencoded) })
            }
            (None, Some(secret), None) => {
                let client_id = id.ok_or_else(|| invalid("client_secret without client_id"))?.to_owned();
                Ok(Self::Secret { client_id, secret: secret.to_owned(), unencoded: None })
            }
            (None, None, Some(jwt)) => {
                if params.get("client_assertion_type") != Some(JWT_BEARER) {
                    return Err(invalid("client_assertion_type must be the one of RFC 7523"));
                }
                let claimed = unverified_subject(jwt)
                    .ok_or_else(|| OAuthError::new(ErrorCode::InvalidClient, "the client_assertion is not a JWT"))?;
                if id.is_some_and(|id| id != claimed) {
                    return Err(invalid("client_id differs from the one of the client_assertion"));
                }
                Ok(Self::Assertion { client_id: claimed, jwt: jwt.to_owned() })
            }
            (None, None, None) => {
                let client_id = id.ok_or_else(|| {
                    OAuthError::new(ErrorCode::InvalidClient, "the request names no client: client_id is missing")
                })?;
                Ok(Self::None { client_id: client_id.to_owned() })
            }
            _ => Err(invalid("the client authenticates in two ways at once (RFC 6749, section 2.3)")),
        }
    }

    pub fn client_id(&self) -> &str {
        let (Self::Secret { client_id, .. } | Self::Assertion { client_id, .. } | Self::None { client_id }) = self;
        client_id
    }

    /// Hashes the secret as [`Self::check`] does, for a client that does not exist. Otherwise the time of the answer would
    /// tell which clients exist.
    pub fn hash_for_nobody(&self) {
        if let Self::Secret { secret, unencoded, .. } = self {
            for secret in std::iter::once(secret).chain(unencoded) {
                std::hint::black_box(sha256(std::hint::black_box(secret.as_bytes())));
            }
        }
    }

    /// Whether these are credentials of the client.
    pub fn fit(&self, client: &Client) -> bool {
        self.check(client).is_ok()
    }

    /// Checks whether these are credentials of the client. An assertion's signature is checked elsewhere. A client with keys
    /// cannot fall back to the secret that it had before.
    ///
    /// # Errors
    /// The reason for the log. The client gets the same answer for each.
    pub fn check(&self, client: &Client) -> Result<(), WrongCredentials> {
        match self {
            Self::Secret { .. } | Self::None { .. } if client.settings.has_keys() => {
                Err(WrongCredentials::KeysExpected)
            }
            Self::Secret { .. } if !client.uses_secret() => Err(WrongCredentials::NoSecretRegistered),
            Self::Secret { secret, unencoded, .. } => {
                let is_own = |secret: &String| client.has_secret(secret);
                // Both are always hashed, as for a client that does not exist.
                let is_right = is_own(secret) | unencoded.as_ref().is_some_and(is_own);
                if is_right { Ok(()) } else { Err(WrongCredentials::WrongSecret) }
            }
            Self::Assertion { .. } if client.settings.has_keys() => Ok(()),
            Self::Assertion { .. } => Err(WrongCredentials::NoKeysRegistered),
            Self::None { .. } if client.uses_secret() => Err(WrongCredentials::SecretMissing),
            Self::None { .. } => Ok(()),
        }
    }
}

impl AssertionClaims {
    /// Whether a verified assertion is the client's, for this server, and in time (RFC 7523, section 3).
    pub fn are_of(&self, client: &str, audiences: &[&str], now: UnixSeconds) -> bool {
        let named = |name: &str| audiences.contains(&name);
        // With a second audience, that server could use the assertion here.
        let for_us = match &self.aud {
            serde_json::Value::String(one) => named(one),
            serde_json::Value::Array(all) => matches!(&all[..], [serde_json::Value::String(one)] if named(one)),
            _ => false,
        };
        let has_begun = self.nbf.is_none_or(|nbf| nbf <= now + SKEW);
        let in_time = has_begun && now < self.exp + SKEW && self.exp <= now + LONGEST_ASSERTION + SKEW;
        self.iss == client && self.sub == client && for_us && in_time && (1..=256).contains(&self.jti.len())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.client_id())
    }
}

/// Whether the header of a JWT is that of an assertion. Without `typ` it may be one. `crit` names extensions that this
/// server does not know (RFC 7515, section 4.1.11).
pub fn has_assertion_header(jwt: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Header {
        typ: Option<String>,
        crit: Option<serde_json::Value>,
    }
    let header = jwt.split('.').next().and_then(domain::encoding::from_base64url);
    let header = header.and_then(|header| serde_json::from_slice::<Header>(&header).ok());
    let is_type = |typ: &str| TYPES.iter().any(|own| own.eq_ignore_ascii_case(typ));
    header.is_some_and(|header| header.crit.is_none() && header.typ.as_deref().is_none_or(is_type))
}

/// Returns the text after a scheme, which has any case.
pub fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (own, rest) = header.split_once(' ')?;
    own.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Decodes the credentials of Basic: id, secret, and the secret as it was sent. Id and secret are form-encoded before Base64
/// (RFC 6749, section 2.3.1). Many clients leave that out, which changes a secret with `+` or `%`.
fn decode_basic(text: &str) -> Option<(String, String, String)> {
    let text = String::from_utf8(Base64::decode_vec(text).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret), secret.to_owned()))
}

fn form_decoded(text: &str) -> String {
    let pair = format!("v={}", text.replace('&', "%26").replace('=', "%3D"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Reads the subject of a JWT whose signature was not checked, to find the client whose keys check it.
fn unverified_subject(jwt: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Subject {
        sub: String,
    }
    let mut parts = jwt.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = domain::encoding::from_base64url(claims)?;
    serde_json::from_slice::<Subject>(&claims).ok().map(|subject| subject.sub)
}
