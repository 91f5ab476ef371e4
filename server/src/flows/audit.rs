//! Rows of the audit trail.

use crate::guards::client::Client;
use crate::state::AppState;
use store::audit::{Entry, Event};

/// What stands for "it worked".
pub const OK: &str = "ok";
/// A sign-in that worked, from a browser that had not signed in before.
pub const NEW_DEVICE: &str = "new_device";
/// A sign-in that worked, from a known device at an address that it had not come from before.
pub const NEW_PLACE: &str = "new_place";

pub fn entry(state: &AppState, client: &Client, event: Event, outcome: &str) -> Entry {
    Entry {
        id: state.ulid(),
        at: state.now(),
        event,
        outcome: outcome.to_owned(),
        user: None,
        session: None,
        address: client.address.to_string(),
        device: client.device(),
        actor: None,
        about: String::new(),
    }
}

/// A row of what nobody did: its time had come.
pub fn of_schedule(state: &AppState, event: Event, about: String) -> Entry {
    Entry { user: None, about, ..of_system(state, event, "") }
}

/// A row that says nothing of the client: about an account of which only the id is to stay.
pub fn of_system(state: &AppState, event: Event, user: &str) -> Entry {
    Entry {
        id: state.ulid(),
        at: state.now(),
        event,
        outcome: OK.to_owned(),
        user: Some(user.to_owned()),
        session: None,
        address: String::new(),
        device: String::new(),
        actor: None,
        about: String::new(),
    }
}
