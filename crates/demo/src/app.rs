//! The demo's app with a reverse proxy that asks Postern about each request, like nginx with `deploy/nginx/app.conf`.

use crate::parts::here;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use server::cli::{Failure, Outcome};
use server::clock::{Clock, SystemClock};
use server::config::Config;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use toll::upstream::{ForwardSettings, Upstream};
use tower::ServiceExt;
use verify::Guard;

const NAME: &str = "hello";
/// The app's origin. Browsers resolve `*.localhost` to their own machine, without DNS (RFC 6761, section 6.3).
const ORIGIN: &str = "http://hello.localhost:3006";
/// Identity headers for the app. A client cannot set them.
const IDENTITY_HEADERS: [HeaderName; 8] = [
    HeaderName::from_static("remote-user"),
    HeaderName::from_static("remote-roles"),
    HeaderName::from_static("remote-groups"),
    HeaderName::from_static("remote-name"),
    HeaderName::from_static("remote-email"),
    HeaderName::from_static("remote-session"),
    HeaderName::from_static("remote-authorization"),
    header::AUTHORIZATION,
];

/// Returns its settings as (setting, value): proxy and app are on this machine.
pub(crate) fn settings() -> [(&'static str, String); 2] {
    [
        ("trusted_proxies", "[\"127.0.0.1\"]".to_owned()),
        ("apps", format!("[{{ name = \"{NAME}\", origin = \"{ORIGIN}\" }}]")),
    ]
}

/// Returns its address, if the settings have it.
pub(crate) fn address(config: &Config) -> Option<SocketAddr> {
    config.apps.iter().find(|app| app.name == NAME).and_then(|app| here(&app.origin))
}

/// An app with an open listener.
pub(crate) struct SampleApp {
    listener: std::net::TcpListener,
    service: SampleService,
}

struct SampleService {
    portal: Upstream,
    app: Router,
    /// The app's host, independent of the client's `Host`.
    host: HeaderValue,
}

impl SampleApp {
    /// Opens the app's listener.
    ///
    /// # Errors
    /// The settings have another app, or its address is in use.
    pub(crate) fn new(config: &Config) -> Result<Self, Failure> {
        let app = config.apps.iter().find(|app| app.name == NAME);
        let app = app.ok_or_else(|| format!("apps: the demo's own is named '{NAME}'"))?;
        let address = here(&app.origin).ok_or_else(|| format!("apps: '{}' has no port to listen on", app.origin))?;
        let listener = std::net::TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        listener.set_nonblocking(true)?;
        let forward = ForwardSettings { preserve_host: true, ..ForwardSettings::default() };
        let portal = Upstream::new(format!("http://{}", config.settings.listen).parse()?, &forward);
        let guarded = hello_app::router(&Guard::new(&config.origin, &app.origin)?);
        say!("The sample app greets signed-in people at {}", app.origin);
        Ok(Self { listener, service: SampleService { portal, app: guarded, host: app.authority.to_string().parse()? } })
    }

    pub(crate) async fn serve(self) -> Outcome {
        let router = Router::new().fallback(pass).with_state(Arc::new(self.service));
        let listener = TcpListener::from_std(self.listener)?;
        Ok(axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?)
    }
}

async fn pass(
    State(service): State<Arc<SampleService>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    // Removed first, because it could name headers that are set below.
    parts.headers.remove(header::CONNECTION);
    parts.headers.insert(header::HOST, service.host.clone());
    set_header(&mut parts.headers, "x-forwarded-for", &peer.ip().to_string());
    if parts.uri.path().starts_with("/.postern/") {
        return service.send(Request::from_parts(parts, body)).await;
    }
    let verdict = service.ask(&parts).await;
    if verdict.status() != StatusCode::OK {
        return verdict;
    }
    forget_claims(&mut parts.headers);
    set_header(&mut parts.headers, "x-forwarded-for", &peer.ip().to_string());
    for name in IDENTITY_HEADERS {
        match verdict.headers().get(&name) {
            Some(value) => parts.headers.insert(name, value.clone()),
            None => parts.headers.remove(name),
        };
    }
    let Ok(answer) = service.app.clone().oneshot(Request::from_parts(parts, body)).await;
    answer
}

impl SampleService {
    /// Asks Postern about a request; a redirect leads a person to sign-in.
    async fn ask(&self, asked: &Parts) -> Response {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from_static("/api/verify?redirect");
        let headers = request.headers_mut();
        headers.clone_from(&asked.headers);
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::TRANSFER_ENCODING);
        set_header(headers, "x-forwarded-proto", "http");
        headers.insert("x-forwarded-host", self.host.clone());
        set_header(headers, "x-forwarded-uri", asked.uri.path_and_query().map_or("/", |target| target.as_str()));
        set_header(headers, "x-forwarded-method", asked.method.as_str());
        self.send(request).await
    }

    async fn send(&self, request: Request) -> Response {
        self.portal.send(request, || SystemClock.now()).await
    }
}

/// Removes headers that a client could forge.
fn forget_claims(headers: &mut HeaderMap) {
    const CLAIMS: [&str; 5] = ["x-forwarded-", "x-original-", "x-rewrite-", "x-real-ip", "forwarded"];
    let claims = |name: &HeaderName| CLAIMS.iter().any(|claim| name.as_str().starts_with(claim));
    let claimed: Vec<HeaderName> = headers.keys().filter(|name| claims(name)).cloned().collect();
    for name in claimed {
        headers.remove(name);
    }
}

/// Replaces the client's header.
fn set_header(headers: &mut HeaderMap, name: &'static str, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => headers.insert(name, value),
        Err(_) => headers.remove(name),
    };
}
