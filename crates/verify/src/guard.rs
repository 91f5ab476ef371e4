//! The check before an app's handlers: a valid access token, and a proof if it is bound.

use crate::access::{AccessToken, TYP};
use crate::clock::Clock;
use crate::dpop::{self, Proof};
use crate::fetch::FetchError;
use crate::jwks::Jwks;
use crate::nonce;
use crate::presented::{MalformedAuthorization, presented};
use crate::refusal::{Refusal, RefusalReason, Scheme};
use crate::replay_cache::{ReplayCache, hash};
use crate::revocations::{OutagePolicy, Revocations};
use crate::verifier::Verifier;
use domain::UnixMs;
use domain::thumbprint::Thumbprint;
use http::{HeaderMap, Method};
use wire::paths;

/// Maximum difference of a proof's `iat`, in both directions, if no nonce is required.
const PROOF_AGE_SECONDS: i64 = 60;

/// A checker of requests. Cheap to clone; clones share their state.
#[derive(Debug, Clone)]
pub struct Guard {
    verifier: Verifier,
    origin: String,
    nonces: Option<[u8; 32]>,
    seen: ReplayCache,
    clock: Clock,
}

/// The auth server's names and the policy for its outages.
#[derive(Debug, Clone)]
pub struct IssuerSettings<'a> {
    /// The issuer's `public_url`, as in `iss`.
    pub name: &'a str,
    /// The URL for this machine, if it differs. Use https or a trusted network, because a server at that URL can sign
    /// tokens.
    pub reached_at: Option<&'a str>,
    pub outage: OutagePolicy,
}

impl Guard {
    /// Creates a guard that accepts access tokens from `issuer` for `audience`, the app's public origin
    /// (`https://app.example`). Sends no request yet.
    ///
    /// # Errors
    /// `issuer` is not a URL.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, FetchError> {
        Self::of(&IssuerSettings { name: issuer, reached_at: None, outage: OutagePolicy::default() }, audience)
    }

    /// Does the same with more options for the issuer.
    ///
    /// # Errors
    /// Its URL is invalid.
    pub fn of(issuer: &IssuerSettings<'_>, audience: &str) -> Result<Self, FetchError> {
        let at = issuer.reached_at.unwrap_or(issuer.name);
        let keys = Jwks::new(&format!("{at}{}", paths::JWKS))?;
        let list = format!("{at}{}", paths::REVOCATIONS);
        let revocations = Some(Revocations::new(&list, issuer.name, keys.clone(), issuer.outage)?);
        let (issuer, audience) = (issuer.name.to_owned(), audience.to_owned());
        Ok(Self {
            origin: audience.clone(),
            verifier: Verifier { keys, issuer, audience, revocations },
            nonces: None,
            seen: ReplayCache::new(nonce::REMEMBERED_MS),
            clock: Clock::default(),
        })
    }

    /// Sets the app's public origin for the `htu` of proofs, if it differs from the audience.
    #[must_use]
    pub fn with_origin(self, origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..self }
    }

    /// Requires a nonce in every proof and ignores the client's clock. All machines of the app need the same key.
    #[must_use]
    pub fn with_nonces(self, key: [u8; 32]) -> Self {
        Self { nonces: Some(key), ..self }
    }

    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the claims of the request's token. `path`: the requested path without the query.
    ///
    /// # Errors
    /// The answer to send instead of calling the handler.
    pub async fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<AccessToken, Refusal> {
        let now = self.clock.now();
        let (scheme, token) = self.presented(headers)?;
        let refuse = |reason| self.refuse(scheme, reason);
        let claims: AccessToken = self.verifier.verify(token, TYP, now).await.map_err(|error| {
            let reason = RefusalReason::of(&error);
            tracing::debug!(cause = %error, "an access token was refused");
            refuse(reason)
        })?;
        match (scheme, &claims.cnf) {
            (Scheme::Bearer, None) => {}
            // A copied bound token must be useless (RFC 9449, section 7.2).
            (Scheme::Bearer, Some(_)) | (Scheme::Dpop, None) => return Err(refuse(RefusalReason::Token)),
            (Scheme::Dpop, Some(key)) => {
                self.prove(method, path, headers, token, key.jkt, now).map_err(refuse)?;
            }
        }
        Ok(claims)
    }

    fn presented<'a>(&self, headers: &'a HeaderMap) -> Result<(Scheme, &'a str), Refusal> {
        match presented(headers) {
            Ok(Some(token)) => Ok(token),
            Ok(None) => Err(self.refuse(Scheme::Bearer, RefusalReason::Missing)),
            Err(MalformedAuthorization::Request) => Err(self.refuse(Scheme::Bearer, RefusalReason::Malformed)),
            Err(MalformedAuthorization::Token(scheme)) => Err(self.refuse(scheme, RefusalReason::Token)),
        }
    }

    /// Checks a proof by RFC 9449, section 4.3.
    fn prove(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        token: &str,
        jkt: Thumbprint,
        now: UnixMs,
    ) -> Result<(), RefusalReason> {
        let url = format!("{}{path}", self.origin);
        let proof = dpop::of_token(headers, method.as_str(), &url, token, jkt).ok_or(RefusalReason::Proof)?;
        self.is_young(&proof, now)?;
        if self.seen.is_first(hash(proof.jkt, &proof.jti), now) { Ok(()) } else { Err(RefusalReason::Proof) }
    }

    fn is_young(&self, proof: &Proof, now: UnixMs) -> Result<(), RefusalReason> {
        let young = match &self.nonces {
            Some(key) => proof.nonce.as_deref().is_some_and(|nonce| nonce::is_fresh(key, nonce, now)),
            None => now.to_seconds().since(proof.iat).abs() <= PROOF_AGE_SECONDS,
        };
        match (young, &self.nonces) {
            (true, _) => Ok(()),
            (false, Some(_)) => Err(RefusalReason::Nonce),
            (false, None) => Err(RefusalReason::Proof),
        }
    }

    fn refuse(&self, scheme: Scheme, reason: RefusalReason) -> Refusal {
        let nonce = self.nonces.as_ref().map(|key| nonce::make(key, self.clock.now()));
        Refusal { scheme, reason, realm: self.verifier.audience.clone(), nonce }
    }
}
