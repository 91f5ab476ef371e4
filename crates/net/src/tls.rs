//! Postern's own TLS: certificate and key from files, read again when they change.

use domain::UnixSeconds;
use parking_lot::RwLock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

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
    #[error("{0} contains no certificate that can be read")]
    Unreadable(PathBuf),
    #[error("{1} is the key of another certificate than {0}")]
    OtherKey(PathBuf, PathBuf),
    #[error(
        "certificate {1} in {0} does not belong to the one before it: write the server's certificate first, then the one of \
         its issuer, and so on"
    )]
    Chain(PathBuf, usize),
    #[error("certificate and key: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The period in which a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub from: UnixSeconds,
    pub until: UnixSeconds,
}

/// Reads certificate and key, checks that they belong together, and returns the validity of the certificate that ends first.
///
/// # Errors
/// As [`Tls::load`].
pub fn validity(certificate: &Path, key: &Path) -> Result<Validity, TlsError> {
    acceptor(certificate, key)?;
    checked(certificate, &chain(certificate)?)
}

impl Tls {
    /// Loads certificate and key.
    ///
    /// # Errors
    /// A file cannot be read, certificate and key do not match, or the chain is not in order.
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

fn unreadable(path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> TlsError {
    let path = path.to_owned();
    move |error| TlsError::File(path, error)
}

fn chain(certificate: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect).map_err(unreadable(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::Empty(certificate.to_owned()));
    }
    Ok(chain)
}

/// Checks that each certificate is followed by the one of its issuer.
fn checked(file: &Path, chain: &[CertificateDer<'_>]) -> Result<Validity, TlsError> {
    let mut validity = Validity { from: UnixSeconds::MIN, until: UnixSeconds::MAX };
    let mut issuer: Option<Vec<u8>> = None;
    for (at, one) in chain.iter().enumerate() {
        let (_, one) = X509Certificate::from_der(one).map_err(|_| TlsError::Unreadable(file.to_owned()))?;
        if issuer.is_some_and(|issuer| issuer != one.subject().as_raw()) {
            return Err(TlsError::Chain(file.to_owned(), at + 1));
        }
        issuer = Some(one.issuer().as_raw().to_vec());
        validity.from = validity.from.max(UnixSeconds::from_seconds(one.validity().not_before.timestamp()));
        validity.until = validity.until.min(UnixSeconds::from_seconds(one.validity().not_after.timestamp()));
    }
    Ok(validity)
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let chain = chain(certificate)?;
    checked(certificate, &chain)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::OtherKey(certificate.to_owned(), key.to_owned()),
            other => TlsError::Rustls(other),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({})", self.0.certificate.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    #[test]
    fn a_chain_is_in_order_with_its_key() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let (file, key_file) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        let (of_issuer, key, other) = (KeyPair::generate()?, KeyPair::generate()?, KeyPair::generate()?);
        let mut issuer = CertificateParams::new([])?;
        issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        issuer.distinguished_name.push(DnType::CommonName, "Issuer");
        let issuer_pem = issuer.self_signed(&of_issuer)?.pem();
        let issuer = Issuer::new(issuer, of_issuer);
        let mut own = CertificateParams::new(["localhost".to_owned()])?;
        own.distinguished_name.push(DnType::CommonName, "localhost");
        own.not_before = rcgen::date_time_ymd(2026, 1, 1);
        own.not_after = rcgen::date_time_ymd(2026, 12, 1);
        let own = own.signed_by(&key, &issuer)?.pem();
        let with = |chain: &str, key: &KeyPair| {
            std::fs::write(&file, chain).and_then(|()| std::fs::write(&key_file, key.serialize_pem())).map(drop)
        };
        with(&format!("{own}{issuer_pem}"), &key)?;
        let validity = validity(&file, &key_file)?;
        assert_eq!(
            (validity.from, validity.until),
            (UnixSeconds::from_seconds(1_767_225_600), UnixSeconds::from_seconds(1_796_083_200))
        );
        with(&own, &other)?;
        assert!(matches!(Tls::load(&file, &key_file), Err(TlsError::OtherKey(..))));
        with(&format!("{own}{own}"), &key)?;
        assert!(matches!(Tls::load(&file, &key_file), Err(TlsError::Chain(_, 2))));
        Ok(())
    }
}
