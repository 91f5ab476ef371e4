//! A signed-in program's requests with its token, which is refreshed when it expires.

use crate::http::{RequestOptions, json};
use crate::keys::ProofClaims;
use crate::{Answer, ClientKeys, Environment, Error, HttpClient, Profile, ProofPrompt, Result, Storage};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tokio::sync::Mutex;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::login::{Delivery, SealedRequest, SignedIn};
use wire::refresh::RefreshRequest;
use wire::second_factor::IdentityConfirmation;
use wire::{Code, Problem, paths};
use zeroize::Zeroizing;

/// Maximum number of attempts: one new nonce, one new token, and one new nonce for that.
const TRIES: u32 = 4;

/// Maximum number of mistyped proofs.
const MOST_PROOFS: u32 = 3;

#[derive(Debug)]
pub struct Session {
    http: HttpClient,
    environment: Arc<dyn Environment>,
    storage: Storage,
    keys: ClientKeys,
    profile: Mutex<Profile>,
    nonce: Mutex<Option<String>>,
    /// The prompt for proofs that the server demands.
    prompt: Option<Arc<dyn ProofPrompt>>,
}

impl Session {
    /// Opens the stored session for the server of `http`.
    ///
    /// # Errors
    /// No session is stored, or it cannot be read.
    pub async fn open(http: HttpClient, environment: Arc<dyn Environment>, storage: Storage) -> Result<Self> {
        let origin = http.server().origin();
        let damaged = |error| match error {
            Error::Unreadable(_) | Error::Key => Error::DamagedSession(origin.clone()),
            other => other,
        };
        let profile = storage.load::<Profile>(http.server()).await.map_err(damaged)?;
        let profile = profile.ok_or_else(|| Error::NotSignedIn(origin.clone()))?;
        Self::of(http, environment, storage, profile).map_err(damaged)
    }

    /// Creates a session that need not be stored.
    ///
    /// # Errors
    /// Its keys are invalid.
    pub fn of(http: HttpClient, environment: Arc<dyn Environment>, storage: Storage, profile: Profile) -> Result<Self> {
        let keys = profile.keys()?;
        Ok(Self {
            http,
            environment,
            storage,
            keys,
            profile: Mutex::new(profile),
            nonce: Mutex::default(),
            prompt: None,
        })
    }

    /// Lets a person be asked for the proofs that the server demands.
    #[must_use]
    pub fn with_prompt(self, prompt: Arc<dyn ProofPrompt>) -> Self {
        Self { prompt: Some(prompt), ..self }
    }

    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub fn environment(&self) -> &dyn Environment {
        &*self.environment
    }

    pub fn keys(&self) -> &ClientKeys {
        &self.keys
    }

    /// Sends `GET` and parses the answer.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or the session has ended.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.answer(Method::GET, path, None).await?.read()
    }

    /// Sends `POST` and parses the answer.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or the session has ended.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.answer(Method::POST, path, Some(json(body))).await?.read()
    }

    /// Sends `DELETE`.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or the session has ended.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.answer(Method::DELETE, path, None).await?.accepted().map(drop)
    }

    /// Sends a request and returns any answer once the token is valid. If the server demands a fresh proof of the
    /// person, asks for it and sends the request again.
    ///
    /// # Errors
    /// The server cannot be reached, or the session has ended.
    pub(crate) async fn answer(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer> {
        let answer = self.send_once(method.clone(), path, body.clone()).await?;
        match answer.problem() {
            Some(problem) if problem.code == Code::InsufficientUserAuthentication && self.confirm(&problem).await? => {
                self.send_once(method, path, body).await
            }
            _ => Ok(answer),
        }
    }

    /// Does the same as [`Self::answer`], without the prompt.
    async fn send_once(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer> {
        let (mut nonces, mut renewals) = (2, 1);
        for _ in 0..TRIES {
            let token = self.token().await;
            let proof = self.prove(method.as_str(), path, Some(&token)).await?;
            let with = RequestOptions {
                body: body.clone(),
                token: Some(&token),
                proof: Some(&proof),
                ..RequestOptions::default()
            };
            let answer = self.http.send(method.clone(), path, with).await?;
            self.remember(&answer).await;
            match answer.code() {
                Some(Code::UseDpopNonce) if nonces > 0 => nonces -= 1,
                Some(Code::NoSession) if renewals > 0 => {
                    renewals -= 1;
                    self.renew(&token).await?;
                }
                Some(Code::NoSession | Code::SessionEnded) => return Err(self.ended()),
                _ => return Ok(answer),
            }
        }
        Err(self.ended())
    }

    /// Sends `GET` for any API path and returns any status.
    ///
    /// # Errors
    /// The server cannot be reached, or the session has ended.
    pub async fn api(&self, path: &str) -> Result<Answer> {
        self.answer(Method::GET, path, None).await
    }

    async fn token(&self) -> Zeroizing<String> {
        Zeroizing::new(self.profile.lock().await.access_token().to_owned())
    }

    async fn prove(&self, method: &str, path: &str, token: Option<&str>) -> Result<String> {
        let nonce = self.nonce.lock().await.clone();
        // A proof contains the URL without its query (RFC 9449, section 4.2).
        let url = self.http.server().at(path.split('?').next().unwrap_or(path));
        self.keys
            .signing()
            .prove(&*self.environment, ProofClaims { method, url: &url, nonce: nonce.as_deref(), token, mac_epk: None })
    }

    async fn remember(&self, answer: &Answer) {
        if let Some(nonce) = answer.nonce() {
            *self.nonce.lock().await = Some(nonce.to_owned());
        }
    }

    /// Replaces the `spent` token. A lock serialises this across all processes of this person. A process that waited
    /// finds the new token and does not refresh again.
    async fn renew(&self, spent: &str) -> Result<()> {
        let mut profile = self.profile.lock().await;
        if profile.access_token() != spent {
            return Ok(());
        }
        let server = self.http.server();
        let _alone = self.storage.lock::<Profile>(server).await?;
        let kept = self.storage.load::<Profile>(server).await?.ok_or_else(|| Error::NotSignedIn(server.origin()))?;
        let done = kept.access_token() != spent;
        *profile = kept;
        if done {
            return Ok(());
        }
        let signed_in = self.refresh(&profile).await?;
        profile.take(signed_in.tokens.ok_or_else(|| Error::Foreign(server.origin(), 200))?);
        self.storage.update(server, &*profile).await
    }

    /// Sends the spent access token too: while strangers have this address banned, it shows that the request belongs to a
    /// session.
    async fn refresh(&self, profile: &Profile) -> Result<SignedIn> {
        let body = json(&RefreshRequest { refresh_token: Some(profile.refresh_token().to_owned()) });
        // The second attempt is for an expired nonce only.
        for _ in 0..2 {
            let proof = self.prove("POST", paths::REFRESH, Some(profile.access_token())).await?;
            let with = RequestOptions {
                body: Some(body.clone()),
                token: Some(profile.access_token()),
                proof: Some(&proof),
                ..RequestOptions::default()
            };
            let answer = self.http.send(Method::POST, paths::REFRESH, with).await?;
            self.remember(&answer).await;
            match answer.code() {
                Some(Code::UseDpopNonce) => {}
                Some(Code::NoSession | Code::SessionEnded | Code::BadProof) => return Err(self.ended()),
                _ => return answer.read(),
            }
        }
        Err(self.ended())
    }

    fn ended(&self) -> Error {
        Error::SessionEnded(self.http.server().origin())
    }
}

impl Session {
    /// Proves the person again, if there is a prompt. `false`: no proof was given.
    async fn confirm(&self, problem: &Problem) -> Result<bool> {
        let Some(prompt) = self.prompt.as_deref() else { return Ok(false) };
        let mut refused = None;
        for _ in 0..MOST_PROOFS {
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
        let plaintext = Zeroizing::new(json(given));
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
        let body = json(&SealedRequest {
            encrypted_username_password: envelope,
            short_key: challenge.short_key,
            delivery: Delivery::Body,
        });
        self.send_once(Method::POST, paths::CONFIRM, Some(body)).await?.accepted().map(drop)
    }
}
