//! The client of a request, and the keys that it counts by.

use crate::bans::ActiveBan;
use crate::device;
use crate::state::DefenceState;
use domain::ban::Scope;
use domain::client_key::ClientKey;
use domain::known_device::{KnownDevice, bucket_at};
use http::{HeaderMap, HeaderValue, header};
use std::net::IpAddr;

/// The client of a request.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: IpAddr,
    pub client_key: ClientKey,
    /// A browser that has signed in before, in the default preset.
    pub known: Option<KnownDevice>,
    /// The client key of a live session or an OAuth client that the request proves, in the default preset.
    pub session: Option<ClientKey>,
    /// Whether this request proves the key that its session is bound to, or the client's secret or key. A cookie alone
    /// may be a copy.
    pub proven: bool,
    /// The request is a trusted proxy's own and belongs to no client.
    pub is_proxy: bool,
    /// As sent; most requests never need it.
    user_agent: Option<HeaderValue>,
}

impl Client {
    pub fn new(address: IpAddr, v6_prefix: u8, headers: &HeaderMap) -> Self {
        Self {
            address: address.to_canonical(),
            client_key: ClientKey::of(address, v6_prefix),
            known: None,
            session: None,
            proven: false,
            is_proxy: false,
            user_agent: headers.get(header::USER_AGENT).cloned(),
        }
    }

    /// Returns the ban key of the request: a known device, a live session or an OAuth client, otherwise the address.
    /// Locks, shares and wrong passwords count by it.
    pub fn ban_key(&self) -> ClientKey {
        self.known.as_ref().map(KnownDevice::client_key).or(self.session).unwrap_or(self.client_key)
    }

    /// Returns the client key that an offence counts against: the ban key if this request proved its key, otherwise the
    /// address.
    ///
    /// Otherwise a copied cookie with one forged message would ban the owner everywhere.
    pub fn offender(&self) -> ClientKey {
        if self.proven { self.ban_key() } else { self.client_key }
    }

    /// Returns the client key that limits count by. A device or session is counted separately at each address, so that
    /// a copied cookie elsewhere does not make the owner wait.
    pub fn limited(&self) -> ClientKey {
        let ban_key = self.ban_key();
        if ban_key == self.client_key { ban_key } else { ClientKey::Device(bucket_at(ban_key, self.client_key)) }
    }

    /// Whether the client counts by a device or session of its own instead of its address.
    pub fn has_own_bucket(&self) -> bool {
        self.ban_key() != self.client_key
    }

    /// Returns the ban of this scope on the client. A manual ban on the address applies to everybody; an automatic one
    /// does not apply to clients with their own bucket.
    pub fn closed(&self, state: &DefenceState, scope: Scope) -> Option<ActiveBan> {
        let now = state.now();
        let ban_key = self.ban_key();
        let own = state.bans.closed(ban_key, scope, now);
        // The allowlist is searched only if a ban exists.
        let listed = |_: &ActiveBan| state.allowlist.covers(self.address, now);
        if ban_key == self.client_key {
            return own.filter(|closed| !self.is_proxy && !listed(closed));
        }
        own.or_else(|| state.bans.manual_ban(self.client_key, scope, now).filter(|closed| !listed(closed)))
    }

    /// Returns the manual ban of this scope on the address. It alone applies to what cannot be guessed: the public
    /// documents of this site, and sign-in with a passkey, where a ban on everything was checked before.
    pub fn manual_ban(&self, state: &DefenceState, scope: Scope) -> Option<ActiveBan> {
        let now = state.now();
        let closed = state.bans.manual_ban(self.client_key, scope, now)?;
        (!self.is_proxy && !state.allowlist.covers(self.address, now)).then_some(closed)
    }

    /// Whether offences of `ban_key` are not counted: an allowlisted address, or a trusted proxy. An own bucket is
    /// never exempt, because guesses on a known device must be slowed down at every address.
    pub fn exempt(&self, ban_key: ClientKey, state: &DefenceState) -> bool {
        self.is_proxy || (ban_key == self.client_key && state.allowlist.covers(self.address, state.now()))
    }

    /// Returns the device's name for people, such as "Firefox on Linux".
    pub fn device(&self) -> String {
        device::name(self.user_agent.as_ref().and_then(|agent| agent.to_str().ok()))
    }
}
