//! Authorization requests (OpenID Connect Core, section 3.1.2; OAuth 2.1, section 4.1.1).

use crate::claims::{ClaimsRequest, scopes_of, strongest_reached};
use crate::client::{Client, Pkce};
use crate::error::{ErrorCode, OAuthError};
use crate::params::Params;
use crate::pkce;
use crate::redirect_uri;
use crate::scope::{OPENID, SUPPORTED, Scopes};
use domain::second_factor::Requirement;
use domain::thumbprint::Thumbprint;

pub use crate::answer::{Redirected, Response, ResponseMode, ReturnTo, ShownError};

/// The `request_uri` of a pushed request begins with this (RFC 9126, section 2.2).
pub const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";
/// Some apps keep all of a page's parameters in it.
const LONGEST_STATE: usize = 8192;
const LONGEST_NONCE: usize = 512;

/// A valid authorization request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    pub redirect_uri: String,
    pub response_mode: ResponseMode,
    pub state: Option<String>,
    /// The requested scopes that the client may have.
    pub scopes: Scopes,
    pub nonce: Option<String>,
    pub code_challenge: Option<String>,
    /// Thumbprint of the key that the code is bound to (RFC 9449, section 10).
    pub dpop_jkt: Option<Thumbprint>,
    pub prompt: Prompt,
    /// Maximum age of the sign-in in seconds.
    pub max_age: Option<i64>,
    pub acr_values: Vec<String>,
    pub login_hint: Option<String>,
    pub id_token_hint: Option<String>,
    pub claims: ClaimsRequest,
    pub resources: Vec<String>,
}

/// The values of `prompt`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    pub none: bool,
    /// `login` and `select_account`: the person signs in again, and may do so as somebody else.
    pub login: bool,
    pub consent: bool,
}

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Shown to the person, because the client or its redirect URI is not certain (RFC 6749, section 4.1.2.1).
    Shown(ShownError),
    /// Sent to the client.
    Redirected(Redirected),
}

/// Returns the id of the request's client.
///
/// # Errors
/// It is missing or occurs twice.
pub fn client_id(params: &Params) -> Result<&str, ShownError> {
    let wrong = |text: &str| ShownError::new(ErrorCode::InvalidRequest, text, Vec::new());
    if params.repeats("client_id") {
        return Err(wrong("client_id occurs more than once"));
    }
    params.get("client_id").ok_or_else(|| wrong("client_id is missing"))
}

/// Builds the error for an id that no client has.
pub fn unknown_client(id: &str) -> ShownError {
    let facts = vec![("Presented client_id", id.chars().take(100).collect())];
    ShownError::new(ErrorCode::InvalidClient, "no client has this client_id", facts)
}

/// Builds the error for a client that an administrator has disabled.
pub fn disabled_client(id: &str) -> ShownError {
    let facts = vec![("Presented client_id", id.chars().take(100).collect())];
    ShownError::new(ErrorCode::UnauthorizedClient, "an administrator has disabled this client", facts)
}

impl AuthorizationRequest {
    /// Judges the parameters of a request from `client`. `pushed`: they came through the client's own authenticated
    /// request (RFC 9126). `resources`: those that clients may name which nobody at this site has added.
    ///
    /// # Errors
    /// How the request is refused.
    pub fn judge(params: &Params, client: &Client, pushed: bool, resources: &[String]) -> Result<Self, Box<Refusal>> {
        let uri = registered_uri(params, client).map_err(|shown| Box::new(Refusal::Shown(shown)))?;
        let mode = response_mode(params, uri);
        let state = params.get("state").map(str::to_owned);
        let to = ReturnTo { redirect_uri: uri.to_owned(), mode: mode.clone().unwrap_or_default(), state };
        let refuse =
            |ShownError { error, facts }| Box::new(Refusal::Redirected(Redirected { error, facts, to: to.clone() }));
        mode.map_err(&refuse)?;
        Self::judge_rest(params, client, pushed, resources, &to).map_err(refuse)
    }

    fn judge_rest(
        params: &Params,
        client: &Client,
        pushed: bool,
        open: &[String],
        to: &ReturnTo,
    ) -> Result<Self, ShownError> {
        check_supported(params)?;
        if client.settings.require_par && !pushed {
            return Err(invalid("this client must push its requests to the PAR endpoint"));
        }
        check_lengths(params)?;
        Ok(Self {
            redirect_uri: to.redirect_uri.clone(),
            response_mode: to.mode,
            state: to.state.clone(),
            scopes: scopes(params, client)?,
            resources: resources(params, client, open)?,
            claims: claims(params)?.allowed_to(client),
            nonce: params.get("nonce").map(str::to_owned),
            code_challenge: code_challenge(params, client)?,
            dpop_jkt: dpop_jkt(params)?,
            prompt: Prompt::parse(params.get("prompt").unwrap_or_default())?,
            max_age: params.get("max_age").map(max_age).transpose()?,
            acr_values: params.get("acr_values").unwrap_or_default().split(' ').map(str::to_owned).collect(),
            login_hint: params.get("login_hint").map(str::to_owned),
            id_token_hint: params.get("id_token_hint").map(str::to_owned),
        })
    }

    /// Returns the scopes that the person is asked for. A claim that is requested by name counts as its scope.
    pub fn consent_scopes(&self) -> Scopes {
        self.scopes.with(&scopes_of(self.claims.userinfo.iter().chain(&self.claims.id_token)))
    }

    /// Returns the weakest of the levels in `acr_values`, each of which satisfies the client (section 3.1.2.1). `None`: it
    /// names no known level.
    pub fn wanted_level(&self) -> Option<Requirement> {
        self.acr_values.iter().filter_map(|value| Requirement::of_acr(value)).min()
    }

    /// Returns the `acr` that the tokens of a sign-in name. Clients compare levels by name, so it is the strongest level
    /// that was reached among those of the essential claim (section 5.5.1.1), or among `acr_values`. Otherwise it is
    /// the level that was reached.
    pub fn named_acr<'a>(&'a self, reached: &'a str) -> &'a str {
        let voluntary = || strongest_reached(&self.acr_values, reached);
        self.claims.named_acr(reached).or_else(voluntary).unwrap_or(reached)
    }

    /// Returns the place to answer at.
    pub fn return_to(&self) -> ReturnTo {
        ReturnTo { redirect_uri: self.redirect_uri.clone(), mode: self.response_mode, state: self.state.clone() }
    }
}

/// Returns a value of the request as a fact. It is short, because the maker of a link chooses the text that a page shows.
fn presented(name: &'static str, value: &str) -> (&'static str, String) {
    (name, value.chars().take(200).collect())
}

fn invalid(text: &str) -> ShownError {
    OAuthError::new(ErrorCode::InvalidRequest, text).into()
}

/// Refuses what this server does not support, and parameters that occur more than once.
fn check_supported(params: &Params) -> Result<(), ShownError> {
    if let Some(name) = params.repeated() {
        return Err(invalid(&format!("{name} occurs more than once")));
    }
    if params.get("request").is_some() {
        let text = "request objects are not supported: push the request to the PAR endpoint";
        return Err(OAuthError::new(ErrorCode::RequestNotSupported, text).into());
    }
    if let Some(uri) = params.get("request_uri") {
        let text = "only request_uri values of the PAR endpoint are supported";
        let facts = vec![presented("Presented request_uri", uri)];
        return Err(ShownError::new(ErrorCode::RequestUriNotSupported, text, facts));
    }
    if params.get("registration").is_some() {
        let text = "registration in a request is not supported";
        return Err(OAuthError::new(ErrorCode::RegistrationNotSupported, text).into());
    }
    match params.get("response_type") {
        Some("code") => Ok(()),
        Some(other) => {
            let text = "only response_type=code is supported";
            let facts =
                vec![presented("Presented response_type", other), ("Supported response_type", "code".to_owned())];
            Err(ShownError::new(ErrorCode::UnsupportedResponseType, text, facts))
        }
        None => Err(invalid("response_type is missing")),
    }
}

/// Refuses values that are too long to be kept.
fn check_lengths(params: &Params) -> Result<(), ShownError> {
    let is_longer = |name, most| params.get(name).is_some_and(|value| value.len() > most);
    if is_longer("state", LONGEST_STATE) {
        return Err(invalid("state is longer than 8192 bytes"));
    }
    if is_longer("nonce", LONGEST_NONCE) {
        return Err(invalid("nonce is longer than 512 bytes"));
    }
    Ok(())
}

/// Returns the requested resources, all of which the client may name.
fn resources(params: &Params, client: &Client, open: &[String]) -> Result<Vec<String>, ShownError> {
    let resources = params.resources();
    client.check_resources(&resources, open).map_err(|error| {
        let asked = resources.iter().map(|resource| presented("Presented resource", resource));
        let allowed = client.resources(open).map(|resource| ("Registered resource", resource.clone()));
        ShownError { error, facts: asked.chain(allowed).collect() }
    })?;
    Ok(resources)
}

fn claims(params: &Params) -> Result<ClaimsRequest, ShownError> {
    let Some(text) = params.get("claims") else { return Ok(ClaimsRequest::default()) };
    ClaimsRequest::parse(text).ok_or_else(|| {
        let facts = vec![presented("Presented claims", text)];
        ShownError::new(ErrorCode::InvalidRequest, "claims is not an object as in section 5.5", facts)
    })
}

/// Returns the requested scopes that the client may have.
fn scopes(params: &Params, client: &Client) -> Result<Scopes, ShownError> {
    let text = params.get("scope").unwrap_or_default();
    let asked = Scopes::parse(text);
    let scopes = client.allowed(&asked);
    let problem = if asked.is_empty() {
        "scope is missing"
    } else if scopes.is_empty() {
        "this client may not have any of these scopes"
    } else if asked.contains(OPENID) && !scopes.contains(OPENID) {
        "this client may not have the scope openid"
    } else {
        return Ok(scopes);
    };
    let allowed = client.allowed(&SUPPORTED.into_iter().collect()).to_string();
    let given = (!asked.is_empty()).then(|| presented("Presented scope", text));
    let facts = given.into_iter().chain([("Allowed scope", allowed)]).collect();
    Err(ShownError::new(ErrorCode::InvalidScope, problem, facts))
}

fn registered_uri<'a>(params: &'a Params, client: &Client) -> Result<&'a str, ShownError> {
    let wrong = |text: &str, facts| ShownError::new(ErrorCode::InvalidRequest, text, facts);
    let registered = || {
        let uris = client.settings.redirect_uris.iter();
        uris.map(|uri| ("Registered redirect_uri", uri.clone())).collect::<Vec<_>>()
    };
    if params.repeats("redirect_uri") {
        return Err(wrong("redirect_uri occurs more than once", registered()));
    }
    let uri = params.get("redirect_uri").ok_or_else(|| wrong("redirect_uri is missing", registered()))?;
    if client.redirects_to(uri) {
        return Ok(uri);
    }
    let mut facts = vec![("Presented redirect_uri", uri.chars().take(1024).collect())];
    facts.extend(registered());
    Err(wrong("redirect_uri is not one that is registered for this client; they are compared byte by byte", facts))
}

fn response_mode(params: &Params, uri: &str) -> Result<ResponseMode, ShownError> {
    let invalid = |mode: &str, text: &str, supported: &str| {
        let facts = vec![presented("Presented response_mode", mode), ("Supported response_mode", supported.to_owned())];
        Err(ShownError::new(ErrorCode::InvalidRequest, text, facts))
    };
    match params.get("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("form_post") if redirect_uri::origin(uri).is_some() => Ok(ResponseMode::FormPost),
        Some(mode @ "form_post") => {
            invalid(mode, "response_mode=form_post needs an http or https redirect URI", "query")
        }
        Some(mode) => invalid(mode, "response_mode must be query or form_post", "query, form_post"),
    }
}

fn code_challenge(params: &Params, client: &Client) -> Result<Option<String>, ShownError> {
    let invalid = |text: &str, facts| Err(ShownError::new(ErrorCode::InvalidRequest, text, facts));
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, None) if client.settings.pkce == Pkce::Optional => Ok(None),
        (None, None) => invalid("code_challenge is missing: this client must use PKCE with S256", Vec::new()),
        (None, Some(_)) => invalid("code_challenge_method without code_challenge", Vec::new()),
        (Some(challenge), Some("S256")) if pkce::is_challenge(challenge) => Ok(Some(challenge.to_owned())),
        (Some(challenge), Some("S256")) => {
            let text = "code_challenge is not a SHA-256 in base64url without padding";
            invalid(text, vec![presented("Presented code_challenge", challenge)])
        }
        (Some(_), method) => {
            // The default of the parameter (RFC 7636, section 4.3).
            let method = presented("Presented code_challenge_method", method.unwrap_or("plain"));
            let facts = vec![method, ("Supported code_challenge_method", "S256".to_owned())];
            invalid("code_challenge_method must be S256", facts)
        }
    }
}

fn dpop_jkt(params: &Params) -> Result<Option<Thumbprint>, ShownError> {
    let Some(text) = params.get("dpop_jkt") else { return Ok(None) };
    Thumbprint::parse(text).map(Some).ok_or_else(|| {
        let facts = vec![presented("Presented dpop_jkt", text)];
        ShownError::new(ErrorCode::InvalidRequest, "dpop_jkt is not a SHA-256 thumbprint", facts)
    })
}

fn max_age(text: &str) -> Result<i64, ShownError> {
    let digits = text.bytes().all(|c| c.is_ascii_digit()) && text.len() <= 10;
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| {
        let facts = vec![presented("Presented max_age", text)];
        ShownError::new(ErrorCode::InvalidRequest, "max_age is not a number of seconds", facts)
    })
}

impl Prompt {
    fn parse(text: &str) -> Result<Self, ShownError> {
        let invalid = |problem: &str| {
            let supported = "none; or login, consent and select_account".to_owned();
            let facts = vec![presented("Presented prompt", text), ("Supported prompt", supported)];
            Err(ShownError::new(ErrorCode::InvalidRequest, problem, facts))
        };
        let mut prompt = Self::default();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => return invalid("prompt must be none, login, consent or select_account"),
            }
        }
        if prompt.none && (prompt.login || prompt.consent) {
            return invalid("prompt=none excludes all other values");
        }
        Ok(prompt)
    }
}
