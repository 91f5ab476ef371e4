//! Slow clients of the portal itself, and the limit of open files.

use crate::support::Portal;
use server::connections::{self, MainListener};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(30);

async fn serve(portal: &Portal) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let main_listener = MainListener::new(&portal.state.config, None);
    tokio::spawn(connections::serve(listener, portal.router.clone(), main_listener, stopped));
    (address, stop)
}

async fn connect(to: SocketAddr, from: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Requests more than two sockets can buffer, and reads one byte of it.
async fn ask_for_much(to: SocketAddr, from: [u8; 4]) -> TcpStream {
    let mut stream = connect(to, from).await;
    let request = "GET /api/openapi.json HTTP/1.1\r\nhost: localhost:3000\r\n\r\n".repeat(200);
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_u8().await.unwrap();
    stream
}

#[tokio::test]
async fn answers_that_nobody_takes_are_cut() {
    let portal = Portal::with("[connections]\nstall = '1s'").await;
    let (address, _stop) = serve(&portal).await;
    let stream = ask_for_much(address, [127, 0, 0, 1]).await;
    timeout(TIMEOUT, stream.ready(Interest::ERROR)).await.expect("cut").unwrap();
}

#[tokio::test]
async fn seventeen_addresses_that_read_slowly_keep_nobody_out() {
    let portal = Portal::with("[connections]\nmax = 34\nmax_per_address = 2").await;
    let (address, _stop) = serve(&portal).await;
    let mut slow = Vec::new();
    for host in 2..19 {
        for _ in 0..2 {
            slow.push(ask_for_much(address, [127, 0, 0, host]).await);
        }
    }
    for host in [100, 101, 102] {
        let mut innocent = connect(address, [127, 0, 0, host]).await;
        let request = b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n";
        innocent.write_all(request).await.unwrap();
        let mut text = String::new();
        let _ = timeout(TIMEOUT, innocent.read_to_string(&mut text)).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{host}: {text}");
    }
}

#[test]
fn too_few_open_files_are_said_and_lived_with() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_postern");
    let limited = |command: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n 400; exec {program} {command}")]).current_dir(folder.path());
        shell
    };
    let doctor = limited("doctor --json").output().unwrap();
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.contains("open_files") && said.contains("leaves room for 200"), "{said}");

    let log = folder.path().join("log");
    let mut child = limited("--set listen=127.0.0.1:0 --set operator.listen=off --set log.format=json")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    // The line about the time server may come first.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let listens = lines.any(|line| line.unwrap().starts_with("Postern listens on"));
    child.kill().unwrap();
    child.wait().unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(listens && log.contains("limit of open files is too low") && log.contains("\"connections\":200"), "{log}");
}
