//! Error answers: a stable code for the client; the cause goes only to the log.

use crate::bans::ActiveBan;
use crate::error_chain::chain;
use crate::rate_limiter::LimitExceeded;
use axum::response::{IntoResponse, Response};
use domain::UnixMs;
use domain::authentication::FRESH_MS;
use domain::known_device::DeviceRefusal;
use domain::second_factor::ProofKind;
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::sync::Arc;
use verify::{RefusalReason, Scheme};
use wire::problem::{Code, MEDIA_TYPE, Problem};

/// An error answer.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    detail: Option<String>,
    retry_after_ms: Option<i64>,
    incident: Option<String>,
    nonce: Option<String>,
    /// The scheme by which the refused token was presented.
    scheme: Option<Scheme>,
    cause: Option<Cause>,
    proofs: Option<Box<RequestedProofs>>,
}

/// The proofs or the device that a refused sign-in needs next.
struct RequestedProofs {
    /// The secret of a pending sign-in.
    pending: Option<String>,
    kinds: Vec<String>,
    /// The required `acr`.
    level: Option<&'static str>,
    /// The text for people, if it differs from the code's.
    title: Option<&'static str>,
    /// Why the browser's known device did not count. The client sees only its new cookie.
    device: Option<DeviceRefusal>,
}

impl std::fmt::Debug for RequestedProofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestedProofs")
            .field("kinds", &self.kinds)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// A failure's cause, which the answer carries to the one place that logs it.
#[derive(Debug, Clone)]
pub struct Cause(pub Arc<dyn std::error::Error + Send + Sync>);

impl ApiError {
    pub fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            retry_after_ms: None,
            incident: None,
            nonce: None,
            scheme: None,
            cause: None,
            proofs: None,
        }
    }

    /// Builds an error with an explanation for the person.
    pub fn explained(code: Code, detail: impl ToString) -> Self {
        Self { detail: Some(detail.to_string()), ..Self::new(code) }
    }

    pub fn wait(code: Code, ms: i64) -> Self {
        Self { retry_after_ms: Some(ms), ..Self::new(code) }
    }

    pub fn banned(closed: ActiveBan, now: UnixMs) -> Self {
        Self { incident: Some(closed.incident), ..Self::wait(Code::Banned, closed.until - now) }
    }

    /// Builds the answer to a right password of an account with a second factor. `pending`: the secret for the client.
    pub fn second_factor_required(pending: String, kinds: &[ProofKind]) -> Self {
        let title = match (kinds.contains(&ProofKind::Passkey), kinds.contains(&ProofKind::Totp)) {
            (true, true) => Some("This account has a second factor. Add its code, or use its passkey."),
            (true, false) => Some("This account has a second factor. Use its passkey."),
            (false, _) => None,
        };
        Self {
            proofs: Some(Box::new(RequestedProofs { title, ..RequestedProofs::new(Some(pending), kinds) })),
            ..Self::new(Code::SecondFactorRequired)
        }
    }

    /// Builds the answer to a sign-in for which the browser's known device does not count.
    pub fn device_mismatch(refusal: DeviceRefusal) -> Self {
        let proofs = RequestedProofs { device: Some(refusal), ..RequestedProofs::new(None, &[]) };
        Self { proofs: Some(Box::new(proofs)), ..Self::new(Code::DeviceMismatch) }
    }

    /// Builds the answer to a request that needs a fresh proof of the person (RFC 9470).
    pub fn insufficient_user_authentication(kinds: &[ProofKind]) -> Self {
        Self {
            proofs: Some(Box::new(RequestedProofs::new(None, kinds))),
            ..Self::new(Code::InsufficientUserAuthentication)
        }
    }

    /// Adds the level of the sign-in that is required, as an `acr`.
    #[must_use]
    pub fn at_level(mut self, acr: &'static str) -> Self {
        if let Some(proofs) = &mut self.proofs {
            proofs.level = Some(acr);
        }
        self
    }

    /// Adds an explanation for the person.
    #[must_use]
    pub fn with_detail(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// Builds an error for a failure of this server.
    pub fn broken(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Cause(Arc::new(cause))), ..Self::wait(Code::Unavailable, 1000) }
    }

    /// Adds the nonce for the client's next proof (RFC 9449, section 8).
    #[must_use]
    pub fn with_nonce(self, nonce: String) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// Records how the token was presented.
    #[must_use]
    pub fn about_token(self, scheme: Option<Scheme>) -> Self {
        Self { scheme, ..self }
    }

    /// Returns the text of a code for people.
    pub fn title(code: Code) -> &'static str {
        describe(code).1
    }

    /// Returns the explanation, or the text of the code.
    pub fn description(&self) -> &str {
        self.detail.as_deref().unwrap_or_else(|| Self::title(self.code))
    }

    pub fn device_refusal(&self) -> Option<&DeviceRefusal> {
        self.proofs.as_ref()?.device.as_ref()
    }

    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the cause with its sources, for the log, or the description.
    pub fn reason(&self) -> String {
        self.cause.as_ref().map_or_else(|| self.description().to_owned(), |Cause(cause)| chain(&**cause))
    }
}

impl RequestedProofs {
    fn new(pending: Option<String>, kinds: &[ProofKind]) -> Self {
        let kinds = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
        Self { pending, kinds, level: None, title: None, device: None }
    }
}

impl From<LimitExceeded> for ApiError {
    fn from(excess: LimitExceeded) -> Self {
        Self::wait(Code::Busy, excess.wait_ms)
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        match error {
            // The role was lost during the request, which is a refusal and not a failure.
            store::Error::NotAdministrator => Self::new(Code::Forbidden),
            error => Self::broken(error),
        }
    }
}

impl From<domain::operator::InvalidInput> for ApiError {
    fn from(unfit: domain::operator::InvalidInput) -> Self {
        Self::explained(Code::BadRequest, unfit)
    }
}

impl From<crate::keyring::KeyringError> for ApiError {
    fn from(error: crate::keyring::KeyringError) -> Self {
        match error {
            crate::keyring::KeyringError::Store(error) => error.into(),
            error => Self::broken(error),
        }
    }
}

impl From<crate::key_encryption::KeyEncryptionError> for ApiError {
    fn from(error: crate::key_encryption::KeyEncryptionError) -> Self {
        Self::broken(error)
    }
}

impl From<crate::passwords::HashError> for ApiError {
    fn from(error: crate::passwords::HashError) -> Self {
        Self::broken(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, title) = describe(self.code);
        let retry_after = self.retry_after_ms.map(seconds);
        let title = self.proofs.as_ref().and_then(|asked| asked.title).unwrap_or(title);
        let (pending, proofs, level) =
            self.proofs.map_or((None, Vec::new(), None), |asked| (asked.pending, asked.kinds, asked.level));
        let problem = Problem {
            status: status.as_u16(),
            code: self.code,
            title: title.to_owned(),
            detail: self.detail,
            retry_after,
            incident: self.incident,
            pending,
            proofs,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            for challenge in challenges(self.code, self.scheme, level) {
                if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                    headers.append(header::WWW_AUTHENTICATE, challenge);
                }
            }
        }
        if let Some(nonce) = self.nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
            headers.insert(HeaderName::from_static(crate::dpop::NONCE_HEADER), nonce);
        }
        response.extensions_mut().insert(self.code);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// Builds the challenges by RFC 6750, section 3, and RFC 9449, sections 7.1 and 8. Some proxies forward only one of
/// them, so the one about a proof is complete.
fn challenges(code: Code, scheme: Option<Scheme>, level: Option<&str>) -> Vec<String> {
    let challenge = |scheme: Scheme, reason: RefusalReason| scheme.challenge(None, reason.error());
    match code {
        Code::InsufficientUserAuthentication => {
            let scheme = if scheme == Some(Scheme::Bearer) { "Bearer" } else { "DPoP" };
            let wanted = match level {
                Some(acr) => format!("acr_values=\"{acr}\""),
                None => format!("max_age={}", FRESH_MS / 1000),
            };
            vec![format!("{scheme} error=\"insufficient_user_authentication\", {wanted}")]
        }
        Code::BadProof => vec![challenge(Scheme::Dpop, RefusalReason::Proof)],
        Code::UseDpopNonce => vec![challenge(Scheme::Dpop, RefusalReason::Nonce)],
        _ => [Scheme::Bearer, Scheme::Dpop]
            .map(|one| challenge(one, if scheme == Some(one) { RefusalReason::Token } else { RefusalReason::Missing }))
            .to_vec(),
    }
}

/// Returns whole seconds, rounded up, so that a client that waits this long may return.
fn seconds(ms: i64) -> u64 {
    u64::try_from(ms.max(0)).unwrap_or_default().div_ceil(1000).max(1)
}

fn describe(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::WrongCredentials => (StatusCode::UNAUTHORIZED, "Wrong name or password."),
        Code::SecondFactorRequired => (StatusCode::UNAUTHORIZED, "This account has a second factor. Add its code."),
        Code::WrongCode => (StatusCode::UNAUTHORIZED, "The code is wrong, or was used before. Wait for the next one."),
        Code::SignInExpired => (StatusCode::UNAUTHORIZED, "This sign-in has ended. Begin again with the password."),
        Code::InsufficientUserAuthentication => {
            (StatusCode::UNAUTHORIZED, "Confirm that it is you, and send the request again.")
        }
        Code::PasskeyRefused => (StatusCode::UNAUTHORIZED, "This passkey was not accepted."),
        Code::Banned => (StatusCode::FORBIDDEN, "This address is banned for a while."),
        Code::AccountDelayed => (StatusCode::TOO_MANY_REQUESTS, "Too many tries on this account. Wait a little."),
        Code::ShortKeyExpired => (StatusCode::BAD_REQUEST, "The short_key has expired. Get a new challenge."),
        Code::ShortKeyMismatch => {
            (StatusCode::BAD_REQUEST, "The short_key is for another site or client. Get a new challenge.")
        }
        Code::DeviceMismatch => {
            (StatusCode::BAD_REQUEST, "The device cookie is for another account or key. Get a new challenge.")
        }
        Code::ShortKeyForged => (StatusCode::FORBIDDEN, "This server did not issue the short_key."),
        Code::ShortKeyReplayed => (StatusCode::FORBIDDEN, "The short_key was used before."),
        Code::AlreadyReceived => (StatusCode::CONFLICT, "This request was already received and is not accepted twice."),
        Code::BadEnvelope => (StatusCode::BAD_REQUEST, "The envelope cannot be decrypted."),
        Code::BadProof => (StatusCode::UNAUTHORIZED, "The proof of the client's key is missing or wrong."),
        Code::UseDpopNonce => (StatusCode::UNAUTHORIZED, "The proof needs the nonce of the DPoP-Nonce header."),
        Code::NoSession => (StatusCode::UNAUTHORIZED, "Not signed in."),
        Code::SessionEnded => (StatusCode::UNAUTHORIZED, "This session has ended. Sign in again."),
        Code::SessionUnbound => (StatusCode::FORBIDDEN, "This session is not bound to a key."),
        Code::KeyEnded => (StatusCode::GONE, "This version of the key has ended."),
        Code::NoService => (StatusCode::NOT_FOUND, "No service of this name is registered."),
        Code::NoApp => (StatusCode::NOT_FOUND, "No app with this origin is configured."),
        Code::RoleMissing => (StatusCode::FORBIDDEN, "This account lacks the required role."),
        Code::Forbidden => (StatusCode::FORBIDDEN, "Only administrators may do this."),
        Code::WouldLockOut => {
            (StatusCode::CONFLICT, "This would ban your own address, this machine or a trusted proxy.")
        }
        Code::BanWithoutEffect => (StatusCode::CONFLICT, "The allowlist contains this address."),
        Code::Full => (StatusCode::CONFLICT, "The list is full: remove an entry first."),
        Code::CrossSite => (StatusCode::FORBIDDEN, "This request does not come from this site's own pages."),
        Code::OtherAccount => (
            StatusCode::CONFLICT,
            "Another account has signed in in this browser, so nothing was changed. Reload the page.",
        ),
        Code::SignupClosed => (
            StatusCode::FORBIDDEN,
            "Sign-up with this link is not possible. If you have just created your account with it, sign in.",
        ),
        Code::LinkUsedUp => (
            StatusCode::GONE,
            "This link was already used or has expired. If you have just set a password with it, sign in.",
        ),
        Code::LastAdministrator => {
            (StatusCode::CONFLICT, "This is the last administrator: make another account an administrator first.")
        }
        Code::GroupRequired => {
            (StatusCode::CONFLICT, "The settings require a second factor for this group: remove it there first.")
        }
        Code::EmailTaken => (StatusCode::CONFLICT, "Another account has this e-mail address."),
        Code::NameTaken => (StatusCode::CONFLICT, "This name is taken."),
        Code::NameInvalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "A name has 1 to 64 letters, digits and . _ - @ +, and begins and ends with a letter or a digit.",
        ),
        Code::NameMixedScripts => {
            (StatusCode::UNPROCESSABLE_ENTITY, "This name mixes letters of several alphabets. Use only one.")
        }
        Code::NameConfusable => {
            (StatusCode::CONFLICT, "This name looks like the name of another account. Choose another one.")
        }
        Code::PasswordTooShort => (StatusCode::UNPROCESSABLE_ENTITY, "The password is too short."),
        Code::PasswordTooLong => (StatusCode::UNPROCESSABLE_ENTITY, "The password is longer than 1,024 bytes."),
        Code::PasswordCommon => (StatusCode::UNPROCESSABLE_ENTITY, "The password is too easy to guess."),
        Code::BadRequest => (StatusCode::BAD_REQUEST, "The request has the wrong form for this path."),
        Code::NotFound => (StatusCode::NOT_FOUND, "Not found."),
        Code::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "This path does not support this method."),
        Code::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 16 KiB."),
        Code::Timeout => (StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive."),
        Code::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Too busy right now. Try again shortly."),
        Code::Unavailable | Code::Unknown => {
            (StatusCode::SERVICE_UNAVAILABLE, "Something went wrong. Nothing was changed.")
        }
    }
}
