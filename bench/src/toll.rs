//! The paid gate: the cost of its proxy and of nginx's, the cost of a token, and the time to verify a proof of payment.

use crate::client::Client;
use crate::load;
use crate::nginx::Nginx;
use crate::paying;
use crate::serving::{line, start_this};
use crate::table::{Rounds, Row, median, milliseconds};
use crate::wrk::{self, Ask, Lines};
use anyhow::{Context, Result, ensure};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::body::Bytes;
use domain::encoding::{base64url, sha256};
use http::{HeaderMap, StatusCode};
use jwe::PrivateKey;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Child;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;
use tpat::mac::{AgreedKey, Agreement, CoveredRequest, EphemeralPoint, KeyAnswer, KeyId};
use tpat::{Address, OutProof, Thumbprint, Txid};
use wire::jwk::{OkpJwk, VerifyingJwk};
use wire::toll::{
    MAC_KEY_HEADER, NONCE_HEADER, Offer, PROOF_HEADER, REDEEM, RedeemRequest, RedeemedToken, SCHEME, SESSION_SCHEME,
};

const PROXY: f64 = 0.7;
const BEARER: f64 = 0.7;
/// The target for a token that is bound to a key: a MAC for each request reaches it, a signature does not.
const BOUND: f64 = 0.45;
const VERIFIED_MS: f64 = 1.0;
const ROUNDS: usize = 3;
/// Number of proofs, more than one core can check in a round.
const PROOFS: usize = 80_000;
/// Tenths of a second within which the gate is ready.
const STARTS: u32 = 100;
const VECTOR: &str = include_str!("../../crates/tpat/tests/vectors/outproof-single-0.json");

pub(crate) fn measure() -> Result<Vec<Row>> {
    let upstream = Nginx::answering()?;
    let nginx = Nginx::forwarding(upstream.port)?;
    let gate = Gate::start(upstream.port)?;
    let free = gate.ask("/free");
    let other = Ask { port: nginx.port, ..gate.ask("/free") };
    let (proxy, ratio) = wrk::beside("proxied requests, no toll", (gate.pid(), &free), "nginx", (nginx.pid(), &other))?;
    let proxy = proxy.at_least(ratio, PROXY);

    let key = Key::make()?;
    let bearer = load::runtime()?.block_on(gate.buy("/bearer", 1, None))?;
    let mut ask = gate.ask("/bearer");
    ask.headers = vec![format!("Authorization: {SESSION_SCHEME} {}", bearer.0)];
    let (row, ratio) =
        wrk::beside("the same, paid with a bearer token", (gate.pid(), &ask), "no toll", (gate.pid(), &free))?;
    let bearer = row.at_least(ratio, BEARER);

    let (token, nonce) = load::runtime()?.block_on(gate.buy("/bound", 2, Some(&key)))?;
    let mut rounds = Rounds::default();
    for round in 0..ROUNDS {
        let proofs = gate.proofs(&key, &token, &nonce, round)?;
        let mut ask = gate.ask("/bound");
        ask.headers = vec![format!("Authorization: {SESSION_SCHEME} {token}")];
        ask.lines = Some(Lines { header: "DPoP", before: "", file: proofs.path().to_owned() });
        let limit = wrk::per_cpu_second(gate.pid(), &free)?;
        rounds.push(wrk::per_cpu_second(gate.pid(), &ask)?, limit);
    }
    let (row, ratio) = wrk::row("the same, paid with a bound token, a new proof each", "no toll", &rounds);
    let bound = row.at_least(ratio, BOUND);
    Ok(vec![proxy, bearer, bound, macs(&gate, &key, &token, &free)?, verification()?])
}

/// Measures a bound token with a MAC for each request. A key serves one round, because it ends after a minute.
fn macs(gate: &Gate, key: &Key, token: &str, free: &Ask) -> Result<Row> {
    let mut rounds = Rounds::default();
    for round in 0..ROUNDS {
        let limit = wrk::per_cpu_second(gate.pid(), free)?;
        let macs = gate.macs(&load::runtime()?.block_on(gate.agree(key, token, round))?)?;
        let mut ask = gate.ask("/bound");
        ask.headers = vec![format!("Authorization: {SESSION_SCHEME} {token}")];
        ask.lines = Some(Lines { header: "TPAT-MAC", before: "", file: macs.path().to_owned() });
        rounds.push(wrk::per_cpu_second(gate.pid(), &ask)?, limit);
    }
    let (row, ratio) = wrk::row("the same, paid with a bound token, a MAC each", "no toll", &rounds);
    Ok(row.at_least(ratio, BOUND))
}

/// Measures the median of many verifications.
fn verification() -> Result<Row> {
    let vector: Value = serde_json::from_str(VECTOR)?;
    let text = |name: &str| vector.get(name).and_then(Value::as_str).context("a vector");
    let txid: Txid = text("txid")?.parse()?;
    let (address, proof): (Address, OutProof) = (text("sub")?.parse()?, text("proof")?.parse()?);
    let hex = vector.pointer("/tx/as_hex").and_then(Value::as_str).context("a transaction")?;
    let byte = |pair: &[u8]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    let blob = hex.as_bytes().chunks(2).map(byte).collect::<Result<Vec<u8>>>()?;
    let message = text("msg")?.as_bytes().to_vec();
    let mut times = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        let received = tpat::verify(&blob, &txid, &address, &message, &proof);
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(received.is_ok(), "a good proof was refused");
    }
    Ok(Row::at_most("a proof of payment verified, its transaction read", median(&times), VERIFIED_MS, milliseconds))
}

struct Gate {
    child: Child,
    port: u16,
}

impl Gate {
    fn start(upstream: u16) -> Result<Self> {
        let (child, mut says) = start_this(paying::COMMAND, wrk::pinned())?;
        writeln!(child.stdin.as_ref().context("no standard input")?, "{upstream}")?;
        let port = line(&mut says)?.trim().parse().context("the gate did not start")?;
        Ok(Self { child, port })
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn ask(&self, path: &'static str) -> Ask {
        Ask { port: self.port, path, welcome: true, ..Ask::default() }
    }

    /// Buys a token for the path, and returns it with the nonce for proofs.
    async fn buy(&self, path: &str, payment: u8, key: Option<&Key>) -> Result<(String, String)> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut client = Client::connect(Ipv4Addr::LOCALHOST, address).await?;
        let vector: Value = serde_json::from_str(VECTOR)?;
        let proof = vector.get("proof").and_then(Value::as_str).context("a vector")?;
        let mut demanded = client.get(path, &[]).await?;
        // The gate asks for no money before its chain has answered.
        for _ in 0..STARTS {
            if demanded.status != StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            demanded = client.get(path, &[]).await?;
        }
        ensure!(
            demanded.status == StatusCode::PAYMENT_REQUIRED,
            "no price but {}: {:?}",
            demanded.status,
            demanded.body
        );
        let nonce =
            demanded.headers.get(NONCE_HEADER).and_then(|nonce| nonce.to_str().ok()).unwrap_or_default().to_owned();
        let demand: Offer = serde_json::from_slice(&demanded.body).context("no demand")?;
        let request = RedeemRequest { challenge: demand.challenge, jwk: key.map(Key::jwk) };
        let authorization = format!("{SCHEME} {}:{proof}", format!("{payment:02x}").repeat(32));
        let proof = match key {
            Some(key) => {
                key.prove("POST", &format!("http://localhost:{}{REDEEM}", self.port), &nonce, Claims::default(), 0)
            }
            None => String::new(),
        };
        let mut headers = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        if key.is_some() {
            headers.push((PROOF_HEADER, &proof));
        }
        let body = Bytes::from(serde_json::to_vec(&request)?);
        let redeemed: RedeemedToken = client.post_with(REDEEM, &headers, body).await?.json()?;
        Ok((redeemed.token, nonce))
    }

    /// Agrees on a key for MACs, and returns it with its id.
    async fn agree(&self, key: &Key, token: &str, round: usize) -> Result<(KeyId, AgreedKey)> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut http = Client::connect(Ipv4Addr::LOCALHOST, address).await?;
        let authorization = format!("{SESSION_SCHEME} {token}");
        let refused = http.get("/bound", &[("authorization", &authorization)]).await?;
        let text =
            |headers: &HeaderMap, name: &str| headers.get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let nonce = text(&refused.headers, NONCE_HEADER).context("no nonce")?;
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random).ok().context("no random bytes")?;
        let own = PrivateKey::generate(&random)?;
        let client = EphemeralPoint::of(&own.public()).context("no point")?;
        let claims = Claims { token: Some(token), mac_epk: Some(client.to_string()) };
        let url = format!("http://localhost:{}/bound", self.port);
        // No other proof has this `jti`, because the others count from zero.
        let proof = key.prove("GET", &url, &nonce, claims, usize::MAX - round);
        let admitted = http.get("/bound", &[("authorization", &authorization), (PROOF_HEADER, &proof)]).await?;
        let answer: KeyAnswer = text(&admitted.headers, MAC_KEY_HEADER).context("no key agreed on")?.parse()?;
        let (id, gate) = (answer.id, answer.point);
        let (secret, holder) = (own.agree(&gate.jwk())?, Thumbprint::of(&key.jwk().thumbprint_input()));
        Ok((id, AgreedKey::derive(&secret, &Agreement { id, holder, token, client, gate })))
    }

    fn bound_url(&self) -> String {
        format!("http://127.0.0.1:{}/bound", self.port)
    }

    /// Makes a file of MACs for requests.
    fn macs(&self, (id, key): &(KeyId, AgreedKey)) -> Result<NamedTempFile> {
        let mut file = NamedTempFile::new()?;
        let (url, count) = (self.bound_url(), u64::try_from(PROOFS)?);
        {
            let mut lines = BufWriter::new(file.as_file_mut());
            for number in 1..=count {
                writeln!(lines, "{}", key.sign(*id, number, CoveredRequest { method: "GET", url: &url }))?;
            }
            lines.flush()?;
        }
        Ok(file)
    }

    /// Makes a file of proofs for requests with the token.
    fn proofs(&self, key: &Key, token: &str, nonce: &str, round: usize) -> Result<NamedTempFile> {
        let mut file = NamedTempFile::new()?;
        let url = self.bound_url();
        {
            let mut lines = BufWriter::new(file.as_file_mut());
            for number in 0..PROOFS {
                let claims = Claims { token: Some(token), mac_epk: None };
                writeln!(lines, "{}", key.prove("GET", &url, nonce, claims, 1 + round * PROOFS + number))?;
            }
            lines.flush()?;
        }
        Ok(file)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// The claims of a proof beside those that every proof has.
#[derive(Default)]
struct Claims<'a> {
    token: Option<&'a str>,
    mac_epk: Option<String>,
}

struct Key(Ed25519KeyPair);

impl Key {
    fn make() -> Result<Self> {
        Ok(Self(Ed25519KeyPair::generate().ok().context("no key")?))
    }

    fn jwk(&self) -> VerifyingJwk {
        VerifyingJwk::Okp(OkpJwk::ed25519(base64url(self.0.public_key().as_ref())))
    }

    fn prove(&self, method: &str, url: &str, nonce: &str, own: Claims<'_>, jti: usize) -> String {
        let mut claims = json!({"jti": jti.to_string(), "htm": method, "htu": url, "iat": 1, "nonce": nonce});
        let hash = own.token.map(|token| base64url(&sha256(token.as_bytes())));
        for (name, value) in [("ath", hash), ("mac_epk", own.mac_epk)] {
            if let (Some(value), Some(claims)) = (value, claims.as_object_mut()) {
                claims.insert(name.to_owned(), value.into());
            }
        }
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": self.jwk()});
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&claims));
        format!("{message}.{}", base64url(self.0.sign(message.as_bytes()).as_ref()))
    }
}
