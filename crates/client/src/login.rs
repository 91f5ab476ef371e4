//! Encrypted sign-in.

use crate::http::{RequestOptions, json};
use crate::keys::ProofClaims;
use crate::{ClientKeys, Environment, Error, HttpClient, Profile, Result};
use reqwest::Method;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::login::{Credentials, Delivery, SealedRequest};
use wire::{Code, paths};
use zeroize::Zeroizing;

/// Maximum number of attempts. A challenge can expire or belong to a key that was just replaced.
const TRIES: u32 = 3;

/// Signs in with keys made for this session; the password leaves this process encrypted.
///
/// # Errors
/// The server cannot be reached or refuses; a refusal may say how long to wait.
pub async fn login(http: &HttpClient, environment: &dyn Environment, credentials: &Credentials) -> Result<Profile> {
    let keys = ClientKeys::generate(environment)?;
    let mut tries = TRIES;
    loop {
        tries -= 1;
        match attempt(http, environment, &keys, credentials).await {
            Err(Error::Refused(problem)) if is_stale(problem.code) && tries > 0 => {}
            result => return result,
        }
    }
}

fn is_stale(code: Code) -> bool {
    matches!(code, Code::ShortKeyExpired | Code::ShortKeyMismatch)
}

async fn attempt(
    http: &HttpClient,
    environment: &dyn Environment,
    keys: &ClientKeys,
    credentials: &Credentials,
) -> Result<Profile> {
    let challenge: Challenge = http.get(paths::CHALLENGE).await?;
    let body = json(&SealedRequest {
        encrypted_username_password: seal(http, environment, keys, &challenge, credentials)?,
        short_key: challenge.short_key.clone(),
        delivery: Delivery::Body,
    });
    let claims = ProofClaims {
        method: "POST",
        url: &http.server().at(paths::LOGIN),
        nonce: Some(&challenge.short_key),
        token: None,
        mac_epk: None,
    };
    let proof = keys.signing().prove(environment, claims)?;
    let with = RequestOptions { body: Some(body), proof: Some(&proof), ..RequestOptions::default() };
    let signed_in = http.send(Method::POST, paths::LOGIN, with).await?.read()?;
    Profile::new(http.server(), signed_in, keys)
}

fn seal(
    http: &HttpClient,
    environment: &dyn Environment,
    keys: &ClientKeys,
    challenge: &Challenge,
    credentials: &Credentials,
) -> Result<String> {
    let (signing, receiving) = keys.public();
    let plaintext = Zeroizing::new(json(credentials));
    let envelope = seal::seal(
        &challenge.key,
        EnvelopeKind::Login,
        &challenge.short_key,
        &http.server().origin(),
        Some((&signing, &receiving)),
        environment.now() / 1000,
        plaintext.as_bytes(),
    )?;
    Ok(envelope)
}
