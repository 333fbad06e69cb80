//! Why a mediator cannot be addressed.

use std::path::PathBuf;

use super::proxy::environment::EnvironmentError;

/// Why a mediator's URL or its certificate file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not even a scheme or a host can be found in it.
    #[error("the mediator's URL is not a URL; it looks like wss://mediator.example/ or ws://127.0.0.1:PORT/")]
    NotAUrl,
    /// A letter that no URL has.
    #[error(
        "the mediator's URL has a blank or a letter in it that URLs do not have; a name with other letters is written as \
         its registrar writes it for machines (xn--...)"
    )]
    NotAscii,
    /// No port of a machine.
    #[error("the port in the mediator's URL is not a number from 1 to 65535")]
    Port,
    /// An address that means something on one link of this machine only.
    #[error(
        "the mediator's URL has an IPv6 address with a zone (%) in it, which works in no URL of a WebSocket; use a name or \
         another address of the mediator"
    )]
    Zone,
    /// Neither a name nor an address.
    #[error("the host in the mediator's URL is neither a name nor a whole address")]
    Host,
    /// Something in braces that stays.
    #[error(
        "the mediator's URL has something in braces in it that is not filled in; only {{deviceGroupIdPrefix4}} and \
         {{deviceGroupIdPrefix8}} are"
    )]
    Placeholder,
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
        "{path} begins with a byte order mark, as some editors write it, and so is no PEM file; save it again as plain ASCII"
    )]
    ByteOrderMark {
        /// The file, as [`TlsOptions::trust_roots`](super::TlsOptions) names it.
        path: PathBuf,
    },
    /// The file of trust roots is not whole.
    #[error("{path} ends or breaks off within a certificate; copy the whole file again")]
    CutOff {
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
