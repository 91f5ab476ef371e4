//! Requests to URLs that clients name: metadata documents and logout notices.
//!
//! A stranger's URL must not reach this machine or its network (SSRF). A name is resolved once, each address is judged,
//! and the connection goes to a judged address. Redirects are not followed, proxies are not used, and answers are bounded
//! in size and time.

use crate::config::Config;
use async_trait::async_trait;
use domain::public_address::is_public;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Url, redirect};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Time limit of one request, from the name to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of requests at the same time.
const MOST: usize = 16;

/// How far a request may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere, for clients of the settings file.
    Anywhere,
    /// The public internet, and `oauth.internal_networks`.
    Public,
}

/// The reason why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("it is not an http or https URL")]
    Url,
    #[error("{0} is not on the public internet; oauth.internal_networks may list its network")]
    Closed(String),
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("a certificate of oauth.certificate_authorities cannot be read")]
    Certificates(#[source] std::sync::Arc<std::io::Error>),
    #[error("the answer has the status {0}")]
    Status(u16),
    #[error("the answer is longer than {0} bytes")]
    Long(usize),
    #[error("too many requests are under way")]
    Busy,
}

/// Finds the addresses of a host name.
#[async_trait]
pub trait HostResolver: Send + Sync {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug)]
pub struct SystemResolver;

#[async_trait]
impl HostResolver for SystemResolver {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Makes the requests. Its clients are built at their first use, because each holds the certificates of the system.
pub struct Outbound {
    internal: Arc<Vec<IpNet>>,
    resolver: Arc<dyn HostResolver>,
    authorities: Option<std::path::PathBuf>,
    anywhere: OnceLock<reqwest::Client>,
    // Apart from `anywhere`, whose open connections must not serve a stranger's URL.
    public: OnceLock<reqwest::Client>,
    permits: Semaphore,
}

impl Outbound {
    pub fn new(config: &Config) -> Self {
        Self::with(config, Arc::new(SystemResolver))
    }

    pub fn with(config: &Config, resolver: Arc<dyn HostResolver>) -> Self {
        Self {
            internal: Arc::clone(&config.internal_networks),
            resolver,
            authorities: config.settings.oauth.certificate_authorities.clone(),
            anywhere: OnceLock::new(),
            public: OnceLock::new(),
            permits: Semaphore::new(MOST),
        }
    }

    /// Returns the body of a document of at most `longest` bytes.
    ///
    /// # Errors
    /// The URL leads elsewhere than it may, or there is no document.
    pub async fn get(&self, reach: Reach, url: &str, longest: usize) -> Result<Vec<u8>, OutboundError> {
        let _permit = self.permits.try_acquire().map_err(|_| OutboundError::Busy)?;
        let url = self.judge(reach, url)?;
        let request = self.client(reach)?.get(url).header("accept", "application/json");
        let mut answer = request.send().await?;
        if answer.status() != 200 {
            return Err(OutboundError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > longest {
                return Err(OutboundError::Long(longest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Posts form data, and reads nothing of the answer but its status.
    ///
    /// # Errors
    /// The URL leads elsewhere than it may, or the answer is not a success.
    pub async fn post(&self, reach: Reach, url: &str, form: String) -> Result<(), OutboundError> {
        let _permit = self.permits.acquire().await.map_err(|_| OutboundError::Busy)?;
        let url = self.judge(reach, url)?;
        let request = self.client(reach)?.post(url).header("content-type", "application/x-www-form-urlencoded");
        let status = request.body(form).send().await?.status();
        if status.is_success() { Ok(()) } else { Err(OutboundError::Status(status.as_u16())) }
    }

    /// Judges an address in the URL itself, which is not resolved. The parser gives every spelling of an IPv4 address the
    /// same form.
    fn judge(&self, reach: Reach, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::Url)?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or(OutboundError::Url)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !may_reach(reach, &self.internal, address) => Err(OutboundError::Closed(host.to_owned())),
            _ => Ok(url),
        }
    }

    fn client(&self, reach: Reach) -> Result<&reqwest::Client, OutboundError> {
        let cell = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::Public => &self.public,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let (internal, resolver) = (Arc::clone(&self.internal), Arc::clone(&self.resolver));
        let mut builder = reqwest::Client::builder()
            .dns_resolver(GuardedResolver { reach, internal, resolver })
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy();
        if let Some(file) = &self.authorities {
            let pem = std::fs::read(file).map_err(|error| OutboundError::Certificates(Arc::new(error)))?;
            builder = builder.tls_certs_merge(Certificate::from_pem_bundle(&pem)?);
        }
        let client = builder.build()?;
        Ok(cell.get_or_init(|| client))
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound(..)")
    }
}

fn may_reach(reach: Reach, internal: &[IpNet], address: IpAddr) -> bool {
    reach == Reach::Anywhere
        || is_public(address)
        || internal.iter().any(|network| network.contains(&address.to_canonical()))
}

/// Gives the HTTP client only judged addresses, and it connects to no others.
struct GuardedResolver {
    reach: Reach,
    internal: Arc<Vec<IpNet>>,
    resolver: Arc<dyn HostResolver>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, internal, resolver) = (self.reach, Arc::clone(&self.internal), Arc::clone(&self.resolver));
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let mut addresses = resolver.addresses(&host).await?;
            addresses.retain(|address| may_reach(reach, &internal, *address));
            if addresses.is_empty() {
                return Err(OutboundError::Closed(host).into());
            }
            // The client puts the URL's port in place of 0.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
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
            assert!(outbound.post(Reach::Public, &url, String::new()).await.is_err(), "{url}");
        }
        for address in
            ["10.0.0.1", "169.254.169.254", "fe80::1", "fd00::1", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1"]
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
        let (good, seen_good) = server("127.0.0.2:0", DOCUMENT).await;
        // The second answer leads to another server at the same port.
        let bad = TcpListener::bind(("127.0.0.1", good)).await.expect("the same port");
        let settings = "[oauth]\ninternal_networks = ['127.0.0.2/32']";
        let (outbound, resolver) = outbound(settings, &[&["127.0.0.2"], &["127.0.0.1"]]);
        let url = format!("http://rebind.example:{good}/");
        assert_eq!(outbound.get(Reach::Public, &url, 100).await.expect("the judged address"), b"{}");
        assert_eq!(resolver.asked.load(Ordering::SeqCst), 1, "resolved once");
        assert_eq!(seen_good.load(Ordering::SeqCst), 1);
        // The next request is judged by itself.
        assert!(outbound.get(Reach::Public, &url, 100).await.is_err());
        drop(bad);
    }

    #[tokio::test]
    async fn attack_one_good_address_beside_a_bad_one() {
        let (port, seen) = server("127.0.0.1:0", DOCUMENT).await;
        // Nothing listens at the first address of the list, and the second is not allowed.
        let settings = "[oauth]\ninternal_networks = ['127.0.0.3/32']";
        let (outbound, _) = outbound(settings, &[&["127.0.0.3", "127.0.0.1"]]);
        assert!(outbound.get(Reach::Public, &format!("http://mixed.example:{port}/"), 100).await.is_err());
        assert_eq!(seen.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn attack_a_redirect_leads_into_the_network() {
        let (inner, seen) = server("127.0.0.1:0", DOCUMENT).await;
        let to = format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{inner}/\r\ncontent-length: 0\r\n\r\n");
        let (port, _) = server("127.0.0.1:0", Box::leak(to.into_boxed_str())).await;
        let (outbound, _) = outbound(LOOPBACK, &[&["127.0.0.1"]]);
        let got = outbound.get(Reach::Public, &format!("http://app.example:{port}/"), 100).await;
        assert!(matches!(got, Err(OutboundError::Status(302))), "{got:?}");
        assert_eq!(seen.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn attack_a_document_has_no_end() {
        let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(100_000));
        let (port, _) = server("127.0.0.1:0", Box::leak(endless.into_boxed_str())).await;
        let (outbound, _) = outbound(LOOPBACK, &[&["127.0.0.1"]]);
        let got = outbound.get(Reach::Public, &format!("http://app.example:{port}/"), 5120).await;
        assert!(matches!(got, Err(OutboundError::Long(5120))), "{got:?}");
    }

    #[tokio::test]
    async fn clients_of_the_settings_file_may_be_in_the_network() {
        let (port, seen) = server("127.0.0.1:0", DOCUMENT).await;
        let (outbound, _) = outbound("", &[&["127.0.0.1"]]);
        for url in [format!("http://127.0.0.1:{port}/"), format!("http://app.lan:{port}/")] {
            outbound.post(Reach::Anywhere, &url, "a=b".to_owned()).await.expect("reached");
            assert!(outbound.post(Reach::Public, &url, "a=b".to_owned()).await.is_err(), "{url}: no shared connection");
        }
        assert_eq!(seen.load(Ordering::SeqCst), 2);
    }
}
