//! A mail server, a portal that uses it, and accounts with addresses.

use super::{Answer, Portal, Visitor};
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use server::client::Client;
use server::flows::mail::send_due;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use wire::paths;

/// A mail server without encryption, as on the same machine. Encryption is tested in the crate `mail`.
#[derive(Clone)]
pub(crate) struct MailServer {
    port: u16,
    accepted: Arc<Mutex<Vec<String>>>,
    /// The answer to `RCPT TO`.
    recipient: Arc<Mutex<&'static str>>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, accepted: Arc::default(), recipient: Arc::new(Mutex::new("250 Ok")) };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.talk(stream).await });
            }
        });
        server
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail.test\r\n").await.ok()?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let answer = match line.split([' ', ':', '\r']).next()? {
                "EHLO" => "250 mail.test".to_owned(),
                "RCPT" => (*self.recipient.lock()).to_owned(),
                "DATA" => {
                    stream.write_all(b"354 Go ahead\r\n").await.ok()?;
                    let mut content = String::new();
                    while !content.ends_with("\r\n.\r\n") {
                        stream.read_line(&mut content).await.ok()?;
                    }
                    self.accepted.lock().push(decoded(&content));
                    "250 Ok: queued".to_owned()
                }
                _ => "250 Ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
    }

    /// Returns the settings of a portal that mails at most `per_hour` messages an hour to each account.
    pub(crate) fn settings(&self, per_hour: u32) -> String {
        let port = self.port;
        format!(
            "[mail]\nserver = '127.0.0.1'\nport = {port}\nsecurity = 'off'\nfrom = 'postern@example.org'\n\
             per_hour = {per_hour}\n"
        )
    }

    /// Sets the answer to `RCPT TO`.
    pub(crate) fn answer_recipients(&self, recipient: &'static str) {
        *self.recipient.lock() = recipient;
    }

    /// Returns the messages that were accepted since the last call.
    pub(crate) fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut *self.accepted.lock())
    }

    /// Sends what is due, and returns the only message.
    pub(crate) async fn only_message(&self, portal: &Portal) -> String {
        send_due(&portal.state).await.unwrap();
        let mut messages = self.take_messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }
}

/// Undoes quoted-printable and the doubled dots.
fn decoded(content: &str) -> String {
    content.replace("=\r\n", "").replace("=3D", "=").replace("\r\n..", "\r\n.")
}

/// Returns the code of the link to `page` in a message.
pub(crate) fn code_in(message: &str, page: &str) -> String {
    let link = format!("http://localhost:3000{page}#code=");
    let rest = message.split(&link).nth(1).unwrap_or_else(|| panic!("no link: {message}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

pub(crate) async fn patch(visitor: &Visitor, path: &str, body: &Value) -> Answer {
    visitor.send(Method::PATCH, path, Some(body.to_string()), &[]).await
}

/// Sets the address of an account as an administrator, who vouches for it.
pub(crate) async fn vouch(root: &Visitor, user: &str, address: &str) {
    let changed = patch(root, &format!("{}/{user}", paths::USERS), &json!({"email": address})).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
}

/// Starts a portal with a mail server, and signs its administrator in.
pub(crate) async fn mail_portal(per_hour: u32) -> (MailServer, Portal, Visitor) {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings(per_hour)).await;
    let root = portal.administrator().await;
    (mail, portal, root)
}

/// Adds an account whose address, `NAME@example.com`, the administrator vouches for, and returns its id.
pub(crate) async fn add_vouched(portal: &Portal, root: &Visitor, name: &str) -> String {
    let id = portal.add_user(name).await;
    vouch(root, &id, &format!("{name}@example.com")).await;
    id
}

/// Returns the client that asks for a link.
pub(crate) fn requesting_client() -> Client {
    Client::new("203.0.113.7".parse().unwrap(), 64, &HeaderMap::new())
}
