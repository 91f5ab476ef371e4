//! Postern's own TLS: certificate and key from files, read again when they change.

use parking_lot::RwLock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate that may be renewed while the server runs.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<(Stamp, TlsAcceptor)>,
}

/// The times when both files were last modified.
type Stamp = [Option<SystemTime>; 2];

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{0}: {1}")]
    File(PathBuf, rustls::pki_types::pem::Error),
    #[error("{0} contains no certificate")]
    Empty(PathBuf),
    #[error("certificate and key: {0}")]
    Rustls(#[from] rustls::Error),
}

impl Tls {
    /// Loads certificate and key.
    ///
    /// # Errors
    /// A file cannot be read, or certificate and key do not match.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamp = stamp(certificate, key);
        let acceptor = acceptor(certificate, key)?;
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Self(Arc::new(Inner { certificate, key, current: RwLock::new((stamp, acceptor)) })))
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.0.current.read().1.clone()
    }

    /// Reads the files again if they were modified. If they are invalid, this is logged once, and the current
    /// certificate remains in use.
    pub fn refresh(&self) {
        let Inner { certificate, key, current } = &*self.0;
        let stamp = stamp(certificate, key);
        if current.read().0 == stamp {
            return;
        }
        match acceptor(certificate, key) {
            Ok(acceptor) => {
                *current.write() = (stamp, acceptor);
                tracing::info!(certificate = %certificate.display(), "the certificate was read again");
            }
            Err(error) => {
                current.write().0 = stamp;
                tracing::error!(cause = %error, "the changed certificate is invalid; the old one stays in use");
            }
        }
    }
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| path.metadata().and_then(|data| data.modified()).ok())
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| TlsError::File(path, error)
    };
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect).map_err(unreadable(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::Empty(certificate.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({})", self.0.certificate.display())
    }
}
