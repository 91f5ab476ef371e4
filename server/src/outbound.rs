//! Requests to URLs that clients name: metadata documents, sets of keys, and logout notices.
//!
//! A stranger's URL must not reach this machine or its network (SSRF). A name is resolved once, each address is
//! checked, and the connection goes to a checked address. Redirects are not followed, proxies are not used, and answers
//! are bounded in size and time.

use crate::config::Config;
use async_trait::async_trait;
use domain::public_address::is_public;
use ipnet::IpNet;
use oidc::document::is_content_type;
use oidc::{Client, ClientSource};
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Url, redirect};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Time limit of one request, from the name to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of documents and sets of keys that are fetched at the same time.
const MOST_DOCUMENTS: usize = 8;
/// Maximum number of notices that are sent at the same time. They have permits of their own, so that a client that does not
/// answer its notices delays no document.
const MOST_NOTICES: usize = 16;
/// Maximum number of requests of one kind to one host at the same time.
const MOST_TO_HOST: usize = 4;

/// The networks that a request may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere, for clients of the settings file.
    Anywhere,
    /// The public internet and `oauth.internal_networks`, for clients that an administrator has added.
    Internal,
    /// The public internet, for documents and for clients that nobody at this site has added.
    Public,
}

impl Reach {
    /// The operator's own clients may be anywhere, those of administrators also in the networks that the operator lists, and
    /// others only where a stranger may send this server.
    pub fn of(client: &Client) -> Self {
        match client.source {
            ClientSource::Settings => Self::Anywhere,
            ClientSource::Administrator => Self::Internal,
            ClientSource::Registered | ClientSource::Document => Self::Public,
        }
    }
}

/// The reason why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("it is not an http or https URL")]
    Url,
    #[error("{0} is not on the public internet")]
    Closed(String),
    #[error("the HTTP request failed")]
    Request(#[from] reqwest::Error),
    #[error("a certificate of oauth.certificate_authorities cannot be read")]
    Certificates(#[source] std::sync::Arc<std::io::Error>),
    #[error("the answer has the status {0}")]
    Status(u16),
    #[error("the answer has the content type '{0}' and not application/json")]
    Kind(String),
    #[error("the answer is longer than {0} bytes")]
    Long(usize),
    #[error("too many requests are in progress")]
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

/// The right to send one notice, which is released when it is dropped.
#[derive(Debug)]
pub struct NoticePermit {
    _permit: OwnedSemaphorePermit,
    _slot: HostSlot,
}

/// A request to a host, counted until it is dropped.
#[derive(Debug)]
struct HostSlot {
    hosts: Hosts,
    host: String,
}

/// Numbers of requests by host.
type Hosts = Arc<Mutex<HashMap<String, usize>>>;

impl HostSlot {
    /// `None`: as many requests to this host are under way as may be.
    fn take(hosts: &Hosts, url: &str) -> Option<Self> {
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let mut counts = hosts.lock();
        let count = counts.entry(host.clone()).or_default();
        if *count >= MOST_TO_HOST {
            return None;
        }
        *count += 1;
        Some(Self { hosts: Arc::clone(hosts), host })
    }
}

impl Drop for HostSlot {
    fn drop(&mut self) {
        let mut counts = self.hosts.lock();
        if let Some(count) = counts.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.host);
            }
        }
    }
}

/// Makes the requests. Its clients are built at their first use, because each holds the certificates of the system.
pub struct Outbound {
    networks: Networks,
    resolver: Arc<dyn HostResolver>,
    authorities: Option<std::path::PathBuf>,
    // One for each reach, because open connections of a wider one must not serve a stranger's URL.
    anywhere: OnceLock<reqwest::Client>,
    internal: OnceLock<reqwest::Client>,
    public: OnceLock<reqwest::Client>,
    documents: Semaphore,
    documents_by_host: Hosts,
    notices: Arc<Semaphore>,
    notices_by_host: Hosts,
}

/// The networks besides the public internet.
#[derive(Debug, Clone)]
struct Networks {
    internal: Arc<Vec<IpNet>>,
    public: Arc<Vec<IpNet>>,
}

impl Networks {
    fn may_reach(&self, reach: Reach, address: IpAddr) -> bool {
        let listed = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address.to_canonical()));
        match reach {
            Reach::Anywhere => true,
            Reach::Internal => is_public(address) || listed(&self.internal),
            Reach::Public => is_public(address) || listed(&self.public),
        }
    }
}

impl Outbound {
    pub fn new(config: &Config) -> Self {
        Self::with(config, Arc::new(SystemResolver))
    }

    pub fn with(config: &Config, resolver: Arc<dyn HostResolver>) -> Self {
        let (internal, public) = (Arc::clone(&config.internal_networks), Arc::clone(&config.public_networks));
        Self {
            networks: Networks { internal, public },
            resolver,
            authorities: config.settings.oauth.certificate_authorities.clone(),
            anywhere: OnceLock::new(),
            internal: OnceLock::new(),
            public: OnceLock::new(),
            documents: Semaphore::new(MOST_DOCUMENTS),
            documents_by_host: Hosts::default(),
            notices: Arc::new(Semaphore::new(MOST_NOTICES)),
            notices_by_host: Hosts::default(),
        }
    }

    /// Returns the body of a document of at most `longest` bytes.
    ///
    /// # Errors
    /// The URL leads to a forbidden address, or there is no document.
    pub async fn get(&self, reach: Reach, url: &str, longest: usize) -> Result<Vec<u8>, OutboundError> {
        self.fetch(reach, url, longest, |_| true).await
    }

    /// Fetches a metadata document from the public internet. It must say that it is JSON, because anybody may put a text on
    /// some hosts.
    ///
    /// # Errors
    /// As [`Self::get`], or it is of another kind.
    pub async fn get_document(&self, url: &str, longest: usize) -> Result<Vec<u8>, OutboundError> {
        self.fetch(Reach::Public, url, longest, is_content_type).await
    }

    async fn fetch(
        &self,
        reach: Reach,
        url: &str,
        longest: usize,
        accepts: fn(&str) -> bool,
    ) -> Result<Vec<u8>, OutboundError> {
        let _permit = self.documents.try_acquire().map_err(|_| OutboundError::Busy)?;
        let _slot = HostSlot::take(&self.documents_by_host, url).ok_or(OutboundError::Busy)?;
        let url = self.judge(reach, url)?;
        let request = self.client(reach)?.get(url).header("accept", "application/json");
        let mut answer = request.send().await?;
        if answer.status() != 200 {
            return Err(OutboundError::Status(answer.status().as_u16()));
        }
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !accepts(kind) {
            return Err(OutboundError::Kind(kind.chars().take(100).collect()));
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

    /// Whether as many notices are under way as may be.
    pub fn is_full_of_notices(&self) -> bool {
        self.notices.available_permits() == 0
    }

    /// Returns the right to send a notice now. `None`: too many are under way, in all or to this host.
    pub fn notice_permit(&self, url: &str) -> Option<NoticePermit> {
        let permit = Arc::clone(&self.notices).try_acquire_owned().ok()?;
        Some(NoticePermit { _permit: permit, _slot: HostSlot::take(&self.notices_by_host, url)? })
    }

    /// Posts form data, and reads nothing of the answer but its status.
    ///
    /// # Errors
    /// The URL leads elsewhere than it may, or the answer is not a success.
    pub async fn post(
        &self,
        _permit: NoticePermit,
        reach: Reach,
        url: &str,
        form: String,
    ) -> Result<(), OutboundError> {
        let url = self.judge(reach, url)?;
        let request = self.client(reach)?.post(url).header("content-type", "application/x-www-form-urlencoded");
        let status = request.body(form).send().await?.status();
        if status.is_success() { Ok(()) } else { Err(OutboundError::Status(status.as_u16())) }
    }

    /// Checks an address in the URL itself, which is not resolved. The parser gives every spelling of an IPv4 address
    /// the same form.
    fn judge(&self, reach: Reach, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::Url)?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or(OutboundError::Url)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.networks.may_reach(reach, address) => Err(OutboundError::Closed(host.to_owned())),
            _ => Ok(url),
        }
    }

    /// Reads `oauth.certificate_authorities`, if it is set.
    ///
    /// # Errors
    /// The file cannot be read, or contains something else.
    pub fn certificates(&self) -> Result<Vec<Certificate>, OutboundError> {
        let Some(file) = &self.authorities else { return Ok(Vec::new()) };
        let pem = std::fs::read(file).map_err(|error| OutboundError::Certificates(Arc::new(error)))?;
        Ok(Certificate::from_pem_bundle(&pem)?)
    }

    fn client(&self, reach: Reach) -> Result<&reqwest::Client, OutboundError> {
        let cell = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::Internal => &self.internal,
            Reach::Public => &self.public,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let (networks, resolver) = (self.networks.clone(), Arc::clone(&self.resolver));
        let mut builder = reqwest::Client::builder()
            .dns_resolver(GuardedResolver { reach, networks, resolver })
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy();
        if self.authorities.is_some() {
            builder = builder.tls_certs_merge(self.certificates()?);
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

/// Gives the HTTP client only checked addresses; it connects to no others.
struct GuardedResolver {
    reach: Reach,
    networks: Networks,
    resolver: Arc<dyn HostResolver>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, networks, resolver) = (self.reach, self.networks.clone(), Arc::clone(&self.resolver));
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let mut addresses = resolver.addresses(&host).await?;
            addresses.retain(|address| networks.may_reach(reach, *address));
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
mod tests;
