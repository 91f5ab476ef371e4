//! An auth server's keys and revocation list behind a real HTTP server, and a time server that knows only their URLs.

use super::person::{Person, public, sign};
use super::{Client, Wire};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use domain::UnixMs;
use domain::encoding::base64url;
use domain::revocation::mark;
use jwe::{PrivateKey, Random};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time_server::{Clock, Config, Environment, Listeners, ManualClock, TimeServer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire::tickets::{IssuedTicket, SEALED_TYP, TicketHeader};

pub(crate) const NOW: UnixMs = UnixMs::from_millis(1_900_000_000_000);
pub(super) const ISSUER: &str = "http://localhost:3000";

pub(crate) struct World {
    pub clock: Arc<ManualClock>,
    pub service_key: PrivateKey,
    pub tcp: SocketAddr,
    pub web: SocketAddr,
    pub stop: watch::Sender<bool>,
    pub serving: JoinHandle<()>,
    signing: EcdsaKeyPair,
    listed: Arc<Mutex<(StatusCode, String)>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(StatusCode::OK, |_| {}).await
    }

    /// Starts a world whose auth server answers with this status, and with another config.
    pub(crate) async fn with(status: StatusCode, change: impl FnOnce(&mut Config)) -> Self {
        let signing = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let mut key = serde_json::to_value(public(&signing)).unwrap();
        key["kid"] = json!("signing");
        let list = list(&signing, "mallory");
        let listed = Arc::new(Mutex::new((status, list)));
        let mut config = Config {
            issuer: ISSUER.to_owned(),
            jwks_url: publish(status, json!({"keys": [key]}).to_string()).await,
            revocations_url: Some(publish_shared(Arc::clone(&listed)).await),
            service: "time".to_owned(),
            origins: vec![ISSUER.to_owned()],
            max_connections: 100,
            trusted_proxies: Vec::new(),
            idle: Duration::from_mins(10),
        };
        change(&mut config);
        let service_key = PrivateKey::generate(&random()).unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let environment = Environment { clock: clock.clone() as Arc<dyn Clock>, random: Arc::new(random) };
        let server = Arc::new(TimeServer::new(config, service_key.clone(), environment).unwrap());
        let (web, tcp) = (listen().await, listen().await);
        let (stop, stopped) = watch::channel(false);
        let (web_at, tcp_at) = (web.local_addr().unwrap(), tcp.local_addr().unwrap());
        let serving = tokio::spawn(server.serve(Listeners { web, tcp: Some(tcp) }, stopped));
        Self { clock, service_key, tcp: tcp_at, web: web_at, stop, serving, signing, listed }
    }

    /// Signs a person out: the auth server's list contains the session from now on.
    pub(crate) fn sign_out(&self, person: &Person) {
        *self.listed.lock().unwrap() = (StatusCode::OK, list(&self.signing, person.name));
    }

    /// Lets the auth server return no list any more.
    pub(crate) fn lose_list(&self) {
        self.listed.lock().unwrap().0 = StatusCode::SERVICE_UNAVAILABLE;
    }

    pub(crate) fn now(&self) -> UnixMs {
        let clock: &dyn Clock = &*self.clock;
        clock.now()
    }

    /// Makes a ticket as the auth server does, valid for five minutes, with a key that ends in an hour.
    pub(crate) fn ticket(&self, person: &Person) -> IssuedTicket {
        self.changed_ticket(person, |_, _| {})
    }

    /// Makes a ticket whose header and claims were changed before it was signed and sealed.
    pub(crate) fn changed_ticket(&self, person: &Person, change: impl FnOnce(&mut Value, &mut Value)) -> IssuedTicket {
        let (now, jti) = (self.now().to_seconds(), base64url(&random()));
        let mut header = json!({"typ": "ticket+jwt", "alg": "ES256", "kid": "signing"});
        let mut claims = json!({
            "iss": ISSUER, "aud": "time", "sub": person.name, "sid": format!("session of {}", person.name),
            "jti": jti, "iat": now, "nbf": now, "exp": now + 300, "roles": ["user"],
            "cnf": {"jkt": jwe::thumbprint(&person.public()).to_string()},
            "user_key": {"version": 1, "k": base64url(&person.key), "until": now + 3600},
        });
        change(&mut header, &mut claims);
        let ticket = seal(&self.service_key, &compact(&self.signing, &header, &claims));
        IssuedTicket { ticket, jti, version: 1, expires_at: 0, key_until: 0 }
    }

    /// Returns a connection after its hello.
    pub(crate) async fn connect(&self, person: &Person) -> Client {
        Client::open(self.tcp, person, &self.ticket(person)).await
    }

    /// Returns a connection before its first message.
    pub(crate) async fn wire(&self) -> Wire {
        Wire::connect(self.tcp).await
    }
}

/// Returns the signed revocation list with one person's session.
fn list(signing: &EcdsaKeyPair, name: &str) -> String {
    let sessions = [mark(&format!("session of {name}"))];
    let list = json!({"iss": ISSUER, "iat": NOW.to_seconds(), "exp": NOW.to_seconds() + 86_400, "sessions": sessions, "keys": []});
    compact(signing, &json!({"typ": "revocations+jwt", "alg": "ES256", "kid": "signing"}), &list)
}

fn compact(signing: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let message = [header, claims].map(|part| base64url(part.to_string().as_bytes())).join(".");
    format!("{message}.{}", base64url(&sign(signing, &message)))
}

pub(crate) fn seal(to: &PrivateKey, content: &str) -> String {
    let kid = jwe::thumbprint(&to.public()).to_string();
    let (alg, enc) = (jwe::ALG.to_owned(), jwe::ENC.to_owned());
    let header = |epk| TicketHeader { alg, enc, typ: SEALED_TYP.to_owned(), cty: "JWT".to_owned(), kid, epk };
    let random = Random { ephemeral: random(), content_key: random(), iv: [1; 12] };
    jwe::seal(&to.public(), header, content.as_bytes(), &random).unwrap()
}

pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

async fn listen() -> TcpListener {
    TcpListener::bind((testkit::own_loopback(), 0)).await.unwrap()
}

async fn publish(status: StatusCode, body: String) -> String {
    publish_shared(Arc::new(Mutex::new((status, body)))).await
}

async fn publish_shared(published: Arc<Mutex<(StatusCode, String)>>) -> String {
    let listener = listen().await;
    let url = format!("http://{}/published", listener.local_addr().unwrap());
    let router = Router::new().route("/published", get(async move || published.lock().unwrap().clone()));
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}
