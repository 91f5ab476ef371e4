//! The program itself, run as by an operator.

use super::Visitor;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use testkit::Running;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Runs a command and waits for its end.
pub(crate) fn postern(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child =
        command(folder, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that needs no input may have ended before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

pub(crate) fn output_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command
        .args(["--data-dir", "data", "--set", "password.memory_kib=64", "--set", "password.passes=1"])
        .args(arguments)
        .current_dir(folder);
    command
}

/// A running server on free ports. Its log goes to a file beside its data.
pub(crate) struct Program {
    child: Running,
    log: PathBuf,
    address: SocketAddr,
    operator: SocketAddr,
}

impl Program {
    pub(crate) fn start(folder: &Path, settings: &[&str]) -> Self {
        let log = folder.join("log");
        // Only one of several running programs could have the time server's port.
        let free = ["listen=127.0.0.1:0", "operator.listen=127.0.0.1:0", "time.embedded=false"];
        let settings: Vec<_> = free.iter().chain(settings).flat_map(|setting| ["--set", *setting]).collect();
        let mut command = command(folder, &settings);
        let mut child = Running::start(command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap())).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut address_after = |words: &str| {
            let line =
                lines.find(|line| line.contains(words)).unwrap_or_else(|| std::fs::read_to_string(&log).unwrap());
            let (_, address) = line.split_once("http://").expect(&line);
            address.split(' ').next().unwrap().parse::<SocketAddr>().unwrap()
        };
        let (address, operator) = (address_after("listens on"), address_after("Health and metrics"));
        Self { child, log, address, operator }
    }

    /// Returns a person's browser, over a real connection.
    pub(crate) fn browser(&self) -> Visitor {
        visitor(self.address)
    }

    /// Returns a browser that was at another server before.
    pub(crate) fn browser_of(&self, visitor: &Visitor) -> Visitor {
        visitor.through(router(self.address))
    }

    /// Returns a program without a key of its own, over a real connection.
    pub(crate) fn program(&self) -> Visitor {
        visitor(self.address).without_a_browser()
    }

    /// Returns its URL.
    pub(crate) fn at(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a client of the operator listener.
    pub(crate) fn operator(&self) -> Visitor {
        visitor(self.operator)
    }

    pub(crate) fn operator_address(&self) -> SocketAddr {
        self.operator
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let (signal, pid) = (format!("-{name}"), self.child.id().to_string());
        assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
    }

    /// Returns what it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Ends it without a chance to clean up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator does, and returns its log.
    pub(crate) fn end(mut self) -> String {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
        std::fs::read_to_string(&self.log).unwrap()
    }
}

fn visitor(address: SocketAddr) -> Visitor {
    Visitor::new(router(address), address.ip())
}

fn router(address: SocketAddr) -> Router {
    Router::new().fallback(move |request| forward(address, request))
}

/// Sends one request on a connection of its own.
async fn forward(address: SocketAddr, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let mut text = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", parts.method, parts.uri).into_bytes();
    text.extend(format!("content-length: {}\r\n", body.len()).bytes());
    for (name, value) in &parts.headers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    text.extend(b"\r\n");
    text.extend(body);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&text).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(Body::from(body.to_vec())).unwrap()
}
