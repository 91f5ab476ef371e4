//! Checks in each request that the client holds its key.

use super::Secrets;
use crate::caller::Caller;
use crate::payment_problem::PaymentProblem;
use domain::UnixMs;
use domain::authority::is_same_url;
use domain::encoding::sha256;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Uri, header};
use parking_lot::Mutex;
use tpat::Thumbprint;
use verify::dpop::verify_any_url;
use verify::{Algorithm, ReplayCache};
use wire::toll::{NONCE_HEADER, PROOF_HEADER, TollCode};

/// Lifetime of a nonce in milliseconds. Each answer contains a new one.
pub(super) const NONCE_MS: i64 = 60_000;
/// The algorithms of clients' keys.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];
/// The challenge that asks for a proof (RFC 9449, section 7.1).
const DPOP_CHALLENGE: HeaderValue = HeaderValue::from_static(r#"DPoP algs="ES256 EdDSA""#);

pub(super) struct DpopVerifier {
    secrets: Secrets,
    seen: ReplayCache,
    /// Limits the log lines about requests signed for another host.
    misdirected: Mutex<LogThrottle>,
}

/// The key that signed a request.
pub(super) struct ProvenKey {
    pub thumbprint: Thumbprint,
    /// The client's point, if it wants to agree on a key for MACs.
    pub mac_epk: Option<String>,
}

impl DpopVerifier {
    pub(super) fn new(secrets: &Secrets) -> Self {
        Self { secrets: secrets.clone(), seen: ReplayCache::new(2 * NONCE_MS), misdirected: Mutex::default() }
    }

    /// Returns a header with a nonce for the next proof.
    pub(super) fn nonce(&self, now: UnixMs) -> (HeaderName, HeaderValue) {
        // Base64url is always valid in a header.
        let value = HeaderValue::try_from(self.secrets.nonce(now)).unwrap_or(HeaderValue::from_static(""));
        (HeaderName::from_static(NONCE_HEADER), value)
    }

    /// Returns the thumbprint of the key that signed the request.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub(super) fn check(&self, caller: &Caller<'_>) -> Result<Thumbprint, PaymentProblem> {
        self.verify(caller, None).map(|proven| proven.thumbprint)
    }

    /// Verifies the proof of a request. `ath`: the hash of the token that must be signed too.
    ///
    /// # Errors
    /// The proof is missing, invalid, used before, or has no fresh nonce.
    pub(super) fn verify(&self, caller: &Caller<'_>, ath: Option<&str>) -> Result<ProvenKey, PaymentProblem> {
        let wrong = || {
            let title = "The request must prove that it comes from the holder of the key.";
            self.again(PaymentProblem::new(TollCode::BadPossession, title), caller.now)
        };
        let proof = caller.single_header(PROOF_HEADER).ok_or_else(wrong)?;
        let proof = verify_any_url(proof, caller.method.as_str(), &ALGORITHMS).ok_or_else(wrong)?;
        if !is_same_url(&proof.htu, &caller.url) {
            return Err(self.misdirected(&proof.htu, caller).unwrap_or_else(wrong));
        }
        if ath.is_some() && proof.ath.as_deref() != ath {
            return Err(wrong());
        }
        let made_at = proof.nonce.as_deref().and_then(|nonce| self.secrets.nonce_made_at(nonce));
        if !made_at.is_some_and(|made_at| (-1000..NONCE_MS).contains(&caller.now.since(made_at))) {
            let title = "The proof must have the nonce of this answer. Sign again.";
            return Err(self.again(PaymentProblem::new(TollCode::UseDpopNonce, title), caller.now));
        }
        let name = sha256(&[&proof.jkt.0, proof.jti.as_bytes()].concat());
        if !self.seen.is_first(name, caller.now) {
            return Err(wrong());
        }
        Ok(ProvenKey { thumbprint: proof.jkt, mac_epk: proof.mac_epk })
    }

    /// Returns the refusal of a MAC. Its client signs the request instead.
    pub(super) fn refused_mac(&self, now: UnixMs) -> PaymentProblem {
        let title = "The MAC is not valid here, or no longer. Sign the request with the nonce of this answer.";
        self.again(PaymentProblem::new(TollCode::UseDpopNonce, title), now)
    }

    /// Returns an error if the client signed the same path under another scheme or host, otherwise `None`. Logs it for
    /// the operator, because a client cannot correct it.
    fn misdirected(&self, signed: &str, caller: &Caller<'_>) -> Option<PaymentProblem> {
        let signed = signed.parse::<Uri>().ok().filter(|uri| uri.authority().is_some())?;
        let arrived = caller.url.parse::<Uri>().ok()?;
        if signed.path() != arrived.path() {
            return None;
        }
        let (signed, arrived) = (origin(&signed), origin(&arrived));
        if self.misdirected.lock().is_due(caller.now) {
            tracing::warn!(
                signed,
                arrived,
                "a client signed for another host or scheme than arrives here: the proxy in front must pass Host on, and \
                 toll.public_url must say what clients type"
            );
        }
        let title = format!(
            "This was signed for {signed} and arrived as {arrived}: a proxy in between rewrites the host or the scheme. \
             Nothing was charged. Do not pay here until that is mended."
        );
        Some(PaymentProblem::new(TollCode::HostRewritten, title))
    }

    fn again(&self, problem: PaymentProblem, now: UnixMs) -> PaymentProblem {
        let (name, value) = self.nonce(now);
        problem.with(header::WWW_AUTHENTICATE, DPOP_CHALLENGE).with(name, value)
    }
}

/// Limits a log line to once a minute.
#[derive(Default)]
struct LogThrottle {
    said: Option<UnixMs>,
}

impl LogThrottle {
    fn is_due(&mut self, now: UnixMs) -> bool {
        // After the clock was set back, the line must still be written.
        let due = self.said.is_none_or(|said| !(0..60_000).contains(&now.since(said)));
        if due {
            self.said = Some(now);
        }
        due
    }
}

/// Returns scheme and authority.
fn origin(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", Authority::as_str);
    format!("{}://{authority}", uri.scheme_str().unwrap_or_default())
}
