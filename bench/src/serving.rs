//! A process of its own that serves Postern and its bare twin, so that its processor time can be separated from the
//! load generator's.

use crate::client::Client;
use crate::service::Service;
use crate::signature::Signature;
use crate::visitor::{Visitor, new_address};
use crate::{bare, machine, openid_client};
use anyhow::{Context, Result, ensure};
use axum::Router;
use domain::app_session::AppSession;
use domain::authentication::{Authentication, Methods};
use domain::ban::{Scope, Trigger};
use domain::client_key::ClientKey;
use serde::{Deserialize, Serialize};
use server::config::AppSettings;
use server::router::router;
use server::state::AppState;
use server::tokens::TokenSubject;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use store::bans::Ban;
use tempfile::NamedTempFile;
use wire::paths;

/// The path at which the bare twin verifies a signature with each answer.
pub(crate) const VERIFIED: &str = "/verified";

/// The argument of our own command line that starts it.
pub(crate) const COMMAND: &str = "serving";
const ACCESS_COOKIE: &str = "__Host-postern-access";
const APP_COOKIE: &str = "__Host-postern-app";
const APP_HOST: &str = "app.localhost";
/// The headers that a reverse proxy in front of the app sends about a request.
pub(crate) const ASKED: [(&str, &str); 4] = [
    ("x-forwarded-proto", "http"),
    ("x-forwarded-host", APP_HOST),
    ("x-forwarded-uri", "/"),
    ("x-forwarded-method", "GET"),
];
/// Numbers of other banned addresses: few, and as many as a botnet has.
const FEW: u32 = 10;
const MANY: u32 = 1_000_000;

/// The ports of the services.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServingAddresses {
    pub postern: u16,
    /// Answers as Postern does to `/api/session`, `/api/challenge`, the JWKS and (at `/banned`) to a banned
    /// address.
    pub bare: u16,
    /// The same service, which bans this machine, with few others and with many.
    pub closed: [u16; 2],
    /// Memory of the many bans, in MB.
    pub bans_mb: f64,
    /// The cookie of a live session, here and in the app.
    pub cookie: String,
    pub app_cookie: String,
    /// An access token of a client of the OpenID provider.
    pub client_token: String,
}

#[derive(Debug)]
pub(crate) struct Serving {
    child: Child,
    says: BufReader<ChildStdout>,
    pub addresses: ServingAddresses,
}

impl Serving {
    /// Starts it, on the first core only if cores can be separated.
    pub(crate) fn start(pinned: bool) -> Result<Self> {
        let (child, mut says) = start_this(COMMAND, pinned)?;
        let addresses = serde_json::from_str(&line(&mut says)?).context("the serving process did not start")?;
        Ok(Self { child, says, addresses })
    }

    /// Makes access tokens of the live session, each newly signed, one on each line of a file.
    pub(crate) fn new_tokens(&mut self, many: usize) -> Result<NamedTempFile> {
        let file = NamedTempFile::new()?;
        let order = serde_json::to_string(&Order { many, file: file.path().to_owned() })?;
        writeln!(self.child.stdin.as_ref().context("no standard input")?, "{order}")?;
        ensure!(line(&mut self.says)?.trim() == "done", "the tokens were not made");
        Ok(file)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// Access tokens to be made.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    many: usize,
    file: PathBuf,
}

/// Starts this program again with an argument of its own. Its output begins with a line about itself.
pub(crate) fn start_this(word: &str, pinned: bool) -> Result<(Child, BufReader<ChildStdout>)> {
    let this = std::env::current_exe()?;
    let mut command = if pinned { Command::new("taskset") } else { Command::new(&this) };
    if pinned {
        command.args(["-c", "0"]).arg(&this);
    }
    // It ends with its standard input, even if we end abnormally.
    let mut child = command.arg(word).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let says = BufReader::new(child.stdout.take().context("no standard output")?);
    Ok((child, says))
}

pub(crate) fn line(says: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    says.read_line(&mut line)?;
    Ok(line)
}

/// Runs that process.
pub(crate) fn serve() -> Result<()> {
    let folder = machine::folder()?;
    // One core, one worker. The limits on sign-in would answer all but the first thirty challenges.
    let client = openid_client::client()?;
    let service = Service::start(folder.path(), 1, |settings| {
        settings.clients.push(client);
        settings.ban.limits.sign_in_per_minute = Some(u32::MAX);
        settings.ban.limits.sign_in_at_once = Some(1000);
        settings.ban.limits.at_once = Some(u32::MAX);
        settings.trusted_proxies = vec![Ipv4Addr::LOCALHOST.to_string()];
        let origin = format!("http://{APP_HOST}");
        settings.apps.push(AppSettings { name: "app".to_owned(), origin, rules: Vec::new() });
    })?;
    let second_states = [service.second_state()?, service.second_state()?];
    ban(&second_states[0], FEW);
    let memory = || machine::memory_mb(std::process::id(), "VmRSS");
    let without = memory()?;
    ban(&second_states[1], MANY);
    let bans_mb = memory()? - without;
    let closed = [service.beside(router(&second_states[0]))?, service.beside(router(&second_states[1]))?];
    let Answers { token, app_cookie, client_token, bare } = service.runtime.block_on(answers(&service, closed[0]))?;
    let cookie = format!("{ACCESS_COOKIE}={token}");
    let (postern, bare) = (service.place.address.port(), service.beside(bare)?);
    let addresses = ServingAddresses { postern, bare, closed, bans_mb, cookie, app_cookie, client_token };
    println!("{}", serde_json::to_string(&addresses)?);
    for order in std::io::stdin().lines() {
        make_tokens(&service.state, &token, &serde_json::from_str(&order?)?)?;
        println!("done");
    }
    service.end();
    Ok(())
}

/// Makes tokens for the session of a valid token.
fn make_tokens(state: &AppState, token: &str, order: &Order) -> Result<()> {
    let claims = state.tokens.verify_for(&state.config.origin, token, state.now()).context("the session is over")?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(&order.file)?);
    for _ in 0..order.many {
        let subject = TokenSubject {
            user: &claims.sub,
            username: &claims.preferred_username,
            role: claims.roles.first().map_or("", String::as_str),
            session: &claims.sid,
            generation: claims.generation,
            jkt: None,
            authentication: Authentication { methods: Methods::PASSWORD, at: state.now() },
            person: None,
            cookie: false,
            jti: state.ulid(),
        };
        writeln!(file, "{}", state.tokens.sign(subject, state.now())?.0)?;
    }
    Ok(file.flush()?)
}

/// Postern's answers, which are repeated, and their requests.
struct Answers {
    token: String,
    app_cookie: String,
    client_token: String,
    bare: Router,
}

async fn answers(service: &Service, closed: u16) -> Result<Answers> {
    let tokens = Visitor::arrive(&service.place, 1).await?.sign_in().await?.context("no envelope")?;
    let cookie = format!("{ACCESS_COOKIE}={}", tokens.access_token);
    let mut client = Client::connect(new_address(), service.place.address).await?;
    let session = client.get(paths::SESSION, &[("cookie", &cookie)]).await?;
    session.json::<wire::session::SessionInfo>()?;
    let challenge = client.get(paths::CHALLENGE, &[]).await?;
    challenge.json::<wire::challenge::Challenge>()?;
    let mut banned = Client::connect(Ipv4Addr::LOCALHOST, SocketAddr::from((Ipv4Addr::LOCALHOST, closed))).await?;
    let refusal = banned.get(paths::SESSION, &[]).await?;
    ensure!(refusal.status == http::StatusCode::FORBIDDEN, "not banned: {}", refusal.status);
    let router = bare::verify_and_repeat(Router::new(), VERIFIED, session.clone(), Signature::make()?);
    let router = bare::repeat(router, paths::SESSION, session);
    let router = bare::repeat(router, paths::CHALLENGE, challenge);
    let router = bare::repeat(router, paths::JWKS, client.get(paths::JWKS, &[]).await?);
    let router = bare::repeat(router, paths::OPENID_CONFIGURATION, client.get(paths::OPENID_CONFIGURATION, &[]).await?);
    let code = openid_client::code(&service.state, &tokens.access_token).await?;
    let client_token = openid_client::exchange(&service.state, code).await?;
    let bearer = format!("Bearer {client_token}");
    let userinfo = client.get(paths::OAUTH_USERINFO, &[("authorization", &bearer)]).await?;
    ensure!(userinfo.status == http::StatusCode::OK, "the client's token is not good: {}", userinfo.status);
    let router = bare::repeat(router, paths::OAUTH_USERINFO, userinfo);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = openid_client::introspection(&client_token);
    let introspected = client.post_with(paths::OAUTH_INTROSPECT, &form, body.into()).await?;
    ensure!(introspected.body.starts_with(b"{"), "no introspection: {}", introspected.status);
    let router = bare::repeat(router, paths::OAUTH_INTROSPECT, introspected);
    let app_cookie = app_cookie(&service.state, &tokens.access_token)?;
    let mut proxy = Client::connect(Ipv4Addr::LOCALHOST, service.place.address).await?;
    let asked = [ASKED.as_slice(), &[("cookie", &app_cookie)]].concat();
    let verified = proxy.get(paths::VERIFY, &asked).await?;
    ensure!(verified.status == http::StatusCode::OK, "the app's session is not good: {}", verified.status);
    let router = bare::repeat(router, paths::VERIFY, verified);
    Ok(Answers { token: tokens.access_token, app_cookie, client_token, bare: bare::repeat(router, "/banned", refusal) })
}

/// Returns the cookie as the browser gets it from `/.postern/callback`.
fn app_cookie(state: &AppState, token: &str) -> Result<String> {
    let claims = state.tokens.verify_for(&state.config.origin, token, state.now()).context("the session is over")?;
    let session = AppSession::of(&claims.sid, state.now()).context("no session")?;
    let macs = state.keyring.macs(state.now())?;
    Ok(format!("{APP_COOKIE}={}", session.reveal(&macs.app_session, &format!("http://{APP_HOST}"))))
}

/// Bans this machine's own address, among many others.
fn ban(state: &AppState, others: u32) {
    let since = state.now();
    let of = |address: Ipv4Addr| Ban {
        id: "".into(),
        incident: "7F3K-2Q".to_owned(),
        client_key: ClientKey::of(IpAddr::V4(address), 64),
        scope: Scope::Everything,
        trigger: Trigger::Manual,
        reason: String::new(),
        evidence: String::new(),
        since,
        until: since + 60 * 60_000,
        made_by: String::new(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    };
    let others = (0..others).map(|offset| Ipv4Addr::from_bits(0x0a00_0000 + offset));
    // One at a time, as pages of rows arrive, because the table is measured and not the rows.
    for address in others.chain([Ipv4Addr::LOCALHOST]) {
        state.defence.bans.apply(&[of(address)]);
    }
}
