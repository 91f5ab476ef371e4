#![doc = include_str!("../README.md")]
#![expect(clippy::expect_used, reason = "a check fails by panicking")]

mod challenge;
mod cookies;
mod dpop;
mod envelope;
mod forwarded;
mod frames;
mod identity;
mod input;
mod jwk;
mod jwt;
mod links;
mod names;
mod passkey;
mod portal;
mod proof;
mod proxy;
mod requests;
mod rules;
mod sealed_values;
mod settings;
mod signing;
mod ticket;
mod tpat_header;
mod tpat_mac;
mod transaction;
mod vectors;

/// A check, which panics if something does not hold.
pub type Check = fn(&[u8]);

/// Every target, by name: `fuzz/fuzz_targets/NAME.rs` runs it, and `fuzz/corpus/NAME` has its first inputs.
pub const TARGETS: [(&str, Check); 22] = [
    ("challenge", challenge::check),
    ("cookies", cookies::check),
    ("dpop", dpop::check),
    ("envelope", envelope::check),
    ("forwarded", forwarded::check),
    ("frames", frames::check),
    ("identity", identity::check),
    ("jwk", jwk::check),
    ("jwt", jwt::check),
    ("links", links::check),
    ("names", names::check),
    ("passkey", passkey::check),
    ("proof", proof::check),
    ("proxy", proxy::check),
    ("requests", requests::check),
    ("rules", rules::check),
    ("sealed_values", sealed_values::check),
    ("settings", settings::check),
    ("ticket", ticket::check),
    ("tpat_header", tpat_header::check),
    ("tpat_mac", tpat_mac::check),
    ("transaction", transaction::check),
];

/// Runs the check of this name.
///
/// # Panics
/// Something does not hold, or no check has this name.
pub fn run(name: &str, data: &[u8]) {
    let check = TARGETS.iter().find(|(own, _)| *own == name).map(|(_, check)| check);
    check.expect("a target of this name")(data);
}
