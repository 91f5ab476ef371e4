//! A server of metadata documents and of other JSON.

use super::{Answer, PUBLIC_HERE};
use crate::oidc::{Provider, parameters};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use wire::paths;

const JSON: &str = "application/json";
pub(crate) const URI: &str = "http://127.0.0.1:7777/callback";

/// A server at `https://localhost` that answers each request with a document, and its certificate.
pub(crate) struct DocumentServer {
    pub id: String,
    seen: Arc<AtomicUsize>,
    /// Status, content type and body.
    answer: Arc<Mutex<(u16, &'static str, String)>>,
    folder: tempfile::TempDir,
}

impl DocumentServer {
    pub(crate) async fn start(document: impl Fn(&str) -> String) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let id = format!("https://localhost:{}/client.json", listener.local_addr().unwrap().port());
        let answer = Arc::new(Mutex::new((200, JSON, document(&id))));
        let seen = Arc::new(AtomicUsize::new(0));
        let (acceptor, count, given) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&seen), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                let (status, kind, body) = given.lock().unwrap().clone();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                tokio::spawn(async move {
                    let Ok(mut socket) = acceptor.accept(socket).await else { return };
                    let mut request = Vec::new();
                    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                        if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let _ = socket.write_all(answer.as_bytes()).await;
                    let _ = socket.shutdown().await;
                });
            }
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        Self { id, seen, answer, folder }
    }

    /// Settings of a portal that may fetch from here, with more settings of `[oauth]`.
    pub(crate) fn settings(&self, oauth: &str) -> String {
        let file = self.folder.path().join("ca.pem");
        format!("{PUBLIC_HERE}[oauth]\ncertificate_authorities = '{}'\n{oauth}\n", file.display())
    }

    pub(crate) async fn provider(&self) -> Provider {
        Provider::with(&self.settings("")).await
    }

    /// The document from now on.
    pub(crate) fn answers(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, JSON, body.to_owned());
    }

    /// The same document, of another kind.
    pub(crate) fn answers_as(&self, kind: &'static str) {
        self.answer.lock().unwrap().1 = kind;
    }

    pub(crate) fn request<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        [("client_id", self.id.as_str()), ("redirect_uri", URI)].into_iter().chain(more.iter().copied()).collect()
    }

    /// Opens the link, agrees, and exchanges the code.
    pub(crate) async fn tokens(&self, provider: &Provider) -> Value {
        let query = Provider::query(&self.request(&[]));
        let location = provider.enter(&provider.browser, &query, Some(true)).await.json();
        let code = parameters(location["location"].as_str().unwrap())["code"].clone();
        provider.exchange(&code, &self.request(&[("client_secret", "")])).await.json()
    }

    pub(crate) async fn refresh(&self, provider: &Provider, tokens: &Value) -> Answer {
        let token = tokens["refresh_token"].as_str().unwrap();
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", self.id.as_str())];
        provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await
    }

    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}
