//! Payment at a gate that answers `402 Payment Required` (TPAT), and use of the tokens that it sells.
//!
//! [`PayingClient`] fetches a URL. If that costs something, the person's wallet signs a payment. The client makes its
//! proof, stores both with the signed transaction, sends it, and redeems it. If a program ends in between, the next run
//! continues with the same payment, and sends it again if no node knows it. While a payment is not redeemed, nothing
//! else is paid at that gate.

mod account;
mod agreed_keys;
mod decision;
mod gate_client;
mod offer;
mod payer;
mod paying;
mod paying_client;
mod prompt;
mod redeeming;
mod settings;

pub use account::{GateAccount, OpenPayment, Secret, StoredToken};
pub use agreed_keys::AgreedKeys;
pub use decision::{Decision, decide};
pub use offer::{Offer, UnusableOffer};
pub use payer::{Payer, PreparedPayment, WalletPayer};
pub use paying_client::{PayingClient, Quote};
pub use prompt::{PaymentEvent, Prompt};
pub use settings::TollSettings;
