//! Payment at a gate that answers `402 Payment Required` (TPAT), and use of what was bought.
//!
//! [`Counter`] fetches a URL. If that costs something, the person's wallet signs a payment. The client makes its proof,
//! stores both with the signed transaction, sends it, and redeems it. Whichever program dies in between, the next run
//! continues with the same payment, and sends it again if no node knows it. While a payment is not redeemed, nothing
//! else is paid at that gate.

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
