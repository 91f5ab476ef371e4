//! The gate's secrets, each derived for one purpose.

use domain::UnixMs;
use domain::client_key::ClientKey;
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256};
use parking_lot::RwLock;
use std::sync::Arc;
use tpat::challenge::{Challenge, ChallengeTerms};
use tpat::{Token, Txid};
use verify::nonce;
use zeroize::Zeroizing;

/// The secrets of all valid MAC keys. Clones share them, so [`Secrets::replace`] changes all clones.
#[derive(Clone)]
pub struct Secrets {
    sets: Arc<RwLock<Arc<Sets>>>,
    client: Zeroizing<[u8; 32]>,
    log: Zeroizing<[u8; 32]>,
}

/// The first key makes values, and it and the others verify them. A value of an ended key needs further proof.
struct Sets {
    current: Set,
    others: Vec<Set>,
    ended: Vec<Set>,
}

/// The secrets derived from one key.
struct Set {
    challenge: Zeroizing<[u8; 32]>,
    token: Zeroizing<[u8; 32]>,
    nonce: Zeroizing<[u8; 32]>,
    offer: Zeroizing<[u8; 32]>,
}

impl Secrets {
    /// Derives the secrets. `log` names payments in the log and clients with free requests, and is never replaced.
    /// `current` makes values, `others` verify them.
    pub fn derive<'a>(log: &[u8; 32], current: &[u8; 32], others: impl IntoIterator<Item = &'a [u8; 32]>) -> Self {
        let sets = Arc::new(RwLock::new(Sets::derive(current, others, [])));
        Self { sets, client: Zeroizing::new(hmac_sha256(log, &[b"free requests"])), log: Zeroizing::new(*log) }
    }

    /// Replaces the keys in use. `others` were rotated. `ended` are expired or revoked, and others may have them.
    pub fn replace<'a>(
        &self,
        current: &[u8; 32],
        others: impl IntoIterator<Item = &'a [u8; 32]>,
        ended: impl IntoIterator<Item = &'a [u8; 32]>,
    ) {
        *self.sets.write() = Sets::derive(current, others, ended);
    }

    pub(super) fn issue_challenge(&self, random: [u8; 16], pricing: ChallengeTerms) -> String {
        Challenge::issue(&self.sets().current.challenge, random, pricing)
    }

    /// Reads a challenge. `None`: it was not made here, or with a key that has ended.
    pub(super) fn challenge(&self, text: &str) -> Option<Challenge> {
        self.find(|set| Challenge::authenticate(&set.challenge, text).ok())
    }

    pub(super) fn mint(&self, token: &Token) -> String {
        token.mint(&self.sets().current.token)
    }

    /// Reads a token. `None`: it was not made here, or with a key that has ended.
    pub(super) fn token(&self, text: &str) -> Option<Token> {
        self.find(|set| Token::authenticate(&set.token, text).ok())
    }

    /// Reads a token of an ended key. It may be forged, so the caller must compare it with its sale.
    pub(super) fn ended_token(&self, text: &str) -> Option<Token> {
        self.sets().ended.iter().find_map(|set| Token::authenticate(&set.token, text).ok())
    }

    pub(super) fn nonce(&self, now: UnixMs) -> String {
        nonce::make(&self.sets().current.nonce, now)
    }

    /// Returns the time at which a nonce of this gate was made.
    pub(super) fn nonce_made_at(&self, nonce: &str) -> Option<UnixMs> {
        self.find(|set| nonce::made_at(&set.nonce, nonce))
    }

    /// Returns the value of the cookie that keeps an offer. Wallets and programs see the bare challenge, so it must not
    /// be sufficient to get the token that was paid for.
    pub(super) fn seal_offer(&self, challenge: &str) -> String {
        format!("{challenge}.{}", base64url(&hmac_sha256(&self.sets().current.offer, &[challenge.as_bytes()])))
    }

    /// Returns the challenge of a cookie that was made here.
    pub(super) fn open_offer<'a>(&self, value: &'a str) -> Option<&'a str> {
        let (challenge, tag) = value.split_once('.')?;
        let tag = from_base64url(tag)?;
        self.find(|set| hmac_is(&set.offer, &[challenge.as_bytes()], &tag).then_some(challenge))
    }

    /// Returns the name under which a client's free requests are counted.
    pub(super) fn client_name(&self, client: ClientKey) -> String {
        base64url(&hmac_sha256(&self.client, &[client.to_string().as_bytes()])[..16])
    }

    /// Returns a keyed hash that names a transaction in the log. The log must not become a list of who paid whom. The
    /// name is always the same, and reveals nothing without the key.
    pub(super) fn log_name(&self, txid: &str) -> String {
        base64url(&hmac_sha256(&self.log, &[txid.as_bytes()])[..9])
    }

    pub(super) fn log_name_of(&self, txid: &Txid) -> String {
        self.log_name(&txid.to_string())
    }

    fn sets(&self) -> Arc<Sets> {
        Arc::clone(&self.sets.read())
    }

    fn find<T>(&self, read: impl Fn(&Set) -> Option<T>) -> Option<T> {
        let sets = self.sets();
        std::iter::once(&sets.current).chain(&sets.others).find_map(read)
    }
}

impl Sets {
    fn derive<'a>(
        current: &[u8; 32],
        others: impl IntoIterator<Item = &'a [u8; 32]>,
        ended: impl IntoIterator<Item = &'a [u8; 32]>,
    ) -> Arc<Self> {
        Arc::new(Self {
            current: Set::derive(current),
            others: others.into_iter().map(Set::derive).collect(),
            ended: ended.into_iter().map(Set::derive).collect(),
        })
    }
}

impl Set {
    fn derive(root: &[u8; 32]) -> Self {
        let purpose = |name: &str| Zeroizing::new(hmac_sha256(root, &[name.as_bytes()]));
        let (challenge, token, nonce) = (purpose("challenge"), purpose("token"), purpose("dpop nonce"));
        Self { challenge, token, nonce, offer: purpose("offer") }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tpat::TokenClass;
    use tpat::challenge::RouteId;

    #[test]
    fn values_of_a_replaced_key_are_good_until_it_is_taken_away() {
        let (old, new) = ([1; 32], [2; 32]);
        let secrets = Secrets::derive(&[9; 32], &old, []);
        let shared = secrets.clone();
        let token = Token {
            id: [1; 16],
            routes: RouteId([2; 8]),
            expires: 3,
            class: TokenClass::Counted,
            binding: tpat::Binding::Bearer,
        };
        let (before, nonce, name) =
            (secrets.mint(&token), secrets.nonce(UnixMs::from_millis(1000)), secrets.log_name("txid"));
        let (offer, client) = (secrets.seal_offer("Ab-_"), ClientKey::V4([203, 0, 113, 7].into()));
        let named = secrets.client_name(client);
        secrets.replace(&new, [&old], []);
        assert_ne!(shared.mint(&token), before);
        assert_eq!(
            (shared.token(&before), shared.nonce_made_at(&nonce)),
            (Some(token), Some(UnixMs::from_millis(1000)))
        );
        assert_eq!((shared.open_offer(&offer), shared.open_offer("Ab-_.AAAA")), (Some("Ab-_"), None));
        secrets.replace(&new, [], [&old]);
        assert_eq!((shared.token(&before), shared.nonce_made_at(&nonce)), (None, None));
        assert_eq!((shared.open_offer(&offer), shared.client_name(client)), (None, named));
        assert_eq!(shared.ended_token(&before), Some(token), "but it is told from a forgery");
        assert_eq!(shared.log_name("txid"), name, "names in the log stay");
    }
}
