//! `postern toll`, run as an operator runs it.

use crate::support::{PASSWORD, Program, postern, said};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

fn settings(folder: &Path, text: &str) {
    fs::write(folder.join("postern.toml"), text).unwrap();
}

#[test]
fn what_cannot_stand_is_named_with_its_line_and_what_is_allowed() {
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
        (&format!("{route}{route}"), &["'a'", "another route"]),
        (&format!("{route}price = '0 XMR'\n"), &["price in piconero", "between 1"]),
        (&format!("{route}price = '1 XMR'\n"), &["toll.addresses", "subaddresses"]),
        (&format!("{route}free_requests = 5\n"), &["price", "free"]),
        (&format!("{route}inject = {{ 'a b' = 'x' }}\n"), &["inject", "'a b'"]),
        ("[toll]\nmonerod = ['127.0.0.1:18081']\n", &["toll.monerod", "http://127.0.0.1:18081"]),
        ("[toll]\nverifier = 'wallet-rpc'\n", &["toll.wallet_rpc"]),
        ("[toll]\nprimary_address = '4x'\n", &["toll.view_key_file"]),
        ("[toll]\naddresses = ['87omSJ']\n", &["toll.addresses", "87omSJ"]),
        (&format!("{ADDRESS}network = 'stagenet'\n"), &["another network"]),
    ] {
        settings(folder.path(), text);
        let output = postern(folder.path(), &["toll", "routes"], "");
        assert_eq!(output.status.code(), Some(2), "{text}");
        for part in says {
            assert!(said(&output).contains(part), "{text}: '{}' does not say '{part}'", said(&output));
        }
    }
}

#[test]
fn routes_are_listed_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    assert_eq!(said(&run(&["toll", "routes"])), "");
    settings(folder.path(), &(ADDRESS.to_owned() + &ROUTES.replace("UPSTREAM", "127.0.0.1:8080")));
    let list = said(&run(&["toll", "routes"]));
    assert_eq!(
        list,
        "health\tany\tany\t/health\tfree\thttp://127.0.0.1:8080\t\n\
         price\tapi.example *.shop.example\tGET\t/price/**\t0.002 XMR for 100\thttp://127.0.0.1:8080\t\n"
    );
    let why = said(&run(&["toll", "routes", "--explain", "get", "https://API.example:8443/pric%65/eur"]));
    let last = |line: &str| line.rsplit_once('\t').unwrap().1.to_owned();
    assert_eq!(why.lines().map(last).collect::<Vec<_>>(), ["another path", "takes it"], "{why}");
    let nobody = run(&["toll", "routes", "--explain", "POST", "https://api.example/price", "--json"]);
    assert_eq!(nobody.status.code(), Some(3));
    let rows: Value = serde_json::from_slice(&nobody.stdout).unwrap();
    assert_eq!((&rows[1]["objection"], &rows[1]["price"]), (&"another method".into(), &2_000_000_000_u64.into()));
    let unclear = said(&run(&["toll", "routes", "--explain", "GET", "https://api.example/a/../price"]));
    assert!(unclear.contains("400"), "{unclear}");
    let shown = said(&run(&["config", "print"]));
    assert!(shown.contains("x-api-key") && !shown.contains("hidden"), "{shown}");
}

#[test]
fn it_serves_and_reads_its_routes_again() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let routes = ROUTES.replace("UPSTREAM", &upstream.local_addr().unwrap().to_string());
    answer_ok(upstream);
    settings(folder.path(), &(ADDRESS.to_owned() + &routes));
    let mut gate = Gate::start(folder.path());
    assert_eq!(gate.status("/health"), "200");
    assert_eq!(gate.status("/other"), "404");

    settings(folder.path(), &(ADDRESS.to_owned() + &routes.replace("/health", "/other")));
    gate.hang_up();
    while gate.status("/other") != "200" {
        std::thread::yield_now();
    }
    assert_eq!(gate.status("/health"), "404");
    // What cannot stand changes nothing.
    settings(folder.path(), "[toll]\nlisten = 'nonsense'");
    gate.hang_up();
    while !gate.log().contains("those before stay") {
        std::thread::yield_now();
    }
    assert_eq!(gate.status("/other"), "200");
    assert!(gate.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_at_the_portal_passes_until_the_session_ends() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let routes = ROUTES.replace("UPSTREAM", &upstream.local_addr().unwrap().to_string());
    answer_ok(upstream);
    settings(folder.path(), &format!("{ADDRESS}{routes}signed_in_free = true\n"));
    assert!(postern(folder.path(), &["user", "add", "alice"], PASSWORD).status.success());
    let portal = Program::start(folder.path(), &[]);
    let alice = portal.browser().signed_in("alice").await;
    let gate = Gate::start(folder.path());
    let asks = |cookie: &str| {
        let answer = gate.ask(&format!("GET /price HTTP/1.1\r\nCookie: __Host-postern-access={cookie}"), "");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let cookie = alice.cookie("access");
    assert_eq!((asks("").as_str(), asks(&cookie[1..]).as_str(), asks(&cookie).as_str()), ("402", "402", "200"));
    alice.post(paths::LOGOUT, &serde_json::json!({})).await;
    assert_eq!(asks(&cookie), "402");
}

/// The gate has no connection to the portal but the database.
#[test]
fn a_gate_that_runs_hears_of_revoked_mac_keys() {
    let folder = tempfile::tempdir().unwrap();
    let limit = "redemptions_per_minute = 1000\n";
    settings(folder.path(), &format!("{ADDRESS}{limit}{}", ROUTES.replace("UPSTREAM", "127.0.0.1:1")));
    let gate = Gate::start(folder.path());
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

pub fn answer_ok(upstream: TcpListener) {
    std::thread::spawn(move || {
        for stream in upstream.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").unwrap();
        }
    });
}

pub struct Gate {
    child: Child,
    address: SocketAddr,
    log: std::path::PathBuf,
}

impl Gate {
    pub fn start(folder: &Path) -> Self {
        let log = folder.join("gate.log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["toll", "run", "--set", "toll.listen=127.0.0.1:0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.next().unwrap_or_else(|| fs::read_to_string(&log).unwrap());
        assert!(lines.next().unwrap().contains("routes"));
        let address = line.split_once("http://").expect(&line).1.split(' ').next().unwrap().parse().unwrap();
        Self { child, address, log }
    }

    /// Sends a request and leaves its answer unread.
    pub fn send(&self, request: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let framing = format!("Host: api.example\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        write!(stream, "{request}\r\n{framing}{body}").unwrap();
        stream
    }

    /// The whole answer to a request line with headers, and its body.
    pub fn ask(&self, request: &str, body: &str) -> String {
        let mut answer = String::new();
        self.send(request, body).read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1"), "").split(' ').nth(1).unwrap().to_owned()
    }

    /// As the kernel does when memory is short.
    pub fn kill(mut self) {
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

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn end(&mut self) -> bool {
        self.signal("-TERM");
        self.child.wait().unwrap().success()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
