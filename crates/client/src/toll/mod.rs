//! Paying at a gate that answers `402 Payment Required` (TPAT), and showing what was paid for.
//!
//! [`Counter`] fetches a URL. Where that costs something it has the person's own wallet sign a payment,
//! writes down the transaction's name, sends it, writes down the proof, and only then redeems it: whatever
//! ends in between, the next run goes on with the same payment. At a gate where a payment is not redeemed
//! yet, nothing is paid again.

mod asking;
mod bill;
mod counter;
mod decision;
mod payer;
mod person;
mod purse;
mod redeeming;
mod settings;

pub use bill::{Bill, NotABill};
pub use counter::{Counter, Forecast};
pub use decision::{Verdict, decide};
pub use payer::{Payer, Prepared, WalletPayer};
pub use person::{News, Person};
pub use purse::{Payment, Purse, Ticket};
pub use settings::Settings;
