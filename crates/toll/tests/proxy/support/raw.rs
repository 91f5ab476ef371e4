//! A client that sends exactly the bytes of the test.

use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Returns the values that the upstream saw of a header.
    pub(crate) fn seen(&self, header: &str) -> Vec<String> {
        let json = self.json();
        let all = json["headers"][header].as_array().cloned().unwrap_or_default();
        all.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }
}

/// Time limit of every step, which only a fault exceeds.
const TIMEOUT: Duration = Duration::from_secs(20);

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads the next answer, with its body by length or in chunks.
    pub(crate) async fn reply(&mut self) -> Reply {
        let head = self.head().await;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let value =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        let body = if let Some(length) = value("content-length:") {
            self.take(length.parse().unwrap()).await
        } else if value("transfer-encoding:").is_some() {
            let mut body = Vec::new();
            while let Some(chunk) = self.chunk().await {
                body.extend(chunk);
            }
            body
        } else {
            Vec::new()
        };
        Reply { status, head, body }
    }

    /// Reads the status line and the headers, in lower case.
    pub(crate) async fn head(&mut self) -> String {
        String::from_utf8(self.until(b"\r\n\r\n").await).unwrap().to_ascii_lowercase()
    }

    /// Reads the next chunk of a body; `None`: it was the last.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = String::from_utf8(self.until(b"\r\n").await).unwrap();
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        let chunk = self.take(length).await;
        self.take(2).await;
        (length > 0).then_some(chunk)
    }

    /// Whether the other side has closed, with nothing left to read.
    pub(crate) async fn closed(&mut self) -> bool {
        self.read.is_empty() && timeout(TIMEOUT, self.stream.read_u8()).await.expect("in time").is_err()
    }

    async fn until(&mut self, mark: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.read.windows(mark.len()).position(|window| window == mark) {
                return self.read.drain(..at + mark.len()).collect();
            }
            self.more().await;
        }
    }

    async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            self.more().await;
        }
        self.read.drain(..length).collect()
    }

    async fn more(&mut self) {
        let read = timeout(TIMEOUT, self.stream.read_buf(&mut self.read)).await.expect("in time").unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&self.read));
    }
}
