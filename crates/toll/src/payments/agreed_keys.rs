//! Keys for MACs that the gate agreed on with holders of tokens. In memory only: a key without its used numbers would
//! accept copied requests.

use super::dpop::NONCE_MS;
use crate::environment::RandomFn;
use domain::UnixMs;
use domain::encoding::sha256;
use jwe::PrivateKey;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tpat::Thumbprint;
use tpat::mac::{AgreedKey, Agreement, CoveredRequest, EphemeralPoint, KeyAnswer, KeyId, ReplayWindow, RequestMac};
use zeroize::Zeroizing;

/// Lifetime of a key in milliseconds: a MAC that was held back serves no longer than a proof.
const LIFE_MS: i64 = NONCE_MS;
/// Maximum number of tokens with keys. Further ones get none, and their holders send proofs.
const TOKENS: usize = 10_000;
/// Maximum number of keys of a token. A further key replaces the oldest.
const PER_TOKEN: usize = 4;

#[derive(Default)]
pub(super) struct AgreedKeys(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// The keys by the hash of the token, oldest first.
    tokens: HashMap<[u8; 32], Vec<Arc<HeldKey>>>,
    swept_at: UnixMs,
}

struct HeldKey {
    id: KeyId,
    key: AgreedKey,
    /// The key that signed the client's point.
    holder: Thumbprint,
    made_at: UnixMs,
    window: Mutex<ReplayWindow>,
}

impl AgreedKeys {
    /// Agrees on a key with the holder of a token, who signed `point`. `None`: it is no point, or there is no space.
    pub(super) fn agree(
        &self,
        point: &str,
        holder: Thumbprint,
        token: &str,
        random: &RandomFn,
        now: UnixMs,
    ) -> Option<KeyAnswer> {
        let client: EphemeralPoint = point.parse().ok()?;
        let (mut id, mut seed) = (KeyId([0; 16]), Zeroizing::new([0; 32]));
        random(&mut id.0);
        random(seed.as_mut_slice());
        let own = PrivateKey::generate(&seed).ok()?;
        let gate = EphemeralPoint::of(&own.public())?;
        let secret = own.agree(&client.jwk()).ok()?;
        let key = AgreedKey::derive(&secret, &Agreement { id, holder, token, client, gate });
        let held = HeldKey { id, key, holder, made_at: now, window: Mutex::default() };
        let seconds = u32::try_from(LIFE_MS / 1000).unwrap_or_default();
        self.0.lock().keep(sha256(token.as_bytes()), held, now).then_some(KeyAnswer { id, point: gate, seconds })
    }

    /// Whether a MAC proves the holder of a token for this request. It is accepted once.
    pub(super) fn admits(
        &self,
        presented: &str,
        holder: Thumbprint,
        token: &str,
        request: CoveredRequest<'_>,
        now: UnixMs,
    ) -> bool {
        let Ok(mac) = presented.parse::<RequestMac>() else { return false };
        let Some(held) = self.0.lock().find(&sha256(token.as_bytes()), mac.id) else { return false };
        // Only a valid MAC may move the window. Otherwise anybody could shut out the numbers that follow.
        held.holder == holder
            && held.is_live(now)
            && held.key.verifies(&mac, request)
            && held.window.lock().accept(mac.number)
    }
}

impl Table {
    fn find(&self, token: &[u8; 32], id: KeyId) -> Option<Arc<HeldKey>> {
        self.tokens.get(token)?.iter().find(|held| held.id == id).cloned()
    }

    /// Stores a key. Returns `false` if there is no space.
    fn keep(&mut self, token: [u8; 32], held: HeldKey, now: UnixMs) -> bool {
        let full = |table: &Self| table.tokens.len() >= TOKENS && !table.tokens.contains_key(&token);
        if full(self) || !(0..LIFE_MS).contains(&now.since(self.swept_at)) {
            self.swept_at = now;
            self.tokens.retain(|_, keys| {
                keys.retain(|held| held.is_live(now));
                !keys.is_empty()
            });
        }
        if full(self) {
            return false;
        }
        let keys = self.tokens.entry(token).or_default();
        if keys.len() >= PER_TOKEN {
            keys.remove(0);
        }
        keys.push(Arc::new(held));
        true
    }
}

impl HeldKey {
    /// Whether it has not expired. After the clock was set back, it counts as expired.
    fn is_live(&self, now: UnixMs) -> bool {
        (-1000..LIFE_MS).contains(&now.since(self.made_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    fn held(id: u8, made_at: UnixMs) -> HeldKey {
        let id = KeyId([id; 16]);
        let point: EphemeralPoint = domain::encoding::base64url(&[4; 65]).parse().expect("a point");
        let agreement = Agreement { id, holder: Thumbprint([1; 32]), token: "", client: point, gate: point };
        let key = AgreedKey::derive(&[0; 32], &agreement);
        HeldKey { id, key, holder: agreement.holder, made_at, window: Mutex::default() }
    }

    fn token(number: usize) -> [u8; 32] {
        sha256(&number.to_be_bytes())
    }

    #[test]
    fn a_token_has_few_keys_and_takes_none_from_others() {
        let mut table = Table::default();
        assert!(table.keep(token(0), held(100, UnixMs::EPOCH), UnixMs::EPOCH));
        for id in 0..6 {
            assert!(table.keep(token(1), held(id, UnixMs::EPOCH), UnixMs::EPOCH));
        }
        let left: Vec<u8> = (0..6).filter(|id| table.find(&token(1), KeyId([*id; 16])).is_some()).collect();
        assert_eq!(left, [2, 3, 4, 5]);
        assert!(table.find(&token(0), KeyId([100; 16])).is_some());
        assert!(table.find(&token(0), KeyId([5; 16])).is_none(), "a key is of one token");
    }

    #[test]
    fn a_full_table_keeps_its_keys_until_they_expire() {
        let mut table = Table::default();
        for number in 0..TOKENS {
            assert!(table.keep(token(number), held(1, at(1000)), at(1000)));
        }
        assert!(!table.keep(token(TOKENS), held(1, at(2000)), at(2000)));
        assert!(table.keep(token(3), held(2, at(2000)), at(2000)), "a token with keys gets more");
        assert!(table.keep(token(TOKENS), held(1, at(1000 + LIFE_MS)), at(1000 + LIFE_MS)));
        assert_eq!(table.tokens.len(), 2);
    }
}
