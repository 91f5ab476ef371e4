//! Access tokens of clients that were read a moment ago, so that an answer about one reads no database.

use crate::cache_counts::CacheCounts;
use crate::oauth::tokens::ClientToken;
use crate::sessions::SessionCache;
use axum::body::Bytes;
use domain::UnixMs;
use domain::client_key::ClientKey;
use oidc::{Client, ClientSource};
use quick_cache::sync::Cache;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use store::oauth::GrantRow;

/// Number of tokens, of about three kilobytes each.
const REMEMBERED: usize = 10_000;
/// Period after which a token is read again, whatever the numbers of changes say. Version 0.2.0 ends grants without a
/// number, and may run together with this one during an upgrade.
const RECENT_MS: i64 = 10_000;

/// An access token with its live grant.
#[derive(Debug)]
pub struct LiveToken {
    pub token: ClientToken,
    pub grant: GrantRow,
    /// The client that it was issued to.
    pub client: Arc<Client>,
}

/// The answer of an introspection, and the audiences whose servers may have it.
#[derive(Debug)]
pub struct Introspection {
    pub audiences: Vec<String>,
    pub body: Bytes,
}

/// The numbers of changes that this node knew before it read a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownChanges {
    pub keys: u64,
    pub clients: u64,
    /// Changes of people by requests to this node.
    pub people: u64,
}

/// A token that was read, with the answers that were made from it.
#[derive(Debug)]
pub struct RecentToken {
    pub live: LiveToken,
    pub userinfo: OnceLock<Bytes>,
    pub introspection: OnceLock<Introspection>,
    /// The client key of its grant.
    pub bucket: OnceLock<ClientKey>,
    known: KnownChanges,
    /// The session's version, which another node's change replaces. `None`: read it again next time.
    session_version: Option<u64>,
    read_at: UnixMs,
    /// The earliest end of the token, its grant and its client.
    ends_at: UnixMs,
}

/// Tokens by their SHA-256, of bounded number. A token that is not valid is never kept.
#[derive(Debug)]
pub struct RecentTokens {
    tokens: Cache<[u8; 32], Arc<RecentToken>>,
    forgotten: AtomicU64,
    counts: CacheCounts,
}

impl Default for RecentTokens {
    fn default() -> Self {
        Self { tokens: Cache::new(REMEMBERED), forgotten: AtomicU64::default(), counts: CacheCounts::default() }
    }
}

impl RecentToken {
    /// Combines a token that was read at `read_at`. `client_ends_at`: the end of its client's registration, if any.
    pub fn new(
        live: LiveToken,
        known: KnownChanges,
        session_version: Option<u64>,
        client_ends_at: Option<UnixMs>,
        read_at: UnixMs,
    ) -> Self {
        let ends = [live.token.exp.to_millis(), live.grant.ends_at, live.grant.session_ends_at];
        let ends_at = ends.into_iter().chain(client_ends_at).min().unwrap_or(read_at);
        Self {
            live,
            userinfo: OnceLock::new(),
            introspection: OnceLock::new(),
            bucket: OnceLock::new(),
            known,
            session_version,
            read_at,
            ends_at,
        }
    }

    fn is_valid(&self, known: KnownChanges, sessions: &SessionCache, now: UnixMs) -> bool {
        // After the clock was set back, the age is unknown.
        self.known == known
            && now < self.ends_at
            && (now - self.read_at).abs() < RECENT_MS
            && sessions.version(&self.live.grant.session, now) == self.session_version
    }
}

impl RecentTokens {
    /// Finds a token about which nothing has changed since it was read, as far as this node knows.
    pub fn find(
        &self,
        hash: &[u8; 32],
        known: KnownChanges,
        sessions: &SessionCache,
        now: UnixMs,
    ) -> Option<Arc<RecentToken>> {
        let found = self.tokens.get(hash).filter(|token| token.is_valid(known, sessions, now));
        let count = if found.is_some() { &self.counts.hits } else { &self.counts.misses };
        count.inc();
        found
    }

    /// Finds a token that is genuine by these keys and has not expired. Whether its grant is live is checked elsewhere.
    pub fn genuine(&self, hash: &[u8; 32], keys: u64, now: UnixMs) -> Option<Arc<RecentToken>> {
        self.tokens.get(hash).filter(|token| token.known.keys == keys && now < token.ends_at)
    }

    /// Keeps a token that was read. A document as a client is read each time: its own server changes it, without a
    /// number.
    pub fn keep(&self, hash: [u8; 32], token: &Arc<RecentToken>) {
        if token.session_version.is_some() && token.live.client.source != ClientSource::Document {
            self.tokens.insert(hash, Arc::clone(token));
        }
    }

    /// Makes every token be read again, after a change of people by a request to this node.
    pub fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns how often [`Self::forget`] was called.
    pub fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Returns how often a token was valid here.
    pub fn cache(&self) -> &CacheCounts {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::UnixSeconds;
    use domain::account::Role;
    use oidc::access_token::Targets;
    use oidc::{ClientSettings, Scopes};

    const KNOWN: KnownChanges = KnownChanges { keys: 0, clients: 0, people: 0 };

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    fn client(source: ClientSource) -> Arc<Client> {
        let id = if source == ClientSource::Document { "https://app.example/client" } else { "app" };
        let settings = serde_json::json!({"id": id, "redirect_uris": ["https://app.example/"]});
        let settings: ClientSettings = serde_json::from_value(settings).expect("settings");
        Arc::new(Client::new(settings, &[], source).expect("a client"))
    }

    fn token(client: &Arc<Client>, session_version: Option<u64>) -> Arc<RecentToken> {
        let grant = GrantRow {
            id: "grant".to_owned(),
            client: client.id().to_owned(),
            user: "ada".into(),
            username: "ada".to_owned(),
            role: Role::User,
            session: "session".into(),
            details: "{}".to_owned(),
            jkt: None,
            generation: 0,
            refresh_hash: None,
            previous_hash: None,
            used: 0,
            created_at: UnixMs::EPOCH,
            rotated_at: UnixMs::EPOCH,
            ends_at: at(5_000),
            revoked: false,
            session_idle_at: at(50_000),
            session_ends_at: at(50_000),
        };
        let token = ClientToken {
            grant: "grant".to_owned(),
            generation: 0,
            scopes: Scopes::parse("openid"),
            exp: UnixSeconds::from_seconds(100),
            aud: None,
            targets: Targets::All,
        };
        let live = LiveToken { token, grant, client: Arc::clone(client) };
        Arc::new(RecentToken::new(live, KNOWN, session_version, None, UnixMs::EPOCH))
    }

    #[test]
    fn a_bounded_number_of_tokens_is_kept() {
        let (tokens, client) = (RecentTokens::default(), client(ClientSource::Settings));
        let token = token(&client, Some(1));
        for number in 0..2 * REMEMBERED as u64 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            tokens.keep(hash, &token);
        }
        // Each part of the cache rounds its own bound up.
        let most = REMEMBERED + REMEMBERED / 10;
        assert!((1..=most).contains(&tokens.tokens.len()), "{}", tokens.tokens.len());
    }

    #[test]
    fn tokens_that_no_number_describes_are_not_kept() {
        let tokens = RecentTokens::default();
        tokens.keep([1; 32], &token(&client(ClientSource::Settings), None));
        tokens.keep([2; 32], &token(&client(ClientSource::Document), Some(1)));
        assert!(tokens.tokens.is_empty());
    }

    #[test]
    fn a_token_is_used_until_one_of_its_numbers_or_its_time_is_another() {
        let (tokens, sessions) = (RecentTokens::default(), SessionCache::default());
        let session = domain::ids::SessionId::from("session");
        sessions.insert(&session, crate::sessions::tests::live(at(50_000), sessions.next_version()));
        let version = sessions.version(&session, at(1));
        tokens.keep([1; 32], &token(&client(ClientSource::Settings), version));
        let find = |known: KnownChanges, now: UnixMs| tokens.find(&[1; 32], known, &sessions, now).is_some();
        assert!(find(KNOWN, at(1)) && find(KNOWN, at(4_999)));
        assert!(!find(KNOWN, at(5_000)), "its grant has ended");
        assert!(!find(KNOWN, at(-RECENT_MS)), "the clock was set back");
        for other in [
            KnownChanges { keys: 1, ..KNOWN },
            KnownChanges { clients: 1, ..KNOWN },
            KnownChanges { people: 1, ..KNOWN },
        ] {
            assert!(!find(other, at(1)), "{other:?}");
        }
        assert!(find(KNOWN, at(1)));
        sessions.outdate([&session]);
        assert!(!find(KNOWN, at(1)));
    }
}
