//! Asks for the password or a code when the server demands a fresh proof of the person.

use crate::print::say;
use crate::terminal;
use async_trait::async_trait;
use client::ProofPrompt;
use std::io::IsTerminal;
use std::sync::Arc;
use wire::second_factor::IdentityConfirmation;

/// A prompt for proofs at the terminal.
#[derive(Debug)]
struct ProofAtTerminal;

/// Returns a prompt, if standard input is a terminal.
pub(crate) fn prompt() -> Option<Arc<dyn ProofPrompt>> {
    std::io::stdin().is_terminal().then(|| Arc::new(ProofAtTerminal) as Arc<dyn ProofPrompt>)
}

#[async_trait]
impl ProofPrompt for ProofAtTerminal {
    async fn ask(&self, proofs: &[String], refused: Option<&str>) -> Option<IdentityConfirmation> {
        let has = |kind: &str| proofs.iter().any(|proof| proof == kind);
        let question = if has("totp") || has("recovery_code") {
            "One-time code or recovery code: "
        } else if has("password") {
            "Password: "
        } else {
            if has("passkey") {
                drop(say("This needs your passkey: run postern-client login --browser, and then this command again."));
            }
            return None;
        };
        drop(say(refused.unwrap_or("The server wants to be sure that it is you.")));
        let secret = tokio::task::spawn_blocking(move || terminal::ask_secret(question)).await.ok()?.ok()?;
        let given = Some(secret.to_string());
        Some(if question.starts_with("Password") {
            IdentityConfirmation { password: given, code: None, passkey: None }
        } else {
            IdentityConfirmation { password: None, code: given, passkey: None }
        })
    }
}
