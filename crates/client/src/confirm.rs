//! A fresh proof of the person, which some requests need (RFC 9470).

use crate::{Error, Result, Session};
use async_trait::async_trait;
use std::fmt::Debug;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::login::{Delivery, SealedRequest};
use wire::second_factor::IdentityConfirmation;
use wire::{Code, Problem, paths};
use zeroize::Zeroizing;

/// Asks the person for a proof.
#[async_trait]
pub trait ProofPrompt: Debug + Send + Sync {
    /// `proofs`: the kinds that are sufficient. `refused`: the server's answer to the proof before. `None`: the person gives
    /// none.
    async fn ask(&self, proofs: &[String], refused: Option<&str>) -> Option<IdentityConfirmation>;
}

/// Maximum number of mistyped proofs.
const TRIES: u32 = 3;

impl Session {
    /// Proves the person again, if somebody is there to ask. `false`: nobody gave a proof.
    pub(crate) async fn confirm(&self, problem: &Problem) -> Result<bool> {
        let Some(prompt) = self.prompt() else { return Ok(false) };
        let mut refused = None;
        for _ in 0..TRIES {
            let Some(given) = prompt.ask(&problem.proofs, refused.as_deref()).await else { return Ok(false) };
            match self.prove_again(&given).await {
                Ok(()) => return Ok(true),
                Err(Error::Refused(problem))
                    if matches!(problem.code, Code::WrongCode | Code::WrongCredentials)
                        && problem.retry_after.is_none() =>
                {
                    refused = Some(problem.title);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    async fn prove_again(&self, given: &IdentityConfirmation) -> Result<()> {
        let challenge: Challenge = self.http().get(paths::CHALLENGE).await?;
        let plaintext = Zeroizing::new(crate::http::json(given));
        // The request itself proves the key, so the envelope names none.
        let envelope = seal::seal(
            &challenge.key,
            EnvelopeKind::Confirmation,
            &challenge.short_key,
            &self.http().server().origin(),
            None,
            self.environment().now() / 1000,
            plaintext.as_bytes(),
        )?;
        let body = crate::http::json(&SealedRequest {
            encrypted_username_password: envelope,
            short_key: challenge.short_key,
            delivery: Delivery::Body,
        });
        self.send_once(reqwest::Method::POST, paths::CONFIRM, Some(body)).await?.accepted().map(drop)
    }
}
