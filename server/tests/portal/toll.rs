//! `postern toll`, run as by an operator.

use crate::support::{PASSWORD, Portal, Program, Visitor, output_text, postern};
use domain::UnixMs;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::gates::Gate;
use testkit::Running;
use wire::paths;

const ROUTES: &str = "
[[toll.routes]]
name = 'health'
path = '/health'
upstream = 'http://UPSTREAM'
[[toll.routes]]
name = 'price'
hosts = ['api.example', '*.shop.example']
methods = ['GET']
path = '/price/**'
upstream = 'http://UPSTREAM'
price = '0.002 XMR'
inject = { x-api-key = 'hidden' }
";
const ADDRESS: &str = "[toll]
monerod = ['http://127.0.0.1:1']
addresses = ['87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV']
";
/// A proof that is well formed.
const PROOF: &str = "OutProofV2Jq9WRKEUPwuaWdzVC3C9e5BkGHUTdJ5y4NdUhP8Lda5RX1wVeLxvsBeRhLKZaHN62KjXMaUAJgihdXJUbpsWzJujKXi4YEMyvEq3fpwCceJm2mfj4DmxXzKCdGP6LsQvXMkW";

/// Returns [`ADDRESS`] with this node.
fn on_node(node: SocketAddr) -> String {
    ADDRESS.replace("127.0.0.1:1'", &format!("{node}'"))
}

/// Replaces the settings file. A running gate looks at it each second, and must not read a part of it.
fn settings(folder: &Path, text: &str) {
    let next = folder.join("postern.toml.next");
    fs::write(&next, text).unwrap();
    fs::rename(next, folder.join("postern.toml")).unwrap();
}

#[test]
fn invalid_settings_are_named_with_line_and_allowed_values() {
    let folder = tempfile::tempdir().unwrap();
    let route = "[[toll.routes]]\nname = 'a'\npath = '/a'\nupstream = 'http://127.0.0.1:1'\n";
    for (text, says) in [
        ("[[toll.routes]]\nname = 'a'\npath = 'a'\n", &["line 3", "/files/*"] as &[&str]),
        ("[[toll.routes]]\nname = 'a'\npath = '/a'\nupstream = 'internal:80'\n", &["line 4", "http://127.0.0.1:8080"]),
        ("[[toll.routes]]\nname = 'a'\npath = '/a'\n", &["line 1", "upstream"]),
        (&format!("{route}price = '2 EUR'\n"), &["line 5", "2000000000 piconero"]),
        (&format!("{route}methods = ['GTE']\n"), &["line 5", "PATCH"]),
        (&format!("{route}bind = 'none'\n"), &["line 5", "`key` or `bearer`"]),
        (&format!("{route}prize = '1 XMR'\n"), &["line 5", "prize"]),
        (&format!("{route}cors_origins = ['shop.example']\n"), &["line 5", "https://host"]),
        (&format!("{route}hosts = ['a.example:8080']\n"), &["line 5", "api.example.com"]),
        (&format!("{route}hosts = ['b\u{fc}cher.example']\n"), &["line 5", "punycode"]),
        ("[toll]\noperator_listen = '0.0.0.0:9'\n", &["toll.operator_listen", "loopback"]),
        (&format!("{route}{route}"), &["'a'", "another route"]),
        (&format!("{route}price = '0 XMR'\n"), &["price in piconero", "between 1"]),
        (&format!("{route}price = '1 XMR'\n"), &["toll.addresses", "subaddresses"]),
        (&format!("{route}free_requests = 5\n"), &["price", "free"]),
        (&format!("{route}inject = {{ 'a b' = 'x' }}\n"), &["inject", "'a b'"]),
        ("[toll]\nmonerod = ['127.0.0.1:18081']\n", &["toll.monerod", "http://127.0.0.1:18081"]),
        ("[toll]\nverifier = 'wallet-rpc'\n", &["toll.wallet_rpc"]),
        ("[toll]\nprimary_address = '4x'\n", &["toll.view_key_file"]),
        ("[toll]\naddresses = ['87omSJ']\n", &["toll.addresses", "address 1"]),
        (&format!("{ADDRESS}network = 'stagenet'\n"), &["another network"]),
    ] {
        settings(folder.path(), text);
        let output = postern(folder.path(), &["toll", "routes"], "");
        assert_eq!(output.status.code(), Some(2), "{text}");
        for part in says {
            assert!(output_text(&output).contains(part), "{text}: '{}' does not say '{part}'", output_text(&output));
        }
    }
}

#[test]
fn routes_are_listed_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    assert_eq!(output_text(&run(&["toll", "routes"])), "");
    settings(folder.path(), &(ADDRESS.to_owned() + &ROUTES.replace("UPSTREAM", "127.0.0.1:8080")));
    let list = output_text(&run(&["toll", "routes"]));
    assert_eq!(
        list,
        "health\tany\tany\t/health\tfree\thttp://127.0.0.1:8080\t\n\
         price\tapi.example *.shop.example\tGET\t/price/**\t0.002 XMR for 100\thttp://127.0.0.1:8080\t\n"
    );
    let why = output_text(&run(&["toll", "routes", "--explain", "get", "https://API.example:8443/pric%65/eur"]));
    let last = |line: &str| line.rsplit_once('\t').unwrap().1.to_owned();
    assert_eq!(why.lines().map(last).collect::<Vec<_>>(), ["another path", "takes it"], "{why}");
    let nobody = run(&["toll", "routes", "--explain", "POST", "https://api.example/price", "--json"]);
    assert_eq!(nobody.status.code(), Some(3));
    let rows: Value = serde_json::from_slice(&nobody.stdout).unwrap();
    assert_eq!((&rows[1]["objection"], &rows[1]["price"]), (&"another method".into(), &2_000_000_000_u64.into()));
    let unclear = output_text(&run(&["toll", "routes", "--explain", "GET", "https://api.example/a/../price"]));
    assert!(unclear.contains("400"), "{unclear}");
    let shown = output_text(&run(&["config", "print"]));
    assert!(shown.contains("x-api-key") && !shown.contains("hidden"), "{shown}");
}

#[test]
fn it_serves_and_reads_its_routes_again() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let routes = ROUTES.replace("UPSTREAM", &upstream.local_addr().unwrap().to_string());
    answer_ok(upstream);
    settings(folder.path(), &(ADDRESS.to_owned() + &routes));
    let mut gate = GateProgram::start(folder.path());
    assert_eq!(gate.status("/health"), "200");
    assert_eq!(gate.status("/other"), "404");

    settings(folder.path(), &(ADDRESS.to_owned() + &routes.replace("/health", "/other")));
    gate.hang_up();
    while gate.status("/other") != "200" {
        std::thread::yield_now();
    }
    assert_eq!(gate.status("/health"), "404");
    // Invalid settings change nothing.
    settings(folder.path(), "[toll]\nlisten = 'nonsense'");
    gate.hang_up();
    while !gate.log().contains("the old ones stay") {
        std::thread::yield_now();
    }
    assert_eq!(gate.status("/other"), "200");
    assert!(gate.end());
}

#[test]
fn the_health_check_asks_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    settings(folder.path(), &(ADDRESS.to_owned() + &ROUTES.replace("UPSTREAM", "127.0.0.1:1")));
    let own = format!("toll.operator_listen={}:0", testkit::own_loopback());
    let mut gate = GateProgram::with(folder.path(), &["--set", &own]);
    let listen = format!("toll.operator_listen={}", gate.operator.unwrap());
    // The portal does not run here.
    let check = || postern(folder.path(), &["--set", &listen, "--set", "operator.listen=off", "health", "gate"], "");
    let healthy = check();
    assert_eq!((healthy.status.code(), output_text(&healthy).trim()), (Some(0), "alive"));
    assert!(gate.end());
    let gone = check();
    assert_eq!(gone.status.code(), Some(1), "{}", output_text(&gone));
    let off = output_text(&postern(folder.path(), &["health", "gate"], ""));
    assert!(off.contains("toll.operator_listen is off"), "{off}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_has_the_routes_that_the_gate_has_and_knows_whether_its_node_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let routes = ROUTES.replace("UPSTREAM", &upstream.local_addr().unwrap().to_string());
    answer_ok(upstream);
    let (node, good) = node();
    // The portal has other routes, from a settings file of its own.
    fs::create_dir(folder.path().join("gate")).unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("data"), folder.path().join("gate/data")).unwrap();
    settings(folder.path(), "[[toll.routes]]\nname = 'old'\npath = '/old'\nupstream = 'http://127.0.0.1:1'\n");
    settings(&folder.path().join("gate"), &(on_node(node) + &routes));
    assert!(postern(folder.path(), &["user", "add", "root", "--role", "administrator"], PASSWORD).status.success());
    let portal = Program::start(folder.path(), &[]);
    let root = portal.browser().signed_in("root").await;
    let listed = async || {
        let routes = root.get(paths::TOLL_ROUTES).await.json();
        let names = routes["routes"].as_array().unwrap().iter().map(|route| route["name"].as_str().unwrap().to_owned());
        let chains = routes["gates"].as_array().unwrap().iter().map(|gate| gate["chain"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>().join(" "), chains.collect::<Vec<_>>().join(" "))
    };
    let expect = async |names: &str, chains: &str| {
        // More often than a person reloads, and far below the limits of the portal.
        while listed().await != (names.to_owned(), chains.to_owned()) {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    expect("old", "").await;
    assert!(root.get(paths::TOLL_PAGE).await.text.contains("No gate has reported"));
    assert!(in_the_navigation(&root).await, "the settings name a paid route");
    let mut gate = GateProgram::with(&folder.path().join("gate"), &["--set", "toll.operator_listen=127.0.0.1:0"]);
    expect("health price", "seen").await;
    assert!(root.get(paths::TOLL_PAGE).await.text.contains("sees the Monero network"));
    settings(&folder.path().join("gate"), &(on_node(node) + &routes.replace("'health'", "'changed'")));
    gate.hang_up();
    expect("changed price", "seen").await;

    // The node fails: no payments are demanded, and paid routes answer with an error.
    let ask = |path: &str| gate.ask_operator(path);
    assert!(ask("/readyz").starts_with("HTTP/1.1 200") && ask("/healthz").starts_with("HTTP/1.1 200"));
    good.store(false, Ordering::SeqCst);
    expect("changed price", "away").await;
    assert_eq!((gate.status("/price"), gate.status("/health")), ("503".to_owned(), "200".to_owned()));
    let ready = ask("/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("\"chain\":\"away\""), "{ready}");
    let metrics = ask("/metrics");
    for line in ["postern_gate_chain_away 1", "postern_gate_chain_height 100", "postern_gate_chain_age_seconds"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(ask("/healthz").starts_with("HTTP/1.1 200"), "a restart would not help");
    good.store(true, Ordering::SeqCst);
    expect("changed price", "seen").await;
    assert_eq!(gate.status("/price"), "402");
    assert!(ask("/readyz").starts_with("HTTP/1.1 200") && ask("/metrics").contains("postern_gate_chain_away 0"));
    assert!(gate.end());
    expect("old", "").await;
}

#[test]
fn a_client_that_its_proxy_cannot_name_is_refused_and_nobody_is_counted_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let routes = ROUTES.replace("UPSTREAM", &upstream.local_addr().unwrap().to_string());
    answer_ok(upstream);
    settings(folder.path(), &format!("trusted_proxies = ['127.0.0.1']\n{ADDRESS}{routes}free_requests = 1\n"));
    let gate = GateProgram::start(folder.path());
    let from = |client: &str| {
        let answer = gate.ask(&format!("GET /price HTTP/1.1\r\nX-Forwarded-For: {client}"), "");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    for unreadable in ["unknown", "_hidden", "203.0.113.7x"] {
        assert_eq!(from(unreadable), "400", "{unreadable}");
    }
    assert_eq!(
        (from("203.0.113.7"), from("203.0.113.8"), from("127.0.0.1")),
        ("200".into(), "200".into(), "200".into())
    );
    assert_ne!(from("203.0.113.7"), "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_session_passes_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let routes = ROUTES.replace("UPSTREAM", &upstream.local_addr().unwrap().to_string());
    answer_ok(upstream);
    settings(folder.path(), &format!("{}{routes}signed_in_free = true\n", on_node(node().0)));
    assert!(postern(folder.path(), &["user", "add", "alice"], PASSWORD).status.success());
    let portal = Program::start(folder.path(), &[]);
    let alice = portal.browser().signed_in("alice").await;
    let gate = GateProgram::start(folder.path());
    let asks = |cookie: &str| {
        let answer = gate.ask(&format!("GET /price HTTP/1.1\r\nCookie: __Host-postern-access={cookie}"), "");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let cookie = alice.cookie("access");
    assert_eq!((asks("").as_str(), asks(&cookie[1..]).as_str(), asks(&cookie).as_str()), ("402", "402", "200"));
    assert_eq!(asks(&format!("junk; __Host-postern-access={cookie}")), "200", "another cookie takes nothing away");
    alice.post(paths::LOGOUT, &serde_json::json!({})).await;
    assert_eq!(asks(&cookie), "402");
}

/// The gate has no connection to the portal but the database.
#[test]
fn a_running_gate_reloads_revoked_mac_keys() {
    let folder = tempfile::tempdir().unwrap();
    let limit = "redemptions_per_minute = 1000\n";
    settings(folder.path(), &format!("{}{limit}{}", on_node(node().0), ROUTES.replace("UPSTREAM", "127.0.0.1:1")));
    let gate = GateProgram::start(folder.path());
    let json = |answer: String| -> Value { serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap() };
    let challenge = || json(gate.ask("GET /price HTTP/1.1", ""))["challenge"].clone();
    let shown = |challenge: &Value| {
        let payment = format!("{}:{PROOF}", "01".repeat(32));
        let request = format!("POST {} HTTP/1.1\r\nAuthorization: TPAT {payment}", wire::toll::REDEEM);
        json(gate.ask(&request, &serde_json::json!({"challenge": challenge}).to_string()))["code"].clone()
    };
    let before = challenge();
    assert_eq!(shown(&before), "bad_possession", "it was made here");
    assert!(postern(folder.path(), &["key", "revoke", "--all", "--kind", "mac"], "").status.success());
    let began = std::time::Instant::now();
    while shown(&before) != "forged" {
        assert!(began.elapsed().as_secs() < 30, "the old key still counts");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(shown(&challenge()), "bad_possession", "and the new one is in use");
}

async fn in_the_navigation(person: &Visitor) -> bool {
    person.get(paths::DASHBOARD_PAGE).await.text.contains(&format!("href=\"{}\"", paths::TOLL_PAGE))
}

#[tokio::test]
async fn the_navigation_offers_the_gate_once_there_is_one() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    portal.add_user("ada").await;
    let root = portal.browser("192.0.2.1").signed_in("root").await;
    assert!(!in_the_navigation(&root).await);
    let gate = Gate {
        id: "1".into(),
        started_at: UnixMs::EPOCH,
        heard_at: UnixMs::from_millis(1),
        routes: "[]".into(),
        chain: "seen".into(),
    };
    portal.store().announce_gate(&gate).await.unwrap();
    assert!(in_the_navigation(&root).await);
    assert!(!in_the_navigation(&portal.browser("192.0.2.2").signed_in("ada").await).await);
}

#[tokio::test]
async fn the_overview_names_what_the_gates_report() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("192.0.2.1").signed_in("root").await;
    let route = |name: &str, up: bool| json!({"name": name, "hosts": [], "methods": [], "path": "/", "prices": [], "upstream": "http://192.0.2.80:1", "up": up});
    let announce = async |chain: &str, routes: Value| {
        let now = portal.state.now();
        let (routes, chain) = (routes.to_string(), chain.to_owned());
        let gate = Gate { id: "1".into(), started_at: now, heard_at: now, routes, chain };
        portal.store().announce_gate(&gate).await.unwrap();
        root.get(paths::DASHBOARD_PAGE).await.text
    };
    let (away, behind) = ("A gate does not see the Monero network", "listens at http://192.0.2.80:1 (routes: two).");
    let well = announce("seen", json!([route("one", true)])).await;
    assert!(!well.contains(away) && !well.contains("No program behind the gate"), "{well}");
    let ill = announce("away", json!([route("one", true), route("two", false)])).await;
    assert!(ill.contains(away) && ill.contains(behind), "{ill}");
    assert!(ill.contains("href=\"/dashboard/toll\">A gate does not see"), "it leads to its page: {ill}");
}

/// Starts a node that is in sync while the flag is set, and otherwise answers with an error.
pub(crate) fn node() -> (SocketAddr, Arc<AtomicBool>) {
    let (listener, good) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(AtomicBool::new(true)));
    let (address, state) = (listener.local_addr().unwrap(), Arc::clone(&good));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(content_length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = content_length.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut question = vec![0; length];
            let _ = reader.read_exact(&mut question);
            let info = r#"{"jsonrpc":"2.0","id":"0","result":{"height":100,"top_block_hash":"a","target_height":0,
                "synchronized":true,"nettype":"mainnet","version":"0"}}"#;
            let (status, body) = if state.load(Ordering::SeqCst) { ("200 OK", info) } else { ("503 Away", "{}") };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = reader.get_mut().write_all((head + body).as_bytes());
        }
    });
    (address, good)
}

pub(crate) fn answer_ok(upstream: TcpListener) {
    std::thread::spawn(move || {
        for stream in upstream.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").unwrap();
        }
    });
}

pub(crate) struct GateProgram {
    child: Running,
    address: SocketAddr,
    operator: Option<SocketAddr>,
    log: std::path::PathBuf,
}

impl GateProgram {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// Starts it with flags.
    fn with(folder: &Path, flags: &[&str]) -> Self {
        let log = folder.join("gate.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command
            .args(["toll", "run", "--set", "toll.listen=127.0.0.1:0"])
            .args(flags)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap());
        let mut child = Running::start(&mut command).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.next().unwrap_or_else(|| fs::read_to_string(&log).unwrap());
        assert!(lines.next().unwrap().contains("routes"));
        let read = |line: &str| line.split_once("http://").expect(line).1.split(' ').next().unwrap().parse().unwrap();
        let operator = if flags.is_empty() { None } else { lines.next().map(|line| read(&line)) };
        Self { child, address: read(&line), operator, log }
    }

    /// Returns the whole answer of the operator listener.
    fn ask_operator(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.operator.unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a request and leaves its answer unread.
    pub(crate) fn send(&self, request: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let framing = format!("Host: api.example\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        write!(stream, "{request}\r\n{framing}{body}").unwrap();
        stream
    }

    /// Returns the whole answer to a request line with headers, and a body.
    pub(crate) fn ask(&self, request: &str, body: &str) -> String {
        let mut answer = String::new();
        self.send(request, body).read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1"), "").split(' ').nth(1).unwrap().to_owned()
    }

    /// Kills it, as the kernel does when memory is short.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn hang_up(&self) {
        self.signal("-HUP");
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn end(&mut self) -> bool {
        self.signal("-TERM");
        self.child.wait().unwrap().success()
    }
}
