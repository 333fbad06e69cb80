//! The client's TLS: the chain, the host name, the time, and the pins; each failure with its own sentence.

use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address_error::AddressError;
use super::certificate::Unusable;
use crate::protocol::SpkiPin;
use crate::text::Clean;

/// After the last day of any certificate, in seconds since 1970.
const END_OF_TIME: Duration = Duration::from_secs(400_000_000_000);

/// How many certificates a chain may have.
const LONGEST_CHAIN: usize = 8;

/// How a mediator has to prove who it is.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// PEM file of the certificates to trust, if not the built-in roots.
    pub trust_roots: Option<PathBuf>,
    /// The keys that the mediator may have, in addition to a good chain, host name and time; empty: any.
    pub pins: Vec<SpkiPin>,
    /// Nothing of that is checked: whoever answers is believed. For experiments only.
    pub accept_any_certificate: bool,
}

/// Why TLS with a mediator failed.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The time of the certificate is over.
    #[error(
        "the certificate of {host} expired{on}; ask who runs the mediator to renew it, and check this machine's clock"
    )]
    Expired {
        /// The mediator's host.
        host: String,
        /// When, with a blank before.
        on: String,
    },
    /// The time of the certificate has not begun.
    #[error(
        "the certificate of {host} is not valid yet{from}; check this machine's clock, then ask who runs the mediator"
    )]
    NotValidYet {
        /// The mediator's host.
        host: String,
        /// From when on, with what stands before.
        from: String,
    },
    /// The certificate is somebody else's.
    #[error("the certificate is for {presented}, not for {host}; check the host name in the mediator's URL")]
    WrongHost {
        /// Who was asked for.
        host: String,
        /// Whom the certificate names.
        presented: Clean,
    },
    /// No trusted root is behind the certificate.
    #[error("no trusted authority vouches for the certificate of {host}")]
    UntrustedRoot {
        /// The mediator's host.
        host: String,
    },
    /// The certificate is good, but the key is not a pinned one.
    #[error("the key of {host} is not the pinned one: somebody may be in between")]
    WrongPin {
        /// The mediator's host.
        host: String,
        /// The pin of the key that it has.
        seen: SpkiPin,
    },
    /// The certificate is one that only vouches for others, as a self-signed one is by default.
    #[error(
        "the certificate of {host} is an authority's, which no server can have; who runs the mediator can make one that is \
         not (basicConstraints=critical,CA:FALSE)"
    )]
    AuthorityAsServer {
        /// The mediator's host.
        host: String,
    },
    /// The certificate is of a kind that cannot be used.
    #[error("the certificate of {host} {what}")]
    Unusable {
        /// Whose certificate it is.
        host: String,
        /// What is wrong with it.
        what: Unusable,
    },
    /// An address is written where a name stands.
    #[error(
        "the certificate of {host} names this address as if it were a host's name, which counts for nothing; who runs the \
         mediator can name it as an address (subjectAltName=IP:{host}), or the URL has the host's name instead"
    )]
    AddressAsName {
        /// Whose certificate it is.
        host: String,
    },
    /// Nothing is in common.
    #[error(
        "{host} and d2mtop have no cipher or kind of key in common; a mediator's key is ECDSA P-256 or P-384, Ed25519 or RSA \
         with 2048 bits (P-521 is not known), and it speaks TLS 1.2 or 1.3: ask who runs the mediator"
    )]
    NothingInCommon {
        /// The host that was spoken to.
        host: String,
    },
    /// The certificate cannot be accepted for another reason.
    #[error("the certificate of {host} cannot be accepted: {cause}; ask who runs the mediator to replace it")]
    BadCertificate {
        /// The mediator's host.
        host: String,
        /// The cause, as the system or a library tells it.
        cause: Clean,
    },
    /// The other side said no.
    #[error("{host} refused TLS with the alert {alert}; check the mediator's URL, or ask who runs the mediator")]
    Alert {
        /// The mediator's host.
        host: String,
        /// The name of the alert.
        alert: Clean,
    },
    /// What came is not TLS.
    #[error("{host} does not speak TLS; check the port in the mediator's URL")]
    NotTls {
        /// The mediator's host.
        host: String,
    },
    /// The other side left without a word, as servers that do not speak TLS do.
    #[error("{host} ended the connection instead of speaking TLS; check the port in the mediator's URL")]
    CutOff {
        /// The mediator's host.
        host: String,
    },
    /// TLS failed for a reason that has no words of its own here.
    #[error("TLS with {host} failed: {cause}")]
    Other {
        /// The mediator's host.
        host: String,
        /// The cause, as the system or a library tells it.
        cause: Clean,
    },
}

/// What a mediator has proved.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The version of TLS, such as `TLS 1.3`.
    pub version: String,
    /// The pin of its key, if the certificate can be read.
    pub key: Option<SpkiPin>,
    /// When its certificate expires, or the first of those that vouch for it.
    pub expires: Option<UnixTime>,
}

/// TLS with one mediator, ready to be used.
#[derive(Clone)]
pub(super) struct ClientTls {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
    name: ServerName<'static>,
}

impl ClientTls {
    pub(super) fn new(name: ServerName<'static>, options: &TlsOptions) -> Result<Self, AddressError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(Verifier::new(options, Arc::clone(&provider))?);
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let trusting: Arc<dyn ServerCertVerifier> = Arc::<Verifier>::clone(&verifier);
        let config = versions.dangerous().with_custom_certificate_verifier(trusting).with_no_client_auth();
        Ok(Self { config: Arc::new(config), verifier, name })
    }

    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        host: &str,
    ) -> Result<TlsStream<S>, TlsFault> {
        let connected = TlsConnector::from(Arc::clone(&self.config)).connect(self.name.clone(), stream).await;
        connected.map_err(|cause| fault(host, &cause))
    }

    pub(super) fn peer<S>(&self, stream: &TlsStream<S>) -> Peer {
        let (_, connection) = stream.get_ref();
        let version = connection.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS");
        let version = version.replace("TLSv", "TLS ").replace('_', ".");
        let chain = connection.peer_certificates().unwrap_or_default();
        let Some((leaf, others)) = chain.split_first() else { return Peer { version, key: None, expires: None } };
        Peer { version, key: pin_of(leaf).ok(), expires: self.verifier.expiry(leaf, others, &self.name) }
    }
}

/// Checks chain, host name and time as everybody does, and then the pins.
#[derive(Debug)]
struct Verifier {
    chain: Arc<WebPkiServerVerifier>,
    pins: Vec<SpkiPin>,
    accept_any: bool,
}

impl Verifier {
    fn new(options: &TlsOptions, provider: Arc<CryptoProvider>) -> Result<Self, AddressError> {
        let roots = Arc::new(roots(options.trust_roots.as_deref())?);
        let chain = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        let chain = chain.map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { chain, pins: options.pins.clone(), accept_any: options.accept_any_certificate })
    }

    /// When the first certificate of a chain expires. At the end of time the verifier says itself when the first one that it
    /// looks at has expired; just then, when one that expires before.
    fn expiry(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Option<UnixTime> {
        let (mut at, mut earliest) = (UnixTime::since_unix_epoch(END_OF_TIME), None);
        // Each round finds one that expires before; a chain has no more than the library takes.
        for _ in 0..LONGEST_CHAIN {
            match self.chain.verify_server_cert(leaf, others, name, &[], at) {
                Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                    (at, earliest) = (not_after, Some(not_after));
                }
                _ => break,
            }
        }
        earliest
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.accept_any {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = self.chain.verify_server_cert(leaf, others, name, ocsp, now);
        let verified = verified.map_err(|error| explained(leaf, others, error))?;
        if self.pins.is_empty() {
            return Ok(verified);
        }
        let seen = pin_of(leaf)?;
        if self.pins.contains(&seen) {
            return Ok(verified);
        }
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(NotPinned(seen))))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.chain.verify_tls12_signature(message, certificate, signature);
        verified.map_err(|error| explained(certificate, &[], error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.chain.verify_tls13_signature(message, certificate, signature);
        verified.map_err(|error| explained(certificate, &[], error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// The same error, or what we know better of the certificate.
fn explained(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>], error: Error) -> Error {
    let Error::InvalidCertificate(why) = &error else { return error };
    let known = match why {
        CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id: identifier, .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            public_key_algorithm_id: identifier,
            ..
        } => Unusable::of_algorithm(identifier).or_else(|| Unusable::of(leaf, others)),
        CertificateError::UnknownIssuer => {
            let alone = || Unusable::is_alone(leaf, others).then_some(Unusable::Alone);
            Unusable::of(leaf, others).or_else(alone)
        }
        CertificateError::BadSignature | CertificateError::BadEncoding | CertificateError::Other(_) => {
            Unusable::of(leaf, others)
        }
        _ => None,
    };
    known.map_or(error, |known| Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(known)))))
}

/// The key of a good certificate is not a pinned one.
#[derive(Debug, thiserror::Error)]
#[error("the key {0} is not pinned")]
struct NotPinned(SpkiPin);

fn roots(trust_roots: Option<&Path>) -> Result<RootCertStore, AddressError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = trust_roots else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let unreadable = |cause| match cause {
        pem::Error::MissingSectionEnd { .. } | pem::Error::IllegalSectionStart { .. } => {
            AddressError::CutOff { path: path.to_owned() }
        }
        cause => AddressError::Certificates { path: path.to_owned(), cause },
    };
    if has_byte_order_mark(path) {
        return Err(AddressError::ByteOrderMark { path: path.to_owned() });
    }
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        let unusable = |cause| AddressError::TrustRoot { path: path.to_owned(), cause };
        roots.add(certificate.map_err(unreadable)?).map_err(unusable)?;
    }
    if roots.is_empty() {
        return Err(AddressError::NoCertificate { path: path.to_owned() });
    }
    Ok(roots)
}

/// Whether the file begins with what some editors put before a text, and PEM does not have.
fn has_byte_order_mark(path: &Path) -> bool {
    let mut first = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(3).read_to_end(&mut first));
    read.is_ok()
        && (first == [0xef, 0xbb, 0xbf] || first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]))
}

/// The pin of a certificate's key.
fn pin_of(certificate: &CertificateDer<'_>) -> Result<SpkiPin, Error> {
    let unreadable = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
    let key = webpki::EndEntityCert::try_from(certificate).map_err(unreadable)?.subject_public_key_info();
    let mut pin = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, &key);
    pin.iter_mut().zip(digest.as_ref()).for_each(|(byte, of_digest)| *byte = *of_digest);
    Ok(SpkiPin(pin))
}

/// What went wrong, told by what the library says.
fn fault(host: &str, cause: &io::Error) -> TlsFault {
    let told = cause.get_ref().and_then(|error| error.downcast_ref::<Error>());
    let host = host.to_owned();
    match told {
        Some(Error::InvalidCertificate(why)) => certificate_fault(host, why),
        Some(Error::AlertReceived(
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity,
        )) => TlsFault::NothingInCommon { host },
        Some(Error::AlertReceived(alert)) => TlsFault::Alert { host, alert: Clean::new(&format!("{alert:?}")) },
        Some(Error::InvalidMessage(_) | Error::InappropriateMessage { .. }) => TlsFault::NotTls { host },
        Some(error) => TlsFault::Other { host, cause: Clean::new(&error.to_string()) },
        None => match cause.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                TlsFault::CutOff { host }
            }
            _ => TlsFault::Other { host, cause: Clean::new(&cause.to_string()) },
        },
    }
}

fn certificate_fault(host: String, why: &CertificateError) -> TlsFault {
    match why {
        CertificateError::Expired => TlsFault::Expired { host, on: String::new() },
        CertificateError::ExpiredContext { not_after, .. } => {
            TlsFault::Expired { host, on: format!(" on {}", date(*not_after)) }
        }
        CertificateError::NotValidYet => TlsFault::NotValidYet { host, from: String::new() },
        CertificateError::NotValidYetContext { not_before, .. } => {
            TlsFault::NotValidYet { host, from: format!(", only from {} on", date(*not_before)) }
        }
        CertificateError::NotValidForName => TlsFault::WrongHost { host, presented: Clean::literal("another host") },
        CertificateError::NotValidForNameContext { presented, .. }
            if host.parse::<IpAddr>().is_ok() && presented.contains(&format!("DnsName({host:?})")) =>
        {
            TlsFault::AddressAsName { host }
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            TlsFault::Unusable { host, what: Unusable::NoName }
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            TlsFault::WrongHost { host, presented: presented_names(presented) }
        }
        // A signature that is not the authority's: another authority of the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::UntrustedRoot { host },
        CertificateError::Other(OtherError(other)) => match (other.downcast_ref(), other.downcast_ref()) {
            (Some(NotPinned(seen)), _) => TlsFault::WrongPin { host, seen: *seen },
            (_, Some(what)) => TlsFault::Unusable { host, what: *what },
            // The library has no other name for it.
            (None, None) if other.to_string() == "CaUsedAsEndEntity" => TlsFault::AuthorityAsServer { host },
            (None, None) => TlsFault::BadCertificate { host, cause: Clean::new(&other.to_string()) },
        },
        other => TlsFault::BadCertificate { host, cause: Clean::new(&other.to_string()) },
    }
}

/// The first few names of a certificate; they are written `DnsName("…")` by the library.
fn presented_names(presented: &[String]) -> Clean {
    let bare = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
    match presented {
        [] => Clean::default(),
        [one] => Clean::new(&bare(one)),
        [one, others @ ..] => Clean::new(&format!("{} and {} more", bare(one), others.len())),
    }
}

/// A day and a time, as people read them.
#[must_use]
pub fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    chrono::DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| "a day beyond all calendars".to_owned(), |time| time.format("%Y-%m-%d %H:%M UTC").to_string())
}
