//! Rate limits on clients.

use super::client::Client;
use super::same_origin;
use crate::api_error::ApiError;
use crate::offences;
use crate::rate_limiter::{CountedRequest, RequestClass};
use crate::state::{CoreState, DefenceState};
use http::{HeaderMap, Method};
use wire::problem::Code;

/// The counts of a request, which last until the answer is dropped.
#[derive(Debug, Default)]
pub struct RequestCount {
    own: Option<CountedRequest>,
    /// Kept only to be dropped.
    _shared: [Option<CountedRequest>; 2],
}

impl RequestCount {
    /// Counts a sign-in by its answer: a failure counts, unless the client was told to try again.
    pub fn answered(&self, code: Option<Code>, state: &CoreState) {
        // Not the client's fault, or already counted by a ban.
        let failed = !matches!(
            code,
            None | Some(
                Code::Busy
                    | Code::Unavailable
                    | Code::Banned
                    | Code::AlreadyReceived
                    | Code::SecondFactorRequired
                    | Code::ShortKeyExpired
                    | Code::ShortKeyMismatch
            )
        );
        if let (true, Some(own)) = (failed, &self.own) {
            own.failed(state.now());
        }
    }

    /// Takes the count back, because the answer needed a secret or a token that was right.
    pub fn forgive(self) {
        if let Some(own) = &self.own {
            own.forgive();
        }
    }
}

/// Counts a POST that stores a row, of an app without a secret. Without a limit, anybody could fill the disk.
///
/// # Errors
/// `busy`: over the limit, with the time to wait.
pub fn enter_stored(state: &DefenceState, client: &Client, headers: &HeaderMap) -> Result<(), ApiError> {
    if client.is_proxy {
        return Ok(());
    }
    let elsewhere = same_origin::may_be_elsewhere(state, &Method::POST, headers);
    let passed = state.rate_limiter.enter_stored(client.limited(), elsewhere, state.now());
    passed.map_err(|wait_ms| ApiError::wait(Code::Busy, wait_ms))
}

/// Counts a request by its client key at this address. Clients with their own bucket also count for the address, with a
/// larger limit that never bans.
///
/// # Errors
/// `busy`: over the limit, with the time to wait. `banned`: the client ignores that.
pub async fn enter(state: &DefenceState, client: &Client, class: RequestClass) -> Result<RequestCount, ApiError> {
    // A trusted proxy's request belongs to no client.
    if client.is_proxy {
        return Ok(RequestCount::default());
    }
    let now = state.now();
    let mut shared = [None, None];
    if client.has_own_bucket() {
        shared[0] = Some(state.rate_limiter.enter(client.client_key, RequestClass::Shared, now)?);
        if let (RequestClass::SignIn, Some(known)) = (class, &client.known) {
            shared[1] = Some(state.rate_limiter.enter_share(known.share())?);
        }
    }
    match state.rate_limiter.enter(client.limited(), class, now) {
        Ok(own) => Ok(RequestCount { own: Some(own), _shared: shared }),
        Err(excess) if excess.offence => Err(offences::flood(state, client, excess).await),
        Err(excess) => Err(excess.into()),
    }
}
