//! Keys that the client agreed on with a gate, for MACs instead of proofs of possession.

use crate::{Environment, Error, Result};
use domain::encoding::sha256;
use jwe::PrivateKey;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tpat::Thumbprint;
use tpat::mac::{AgreedKey, Agreement, CoveredRequest, EphemeralPoint, KeyAnswer, KeyId, RequestMac};
use zeroize::Zeroizing;

/// Time without MACs after a gate agreed on no key, or refused two MACs in a row, in milliseconds. Such a gate is old
/// or full, or several gates share its name.
const PAUSE_MS: i64 = 60_000;
/// Time before its end in which a key is not used, in milliseconds: a request takes a while to arrive.
const MARGIN_MS: i64 = 5000;
/// Time in which one proposal is enough for all requests, in milliseconds. The gate keeps few keys of a token.
const PROPOSAL_MS: i64 = 5000;

/// The keys that this process agreed on with one gate, one for each token. They are not stored.
#[derive(Default)]
pub struct AgreedKeys(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// The keys by the hash of the token.
    keys: HashMap<[u8; 32], HeldKey>,
    /// Number of keys that were refused since the last accepted MAC.
    refused: u32,
    paused_at: Option<i64>,
    /// The time of a proposal that has no answer yet.
    proposed_at: Option<i64>,
}

struct HeldKey {
    id: KeyId,
    key: AgreedKey,
    /// The number of the next request.
    number: u64,
    made_at: i64,
    life_ms: i64,
}

/// The client's half of an agreement.
pub(super) struct Proposal {
    key: PrivateKey,
    point: EphemeralPoint,
}

impl AgreedKeys {
    /// Makes the MAC of a request. `None`: no key is agreed on.
    pub(super) fn sign(&self, token: &str, request: CoveredRequest<'_>, now: i64) -> Option<RequestMac> {
        let mut inner = self.lock();
        let held = inner.keys.get_mut(&sha256(token.as_bytes())).filter(|held| held.is_live(now))?;
        let number = held.number;
        held.number += 1;
        Some(held.key.sign(held.id, number, request))
    }

    /// Makes the client's half for the next proof. `None`: the gate agrees on no keys now, or another proof has one.
    pub(super) fn propose(&self, environment: &dyn Environment) -> Result<Option<Proposal>> {
        let now = environment.now();
        let within = |at: Option<i64>, span| at.is_some_and(|at| (0..span).contains(&now.saturating_sub(at)));
        {
            let mut inner = self.lock();
            if within(inner.paused_at, PAUSE_MS) || within(inner.proposed_at, PROPOSAL_MS) {
                return Ok(None);
            }
            inner.proposed_at = Some(now);
        }
        let key = PrivateKey::generate(&Zeroizing::new(environment.bytes()?)).map_err(|_| Error::Random)?;
        let point = EphemeralPoint::of(&key.public()).ok_or(Error::Random)?;
        Ok(Some(Proposal { key, point }))
    }

    /// Stores the key of an admitted proposal. `answer`: the gate's half, if it sent one.
    pub(super) fn agree(&self, proposal: &Proposal, answer: Option<&str>, holder: Thumbprint, token: &str, now: i64) {
        let mut inner = self.lock();
        inner.proposed_at = None;
        let held = answer.and_then(|answer| proposal.agree(&answer.parse().ok()?, holder, token, now));
        match held {
            Some(held) => {
                inner.keys.retain(|_, held| held.is_live(now));
                inner.keys.insert(sha256(token.as_bytes()), held);
            }
            None => inner.paused_at = Some(now),
        }
    }

    /// Notes the gate's verdict about a MAC. A refused key is forgotten; requests in parallel count once.
    pub(super) fn note(&self, token: &str, key: KeyId, accepted: bool, now: i64) {
        let (mut inner, token) = (self.lock(), sha256(token.as_bytes()));
        if accepted {
            inner.refused = 0;
            return;
        }
        if inner.keys.get(&token).is_none_or(|held| held.id != key) {
            return;
        }
        inner.keys.remove(&token);
        inner.refused += 1;
        if inner.refused >= 2 {
            inner.refused = 0;
            inner.paused_at = Some(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No update leaves the keys half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proposal {
    /// Returns the value of the claim.
    pub(super) fn claim(&self) -> String {
        self.point.to_string()
    }

    fn agree(&self, answer: &KeyAnswer, holder: Thumbprint, token: &str, now: i64) -> Option<HeldKey> {
        let secret = self.key.agree(&answer.point.jwk()).ok()?;
        let KeyAnswer { id, point: gate, seconds } = *answer;
        let key = AgreedKey::derive(&secret, &Agreement { id, holder, token, client: self.point, gate });
        Some(HeldKey { id, key, number: 1, made_at: now, life_ms: i64::from(seconds) * 1000 - MARGIN_MS })
    }
}

impl HeldKey {
    fn is_live(&self, now: i64) -> bool {
        (0..self.life_ms).contains(&now.saturating_sub(self.made_at))
    }
}

impl fmt::Debug for AgreedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreedKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    /// A clock that has stopped, and bytes that are not random.
    #[derive(Debug)]
    struct Fixed;

    impl Environment for Fixed {
        fn now_ns(&self) -> i64 {
            NOW * 1_000_000
        }

        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill(1);
            Ok(())
        }
    }

    #[test]
    fn a_key_is_used_with_each_number_once_and_until_shortly_before_its_end() {
        let (keys, holder, now) = (AgreedKeys::default(), Thumbprint([1; 32]), NOW);
        let proposal = keys.propose(&Fixed).unwrap().unwrap();
        let gate = EphemeralPoint::of(&PrivateKey::generate(&[7; 32]).unwrap().public()).unwrap();
        let answer = KeyAnswer { id: KeyId([2; 16]), point: gate, seconds: 60 }.to_string();
        keys.agree(&proposal, Some(&answer), holder, "token", now);
        let sign = |token, now| keys.sign(token, CoveredRequest { method: "GET", url: "http://x/" }, now);
        let number = |mac: Option<RequestMac>| mac.map(|mac| mac.number);
        assert_eq!((number(sign("token", now)), number(sign("token", now + 54_999))), (Some(1), Some(2)));
        for (token, at) in [("token", now + 55_000), ("token", now - 1), ("another", now)] {
            assert_eq!(sign(token, at), None, "{token} {at}");
        }
        keys.note("token", KeyId([0; 16]), false, now);
        assert_eq!(number(sign("token", now)), Some(3), "an earlier key was refused");
        keys.note("token", KeyId([2; 16]), false, now);
        assert_eq!(sign("token", now), None);
    }

    #[test]
    fn one_of_many_requests_proposes_a_key() {
        let keys = AgreedKeys::default();
        let propose = || keys.propose(&Fixed).unwrap();
        let first = propose().unwrap();
        assert!(propose().is_none());
        keys.agree(&first, None, Thumbprint([1; 32]), "token", NOW - PAUSE_MS);
        assert!(propose().is_some(), "answered");
    }
}
