//! Requests to apps behind the portal, with a token that only this app accepts.

use crate::http::RequestOptions;
use crate::keys::ProofClaims;
use crate::{Answer, Error, HttpClient, RemainingRange, Result, Server, Session};
use reqwest::Method;
use wire::apps::{AppToken, TokenRequest};
use wire::{Code, paths};

/// Maximum number of new nonces in one request, and of new tokens.
const NONCES: u32 = 2;
const TOKENS: u32 = 1;

impl Session {
    /// Returns a token for the app with this origin; `None`: the portal does not know the app.
    ///
    /// # Errors
    /// The portal cannot be reached, refuses, or the session has ended.
    pub async fn app_token(&self, app: &Server) -> Result<Option<AppToken>> {
        match self.post(paths::APP_TOKENS, &TokenRequest { audience: app.origin() }).await {
            Ok(token) => Ok(Some(token)),
            Err(Error::Refused(problem)) if problem.code == Code::NoApp => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends `GET` for a URL of an app, or for the rest of it. Returns any status; a successful answer's body is not
    /// read yet. Replaces an expired token and answers a request for a nonce.
    ///
    /// # Errors
    /// The portal or the app cannot be reached, the portal refuses, or the session has ended.
    pub async fn get_from_app(
        &self,
        http: &HttpClient,
        url: &str,
        mut token: AppToken,
        rest: Option<&RemainingRange>,
    ) -> Result<Answer> {
        let app = Server::of(url)?;
        let bare = url.split(['?', '#']).next().unwrap_or(url);
        let (mut nonces, mut tokens, mut nonce) = (NONCES, TOKENS, None::<String>);
        loop {
            let text = token.access_token.as_str();
            let claims =
                ProofClaims { method: "GET", url: bare, nonce: nonce.as_deref(), token: Some(text), mac_epk: None };
            let proof = self.keys().signing().prove(self.environment(), claims)?;
            let with = RequestOptions { token: Some(text), proof: Some(&proof), rest, ..RequestOptions::default() };
            let answer = http.open(Method::GET, url, with).await?;
            let asks = answer.headers("www-authenticate").any(|challenge| challenge.contains("use_dpop_nonce"));
            match (answer.status, answer.nonce()) {
                (401, Some(given)) if asks && nonces > 0 => {
                    nonces -= 1;
                    nonce = Some(given.to_owned());
                }
                (401, _) if tokens > 0 => {
                    tokens -= 1;
                    let Some(next) = self.app_token(&app).await? else { return Ok(answer) };
                    token = next;
                }
                _ => return Ok(answer),
            }
        }
    }
}
