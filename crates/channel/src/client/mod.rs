//! The client's side of a connection.

mod conversation;
mod estimate;
mod hello;

pub use conversation::{Conversation, ServerMessage, refusal};
pub use estimate::Reading;
pub use hello::{HelloDraft, HelloError};
