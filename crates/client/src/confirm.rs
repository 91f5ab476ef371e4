//! A fresh proof of the person, which some requests need (RFC 9470).

use async_trait::async_trait;
use std::fmt::Debug;
use wire::second_factor::IdentityConfirmation;

/// A prompt that asks the person for a proof.
#[async_trait]
pub trait ProofPrompt: Debug + Send + Sync {
    /// Asks for a proof. `proofs`: the kinds that are sufficient. `refused`: the server's answer to the proof before.
    /// `None`: the person gives none.
    async fn ask(&self, proofs: &[String], refused: Option<&str>) -> Option<IdentityConfirmation>;
}
