//! A person with an account, at an address of their own, whose envelopes are sealed beforehand.

use crate::client::Client;
use anyhow::{Context, Result};
use hyper::body::Bytes;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::login::{Credentials, Delivery, ProgramTokens, SealedRequest, SignedIn};
use wire::paths;

pub(crate) const NAME: &str = "bench";
pub(crate) const PASSWORD: &str = "tadumi-verosa-kelunu-pidira";

/// Number of logins of one visitor. Each is a challenge and a login: 24 of the 30 sign-in requests that an address may
/// make in a minute.
pub(crate) const LOGINS: usize = 12;

/// No address is used twice in a run, so that no limit carries over from one measurement to the next.
static NEXT: AtomicU32 = AtomicU32::new(0x7f01_0001);

pub(crate) fn new_address() -> Ipv4Addr {
    Ipv4Addr::from_bits(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The address on which a service listens, and the origin that it names.
#[derive(Debug, Clone)]
pub(crate) struct ServiceAddress {
    pub address: SocketAddr,
    pub origin: String,
}

#[derive(Debug)]
pub(crate) struct Visitor {
    place: ServiceAddress,
    from: Ipv4Addr,
    client: Option<Client>,
    sealed: Vec<Bytes>,
}

impl Visitor {
    pub(crate) async fn arrive(place: &ServiceAddress, logins: usize) -> Result<Self> {
        let sealed = Vec::with_capacity(logins);
        let mut visitor = Self { place: place.clone(), from: new_address(), client: None, sealed };
        for _ in 0..logins {
            let challenge: Challenge = visitor.client().await?.get(paths::CHALLENGE, &[]).await?.json()?;
            visitor.sealed.push(seal(&challenge, &place.origin)?);
        }
        // The server closes idle connections, so everybody uses a new one.
        visitor.client = None;
        Ok(visitor)
    }

    /// Signs in with the next envelope. Returns `None` if none is left.
    pub(crate) async fn sign_in(&mut self) -> Result<Option<ProgramTokens>> {
        let Some(body) = self.sealed.pop() else { return Ok(None) };
        let answer: SignedIn = self.client().await?.post(paths::LOGIN, body).await?;
        answer.tokens.map(Some).context("a login without tokens")
    }

    /// Returns a connection that was still open a moment ago.
    pub(crate) async fn client(&mut self) -> Result<&mut Client> {
        let open = match self.client.take() {
            Some(open) if open.is_open() => open,
            _ => Client::connect(self.from, self.place.address).await?,
        };
        Ok(self.client.insert(open))
    }
}

fn seal(challenge: &Challenge, origin: &str) -> Result<Bytes> {
    let (username, password) = (NAME.to_owned(), PASSWORD.to_owned());
    let credentials = Credentials { username, password, code: None, remember: false, factor: false };
    let plaintext = zeroize::Zeroizing::new(serde_json::to_vec(&credentials)?);
    let Challenge { short_key, key, now, .. } = challenge;
    let envelope = seal::seal(key, EnvelopeKind::Login, short_key, origin, None, now / 1000, &plaintext)?;
    let request =
        SealedRequest { encrypted_username_password: envelope, short_key: short_key.clone(), delivery: Delivery::Body };
    Ok(serde_json::to_vec(&request)?.into())
}
