//! The client's side of a connection.

mod conversation;
mod estimate;
mod opening;

pub use conversation::{Conversation, Heard, refusal};
pub use estimate::Reading;
pub use opening::{Error, Opening};
