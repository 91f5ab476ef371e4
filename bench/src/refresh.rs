//! Refreshes per second of many sessions at once, each durable before it is answered, against single
//! fsyncs on the same disk.

use crate::service::Service;
use crate::table::{Rounds, Row, count, per_second};
use crate::visitor::Visitor;
use crate::wrk::TICKS_PER_SECOND;
use crate::{disk, load, machine};
use anyhow::{Context, Result, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use axum::extract::FromRef;
use domain::encoding::base64url;
use serde_json::{Value, json};
use server::flows::refresh::refresh;
use server::state::AppState;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wire::login::{Delivery, SignedIn};
use wire::paths;
use wire::refresh::RefreshRequest;

const SESSIONS: usize = 64;
const TARGET: f64 = 10.0;
const ROUNDS: usize = 3;
/// Number of refreshes with a proof of each session in a round.
const PROVED: usize = 40;
/// The largest multiple of what the cryptography of one refresh costs.
const MOST_TIMES: f64 = 1.6;

/// A session, its connection and its newest refresh token.
struct RefreshSession(Visitor, String);

pub(crate) fn measure() -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let service = Service::start(folder.path(), Service::workers(), |_| {})?;
    let clients = load::runtime()?;
    let mut sessions = clients.block_on(sign_in(&service))?;
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        let limit = disk::fsyncs_per_second(folder.path(), Duration::from_secs(1))?;
        rounds.push(refreshes_per_second(&clients, &mut sessions)?, limit);
    }
    drop(clients);
    let cost = cost(&service, sessions)?;
    service.end();
    let (rate, limit) = rounds.median();
    let row = Row::new(&format!("refreshes, {SESSIONS} sessions"), per_second(rate));
    let row = row.beside(format!("single fsyncs {}", per_second(limit)), rate / limit).at_least(rate / limit, TARGET);
    Ok(vec![row, cost])
}

/// Measures the processor time of one refresh with a proof, without HTTP, beside that of its cryptography.
fn cost(service: &Service, sessions: Vec<RefreshSession>) -> Result<Row> {
    let mut tokens: Vec<String> = sessions.into_iter().map(|RefreshSession(_, token)| token).collect();
    let key = ProofKey::make()?;
    let ticks = || machine::cpu_ticks(std::process::id());
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        let (before, times) = (ticks()?, SESSIONS * PROVED);
        for _ in 0..times {
            ensure!(key.proves_and_signs()?, "a good signature was refused");
        }
        let alone = (ticks()? - before) / count(times);
        let nonce = service.state.keyring.nonce(service.state.now());
        let url = format!("{}{}", service.place.origin, paths::REFRESH);
        let proved = |token: String| {
            let proofs =
                (0..PROVED).map(|_| key.prove(&url, &nonce, &service.state.ulid())).collect::<Result<Vec<_>>>();
            Ok((token, proofs?))
        };
        let come = tokens.into_iter().map(proved).collect::<Result<Vec<_>>>()?;
        let (state, before) = (service.state.clone(), ticks()?);
        let refresh = move |(token, proofs)| refresh_with(state.clone(), token, proofs);
        tokens = service.runtime.block_on(load::concurrent_tasks(SESSIONS, come, refresh))?;
        rounds.push((ticks()? - before) / count(times), alone);
    }
    let (refresh, alone) = rounds.median();
    let shown = |ticks: f64| format!("{:.3} ms of CPU", ticks / TICKS_PER_SECOND * 1000.0);
    let row = Row::new("one refresh with a proof, without HTTP", shown(refresh));
    let mut row = row.beside(format!("its proof and its signature {}", shown(alone)), refresh / alone);
    row.target = format!("ratio <= {MOST_TIMES}");
    row.met = (refresh / alone <= MOST_TIMES).into();
    Ok(row)
}

/// Refreshes once for each proof, and returns the last token.
async fn refresh_with(state: AppState, mut token: String, proofs: Vec<String>) -> Result<String> {
    for proof in proofs {
        let caller = server::client::Client::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 64, &http::HeaderMap::new());
        let issued = refresh(Arc::from_ref(&state), caller, token, Some(proof), Delivery::Body).await;
        token = issued.map_err(|error| anyhow::anyhow!("{error:?}"))?.refresh_token;
    }
    Ok(token)
}

/// A key of proofs (RFC 9449).
struct ProofKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    /// A signature over [`MESSAGE`].
    signature: Vec<u8>,
}

/// A message as long as a proof.
const MESSAGE: [u8; 400] = [b'a'; 400];

impl ProofKey {
    fn make() -> Result<Self> {
        let (failed, random) = ("a signature could not be made", SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok().context(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())?;
        let signature = pair.sign(&random, &MESSAGE).ok().context(failed)?.as_ref().to_vec();
        Ok(Self { pair, random, signature })
    }

    /// Verifies one signature by a key that was not read before, and makes one.
    fn proves_and_signs(&self) -> Result<bool> {
        self.pair.sign(&self.random, &MESSAGE).ok().context("a signature could not be made")?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        Ok(key.verify(&MESSAGE, &self.signature).is_ok())
    }

    fn prove(&self, url: &str, nonce: &str, jti: &str) -> Result<String> {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (point.get(1..33).context("a point")?, point.get(33..65).context("a point")?);
        let jwk = json!({"crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y)});
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
        let claims = json!({"jti": jti, "htm": "POST", "htu": url, "iat": 1, "nonce": nonce});
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = self.pair.sign(&self.random, message.as_bytes()).ok().context("a signature")?;
        Ok(format!("{message}.{}", base64url(signature.as_ref())))
    }
}

async fn sign_in(service: &Service) -> Result<Vec<RefreshSession>> {
    let place = service.place.clone();
    let arrive = move |()| {
        let place = place.clone();
        async move {
            let mut visitor = Visitor::arrive(&place, 1).await?;
            let tokens = visitor.sign_in().await?.context("no envelope")?;
            Ok(RefreshSession(visitor, tokens.refresh_token))
        }
    };
    load::concurrent_tasks(SESSIONS, vec![(); SESSIONS], arrive).await
}

fn refreshes_per_second(clients: &Runtime, sessions: &mut Vec<RefreshSession>) -> Result<f64> {
    let began = Instant::now();
    let end = began + Duration::from_secs(2);
    let come = std::mem::take(sessions);
    let done = clients.block_on(load::concurrent_tasks(SESSIONS, come, move |session| refresh_until(session, end)))?;
    let rate = count(done.iter().map(|(_, times)| times).sum()) / began.elapsed().as_secs_f64();
    sessions.extend(done.into_iter().map(|(session, _)| session));
    Ok(rate)
}

async fn refresh_until(
    RefreshSession(mut visitor, mut token): RefreshSession,
    end: Instant,
) -> Result<(RefreshSession, usize)> {
    let mut done = 0;
    while Instant::now() < end {
        let request = RefreshRequest { refresh_token: Some(token) };
        let answer: SignedIn =
            visitor.client().await?.post(paths::REFRESH, serde_json::to_vec(&request)?.into()).await?;
        token = answer.tokens.context("a refresh without tokens")?.refresh_token;
        done += 1;
    }
    Ok((RefreshSession(visitor, token), done))
}
