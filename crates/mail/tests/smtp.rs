//! Conversations with a scripted mail server, over real sockets and real TLS.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use base64ct::{Base64, Encoding};
use domain::UnixSeconds;
use domain::profile::EmailAddress;
use mail::{Credentials, MailServer, Message, Security, Step, TlsTrust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The server's answers to each command; `content` is the answer to the content of the message.
#[derive(Clone, Copy)]
struct Script {
    greeting: &'static str,
    hello: &'static str,
    start_tls: &'static str,
    auth: &'static str,
    sender: &'static str,
    recipient: &'static str,
    content: &'static str,
}

const FRIENDLY: Script = Script {
    greeting: "220 mail.test ESMTP",
    hello: "250-mail.test\r\n250-STARTTLS\r\n250-AUTH LOGIN PLAIN\r\n250 8BITMIME",
    start_tls: "220 2.0.0 Ready",
    auth: "235 2.7.0 Welcome",
    sender: "250 2.1.0 Ok",
    recipient: "250 2.1.5 Ok",
    content: "250 2.0.0 Ok: queued as 4711",
};

/// An answer that is never sent.
const SILENCE: &str = "";

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, issuer.pem()).expect("written");
        Self { issuer, file, _folder: folder }
    }

    fn acceptor(&self, host: &str) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a pair");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Answers by the script, and records what it received in the clear and under TLS.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    script: Script,
    greets: bool,
    lines: &mut Vec<String>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let say = async |stream: &mut BufReader<S>, text: &str| {
        if text == SILENCE {
            std::future::pending::<()>().await;
        }
        stream.write_all(format!("{text}\r\n").as_bytes()).await.is_ok() && stream.flush().await.is_ok()
    };
    if greets && !say(&mut stream, script.greeting).await {
        return None;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        lines.push(line.clone());
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => script.hello,
            "STARTTLS" => {
                say(&mut stream, script.start_tls).await;
                return Some(stream.into_inner());
            }
            "AUTH" if line == "AUTH LOGIN" => "334 VXNlcm5hbWU6",
            "AUTH" => script.auth,
            "MAIL" => script.sender,
            "RCPT" => script.recipient,
            "DATA" => {
                say(&mut stream, "354 Go ahead").await;
                let mut content = String::new();
                while !content.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut content).await.unwrap_or(0) == 0 {
                        return None;
                    }
                }
                lines.push(content);
                script.content
            }
            "QUIT" => return None,
            // The steps of AUTH LOGIN: the name, then the password.
            _ if lines.iter().rev().nth(1).is_some_and(|before| before == "AUTH LOGIN") => "334 UGFzc3dvcmQ6",
            _ => script.auth,
        };
        say(&mut stream, answer).await;
    }
}

/// Serves one connection.
async fn serve(script: Script, security: Security, acceptor: TlsAcceptor) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut lines = Vec::new();
        let stream: Option<TcpStream> = match security {
            Security::Implicit => Some(stream),
            _ => talk(stream, script, true, &mut lines).await,
        };
        if let Some(stream) = stream
            && let Ok(stream) = acceptor.accept(stream).await
        {
            lines.push("TLS".to_owned());
            talk(stream, script, security == Security::Implicit, &mut lines).await;
        }
        lines
    });
    (port, served)
}

fn message() -> Message {
    let address = |text| EmailAddress::parse(text).expect("an address");
    Message {
        id: "01J".to_owned(),
        from_name: "Portal".to_owned(),
        from: address("postern@example.org"),
        to: address("ada@example.com"),
        subject: "Hello".to_owned(),
        body: "One\n.\nTwo".to_owned(),
        date: UnixSeconds::EPOCH,
    }
}

fn server(host: &str, port: u16, security: Security, trust: &TlsTrust, credentials: bool) -> MailServer {
    let credentials =
        credentials.then(|| Credentials { username: "postern".to_owned(), password: "s3cret".to_owned() });
    MailServer::new(host, port, security, credentials, "portal.test", Duration::from_secs(20), trust).expect("settings")
}

#[tokio::test]
async fn a_message_is_delivered_under_both_kinds_of_tls_and_nothing_in_the_clear() {
    let authority = Authority::new();
    let trust = TlsTrust::File(authority.file.clone());
    for security in [Security::StartTls, Security::Implicit] {
        let (port, served) = serve(FRIENDLY, security, authority.acceptor("localhost")).await;
        let receipt = server("localhost", port, security, &trust, true).send(&message()).await.expect("accepted");
        assert_eq!(receipt.answer, "250 2.0.0 Ok: queued as 4711");
        assert_eq!(receipt.tls.as_deref(), Some("TLSv1_3"));
        let lines = served.await.expect("served");
        let encrypted = lines.iter().position(|line| line == "TLS").expect("TLS");
        assert!(lines[..encrypted].iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{lines:?}");
        let said = &lines[encrypted + 1..];
        assert_eq!(said[0], "EHLO portal.test");
        // RFC 4616: an empty identity, the name and the password.
        assert_eq!(said[1], "AUTH PLAIN AHBvc3Rlcm4AczNjcmV0");
        assert_eq!(said[2..4], ["MAIL FROM:<postern@example.org>", "RCPT TO:<ada@example.com>"]);
        assert!(said[5].contains("\r\nOne\r\n..\r\nTwo"), "{}", said[5]);
    }
}

/// Sends a message to a server that needs no TLS, and returns its unfolded header with the sender.
async fn sender(authority: &Authority, name: &str) -> String {
    let (port, served) = serve(FRIENDLY, Security::Off, authority.acceptor("localhost")).await;
    let message = Message { from_name: name.to_owned(), ..message() };
    let trust = TlsTrust::File(authority.file.clone());
    server("localhost", port, Security::Off, &trust, false).send(&message).await.expect("accepted");
    let lines = served.await.expect("served");
    let content = lines.iter().find(|line| line.contains("From: ")).expect("content").replace("\r\n\t", "");
    content.lines().find(|line| line.starts_with("From: ")).expect("a sender").to_owned()
}

#[tokio::test]
async fn a_display_name_is_a_quoted_string_or_encoded_words() {
    let authority = Authority::new();
    let plain = sender(&authority, "Ada \"A\" \\ <x@y>, z").await;
    assert_eq!(plain, "From: \"Ada \\\"A\\\" \\\\ <x@y>, z\" <postern@example.org>");
    assert_eq!(sender(&authority, "").await, "From: <postern@example.org>");
    let long = "A long name".repeat(8);
    for name in ["Käthes \"Portal\" <eve@example.net>, x", &"Ü家🦀".repeat(26), &long] {
        let line = sender(&authority, name).await;
        let phrase = line.strip_prefix("From: ").and_then(|rest| rest.strip_suffix(" <postern@example.org>"));
        let mut decoded = String::new();
        for word in phrase.expect("one address").split_ascii_whitespace() {
            assert!(word.len() <= 75, "{word}");
            let base64 = word.strip_prefix("=?utf-8?B?").and_then(|word| word.strip_suffix("?="));
            let bytes = Base64::decode_vec(base64.expect("an encoded word")).expect("base64");
            decoded.push_str(&String::from_utf8(bytes).expect("whole characters"));
        }
        assert_eq!(decoded, name);
    }
}

#[tokio::test]
async fn auth_login_serves_servers_without_plain() {
    let authority = Authority::new();
    let script = Script { hello: "250-mail.test\r\n250 AUTH LOGIN", ..FRIENDLY };
    let (port, served) = serve(script, Security::Implicit, authority.acceptor("localhost")).await;
    let trust = TlsTrust::File(authority.file.clone());
    server("localhost", port, Security::Implicit, &trust, true).send(&message()).await.expect("accepted");
    let lines = served.await.expect("served");
    assert!(lines.windows(2).any(|pair| pair == ["cG9zdGVybg==", "czNjcmV0"]), "{lines:?}");
}

#[tokio::test]
async fn a_certificate_of_another_name_or_authority_is_refused_before_anything_is_said() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (own, others) = (TlsTrust::File(authority.file.clone()), TlsTrust::File(other.file.clone()));
    for security in [Security::StartTls, Security::Implicit] {
        // A host that only looks like the right one is another host.
        for (host, trust) in [("localhost", &others), ("localh0st.test", &own), ("localhost", &TlsTrust::System)] {
            let (port, served) = serve(FRIENDLY, security, authority.acceptor(host)).await;
            let error = server("localhost", port, security, trust, true).send(&message()).await.expect_err(host);
            assert_eq!(error.step, Step::Tls, "{error}");
            assert!(error.to_string().contains("certificate"), "{error}");
            assert!(!error.is_final());
            let lines = served.await.expect("served");
            assert!(lines.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{lines:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_without_starttls_or_with_text_before_it() {
    let authority = Authority::new();
    let trust = TlsTrust::File(authority.file.clone());
    for (script, says) in [
        (Script { hello: "250-mail.test\r\n250 AUTH PLAIN", ..FRIENDLY }, "offers no STARTTLS"),
        (Script { start_tls: "454 4.7.0 Not now", ..FRIENDLY }, "454 4.7.0 Not now"),
        (Script { start_tls: "220 Ready\r\n250 AUTH PLAIN", ..FRIENDLY }, "before TLS began"),
    ] {
        let (port, served) = serve(script, Security::StartTls, authority.acceptor("localhost")).await;
        let error = server("localhost", port, Security::StartTls, &trust, true).send(&message()).await;
        let error = error.expect_err(says);
        assert_eq!(error.step, Step::StartTls);
        assert!(error.to_string().contains(says), "{error}");
        let lines = served.await.expect("served");
        assert!(lines.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{lines:?}");
    }
}

#[tokio::test]
async fn the_answer_says_whether_another_attempt_may_work() {
    let authority = Authority::new();
    let trust = TlsTrust::File(authority.file.clone());
    let busy = "421 4.3.2 Busy";
    for (script, step, text, is_final) in [
        (Script { greeting: "554 5.7.1 Go away", ..FRIENDLY }, Step::Greeting, "554 5.7.1 Go away", false),
        (Script { hello: "502 5.5.1 What", ..FRIENDLY }, Step::Hello, "502", false),
        (Script { auth: "535 5.7.8 Wrong password", ..FRIENDLY }, Step::Authenticate, "535 5.7.8", false),
        (Script { sender: "553 5.1.8 Not your address", ..FRIENDLY }, Step::Sender, "553", false),
        (Script { recipient: "451 4.7.1 Greylisted, try later", ..FRIENDLY }, Step::Recipient, "451 4.7.1", false),
        (Script { recipient: "550 5.1.1 No such user", ..FRIENDLY }, Step::Recipient, "550 5.1.1 No such user", true),
        (Script { content: "554 5.6.0 Looks like spam", ..FRIENDLY }, Step::Content, "554 5.6.0", true),
        (Script { content: busy, ..FRIENDLY }, Step::Content, busy, false),
        (Script { sender: "HTTP/1.1 400 Bad Request", ..FRIENDLY }, Step::Sender, "not SMTP", false),
    ] {
        let (port, served) = serve(script, Security::Implicit, authority.acceptor("localhost")).await;
        let sent = server("localhost", port, Security::Implicit, &trust, true).send(&message()).await;
        let error = sent.expect_err(text);
        assert_eq!((error.step, error.is_final()), (step, is_final), "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"));
        served.await.expect("served");
    }
}

#[tokio::test]
async fn a_server_that_is_down_or_silent_holds_nobody() {
    let authority = Authority::new();
    let trust = TlsTrust::File(authority.file.clone());
    // No program listens on this port. Another test could get one that was released.
    let error = server("localhost", 1, Security::StartTls, &trust, false).send(&message()).await.expect_err("down");
    assert_eq!(error.step, Step::Connect);
    assert!(!error.is_final() && !error.is_about_message());

    let script = Script { recipient: SILENCE, ..FRIENDLY };
    let (port, served) = serve(script, Security::Implicit, authority.acceptor("localhost")).await;
    let timeout = Duration::from_millis(300);
    let server =
        MailServer::new("localhost", port, Security::Implicit, None, "portal.test", timeout, &trust).expect("settings");
    let error = server.send(&message()).await.expect_err("silent");
    // On a slow machine an earlier step may take that long.
    assert!(error.to_string().contains("no answer within"), "{error}");
    served.abort();
}

#[test]
fn credentials_are_not_shown() {
    let credentials = Credentials { username: "ada".to_owned(), password: "s3cret".to_owned() };
    assert_eq!(format!("{credentials:?}"), "Credentials(..)");
}
