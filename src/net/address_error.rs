//! Why a mediator cannot be addressed.

use std::path::PathBuf;

use super::proxy::environment::EnvironmentError;

/// Why a mediator's URL or its certificate file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not even a scheme or a host can be found in it.
    #[error("the mediator's URL is not a URL; it looks like wss://mediator.example/ or ws://127.0.0.1:PORT/")]
    NotAUrl,
    /// Neither `ws` nor `wss`.
    #[error("the mediator's URL must begin with wss:// (or ws:// for a mediator on this machine)")]
    UnknownScheme,
    /// A name and a password, which mediators do not have.
    #[error("the mediator's URL has a user's name or password in it (before @); mediators know none, so leave it out")]
    UserInfo,
    /// A query or a fragment, behind which the group's path would be lost.
    #[error(
        "the mediator's URL has a query or fragment (? or #) in it; the group's path goes behind it, so leave it out"
    )]
    Query,
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] EnvironmentError),
    /// Unencrypted to another machine.
    #[error("ws:// is not encrypted and works only to this machine (127.0.0.1, ::1, localhost); use wss://")]
    Unencrypted,
    /// The file of trust roots cannot be read.
    #[error("cannot read certificates from {path}: {cause}")]
    Certificates {
        /// The file, as [`TlsOptions::trust_roots`](super::TlsOptions) names it.
        path: PathBuf,
        /// What the file system or the parser says.
        cause: rustls_pki_types::pem::Error,
    },
    /// The file of trust roots is no plain text.
    #[error(
        "{path} begins with a byte order mark, as some editors write it, and so is no PEM file; save it again as plain ASCII \
         (or: tail -c +4 FILE)"
    )]
    ByteOrderMark {
        /// The file, as [`TlsOptions::trust_roots`](super::TlsOptions) names it.
        path: PathBuf,
    },
    /// The file of trust roots has no certificate.
    #[error("{path} has no certificate in it")]
    NoCertificate {
        /// The file, as [`TlsOptions::trust_roots`](super::TlsOptions) names it.
        path: PathBuf,
    },
    /// A trust root cannot be used.
    #[error("a certificate in {path} cannot be used as a trust root: {cause}")]
    TrustRoot {
        /// The file, as [`TlsOptions::trust_roots`](super::TlsOptions) names it.
        path: PathBuf,
        /// What is wrong with the certificate.
        cause: rustls::Error,
    },
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}
