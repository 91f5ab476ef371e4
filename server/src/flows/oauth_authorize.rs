//! Authorization requests of clients: checked for the page, and again when the code is issued.

use super::oauth_documents::{self, FoundClient, Reader};
use super::oauth_people;
use super::oauth_request_marks::{MARK, arrived_at, marked, sent_at};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client as Caller;
use crate::guards::factor_policy::{self, MissingFactor};
use crate::guards::recent_factor;
use crate::guards::signed_in::SignedIn;
use crate::oauth::clients::is_terminal;
use crate::state::{CoreState, KeyState};
use domain::UnixSeconds;
use domain::account::AccountName;
use domain::authentication::Authentication;
use domain::encoding::{base64url, sha256};
use domain::second_factor::Requirement;
use oidc::authorize::{self, AuthorizationRequest, PUSHED, Redirected, Refusal, Response, ShownError};
use oidc::error::{ErrorCode, OAuthError};
use oidc::exchange::{CODE_MS, GrantDetails};
use oidc::step::{self, SessionFacts, Step};
use oidc::{Client, Params, Scopes};
use std::sync::Arc;
use store::audit::AuditEvent;
use store::oauth::{NewCode, PushedRequest};
use wire::paths;
use wire::problem::Code;

/// A checked request and the next step.
#[derive(Debug)]
pub enum AuthorizationOutcome {
    /// The person sees the error.
    Shown(ShownError),
    /// The person sees the error, and the way to begin again at the client.
    Expired(ShownError, Arc<Client>),
    /// The client gets the error.
    Respond(Response),
    /// The client gets the error if the person follows a link. Nobody has checked the client, and a link that redirected
    /// at once would lead anywhere (RFC 9700, section 4.11.2). The facts are for its developer.
    Leave(Response, Vec<(&'static str, String)>),
    /// The person signs in. The query string leads back to the same request.
    SignIn { again: bool, query: String },
    /// The person signs in with a second factor, although a session exists. The query string leads back.
    StepUp { query: String },
    /// The person needs a second factor first, which the account requires.
    MissingFactor(MissingFactor),
    /// The person is asked.
    Ask(Box<Examined>),
    /// A code may be issued.
    Answer(Box<Examined>),
}

/// A request that the signed-in person may answer.
#[derive(Debug)]
pub struct Examined {
    pub client: Arc<Client>,
    pub request: AuthorizationRequest,
    /// Hash of the pushed request, if it was one.
    pushed: Option<String>,
    /// The scopes that the person agreed to before.
    agreed: Option<Scopes>,
}

impl Examined {
    fn new(client: Arc<Client>, request: AuthorizationRequest, pushed: Option<String>, facts: Option<Facts>) -> Self {
        Self { client, request, pushed, agreed: facts.and_then(|facts| facts.agreed) }
    }
}

/// Checks a request. It writes nothing, so that a link alone changes nothing.
///
/// # Errors
/// The store fails.
pub async fn examine(
    state: &KeyState,
    query: &str,
    caller: &Caller,
    session: Option<&SignedIn>,
) -> Result<AuthorizationOutcome, ApiError> {
    let given = Params::parse(query);
    let reader = session.map(|session| Reader { user: &session.claims.sub, address: caller.client_key });
    let found = match find(state, &given, reader).await? {
        Ok(found) => found,
        Err(outcome) => return Ok(outcome),
    };
    let Found { client, params, pushed } = found;
    let resources = &state.config.settings.oauth.resources;
    let request = match AuthorizationRequest::judge(&params, &client, pushed.is_some(), resources) {
        Ok(request) => request,
        Err(refusal) => return Ok(refused(state, &client, *refusal)),
    };
    let now = state.now();
    if let Err(error) = state.client_tokens.check(&client, &request.scopes, now).map_err(ApiError::broken)? {
        return Ok(refuse(state, &client, request.return_to(), &error, Vec::new()));
    }
    let hint = match hinted_user(state, &client, &request) {
        Ok(hint) => hint,
        Err(error) => return Ok(refuse(state, &client, request.return_to(), &error, Vec::new())),
    };
    let plain = given.encode_without(&[MARK]);
    let facts = match session {
        Some(session) => Some(facts(state, session, &client, &request).await?),
        None => None,
    };
    let auth_time = facts.as_ref().map_or(UnixSeconds::EPOCH, |facts| facts.authentication.auth_time());
    let sent = given.get(MARK).and_then(|mark| sent_at(state, mark, &plain, auth_time));
    let required = client.settings.second_factor;
    // Nobody sets a factor up for an app that refuses the account anyway.
    let admitted = facts.as_ref().is_some_and(|facts| client.admits(facts.groups.iter().map(String::as_str)));
    let missing = match session {
        Some(session) if admitted => factor_policy::missing_for(state, &session.claims, required).await?,
        _ => None,
    };
    if let Some(missing) = missing {
        if request.prompt.none {
            let error = OAuthError::new(ErrorCode::InteractionRequired, "the sign-in needs a second factor");
            return Ok(refuse_silently(state, &client, facts.as_ref(), request.return_to(), &error));
        }
        return Ok(AuthorizationOutcome::MissingFactor(missing));
    }
    let view = facts.as_ref().map(|facts| facts.view());
    let step = step::next(&request, &client, view.as_ref(), sent, hint.as_deref(), now.to_seconds());
    Ok(match step {
        Step::Refuse(error) => refuse_silently(state, &client, facts.as_ref(), request.return_to(), &error),
        Step::SignIn { again: false } => {
            AuthorizationOutcome::SignIn { again: false, query: given.encode_without(&[]) }
        }
        Step::SignIn { again: true } => {
            AuthorizationOutcome::SignIn { again: true, query: marked(state, &plain, auth_time)? }
        }
        Step::StepUp => AuthorizationOutcome::StepUp { query: marked(state, &plain, auth_time)? },
        Step::Ask => AuthorizationOutcome::Ask(Box::new(Examined::new(client, request, pushed, facts))),
        Step::Answer => AuthorizationOutcome::Answer(Box::new(Examined::new(client, request, pushed, facts))),
    })
}

/// Returns the `sub` of the person whom the request names by an ID token, if it names one.
fn hinted_user(
    state: &KeyState,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<Option<String>, OAuthError> {
    let Some(token) = &request.id_token_hint else { return Ok(None) };
    let hint = state.client_tokens.hint(token, state.now()).filter(|hint| hint.client == client.id());
    hint.map(|hint| Some(hint.sub)).ok_or_else(|| {
        let text = "id_token_hint is not an ID token of this server for this client";
        OAuthError::new(ErrorCode::InvalidRequest, text)
    })
}

/// Issues a code to a session whose key was proven, and returns the answer for the client. `agreed`: the person has
/// just agreed. `None`: a pushed request that was answered meanwhile, perhaps by a second click.
///
/// # Errors
/// `insufficient_user_authentication` for the terminal program; the store fails.
pub async fn issue(
    state: &CoreState,
    caller: Caller,
    session: SignedIn,
    examined: Examined,
    agreed: bool,
) -> Result<Option<Response>, ApiError> {
    let Examined { client, request, pushed, agreed: before } = examined;
    if is_terminal(&client) {
        recent_factor::check(state, &session).await?;
    }
    let (now, claims) = (state.now(), &session.claims);
    let code = state.entropy.secret();
    let authentication = authentication(state, &session).await?;
    let details = GrantDetails {
        scope: request.scopes.to_string(),
        nonce: request.nonce.clone(),
        auth_time: authentication.auth_time(),
        acr: Some(request.named_acr(authentication.methods.acr()).to_owned()),
        amr: authentication.methods.amr().into_iter().map(str::to_owned).collect(),
        resources: request.resources.clone(),
        id_token: request.claims.id_token.clone(),
        userinfo: request.claims.userinfo.clone(),
    };
    let mut entry = audit::entry(state, &caller, AuditEvent::AppOpened, audit::OK);
    entry.about = client.label();
    let together = || before.clone().unwrap_or_default().with(&request.consent_scopes()).to_string();
    // Another program on this computer could send the same request, so people are asked about a terminal each time.
    let agreed = (agreed && !is_terminal(&client)).then(together);
    let consent = if agreed.is_none() { before.as_ref().map(ToString::to_string) } else { None };
    let row = NewCode {
        code_hash: base64url(&sha256(code.as_bytes())),
        client: client.id().to_owned(),
        session: claims.sid.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        jkt: request.dpop_jkt,
        details: serde_json::to_string(&details).map_err(ApiError::broken)?,
        expires_at: now + CODE_MS,
        pushed,
        device: None,
        agreed,
        consent,
        audit: entry,
        now,
    };
    if !state.store.add_code(&row).await? {
        if let Some(hash) = &row.pushed
            && state.store.pushed_request(hash, now).await?.is_none()
        {
            return Ok(None);
        }
        let error = OAuthError::new(ErrorCode::LoginRequired, "the session or the consent has ended meanwhile");
        return Ok(Some(Response::error(request.return_to(), &error, &state.config.origin)));
    }
    Ok(Some(Response::code(request.return_to(), &code, &state.config.origin)))
}

/// Returns the account name that an app proposes for its person's sign-in. `next`: the local path that the sign-in leads to.
///
/// # Errors
/// The store fails.
pub async fn login_hint(state: &CoreState, next: &str) -> Result<Option<String>, ApiError> {
    let Some((paths::OAUTH_AUTHORIZE, query)) = next.split_once('?') else { return Ok(None) };
    let given = Params::parse(query);
    let pushed = match given.get("request_uri").and_then(|uri| uri.strip_prefix(PUSHED)) {
        Some(reference) => state.store.pushed_request(&base64url(&sha256(reference.as_bytes())), state.now()).await?,
        None => None,
    };
    let pushed = pushed.map(|stored| Params::parse(&stored.parameters));
    // A text that is no account name could say anything on the page.
    let hint = pushed.as_ref().unwrap_or(&given).get("login_hint").map(AccountName::parse);
    Ok(hint.and_then(Result::ok).map(|name| name.as_str().to_owned()))
}

/// Returns the client's error for a person who declined.
pub fn declined(state: &CoreState, examined: &Examined) -> Response {
    let error = OAuthError::new(ErrorCode::AccessDenied, "the person declined");
    Response::error(examined.request.return_to(), &error, &state.config.origin)
}

/// Refuses a request with wrong parameters.
fn refused(state: &CoreState, client: &Client, refusal: Refusal) -> AuthorizationOutcome {
    match refusal {
        Refusal::Shown(shown) => AuthorizationOutcome::Shown(shown),
        Refusal::Redirected(Redirected { error, facts, to }) => refuse(state, client, to, &error, facts),
    }
}

/// Refuses a request that is wrong in itself.
fn refuse(
    state: &CoreState,
    client: &Client,
    to: authorize::ReturnTo,
    error: &OAuthError,
    facts: Vec<(&'static str, String)>,
) -> AuthorizationOutcome {
    let response = Response::error(to, error, &state.config.origin);
    if client.is_unchecked() {
        AuthorizationOutcome::Leave(response, facts)
    } else {
        AuthorizationOutcome::Respond(response)
    }
}

/// Refuses a request that this person cannot answer, or not without being asked. A client that nobody has checked gets
/// the error at once only on the person's own computer, or if the person has agreed to it before.
fn refuse_silently(
    state: &CoreState,
    client: &Client,
    facts: Option<&Facts>,
    to: authorize::ReturnTo,
    error: &OAuthError,
) -> AuthorizationOutcome {
    let is_local = !to.redirect_uri.starts_with("https://");
    if is_local || facts.is_some_and(|facts| facts.agreed.is_some()) {
        return AuthorizationOutcome::Respond(Response::error(to, error, &state.config.origin));
    }
    refuse(state, client, to, error, Vec::new())
}

struct Found {
    client: Arc<Client>,
    params: Params,
    pushed: Option<String>,
}

/// Finds the client, and the parameters of a pushed request.
async fn find(
    state: &KeyState,
    given: &Params,
    reader: Option<Reader<'_>>,
) -> Result<Result<Found, AuthorizationOutcome>, ApiError> {
    let id = match authorize::client_id(given) {
        Ok(id) => id,
        Err(shown) => return Ok(Err(AuthorizationOutcome::Shown(shown))),
    };
    let client = match oauth_documents::find(state, id, reader).await? {
        FoundClient::Client(client) => client,
        FoundClient::Shown(shown) => return Ok(Err(AuthorizationOutcome::Shown(shown))),
        FoundClient::SignInFirst => {
            return Ok(Err(AuthorizationOutcome::SignIn { again: false, query: given.encode_without(&[]) }));
        }
    };
    let Some(reference) = given.get("request_uri").and_then(|uri| uri.strip_prefix(PUSHED)) else {
        return Ok(Ok(Found { client, params: given.clone(), pushed: None }));
    };
    let (hash, now) = (base64url(&sha256(reference.as_bytes())), state.now());
    let came_at = arrived_at(state, given, reference).map_or(now, |second| now.min(second.to_millis()));
    let stored = state.store.pushed_request(&hash, now).await?;
    let is_plain = given.repeated().is_none();
    let fits = |stored: &PushedRequest| is_plain && stored.client == client.id() && came_at < stored.expires_at;
    let Some(stored) = stored.filter(fits) else {
        let text = "the pushed request has expired, was used, or is of another client";
        let error = OAuthError::new(ErrorCode::InvalidRequestUri, text);
        return Ok(Err(AuthorizationOutcome::Expired(ShownError { error, facts: Vec::new() }, client)));
    };
    Ok(Ok(Found { client, params: Params::parse(&stored.parameters), pushed: Some(hash) }))
}

/// A session in the form that the decision needs.
struct Facts {
    /// The `sub` that the client knows.
    user: Option<String>,
    authentication: Authentication,
    groups: Vec<String>,
    reachable: Requirement,
    agreed: Option<Scopes>,
}

impl Facts {
    fn view(&self) -> SessionFacts<'_> {
        SessionFacts {
            user: self.user.as_deref(),
            auth_time: self.authentication.auth_time(),
            acr: Some(self.authentication.methods.acr()),
            groups: self.groups.iter().map(String::as_str).collect(),
            reachable: self.reachable,
            agreed: self.agreed.clone(),
        }
    }
}

/// Returns when and how a session's person was authenticated, by its row. The session's own token may be older than a proof
/// since then.
///
/// # Errors
/// The session has ended; the store fails.
pub async fn authentication(state: &CoreState, session: &SignedIn) -> Result<Authentication, ApiError> {
    let row = state.store.session(&session.claims.sid).await?;
    Ok(row.ok_or_else(|| ApiError::new(Code::NoSession))?.authentication)
}

async fn facts(
    state: &CoreState,
    session: &SignedIn,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<Facts, ApiError> {
    let claims = &session.claims;
    let groups = if client.settings.groups.is_empty() {
        Vec::new()
    } else {
        oauth_people::groups_and_roles(state, &claims.sub, &claims.roles).await?
    };
    let agreed = if client.asks_consent() {
        state.store.consent(&claims.sub, client.id()).await?.map(|scope| Scopes::parse(&scope))
    } else {
        None
    };
    let reachable = if request.wanted_level().is_some_and(|level| level > Requirement::Optional) {
        factor_policy::held(state, &claims.sub).await?.strictest()
    } else {
        Requirement::Optional
    };
    Ok(Facts {
        user: oauth_people::known_subject(state, client, &claims.sub).await?,
        authentication: authentication(state, session).await?,
        groups,
        reachable,
        agreed,
    })
}
