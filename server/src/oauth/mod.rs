//! The OpenID provider's state: its clients, and its tokens.

pub(crate) mod clients;
pub(crate) mod discovery;
pub(crate) mod document_fetches;
pub(crate) mod key_sets;
pub(crate) mod tokens;
