//! The certificates that a mail server is verified with.

use rustls_platform_verifier::BuilderVerifierExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The authorities that may have signed the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsTrust {
    /// The authorities of the operating system.
    System,
    /// Only the authorities in this PEM file.
    File(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{0}")]
    File(PathBuf, #[source] pem::Error),
    #[error("{0} has no certificate")]
    Empty(PathBuf),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

impl TlsTrust {
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?;
        let config = match self {
            Self::System => builder.with_platform_verifier()?.with_no_client_auth(),
            Self::File(file) => builder.with_root_certificates(roots(file)?).with_no_client_auth(),
        };
        Ok(Arc::new(config))
    }
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let unreadable = |error| TlsError::File(file.to_owned(), error);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
        roots.add(certificate.map_err(unreadable)?)?;
    }
    if roots.is_empty() { Err(TlsError::Empty(file.to_owned())) } else { Ok(roots) }
}
