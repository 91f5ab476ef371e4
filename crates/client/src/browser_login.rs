//! Sign-in through a browser, for accounts with passkeys and for machines without a browser.
//!
//! Either the browser sends a code to a port of this machine (RFC 8252, with PKCE), or a person types a code into a
//! browser elsewhere (RFC 8628). The server then returns a session that is bound to the keys of this program, as after
//! a sign-in by password. No password passes through this program.

use crate::http::{Answer, RequestOptions, json};
use crate::keys::ProofClaims;
use crate::{ClientKeys, Environment, Error, HttpClient, Profile, Result};
use domain::encoding::{base64url, sha256};
use reqwest::{Method, Url};
use serde::Deserialize;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use wire::login::TerminalSignIn;
use wire::oauth::TERMINAL_CLIENT;
use wire::paths;

/// Time limit for the person in the browser.
const TIMEOUT: Duration = Duration::from_mins(10);
/// Time limit for one request at the port. Browsers open connections that they do not use.
const REQUEST: Duration = Duration::from_secs(10);
/// Maximum length of a request's head, in bytes.
const LONGEST: usize = 8192;
const CALLBACK: &str = "/callback";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Maximum number of polls in a row without an answer.
const MOST_UNREACHED: u32 = 3;
/// Maximum number of attempts at a request: one new nonce for each.
const TRIES: u32 = 2;

/// A sign-in that waits for a browser on this machine. `Debug` hides its secrets.
pub struct BrowserLogin {
    listener: TcpListener,
    redirect_uri: String,
    state: String,
    verifier: String,
    keys: ClientKeys,
    /// The page to open.
    pub url: String,
}

/// A sign-in that waits for a browser anywhere.
#[derive(Debug)]
pub struct DeviceLogin {
    keys: ClientKeys,
    codes: DeviceCodes,
}

/// The answer of the server (RFC 8628, section 3.2).
#[derive(Clone, Deserialize)]
struct DeviceCodes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

#[derive(Deserialize)]
struct OAuthTokens {
    access_token: String,
}

#[derive(Deserialize)]
struct OAuthProblem {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl BrowserLogin {
    /// Opens a port on the loopback interface.
    ///
    /// # Errors
    /// No port is free; the random source failed.
    pub async fn begin(http: &HttpClient, environment: &dyn Environment) -> Result<Self> {
        let broken = |error: std::io::Error| Error::Browser(format!("no port on this machine: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(broken)?;
        let redirect_uri = format!("http://{}{CALLBACK}", listener.local_addr().map_err(broken)?);
        let keys = ClientKeys::generate(environment)?;
        let (state, verifier) = (base64url(&environment.bytes::<16>()?), base64url(&environment.bytes::<32>()?));
        let jkt = base64url(&sha256(keys.public().0.thumbprint_input().as_bytes()));
        let challenge = base64url(&sha256(verifier.as_bytes()));
        let query = form(&[
            ("client_id", TERMINAL_CLIENT),
            ("response_type", "code"),
            ("scope", "openid"),
            ("redirect_uri", &redirect_uri),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("dpop_jkt", &jkt),
        ]);
        let url = format!("{}?{query}", http.server().at(paths::OAUTH_AUTHORIZE));
        Ok(Self { listener, redirect_uri, state, verifier, keys, url })
    }

    /// Waits for the browser, and signs in.
    ///
    /// # Errors
    /// The person declined or took too long; the server refuses.
    pub async fn finish(self, http: &HttpClient, environment: &dyn Environment) -> Result<Profile> {
        let issuer = http.server().origin();
        let waiting = receive(&self.listener, &self.state, &issuer);
        let late = |_| Error::Browser("the browser sent no answer within ten minutes".to_owned());
        let code = tokio::time::timeout(TIMEOUT, waiting).await.map_err(late)??;
        let pairs = [
            ("grant_type", "authorization_code"),
            ("client_id", TERMINAL_CLIENT),
            ("code", code.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", self.verifier.as_str()),
        ];
        match exchange(http, environment, &self.keys, &pairs).await? {
            Ok(token) => begin_session(http, environment, &self.keys, &token).await,
            Err(problem) => Err(problem.into()),
        }
    }
}

impl DeviceLogin {
    /// Requests the codes of a device.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn begin(http: &HttpClient, environment: &dyn Environment) -> Result<Self> {
        let body = form(&[("client_id", TERMINAL_CLIENT), ("scope", "openid")]);
        let with = RequestOptions { form: Some(body), ..RequestOptions::default() };
        let codes = http.send(Method::POST, paths::OAUTH_DEVICE, with).await?.read()?;
        Ok(Self { keys: ClientKeys::generate(environment)?, codes })
    }

    /// Returns the code for the person.
    pub fn user_code(&self) -> &str {
        &self.codes.user_code
    }

    /// Returns the page where the person types the code.
    pub fn url(&self) -> &str {
        &self.codes.verification_uri
    }

    /// Returns the same page with the code.
    pub fn complete_url(&self) -> &str {
        &self.codes.verification_uri_complete
    }

    /// Polls the server until the person has answered, and signs in.
    ///
    /// # Errors
    /// The person declined or took too long; the server cannot be reached or refuses.
    pub async fn finish(self, http: &HttpClient, environment: &dyn Environment) -> Result<Profile> {
        let waiting = async {
            let (mut interval, mut unreached) = (self.codes.interval.max(1), 0);
            loop {
                tokio::time::sleep(Duration::from_secs(interval)).await;
                let pairs = [
                    ("grant_type", DEVICE_GRANT),
                    ("client_id", TERMINAL_CLIENT),
                    ("device_code", self.codes.device_code.as_str()),
                ];
                let answer = match exchange(http, environment, &self.keys, &pairs).await {
                    // A connection that was idle between two polls may be closed (RFC 8628, section 3.5).
                    Err(Error::Unreachable(..)) if unreached < MOST_UNREACHED => {
                        unreached += 1;
                        continue;
                    }
                    answer => answer?,
                };
                unreached = 0;
                match answer {
                    Ok(token) => return begin_session(http, environment, &self.keys, &token).await,
                    Err(problem) if problem.error == "authorization_pending" => {}
                    // RFC 8628, section 3.5.
                    Err(problem) if problem.error == "slow_down" => interval += 5,
                    Err(problem) => return Err(problem.into()),
                }
            }
        };
        let late = |_| Error::Browser("the code was not entered in time".to_owned());
        tokio::time::timeout(Duration::from_secs(self.codes.expires_in), waiting).await.map_err(late)?
    }
}

/// Exchanges a code at the token endpoint, with a proof of the signing key.
async fn exchange(
    http: &HttpClient,
    environment: &dyn Environment,
    keys: &ClientKeys,
    pairs: &[(&str, &str)],
) -> Result<Result<String, OAuthProblem>> {
    let send = |proof: String| async move {
        let with = RequestOptions { form: Some(form(pairs)), proof: Some(&proof), ..RequestOptions::default() };
        http.send(Method::POST, paths::OAUTH_TOKEN, with).await
    };
    let answer = proven(http, environment, keys, paths::OAUTH_TOKEN, None, send).await?;
    if answer.is_ok() {
        return Ok(Ok(answer.read::<OAuthTokens>()?.access_token));
    }
    match serde_json::from_slice::<OAuthProblem>(&answer.body) {
        Ok(problem) => Ok(Err(problem)),
        Err(_) => Err(answer.refusal()),
    }
}

/// Turns the access token into a session with this program's keys.
async fn begin_session(
    http: &HttpClient,
    environment: &dyn Environment,
    keys: &ClientKeys,
    token: &str,
) -> Result<Profile> {
    let body = json(&TerminalSignIn { receiving_key: keys.public().1 });
    let send = |proof: String| {
        let body = body.clone();
        async move {
            let with = RequestOptions {
                body: Some(body),
                token: Some(token),
                proof: Some(&proof),
                ..RequestOptions::default()
            };
            http.send(Method::POST, paths::TERMINAL_LOGIN, with).await
        }
    };
    let answer = proven(http, environment, keys, paths::TERMINAL_LOGIN, Some(token), send).await?;
    Profile::new(http.server(), answer.read()?, keys)
}

/// Sends a request with a proof; again with the server's nonce, if it asks for one.
async fn proven<F, A>(
    http: &HttpClient,
    environment: &dyn Environment,
    keys: &ClientKeys,
    path: &str,
    token: Option<&str>,
    send: F,
) -> Result<Answer>
where
    F: Fn(String) -> A,
    A: Future<Output = Result<Answer>>,
{
    let url = http.server().at(path);
    let mut nonce: Option<String> = None;
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let claims = ProofClaims { method: "POST", url: &url, nonce: nonce.as_deref(), token, mac_epk: None };
        let answer = send(keys.signing().prove(environment, claims)?).await?;
        let newer = answer.nonce().map(str::to_owned);
        if answer.is_ok() || tries == 0 || newer.is_none() || newer == nonce {
            return Ok(answer);
        }
        nonce = newer;
    }
}

/// Waits for the request with the code. Other requests are answered and ignored.
async fn receive(listener: &TcpListener, state: &str, issuer: &str) -> Result<String> {
    let (sender, mut receiver) = mpsc::channel(1);
    loop {
        tokio::select! {
            Some(callback_result) = receiver.recv() => return callback_result,
            Ok((stream, _)) = listener.accept() => {
                let (sender, state, issuer) = (sender.clone(), state.to_owned(), issuer.to_owned());
                tokio::spawn(async move {
                    let answered = tokio::time::timeout(REQUEST, answer(stream, &state, &issuer)).await;
                    if let Ok(Some(callback_result)) = answered {
                        drop(sender.send(callback_result).await);
                    }
                });
            }
        }
    }
}

/// Answers one request at the port. `None`: it contained no result.
async fn answer(mut stream: TcpStream, state: &str, issuer: &str) -> Option<Result<String>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut part = [0; 1024];
        match stream.read(&mut part).await {
            Ok(length) if length > 0 && head.len() < LONGEST => head.extend_from_slice(part.get(..length)?),
            _ => return None,
        }
    }
    let callback_result = callback_result(std::str::from_utf8(&head).ok()?, state, issuer);
    let (status, says) = match &callback_result {
        Some(Ok(_)) => ("200 OK", "You can close this page and go back to the terminal."),
        Some(Err(_)) => ("200 OK", "The terminal was not signed in. You can close this page."),
        None => ("404 Not Found", "Not found."),
    };
    let page = format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Postern</title><p>{says}");
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         content-security-policy: default-src 'none'\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    drop(stream.write_all(response.as_bytes()).await);
    drop(stream.shutdown().await);
    callback_result
}

/// Reads the result in a request: a code, or the reason why there is none. Another `state` is another sign-in's, and
/// another `iss` another server's (RFC 9207).
fn callback_result(head: &str, state: &str, issuer: &str) -> Option<Result<String>> {
    let target = head.lines().next()?.strip_prefix("GET ")?.split(' ').next()?;
    let url = Url::parse(&format!("http://localhost{target}")).ok()?;
    if url.path() != CALLBACK {
        return None;
    }
    let value = |name: &str| url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    if value("state").as_deref() != Some(state) || value("iss").as_deref() != Some(issuer) {
        return None;
    }
    match (value("code"), value("error")) {
        (Some(code), None) => Some(Ok(code)),
        (_, Some(error)) => {
            let error_description = value("error_description").unwrap_or_default();
            Some(Err(OAuthProblem { error, error_description }.into()))
        }
        (None, None) => None,
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://localhost/").ok();
    if let Some(url) = &mut url {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.as_ref().and_then(Url::query).unwrap_or_default().to_owned()
}

impl From<OAuthProblem> for Error {
    fn from(problem: OAuthProblem) -> Self {
        let OAuthProblem { error, error_description } = problem;
        let plain = |text: String| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
        Self::Browser(plain(if error_description.is_empty() { error } else { error_description }))
    }
}

impl std::fmt::Debug for BrowserLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrowserLogin").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DeviceCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceCodes(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_this_sign_in_counts() {
        let get = |target: &str| {
            callback_result(&format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n"), "s1", "https://a.example")
        };
        let good = "/callback?code=abc&state=s1&iss=https%3A%2F%2Fa.example";
        assert_eq!(get(good).unwrap().unwrap(), "abc");
        for other in [
            "/callback?code=abc&state=s2&iss=https%3A%2F%2Fa.example",
            "/callback?code=abc&state=s1&iss=https%3A%2F%2Fevil.example",
            "/callback?code=abc&state=s1",
            "/callback?state=s1&iss=https%3A%2F%2Fa.example",
            "/favicon.ico",
            "/callback/x?code=abc&state=s1&iss=https%3A%2F%2Fa.example",
        ] {
            assert!(get(other).is_none(), "{other}");
        }
        assert!(callback_result("POST /callback?code=abc&state=s1 HTTP/1.1", "s1", "https://a.example").is_none());
        let declined = "/callback?error=access_denied&error_description=the%20person%0adeclined&state=s1&\
                        iss=https%3A%2F%2Fa.example";
        assert_eq!(get(declined).unwrap().unwrap_err().to_string(), "not signed in: the persondeclined");
    }

    #[tokio::test]
    async fn its_secrets_are_in_no_debug_text() {
        let http = HttpClient::new(crate::Server::parse("http://127.0.0.1:9").unwrap()).unwrap();
        let waiting = BrowserLogin::begin(&http, &crate::SystemEnvironment).await.unwrap();
        let text = format!("{waiting:?}");
        assert!(!text.contains(&waiting.verifier) && !text.contains(&waiting.state), "{text}");
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(form(&[("a b", "c&d=é"), ("e", "")]), "a+b=c%26d%3D%C3%A9&e=");
    }
}
