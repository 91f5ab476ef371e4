//! The OpenID provider's state: its clients, and its tokens.

pub mod clients;
pub mod tokens;
