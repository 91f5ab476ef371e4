//! Limits on how much one client asks.

use super::client::Client;
use crate::floods::{Class, Excess, InFlight};
use crate::flows;
use crate::http::ApiError;
use crate::state::AppState;
use wire::problem::Code;

/// The counts of a request; they last until the answer is dropped.
#[derive(Debug, Default)]
pub struct Counted {
    own: Option<InFlight>,
    /// Held for their drop.
    _shared: [Option<InFlight>; 2],
}

impl Counted {
    /// Counts a sign-in by its answer: one that fails counts, unless it says that the client should come again.
    pub fn answered(&self, code: Option<Code>, state: &AppState) {
        // Nobody is to blame, or a ban says it already.
        let failed = !matches!(
            code,
            None | Some(
                Code::Busy
                    | Code::Unavailable
                    | Code::Banned
                    | Code::AlreadyReceived
                    | Code::ShortKeyExpired
                    | Code::ShortKeyMismatch
            )
        );
        if let (true, Some(own)) = (failed, &self.own) {
            own.failed(state.now());
        }
    }
}

/// Counts a request by its client's bucket at this address. Those with a bucket of their own count for the address as
/// well, where a larger limit holds that never bans.
///
/// # Errors
/// `busy`: one too many, with the time to wait. `banned`: the client does not listen.
pub async fn enter(state: &AppState, client: &Client, class: Class) -> Result<Counted, ApiError> {
    // A trusted proxy asks for many, and for none of them by itself.
    if client.is_proxy {
        return Ok(Counted::default());
    }
    let now = state.now();
    let mut shared = [None, None];
    if client.has_own_bucket() {
        shared[0] = Some(state.floods.enter(client.identity, Class::Shared, now).map_err(wait)?);
        if let (Class::SignIn, Some(known)) = (class, &client.known) {
            shared[1] = Some(state.floods.enter_share(known.share()).map_err(wait)?);
        }
    }
    match state.floods.enter(client.limited(), class, now) {
        Ok(own) => Ok(Counted { own: Some(own), _shared: shared }),
        Err(excess) if excess.offence => Err(flows::ban::flood(state, client, excess).await),
        Err(excess) => Err(wait(excess)),
    }
}

/// The answer to one too many.
pub fn wait(excess: Excess) -> ApiError {
    ApiError::wait(Code::Busy, excess.wait_ms)
}
