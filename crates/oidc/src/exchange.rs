//! Token requests (OAuth 2.1, section 3.2).

use crate::claims::scopes_of;
use crate::client::Client;
use crate::error::{ErrorCode, OAuthError};
use crate::params::Params;
use crate::pkce;
use crate::redirect_uri;
use crate::scope::{OFFLINE_ACCESS, Scopes};
use domain::UnixMs;
use domain::UnixSeconds;
use domain::thumbprint::Thumbprint;
use serde::{Deserialize, Serialize};

/// Lifetime of a code in milliseconds.
pub const CODE_MS: i64 = 60_000;
/// Period that a used code is remembered, so that its second use revokes the grant of the first one.
pub const USED_CODE_MS: i64 = 24 * 60 * 60_000;

/// The `grant_type` of a request, with its parameters.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenRequest {
    Code {
        code: String,
        redirect_uri: Option<String>,
        verifier: Option<String>,
        resources: Vec<String>,
    },
    /// A device asks for its tokens (RFC 8628, section 3.4).
    Device {
        code: String,
        resources: Vec<String>,
    },
    Refresh {
        token: String,
        scope: Option<Scopes>,
        resources: Vec<String>,
    },
}

impl TokenRequest {
    /// Reads a token request.
    ///
    /// # Errors
    /// `invalid_request` or `unsupported_grant_type`.
    pub fn read(params: &Params) -> Result<Self, OAuthError> {
        let needed = |name: &str| {
            let missing = || OAuthError::new(ErrorCode::InvalidRequest, format!("{name} is missing"));
            params.get(name).map(str::to_owned).ok_or_else(missing)
        };
        match params.get("grant_type") {
            Some("authorization_code") => Ok(Self::Code {
                code: needed("code")?,
                redirect_uri: params.get("redirect_uri").map(str::to_owned),
                verifier: params.get("code_verifier").map(str::to_owned),
                resources: params.resources(),
            }),
            Some("refresh_token") => Ok(Self::Refresh {
                token: needed("refresh_token")?,
                scope: params.get("scope").map(Scopes::parse),
                resources: params.resources(),
            }),
            Some(crate::device::GRANT_TYPE) => {
                Ok(Self::Device { code: needed("device_code")?, resources: params.resources() })
            }
            Some(_) => {
                let text = "only authorization_code, refresh_token and device_code are supported";
                Err(OAuthError::new(ErrorCode::UnsupportedGrantType, text))
            }
            None => Err(OAuthError::new(ErrorCode::InvalidRequest, "grant_type is missing")),
        }
    }
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code { .. } => "Code(..)",
            Self::Device { .. } => "Device(..)",
            Self::Refresh { .. } => "Refresh(..)",
        })
    }
}

/// The stored part of an authorization request, which its tokens depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantDetails {
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When the person signed in.
    pub auth_time: UnixSeconds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Claims of the `claims` parameter for the ID token, and for userinfo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
}

impl GrantDetails {
    /// Returns the scopes whose data its tokens give. A claim that was requested by name counts as its scope.
    pub fn consent_scopes(&self) -> Scopes {
        Scopes::parse(&self.scope).with(&scopes_of(self.id_token.iter().chain(&self.userinfo)))
    }
}

/// A stored code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFacts<'a> {
    pub client: &'a str,
    pub redirect_uri: &'a str,
    pub code_challenge: Option<&'a str>,
    pub dpop_jkt: Option<Thumbprint>,
    pub expires_at: UnixMs,
    pub used: bool,
}

/// The decision about a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeVerdict {
    Good,
    /// A second use by the code's own client. The grant of the first use is revoked.
    Reused,
    Refused(OAuthError),
}

/// Checks a code that `client` presents. `jkt`: the thumbprint of the proven key, if any.
pub fn judge_code(
    code: &CodeFacts<'_>,
    client: &Client,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
    jkt: Option<Thumbprint>,
    now: UnixMs,
) -> CodeVerdict {
    let refused = |text: &str| CodeVerdict::Refused(OAuthError::new(ErrorCode::InvalidGrant, text));
    if code.client != client.id() {
        return refused("the code was issued to another client");
    }
    if code.used {
        return CodeVerdict::Reused;
    }
    if now >= code.expires_at {
        return refused("the code has expired");
    }
    match redirect_uri {
        Some(uri) if uri == code.redirect_uri => {}
        Some(uri) if redirect_uri::matches(code.redirect_uri, uri) => {
            return refused("redirect_uri has another port than in the authorization request");
        }
        Some(_) => return refused("redirect_uri differs from the one in the authorization request"),
        // OAuth 2.1 leaves it out, because PKCE protects the same.
        None if code.code_challenge.is_some() => {}
        None => return refused("redirect_uri is missing"),
    }
    if !pkce::fits(code.code_challenge, verifier) {
        return refused(match (code.code_challenge, verifier) {
            (Some(_), None) => "code_verifier is missing",
            (None, _) => "code_verifier without a code_challenge in the authorization request",
            (Some(_), Some(_)) => "code_verifier does not fit the code_challenge",
        });
    }
    if code.dpop_jkt.is_some() && code.dpop_jkt != jkt {
        return refused("the code is bound to another key than the one of the DPoP proof");
    }
    CodeVerdict::Good
}

/// Returns the scopes of a refresh: those of the grant, or fewer.
///
/// # Errors
/// `invalid_scope`: more than the person agreed to.
pub fn narrowed(granted: &Scopes, requested: Option<&Scopes>) -> Result<Scopes, OAuthError> {
    match requested {
        None => Ok(granted.clone()),
        Some(none) if none.is_empty() => Err(OAuthError::new(ErrorCode::InvalidScope, "scope names no scope")),
        Some(fewer) if fewer.is_within(granted) => Ok(fewer.clone()),
        Some(_) => Err(OAuthError::new(ErrorCode::InvalidScope, "a refresh cannot add scopes")),
    }
}

/// Returns the granted scopes that the client may still have. An administrator may have taken some away since.
///
/// # Errors
/// `invalid_grant`: none is left.
pub fn still_allowed(client: &Client, granted: &Scopes) -> Result<Scopes, OAuthError> {
    let scopes = client.allowed(granted);
    if scopes.is_empty() {
        let text = "this client may no longer have the granted scopes";
        return Err(OAuthError::new(ErrorCode::InvalidGrant, text));
    }
    Ok(scopes)
}

/// Returns the resources that the client may still name. `open`: those that clients may name which nobody at this site has
/// added.
///
/// # Errors
/// `invalid_target`: none is left.
pub fn still_named(client: &Client, targets: Vec<String>, open: &[String]) -> Result<Vec<String>, OAuthError> {
    let had_some = !targets.is_empty();
    let left: Vec<_> = targets.into_iter().filter(|resource| client.may_name(resource, open)).collect();
    if had_some && left.is_empty() {
        let text = "this client may no longer name the granted resources";
        return Err(OAuthError::new(ErrorCode::InvalidTarget, text));
    }
    Ok(left)
}

/// Returns the resources of a token request: those of the grant, or fewer (RFC 8707, section 2.2).
///
/// # Errors
/// `invalid_target`
pub fn targets(granted: &[String], requested: &[String]) -> Result<Vec<String>, OAuthError> {
    if requested.is_empty() {
        return Ok(granted.to_vec());
    }
    match requested.iter().find(|resource| !granted.contains(resource)) {
        None => Ok(requested.to_vec()),
        Some(resource) => {
            let text = format!("resource {resource} was not in the authorization request");
            Err(OAuthError::new(ErrorCode::InvalidTarget, text))
        }
    }
}

/// Returns the `iat` of an ID token. `backdated`: somewhat before `now`, for clients whose clocks are slow.
///
/// It is not before the sign-in, because some clients refuse a token that is older than its `auth_time`. It is never in the
/// future either, because a node with a fast clock may have recorded the sign-in.
pub fn id_token_issued_at(backdated: UnixSeconds, auth_time: UnixSeconds, now: UnixSeconds) -> UnixSeconds {
    backdated.max(auth_time).min(now)
}

/// Whether a grant gets a refresh token.
pub fn gets_refresh_token(scopes: &Scopes) -> bool {
    scopes.contains(OFFLINE_ACCESS)
}
