//! The OpenID provider's state: its clients, and its tokens.

pub(crate) mod clients;
pub(crate) mod discovery;
pub(crate) mod documents;
pub(crate) mod tokens;
