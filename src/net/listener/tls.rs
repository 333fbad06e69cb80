//! The listener's certificate.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate chain and its key, ready to be used.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file cannot be read.
    #[error("cannot read a certificate from {path}: {cause}; give a PEM file with the chain, leaf first", path = path.display())]
    Certificate {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: pem::Error,
    },
    /// The certificate file has no certificate in it.
    #[error("{path} has no certificate in it; give a PEM file with the chain, leaf first", path = path.display())]
    NoCertificate {
        /// The path of the file.
        path: PathBuf,
    },
    /// The key file cannot be read.
    #[error("cannot read a private key from {path}: {cause}; give a PEM file with one unencrypted key", path = path.display())]
    Key {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: pem::Error,
    },
    /// Certificate and key cannot be used together.
    #[error("certificate and key cannot be used: {0}; check that they belong together")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// Reads a certificate chain and its private key from two PEM files.
    ///
    /// # Errors
    /// If a file cannot be read, or both cannot be used together.
    pub fn from_pem_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let unreadable = |cause| TlsError::Certificate { path: certificate.to_owned(), cause };
        let chain = CertificateDer::pem_file_iter(certificate).map_err(unreadable)?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: certificate.to_owned() });
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(|cause| TlsError::Key { path: key.to_owned(), cause })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Self(Arc::new(versions.with_no_client_auth().with_single_cert(chain, key)?)))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls([REDACTED])")
    }
}
