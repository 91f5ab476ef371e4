//! A portal under test, and its visitors.

pub(crate) mod apps;
mod authenticator;
pub(crate) mod document_server;
mod envelope;
mod keys;
pub(crate) mod mail;
mod portal;
mod program;
mod visitor;

pub(crate) use authenticator::{Authenticator, VERIFIED};
pub(crate) use envelope::{forged_login, seal_with_header};
pub(crate) use keys::{ClientKey, new_jti, receiving_key};
pub(crate) use portal::{ORIGIN, PASSWORD, PUBLIC_HERE, Portal};
pub(crate) use program::{Program, output_text, postern};
pub(crate) use visitor::{Answer, Visitor};
