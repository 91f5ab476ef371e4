//! The OpenID provider: discovery, userinfo and introspection next to bare axum, and the exchange of a code next to its
//! two signatures.

use crate::machine;
use crate::openid_client::{EXCHANGES, client, code, exchange, introspection};
use crate::service::Service;
use crate::table::Row;
use crate::visitor::Visitor;
use crate::wrk::{self, Ask, TICKS_PER_SECOND};
use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use wire::paths;

const TARGET: f64 = 0.7;
const DISCOVERY_TARGET: f64 = 0.9;
/// A session has few unused codes, so that they are made and exchanged in rounds.
const ROUNDS: u16 = 6;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    {
        let serving = wrk::start()?;
        let (postern, bare) = (serving.addresses.postern, serving.addresses.bare);
        let ask = |port| Ask { port, path: paths::OPENID_CONFIGURATION, welcome: true, ..Ask::default() };
        let (row, ratio) = wrk::compare("OpenID discovery", &serving, &ask(postern), &ask(bare))?;
        rows.push(row.at_least(ratio, DISCOVERY_TARGET));
        let bearer = format!("Authorization: Bearer {}", serving.addresses.client_token);
        let ask = |port| Ask {
            port,
            path: paths::OAUTH_USERINFO,
            headers: vec![bearer.clone()],
            welcome: true,
            ..Ask::default()
        };
        let (row, ratio) = wrk::compare("userinfo", &serving, &ask(postern), &ask(bare))?;
        rows.push(row.at_least(ratio, TARGET));
        let body = introspection(&serving.addresses.client_token);
        let ask = |port| Ask {
            port,
            path: paths::OAUTH_INTROSPECT,
            headers: vec!["Content-Type: application/x-www-form-urlencoded".to_owned()],
            body: Some(body.clone()),
            welcome: true,
            ..Ask::default()
        };
        let (row, ratio) = wrk::compare("introspection", &serving, &ask(postern), &ask(bare))?;
        rows.push(row.at_least(ratio, TARGET));
    }
    rows.push(exchanges()?);
    Ok(rows)
}

/// Exchanges codes for an access token (ES256) and an ID token (RS256).
fn exchanges() -> Result<Row> {
    let folder = machine::folder()?;
    let own = client()?;
    let service = Service::start(folder.path(), 1, |settings| settings.clients.push(own))?;
    let ticks = || machine::cpu_ticks(std::process::id());
    let used = service.runtime.block_on(async {
        let state = &service.state;
        let tokens = Visitor::arrive(&service.place, 1).await?.sign_in().await?.context("no envelope")?;
        let mut used = 0.0;
        for _ in 0..ROUNDS {
            let mut codes = Vec::new();
            for _ in 0..EXCHANGES / ROUNDS {
                codes.push(code(state, &tokens.access_token).await?);
            }
            let before = ticks()?;
            for code in codes {
                exchange(state, code).await?;
            }
            used += ticks()? - before;
        }
        anyhow::Ok(used)
    })?;
    service.end();
    let failed = "a signature could not be made";
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).ok().context(failed)?;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok();
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.context(failed)?.as_ref())?;
    let before = ticks()?;
    let mut signature = vec![0; rsa.public_modulus_len()];
    for _ in 0..EXCHANGES {
        rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &[b'a'; 500], &mut signature).ok().context(failed)?;
        ec.sign(&SystemRandom::new(), &[b'a'; 500]).ok().context(failed)?;
    }
    let signatures = ticks()? - before;
    let each = |ticks: f64| format!("{:.2} ms of CPU", ticks / TICKS_PER_SECOND * 1000.0 / f64::from(EXCHANGES));
    let row = Row::new("code to tokens", each(used));
    Ok(row.beside(format!("its two signatures {}", each(signatures)), signatures / used))
}
