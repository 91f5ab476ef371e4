use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers each question with the next of its lists, and the last one again and again.
struct Scripted {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

#[async_trait]
impl HostResolver for Scripted {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        Ok(self.answers[number].iter().map(|address| address.parse().expect(address)).collect())
    }
}

fn outbound(settings: &str, answers: &[&[&'static str]]) -> (Outbound, Arc<Scripted>) {
    let config = Config::new(toml::from_str(settings).expect("readable")).expect("stands");
    let answers = answers.iter().map(|answer| answer.to_vec()).collect();
    let resolver = Arc::new(Scripted { answers, asked: AtomicUsize::new(0) });
    (Outbound::with(&config, Arc::clone(&resolver) as Arc<dyn HostResolver>), resolver)
}

async fn post(outbound: &Outbound, reach: Reach, url: &str) -> Result<(), OutboundError> {
    let permit = outbound.notice_permit(url).ok_or(OutboundError::Busy)?;
    outbound.post(permit, reach, url, "a=b".to_owned()).await
}

const LOOPBACK: &str = "[oauth]\ninternal_networks = ['127.0.0.0/8']";

/// A server that counts its connections and gives each the same answer.
async fn server(address: &str, answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let _ = socket.write_all(answer.as_bytes()).await;
            });
        }
    });
    (port, seen)
}

const DOCUMENT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

#[tokio::test]
async fn attack_a_name_or_an_address_leads_into_the_network() {
    let (port, seen) = server("127.0.0.1:0", DOCUMENT).await;
    for host in
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433", "127.1", "0.0.0.0"]
    {
        let (outbound, _) = outbound("", &[&["127.0.0.1", "::1", "::ffff:127.0.0.1"]]);
        let url = format!("http://{host}:{port}/");
        let got = outbound.get(Reach::Public, &url, 100).await;
        assert!(got.is_err(), "{url}");
        assert!(post(&outbound, Reach::Public, &url).await.is_err(), "{url}");
    }
    for address in ["10.0.0.1", "169.254.169.254", "fe80::1", "fd00::1", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1"]
    {
        let answers: &'static [&'static str] = Box::leak(vec![address].into_boxed_slice());
        let (outbound, _) = outbound("", &[answers]);
        let error = outbound.get(Reach::Public, &format!("http://evil.example:{port}/"), 100).await;
        let error = crate::error_chain::chain(&error.expect_err(address));
        assert!(error.contains("not on the public internet"), "{address}: {error}");
    }
    for url in ["ftp://a.example/", "file:///etc/passwd", "data:,x", "http://", "x"] {
        let (outbound, _) = outbound("", &[&["1.1.1.1"]]);
        assert!(matches!(outbound.get(Reach::Public, url, 100).await, Err(OutboundError::Url)), "{url}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0, "the server was never reached");
}

#[tokio::test]
async fn attack_a_name_changes_its_address_after_it_was_judged() {
    // The second answer leads to this server. It gets its port first, because other tests listen at its address.
    let bad = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = bad.local_addr().expect("bound").port();
    let (good, seen_good) = server(&format!("127.0.0.2:{port}"), DOCUMENT).await;
    let settings = "[oauth]\ninternal_networks = ['127.0.0.2/32']";
    let (outbound, resolver) = outbound(settings, &[&["127.0.0.2"], &["127.0.0.1"]]);
    let url = format!("http://rebind.example:{good}/");
    assert_eq!(outbound.get(Reach::Internal, &url, 100).await.expect("the judged address"), b"{}");
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1, "resolved once");
    assert_eq!(seen_good.load(Ordering::SeqCst), 1);
    // The next request is judged by itself.
    assert!(outbound.get(Reach::Internal, &url, 100).await.is_err());
    drop(bad);
}

#[tokio::test]
async fn attack_one_good_address_beside_a_bad_one() {
    let (port, seen) = server("127.0.0.1:0", DOCUMENT).await;
    // Nothing listens at the first address of the list, and the second is not allowed.
    let settings = "[oauth]\ninternal_networks = ['127.0.0.3/32']";
    let (outbound, _) = outbound(settings, &[&["127.0.0.3", "127.0.0.1"]]);
    assert!(outbound.get(Reach::Internal, &format!("http://mixed.example:{port}/"), 100).await.is_err());
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn attack_a_redirect_leads_into_the_network() {
    let (inner, seen) = server("127.0.0.1:0", DOCUMENT).await;
    let to = format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{inner}/\r\ncontent-length: 0\r\n\r\n");
    let (port, _) = server("127.0.0.1:0", Box::leak(to.into_boxed_str())).await;
    let (outbound, _) = outbound(LOOPBACK, &[&["127.0.0.1"]]);
    let got = outbound.get(Reach::Internal, &format!("http://app.example:{port}/"), 100).await;
    assert!(matches!(got, Err(OutboundError::Status(302))), "{got:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn attack_a_document_has_no_end() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(100_000));
    let (port, _) = server("127.0.0.1:0", Box::leak(endless.into_boxed_str())).await;
    let (outbound, _) = outbound(LOOPBACK, &[&["127.0.0.1"]]);
    let got = outbound.get(Reach::Internal, &format!("http://app.example:{port}/"), 5120).await;
    assert!(matches!(got, Err(OutboundError::Long(5120))), "{got:?}");
}

#[tokio::test]
async fn clients_of_the_settings_file_may_be_in_the_network() {
    let (port, seen) = server("127.0.0.1:0", DOCUMENT).await;
    let (outbound, _) = outbound("", &[&["127.0.0.1"]]);
    for url in [format!("http://127.0.0.1:{port}/"), format!("http://app.lan:{port}/")] {
        post(&outbound, Reach::Anywhere, &url).await.expect("reached");
        assert!(post(&outbound, Reach::Public, &url).await.is_err(), "{url}: no shared connection");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn attack_an_administrators_network_is_open_to_strangers() {
    let (port, seen) = server("127.0.0.1:0", DOCUMENT).await;
    let (outbound, _) = outbound(LOOPBACK, &[&["127.0.0.1"]]);
    for url in [format!("http://127.0.0.1:{port}/"), format!("http://app.lan:{port}/")] {
        let refused = outbound.get(Reach::Public, &url, 100).await;
        assert!(refused.is_err(), "{url}: a document");
        assert!(post(&outbound, Reach::Public, &url).await.is_err(), "{url}: a client that registered itself");
        assert_eq!(seen.load(Ordering::SeqCst), 0);
    }
    let url = format!("http://app.lan:{port}/");
    post(&outbound, Reach::Internal, &url).await.expect("a client that an administrator has added");
    assert!(outbound.get(Reach::Public, &url, 100).await.is_err(), "no shared connection");
}

#[tokio::test]
async fn notices_to_one_host_leave_permits_to_others_and_to_documents() {
    let (outbound, _) = outbound("", &[&["127.0.0.1"]]);
    let slow: Vec<_> = std::iter::from_fn(|| outbound.notice_permit("https://slow.example/a")).collect();
    assert_eq!(slow.len(), MOST_TO_HOST);
    let other = outbound.notice_permit("https://other.example/").expect("another host");
    let more: Vec<_> = (0..99).filter_map(|n| outbound.notice_permit(&format!("https://h{n}.example/"))).collect();
    assert_eq!(slow.len() + 1 + more.len(), MOST_NOTICES);
    assert!(outbound.is_full_of_notices());
    let (port, _) = server("127.0.0.1:0", DOCUMENT).await;
    let url = format!("http://app.lan:{port}/");
    assert_eq!(outbound.get(Reach::Anywhere, &url, 100).await.expect("a document"), b"{}");
    drop((slow, other, more));
    assert!(outbound.notice_permit("https://slow.example/b").is_some(), "released");
    assert!(outbound.notices_by_host.lock().is_empty(), "nothing is kept about hosts");
}
