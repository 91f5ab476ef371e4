//! Encrypted sign-in.

use crate::http::{With, json};
use crate::keys::Claims;
use crate::{ClientKeys, Error, Http, Machine, Profile, Result};
use reqwest::Method;
use wire::challenge::Challenge;
use wire::envelope::Kind;
use wire::login::{Credentials, Delivery, SealedRequest};
use wire::{Code, paths};
use zeroize::Zeroizing;

/// Maximum number of attempts. A challenge can expire or belong to a key that was just replaced.
const TRIES: u32 = 3;

/// Signs in with keys made for this session; the password leaves this process encrypted.
///
/// # Errors
/// The server cannot be reached or refuses; a refusal may say how long to wait.
pub async fn login(http: &Http, machine: &dyn Machine, credentials: &Credentials) -> Result<Profile> {
    let keys = ClientKeys::generate(machine)?;
    let mut tries = TRIES;
    loop {
        tries -= 1;
        match attempt(http, machine, &keys, credentials).await {
            Err(Error::Refused(problem)) if is_stale(problem.code) && tries > 0 => {}
            result => return result,
        }
    }
}

fn is_stale(code: Code) -> bool {
    matches!(code, Code::ShortKeyExpired | Code::ShortKeyMismatch)
}

async fn attempt(http: &Http, machine: &dyn Machine, keys: &ClientKeys, credentials: &Credentials) -> Result<Profile> {
    let challenge: Challenge = http.get(paths::CHALLENGE).await?;
    let body = json(&SealedRequest {
        encrypted_username_password: seal(http, machine, keys, &challenge, credentials)?,
        short_key: challenge.short_key.clone(),
        delivery: Delivery::Body,
    });
    let claims =
        Claims { method: "POST", url: &http.server().at(paths::LOGIN), nonce: Some(&challenge.short_key), token: None };
    let proof = keys.signing().prove(machine, claims)?;
    let with = With { body: Some(body), proof: Some(&proof), ..With::default() };
    let signed_in = http.send(Method::POST, paths::LOGIN, with).await?.read()?;
    Profile::new(http.server(), signed_in, keys)
}

fn seal(
    http: &Http,
    machine: &dyn Machine,
    keys: &ClientKeys,
    challenge: &Challenge,
    credentials: &Credentials,
) -> Result<String> {
    let (signing, receiving) = keys.public();
    let plaintext = Zeroizing::new(json(credentials));
    let envelope = seal::seal(
        &challenge.key,
        Kind::Login,
        &challenge.short_key,
        &http.server().origin(),
        Some((&signing, &receiving)),
        machine.now() / 1000,
        plaintext.as_bytes(),
    )?;
    Ok(envelope)
}
