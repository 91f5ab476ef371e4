//! New sessions and the tokens of sessions.

use crate::api_error::ApiError;
use crate::client::Client;
use crate::keyring::thumbprint;
use crate::sessions::LiveSession;
use crate::state::{CoreState, SessionState};
use crate::tokens::TokenSubject;
use domain::UnixMs;
use domain::account::{AccountDigest, Role};
use domain::authentication::{Authentication, Methods};
use domain::ids::{SessionId, UserId};
use domain::known_device::KnownDevice;
use domain::refresh_token::RefreshToken;
use domain::thumbprint::Thumbprint;
use store::sessions::NewSession;
use store::users::PasswordHash;
use wire::jwk::EcJwk;
use wire::login::Delivery;
use wire::session::SessionInfo;

/// A session's tokens for the client.
#[derive(Clone)]
pub struct IssuedTokens {
    pub session: SessionInfo,
    pub access_token: String,
    pub refresh_token: String,
    /// The device cookie of a browser that has just signed in.
    pub device: Option<String>,
    /// When the session ends if it is not used again.
    pub until: UnixMs,
}

/// A session before it is stored.
pub struct NewSessionTokens {
    pub row: NewSession,
    pub token: RefreshToken,
}

/// The owner of a session.
pub struct SessionOwner<'a> {
    pub user: &'a UserId,
    pub username: &'a str,
    pub role: Role,
}

/// Prepares a session, bound to the client's proven keys.
///
/// `judged_by`: the hash of the checked password, if one was checked. `methods`: how the person was authenticated now.
pub fn open(
    state: &CoreState,
    client: &Client,
    user: &UserId,
    judged_by: Option<PasswordHash>,
    methods: Methods,
    keys: Option<&(EcJwk, EcJwk)>,
) -> NewSessionTokens {
    let now = state.now();
    let lives = &state.config.settings.session;
    let id: [u8; 16] = state.entropy.bytes();
    let token = RefreshToken::first(id, state.entropy.bytes());
    let row = NewSession {
        id: SessionId::of_bytes(&id),
        user: user.to_owned(),
        judged_by,
        refresh_hash: token.hash(),
        jkt: keys.map(|(signing, _)| thumbprint(signing)),
        receiving_key: keys.map(|(_, receiving)| receiving.thumbprint_input()),
        methods,
        device: client.device(),
        address: client.client_key.network_label(),
        now,
        idle_at: now + lives.idle.ms(),
        ends_at: now + lives.absolute.ms(),
    };
    NewSessionTokens { row, token }
}

/// Issues the first tokens of a new session.
///
/// # Errors
/// The access token cannot be signed.
pub fn first(
    state: &SessionState,
    owner: &SessionOwner<'_>,
    account: &AccountDigest,
    opening: &NewSessionTokens,
    delivery: Delivery,
) -> Result<IssuedTokens, ApiError> {
    let row = &opening.row;
    let jkt = row.jkt;
    let live = LiveSession {
        generation: 0,
        used: 0,
        bound: jkt.is_some(),
        rotated_at: row.now,
        idle_at: row.idle_at,
        ends_at: row.ends_at,
        revoked: false,
        authentication: Authentication { methods: row.methods, at: row.now },
        version: state.sessions.next_version(),
    };
    let device = KnownDevice::issue(&state.keyring.macs(row.now)?.device, account, jkt, row.now);
    Ok(IssuedTokens { device: Some(device), ..tokens(state, owner, &row.id, jkt, live, &opening.token, delivery)? })
}

/// Issues tokens of a session at a generation, and caches the session.
///
/// # Errors
/// The access token cannot be signed.
pub fn tokens(
    state: &SessionState,
    owner: &SessionOwner<'_>,
    session: &SessionId,
    jkt: Option<Thumbprint>,
    live: LiveSession,
    token: &RefreshToken,
    delivery: Delivery,
) -> Result<IssuedTokens, ApiError> {
    let subject = TokenSubject {
        user: owner.user,
        username: owner.username,
        role: owner.role.as_str(),
        session,
        generation: live.generation,
        jkt,
        authentication: live.authentication,
        cookie: delivery == Delivery::Cookies,
        person: None,
        jti: state.ulid(),
    };
    let (access_token, expires_at) = state.tokens.sign(subject, state.now()).map_err(ApiError::broken)?;
    state.sessions.insert(session, live);
    Ok(IssuedTokens {
        session: SessionInfo {
            id: session.to_string(),
            sub: owner.user.to_string(),
            username: owner.username.to_owned(),
            roles: vec![owner.role.as_str().to_owned()],
            bound: jkt.is_some(),
            expires_at: expires_at.as_millis(),
            auth_time: Some(live.authentication.auth_time().as_seconds()),
            amr: live.authentication.methods.amr().into_iter().map(str::to_owned).collect(),
            acr: Some(live.authentication.methods.acr().to_owned()),
        },
        access_token,
        refresh_token: token.reveal(&state.keyring.macs(state.now())?.refresh),
        device: None,
        until: live.idle_at.min(live.ends_at),
    })
}

impl std::fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({})", self.session.id)
    }
}

impl std::fmt::Debug for NewSessionTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opening({})", self.row.id)
    }
}

impl std::fmt::Debug for SessionOwner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Owner({})", self.user)
    }
}
