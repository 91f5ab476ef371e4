//! An app behind its guard, the issuer of its tokens, and a client with a key.

use crate::issuer::{Issuer, SigningKey};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::routing::any;
use axum::{Extension, Router};
use domain::UnixMs;
use domain::encoding::base64url;
use domain::revocation::mark;
use http_body_util::BodyExt;
use postern_verify::{AccessToken, Clock, Guard, OutagePolicy, dpop};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tower::{Service, ServiceExt};

pub(crate) const NOW: UnixMs = UnixMs::from_millis(1_000_000_020_000);
pub(crate) const ISSUER: &str = "https://portal.example";
pub(crate) const APP: &str = "https://app.example";

pub(crate) struct World {
    pub issuer: Issuer,
    pub key: SigningKey,
    pub client: SigningKey,
    pub clock: Arc<AtomicI64>,
    app: Router,
    proofs: AtomicU64,
}

pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) fn challenges(&self) -> Vec<&str> {
        self.headers.get_all(header::WWW_AUTHENTICATE).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|guard| guard).await
    }

    pub(crate) async fn with(change: impl Fn(Guard) -> Guard) -> Self {
        let (issuer, key) = (Issuer::start().await, SigningKey::es256());
        let clock = Arc::new(AtomicI64::new(NOW.as_millis()));
        let time = Arc::clone(&clock);
        let named = postern_verify::IssuerSettings {
            name: ISSUER,
            reached_at: Some(&issuer.origin),
            outage: OutagePolicy::default(),
        };
        let guard = Guard::of(&named, APP)
            .unwrap()
            .with_clock(Clock::of(move || UnixMs::from_millis(time.load(Ordering::SeqCst))));
        let hello = async |Extension(token): Extension<AccessToken>| token.name().to_owned();
        let app = Router::new().route("/", any(hello)).route("/a", any(hello)).layer(change(guard).layer());
        let world = Self { issuer, key, client: SigningKey::es256(), clock, app, proofs: AtomicU64::new(0) };
        world.issuer.publish(&[("one", &world.key)]);
        world.end(&[]);
        world
    }

    /// Publishes a list with these ended sessions.
    pub(crate) fn end(&self, sessions: &[&str]) {
        let sessions: Vec<_> = sessions.iter().map(|id| mark(id)).collect();
        let iat = self.clock.load(Ordering::SeqCst).div_euclid(60_000) * 60;
        let claims = json!({"iss": ISSUER, "iat": iat, "exp": iat + 180, "sessions": sessions, "keys": []});
        let header = json!({"typ": "revocations+jwt", "alg": "ES256", "kid": "one"});
        self.issuer.list.answer.lock().unwrap().body = self.key.sign(&header, &claims);
    }

    pub(crate) fn header() -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": "one"})
    }

    pub(crate) fn claims() -> Value {
        let now = NOW.to_seconds();
        json!({
            "iss": ISSUER, "aud": APP, "sub": "01", "preferred_username": "ada", "client_id": "postern", "jti": "j",
            "sid": "s", "gen": 0, "roles": ["user"], "iat": now, "nbf": now, "exp": now + 300
        })
    }

    pub(crate) fn token(&self) -> String {
        self.key.sign(&Self::header(), &Self::claims())
    }

    /// Returns a token that is bound to the client's key.
    pub(crate) fn bound(&self) -> String {
        let mut claims = Self::claims();
        claims["cnf"] = json!({"jkt": self.jkt()});
        self.key.sign(&Self::header(), &claims)
    }

    pub(crate) fn jwk(&self) -> Value {
        let jwk = self.client.jwk("");
        json!({"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"]})
    }

    fn jkt(&self) -> String {
        let jwk = self.jwk();
        let input = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        base64url(&domain::encoding::sha256(input.as_bytes()))
    }

    /// Makes a proof for `GET /`, changed before it was signed.
    pub(crate) fn proof(&self, token: &str, change: impl Fn(&mut Value, &mut Value)) -> String {
        let jti = self.proofs.fetch_add(1, Ordering::SeqCst).to_string();
        let iat = self.clock.load(Ordering::SeqCst) / 1000;
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()});
        let mut claims =
            json!({"jti": jti, "htm": "GET", "htu": format!("{APP}/"), "iat": iat, "ath": dpop::token_hash(token)});
        change(&mut header, &mut claims);
        self.client.sign(&header, &claims)
    }

    pub(crate) async fn get(&self, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, "/", headers).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut app = self.app.clone();
        let app = ServiceExt::<Request<Body>>::ready(&mut app).await.unwrap();
        let (parts, body) = app.call(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn bearer(&self, token: &str) -> Answer {
        self.get(&[("authorization", &format!("Bearer {token}"))]).await
    }

    pub(crate) async fn dpop(&self, token: &str, proof: &str) -> Answer {
        self.get(&[("authorization", &format!("DPoP {token}")), ("dpop", proof)]).await
    }
}
