//! Certificates made by the tests: an authority, and what it signs.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PublicKeyData as _, date_time_ymd};

/// An authority of the test's own, with its certificate in a file.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

/// The files of a leaf certificate, and the pin of its key.
pub struct Leaf {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub pin: String,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub enum Validity {
    Now,
    Over,
    NotYet,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("ca.pem"), issuer.pem()).expect("a file");
        Self { issuer, directory }
    }

    /// Its own certificate and key, as if it were a server's.
    pub fn as_leaf(&self) -> Leaf {
        let key = self.directory.path().join("ca-key.pem");
        write(&key, &self.issuer.key().serialize_pem());
        Leaf { certificate: self.file(), key, pin: pin(self.issuer.key()) }
    }

    /// The PEM file to trust.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    pub fn leaf(&self, host: &str, validity: Validity) -> Leaf {
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
        let (from, to) = match validity {
            Validity::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
            Validity::Over => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 2, 3)),
            Validity::NotYet => (date_time_ymd(2119, 4, 5), date_time_ymd(2120, 1, 1)),
        };
        (params.not_before, params.not_after) = (from, to);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let place = |what: &str| self.directory.path().join(format!("{host}-{validity:?}-{what}.pem"));
        let leaf = Leaf { certificate: place("cert"), key: place("key"), pin: pin(&key) };
        write(&leaf.certificate, &certificate.pem());
        write(&leaf.key, &key.serialize_pem());
        leaf
    }
}

fn write(path: &Path, pem: &str) {
    fs::write(path, pem).expect("a file");
}

fn pin(key: &KeyPair) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, &key.subject_public_key_info());
    base64::engine::general_purpose::STANDARD.encode(digest)
}
