//! Paying at a gate that answers `402 Payment Required` (TPAT), and showing what was paid for.
//!
//! [`Counter`] fetches a URL. Where that costs something it has the person's own wallet sign a payment,
//! makes its proof, writes down both and the signed transaction, sends it, and redeems it: whatever ends in
//! between, the next run goes on with the same payment, and sends the same one again where no node knows it.
//! At a gate where a payment is not redeemed yet, nothing is paid again.

mod asking;
mod bill;
mod counter;
mod decision;
mod payer;
mod paying;
mod person;
mod purse;
mod redeeming;
mod settings;

pub use bill::{Bill, NotABill};
pub use counter::{Counter, Forecast};
pub use decision::{Verdict, decide};
pub use payer::{Payer, Prepared, WalletPayer};
pub use person::{News, Person};
pub use purse::{Payment, Purse, Secret, Ticket};
pub use settings::Settings;
