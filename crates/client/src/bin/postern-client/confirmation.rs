//! Asks for the password or a code when the server demands a fresh proof of the person.

use crate::print::say;
use crate::terminal;
use async_trait::async_trait;
use client::ProofPrompt;
use std::io::IsTerminal;
use std::sync::Arc;
use wire::second_factor::IdentityConfirmation;

/// Advice for an account whose only factor is a passkey.
pub(crate) const PASSKEY_OR_CODE: &str =
    "Your passkey needs a browser: run postern-client login --browser, or type a recovery code.";

/// The question for a proof, and advice to show before it.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    /// `None`: a terminal cannot give any of the proofs.
    text: Option<&'static str>,
    advice: Option<&'static str>,
}

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
        let Question { text, advice } = question(proofs);
        if text.is_some() {
            drop(say(refused.unwrap_or("The server wants to be sure that it is you.")));
        }
        if let Some(advice) = advice {
            drop(say(advice));
        }
        let question = text?;
        let secret = tokio::task::spawn_blocking(move || terminal::ask_secret(question)).await.ok()?.ok()?;
        let given = Some(secret.to_string());
        Some(if question.starts_with("Password") {
            IdentityConfirmation { password: given, code: None, passkey: None }
        } else {
            IdentityConfirmation { password: None, code: given, passkey: None }
        })
    }
}

fn question(proofs: &[String]) -> Question {
    let has = |kind: &str| proofs.iter().any(|proof| proof == kind);
    let (text, advice) = if has("totp") {
        (Some("One-time code or recovery code: "), None)
    } else if has("recovery_code") {
        (Some("Recovery code: "), has("passkey").then_some(PASSKEY_OR_CODE))
    } else if has("password") {
        (Some("Password: "), None)
    } else {
        let advice = "This needs your passkey: run postern-client login --browser, and then this command again.";
        (None, has("passkey").then_some(advice))
    };
    Question { text, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_with_a_passkey_only_learns_that_a_browser_or_a_recovery_code_is_needed() {
        let asked = |proofs: &[&str]| question(&proofs.iter().map(|proof| (*proof).to_owned()).collect::<Vec<_>>());
        let passkey = asked(&["passkey", "recovery_code"]);
        assert_eq!(passkey, Question { text: Some("Recovery code: "), advice: Some(PASSKEY_OR_CODE) });
        let codes = asked(&["passkey", "totp", "recovery_code"]);
        assert_eq!(codes, Question { text: Some("One-time code or recovery code: "), advice: None });
        assert_eq!(asked(&["password"]), Question { text: Some("Password: "), advice: None });
        let none = asked(&["passkey"]);
        assert!(none.text.is_none() && none.advice.is_some_and(|advice| advice.contains("login --browser")));
        assert_eq!(asked(&[]), Question { text: None, advice: None });
    }
}
