//! The access token of a request: in a cookie, as `Bearer`, or as `DPoP` with a proof.

use crate::api_error::ApiError;
use crate::cookies::{self, CookieName};
use crate::state::KeyState;
use crate::tokens::AccessTokenClaims;
use http::HeaderMap;
use std::fmt;
use std::sync::Arc;
use verify::{MalformedAuthorization, Scheme};
use wire::problem::Code;

/// An access token that was not verified yet.
#[derive(Clone)]
pub struct PresentedToken {
    /// `None`: it came in a cookie.
    pub scheme: Option<Scheme>,
    pub token: String,
}

/// A token of Postern whose signature was verified before the handler, with its claims. It may have expired or be for
/// another audience.
#[derive(Debug, Clone)]
pub struct SeenToken {
    pub shown: PresentedToken,
    pub claims: Arc<AccessTokenClaims>,
}

impl PresentedToken {
    /// Reads the token of a request. A token in a header takes precedence over one in a cookie.
    ///
    /// # Errors
    /// `bad_request`: two tokens in headers. `no_session`: the text is no token.
    pub fn read(state: &KeyState, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        match verify::presented(headers) {
            Ok(Some((scheme, token))) => Ok(Some(Self { scheme: Some(scheme), token: token.to_owned() })),
            Ok(None) => Ok(Self::in_cookie(state, headers)),
            Err(malformed @ MalformedAuthorization::Request) => {
                Err(ApiError::explained(Code::BadRequest, format!("{malformed}.")))
            }
            Err(MalformedAuthorization::Token(scheme)) => Err(Self::refused(state, Some(scheme))),
        }
    }

    pub fn in_cookie(state: &KeyState, headers: &HeaderMap) -> Option<Self> {
        let good = |token: &str| state.tokens.verify_for(&state.config.origin, token, state.now()).is_some();
        Some(Self { scheme: None, token: cookies::pick(headers, &state.config, CookieName::Access, good)? })
    }

    /// Whether a token is accepted without a proof. A browser cannot prove a key when a person follows a link, so a
    /// bound token that was made for a cookie is accepted there. A program's token is not.
    pub fn fits_unproven(&self, claims: &AccessTokenClaims) -> bool {
        match (self.scheme, &claims.cnf) {
            (None | Some(Scheme::Bearer), None) => true,
            (None, Some(_)) => claims.cookie,
            (Some(Scheme::Bearer), Some(_)) | (Some(Scheme::Dpop), _) => false,
        }
    }

    /// Whether it comes with a proof of its key.
    pub fn is_dpop(&self) -> bool {
        self.scheme == Some(Scheme::Dpop)
    }

    /// Builds the answer for a client that is not signed in. It has a nonce, because a refresh or a proof needs one
    /// next.
    pub fn refusal(state: &KeyState, shown: Option<&Self>) -> ApiError {
        Self::refused(state, shown.and_then(|shown| shown.scheme))
    }

    fn refused(state: &KeyState, scheme: Option<Scheme>) -> ApiError {
        let nonce = state.keyring.nonce(state.now());
        ApiError::new(Code::NoSession).with_nonce(nonce).about_token(scheme)
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({:?})", self.scheme)
    }
}
