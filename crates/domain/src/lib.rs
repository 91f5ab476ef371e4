//! Postern's rules as pure functions: time and randomness are arguments, and there is no I/O.
//!
//! Times are [`UnixMs`] (`_at`, `until`) and durations are milliseconds (`_ms`).

pub mod account;
pub mod account_delay;
pub mod allowance;
pub mod app;
pub mod app_path;
pub mod app_session;
pub mod authentication;
pub mod authority;
pub mod ban;
pub mod bidi;
pub mod client_key;
pub mod code_hash;
pub mod cookie;
pub mod encoding;
pub mod following;
pub mod forwarded;
pub mod header_name;
pub mod html;
pub mod ids;
pub mod invitation;
pub mod known_device;
pub mod local_path;
pub mod login;
pub mod mail;
pub mod marks;
pub mod operator;
pub mod passkey;
pub mod password;
pub mod percent;
pub mod printable;
pub mod profile;
pub mod public_address;
pub mod rate;
pub mod recovery_code;
pub mod refresh_token;
pub mod request_initiator;
pub mod revocation;
pub mod second_factor;
pub mod server_key;
pub mod service;
pub mod session;
pub mod short_key;
pub mod shown_text;
pub mod thumbprint;
pub mod token_hash;
pub mod totp;
mod typed_code;
mod unix_time;
pub mod user_key;

pub use unix_time::{UnixMs, UnixSeconds};

/// Tolerated difference of two machines' clocks, or of one clock that is set back, for times that were set elsewhere.
/// In milliseconds, in both directions.
pub const CLOCK_TOLERANCE_MS: i64 = 30_000;
