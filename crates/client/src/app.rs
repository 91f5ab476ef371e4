//! Requests to apps behind the portal, with a token that this app takes and nobody else.

use crate::http::With;
use crate::keys::Claims;
use crate::{Answer, Error, Http, Rest, Result, Server, Session};
use reqwest::Method;
use wire::apps::{AppToken, TokenRequest};
use wire::{Code, paths};

/// New nonces in one request, and new tokens.
const NONCES: u32 = 2;
const TOKENS: u32 = 1;

impl Session {
    /// A token for the app of this origin; `None`: the portal knows no such app.
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

    /// `GET` of a URL of an app, or of the rest of it, whatever it answers; a good answer's body is still to come. A
    /// token that ended on the way is replaced, and a nonce that the app asks for is proven with.
    ///
    /// # Errors
    /// The portal or the app cannot be reached, the portal refuses, or the session has ended.
    pub async fn get_from_app(
        &self,
        http: &Http,
        url: &str,
        mut token: AppToken,
        rest: Option<&Rest>,
    ) -> Result<Answer> {
        let app = Server::of(url)?;
        let bare = url.split(['?', '#']).next().unwrap_or(url);
        let (mut nonces, mut tokens, mut nonce) = (NONCES, TOKENS, None::<String>);
        loop {
            let text = token.access_token.as_str();
            let claims = Claims { method: "GET", url: bare, nonce: nonce.as_deref(), token: Some(text) };
            let proof = self.keys().signing().prove(self.machine(), claims)?;
            let with = With { token: Some(text), proof: Some(&proof), rest, ..With::default() };
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
