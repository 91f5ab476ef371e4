//! A portal in a temporary folder, shared by the targets that need one.

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use domain::UnixMs;
use domain::account::{AccountName, Role};
use domain::ids::UserId;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use server::clock::{Clock, ManualClock};
use server::config::Config;
use server::entropy::{Entropy, SystemEntropy};
use server::keyring::EnvelopeKey;
use server::service::PortalService;
use server::site::SiteFiles;
use server::state::AppState;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use store::audit::{AuditEntry, AuditEvent};
use store::users::{NewUser, PasswordHash};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::Service;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::paths;

pub(crate) const ORIGIN: &str = "http://localhost:3000";
const NAME: &str = "root";
const PASSWORD: &str = "correct horse battery staple";
const START: UnixMs = UnixMs::from_millis(1_800_000_000_000);
/// The address of the trusted proxy.
pub(crate) const PROXY: [u8; 4] = [10, 0, 0, 1];

const SETTINGS: &str = r#"
trusted_proxies = ["10.0.0.1"]
[password]
memory_kib = 64
passes = 1
[[apps]]
name = "wiki"
origin = "http://wiki.localhost:8080"
[[apps.rules]]
path = "/public/*"
allow = "public"
[[apps.rules]]
path = "/admin/*"
allow = "role"
role = "administrator"
"#;

pub(crate) struct Portal {
    pub runtime: Runtime,
    pub state: AppState,
    pub service: PortalService,
    pub envelope: Arc<EnvelopeKey>,
    clock: Arc<ManualClock>,
    /// `Cookie` of an administrator's session.
    cookies: Mutex<String>,
    _folder: TempDir,
}

static PORTAL: LazyLock<Portal> = LazyLock::new(Portal::start);

pub(crate) fn get() -> &'static Portal {
    &PORTAL
}

impl Portal {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock = Arc::new(ManualClock::at(START));
        let state = runtime.block_on(load(&folder, Arc::clone(&clock)));
        let envelope = state.keyring.envelope(START).expect("a key");
        let service = server::router::router(&state);
        let portal = Self { runtime, state, service, envelope, clock, cookies: Mutex::default(), _folder: folder };
        portal.runtime.block_on(portal.add_administrator());
        portal.sign_in();
        portal
    }

    /// Advances the clock, so that no request runs into a limit because of those before it. Reads the database as a
    /// server does every second. Otherwise all sessions would be refused after a while.
    pub(crate) fn advance(&self, ms: i64) {
        let before = self.clock.now();
        self.clock.advance(ms);
        if before.to_seconds() != self.clock.now().to_seconds() {
            self.runtime.block_on(server::jobs::sync(&self.state)).expect("read again");
        }
    }

    pub(crate) fn cookies(&self) -> String {
        self.cookies.lock().expect("not poisoned").clone()
    }

    /// Signs the administrator in, unless the session is still live.
    pub(crate) fn sign_in(&self) {
        let cookies = self.runtime.block_on(async {
            let asked = self.ask(Method::GET, paths::SESSION, &self.cookies(), None).await;
            if asked.status() == StatusCode::OK { None } else { Some(self.new_cookies().await) }
        });
        if let Some(cookies) = cookies {
            *self.cookies.lock().expect("not poisoned") = cookies;
        }
    }

    async fn new_cookies(&self) -> String {
        let answer = self.ask(Method::GET, paths::CHALLENGE, "", None).await;
        let pre_login = set_cookies(answer.headers());
        let body = to_bytes(answer.into_body(), 1 << 16).await.expect("a body");
        let challenge: Challenge = serde_json::from_slice(&body).expect("a challenge");
        let content = serde_json::json!({"username": NAME, "password": PASSWORD}).to_string();
        let envelope =
            seal::seal(&challenge.key, EnvelopeKind::Login, &challenge.short_key, ORIGIN, None, 0, content.as_bytes());
        let body = serde_json::json!({
            "encrypted_username_password": envelope.expect("sealed"),
            "short_key": challenge.short_key,
        });
        let answer = self.ask(Method::POST, paths::LOGIN, &pre_login, Some(body.to_string())).await;
        assert_eq!(answer.status(), StatusCode::OK, "the administrator cannot sign in");
        set_cookies(answer.headers())
    }

    async fn ask(&self, method: Method, path: &str, cookies: &str, body: Option<String>) -> Response<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost:3000")
            .header(header::ORIGIN, ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookies);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let mut request = request.body(body.map_or_else(Body::empty, Body::from)).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let Ok(answer) = self.service.clone().call(request).await;
        answer
    }

    async fn add_administrator(&self) {
        let (state, entropy) = (&self.state, &SystemEntropy as &dyn Entropy);
        let place = state.passwords.permit().expect("a place");
        let hash = state.passwords.hash(&place, PASSWORD.as_bytes().to_vec().into(), [7; 16]).await.expect("a hash");
        let (id, now) = (UserId::from(state.ulid()), self.clock.now());
        let audit = AuditEntry {
            user: Some(id.clone()),
            address: "-".to_owned(),
            ..AuditEntry::new(entropy.ulid(now), now, AuditEvent::UserAdded)
        };
        let user = NewUser {
            id: id.clone(),
            name: AccountName::parse(NAME).expect("a name"),
            password_hash: PasswordHash(hash),
            role: Role::Administrator,
            key: server::user_keys::make(&state.key_encryption, entropy, &id, 1).expect("a key"),
            now,
            only_first: false,
            invitation: None,
            audit,
            session: None,
            attempt: None,
        };
        state.store.add_user(&user).await.expect("added");
    }
}

async fn load(folder: &TempDir, clock: Arc<ManualClock>) -> AppState {
    let mut table: toml::Table = toml::from_str(SETTINGS).expect("settings");
    table.insert("data_dir".to_owned(), folder.path().display().to_string().into());
    let config = Config::new(table.try_into().expect("settings")).expect("settings");
    let store = store::open(&config.database_url(), store::StoreOptions::default()).await.expect("a store");
    AppState::load(config, store, clock, Arc::new(SystemEntropy), SiteFiles::NONE).await.expect("a state")
}

fn set_cookies(headers: &HeaderMap) -> String {
    let lines = headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.filter_map(|line| line.split(';').next()).collect::<Vec<_>>().join("; ")
}
