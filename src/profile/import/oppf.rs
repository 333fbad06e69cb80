//! `--oppf`: the provisioning file of an OnPrem installation.
//!
//! JSON, newlines, and one line with the base64 of an Ed25519 signature over the bytes before the newlines. The signature
//! is checked over the bytes as they are, before anything in them is believed.

use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{NaiveDate, Utc};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

use crate::text::Clean;

pub(super) const MOST_BYTES: u64 = 1 << 20;

/// The base64 of 64 bytes.
const SIGNATURE_DIGITS: usize = 88;

/// The keys that sign the provisioning files of OnPrem servers.
const BUILT_IN_KEYS: [&str; 3] = [
    "ek1qBp4DyRmLL9J5sCmsKSfwbsiGNB4veDAODjkwe/k=",
    "Hrk8aCjwKkXySubI7CZ3y9Sx+oToEHjNkGw98WSRneU=",
    "5pEn1T/5bhecNWrp9NgUQweRfgVtu/I8gRb3VxGP7k4=",
];

/// The trusted signers, and the day of the check.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Ed25519 public keys.
    pub keys: Vec<[u8; 32]>,
    /// The day, in UTC.
    pub today: NaiveDate,
}

impl Trust {
    /// The built-in keys, today.
    #[must_use]
    pub fn built_in() -> Self {
        let keys = BUILT_IN_KEYS.iter().filter_map(|key| key_of(key)).collect();
        Self { keys, today: Utc::now().date_naive() }
    }
}

/// The part of a provisioning file that a device needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioning {
    /// The mediator's URL template.
    pub mediator: String,
    /// The URL template of the relay where devices meet for a join, if it has one.
    pub rendezvous: Option<String>,
    /// Public keys that servers must have; the first rule that matches a host counts.
    pub pins: Vec<DomainPins>,
}

/// Public keys that the servers of a domain must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPins {
    /// The domain, in lower case.
    pub domain: String,
    /// Which hosts that is.
    pub matching: Matching,
    /// Base64 of the SHA-256 of each allowed `SubjectPublicKeyInfo`.
    pub spkis: Vec<String>,
}

/// Which hosts a domain stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    Exact,
    /// That host and all below it.
    IncludeSubdomains,
    /// All hosts one label below it.
    OneLabelBelow,
}

impl DomainPins {
    /// Whether the rule is about this host.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let below = host.strip_suffix(&self.domain).and_then(|rest| rest.strip_suffix('.'));
        match self.matching {
            Matching::Exact => host == self.domain,
            Matching::IncludeSubdomains => host == self.domain || below.is_some_and(|label| !label.is_empty()),
            Matching::OneLabelBelow => below.is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }
}

/// The pins of a host; [`None`] if no rule is about it, and any key will do.
#[must_use]
pub fn pins_of<'a>(rules: &'a [DomainPins], host: &str) -> Option<&'a [String]> {
    rules.iter().find(|rule| rule.matches(host)).map(|rule| rule.spkis.as_slice())
}

/// The provisioning file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OppfError {
    /// It cannot be read.
    #[error("cannot read the provisioning file {path}: {cause}")]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// It is no provisioning file.
    #[error("this is no provisioning file ({0}); ask the operator for the whole file, as it is")]
    NotProvisioning(&'static str),
    /// The signature is not that of these bytes.
    #[error(
        "the provisioning file was changed after it was signed; do not use it, and fetch it again from your server"
    )]
    Tampered,
    /// The signer is not trusted.
    #[error(
        "the provisioning file is signed with a key that d2mtop does not trust ({0}); make sure that it is from your server's operator"
    )]
    UnknownKey(Clean),
    /// The licence has expired.
    #[error("the provisioning file expired on {0}; ask the operator for a new one (or check this machine's clock)")]
    Expired(NaiveDate),
    /// The version of the layout is newer.
    #[error("the provisioning file has version {0}, which d2mtop does not know; it knows versions 1.x")]
    Newer(Clean),
    /// The server has no multi-device.
    #[error("the provisioning file names no mediator: this server has no multi-device, so there is no group to join")]
    NoMediator,
    /// The mediator's URL is none.
    #[error("the provisioning file names a mediator that cannot be used ({0}); it must be a wss:// URL")]
    BadMediator(Clean),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    version: String,
    signature_key: String,
    license: License,
    mediator: Option<OppfMediator>,
    rendezvous: Option<OppfRendezvous>,
    domains: Option<Domains>,
    public_key_pinning: Option<Vec<OldPins>>,
}

#[derive(Deserialize)]
struct License {
    expires: String,
}

#[derive(Deserialize)]
struct OppfMediator {
    url: String,
}

#[derive(Deserialize)]
struct OppfRendezvous {
    url: String,
}

#[derive(Deserialize)]
struct Domains {
    rules: Vec<OppfRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OppfRule {
    fqdn: String,
    match_mode: String,
    spkis: Vec<Spki>,
}

#[derive(Deserialize)]
struct OldPins {
    domain: String,
    spkis: Vec<Spki>,
}

#[derive(Deserialize)]
struct Spki {
    value: String,
    algorithm: String,
}

/// Reads a signed provisioning file.
///
/// # Errors
/// If it is none, was changed, is signed by somebody else, has expired or names no mediator.
pub fn read(file: &[u8], trust: &Trust) -> Result<Provisioning, OppfError> {
    let (body, signature) = split(file).ok_or(OppfError::NotProvisioning("it does not end with a signature"))?;
    let signer =
        trust.keys.iter().find(|key| UnparsedPublicKey::new(&ED25519, key.as_slice()).verify(body, &signature).is_ok());
    let Some(signer) = signer else { return Err(unsigned(body, trust)) };
    let body = parse(body)?;
    if key_of(&body.signature_key).as_ref() != Some(signer) {
        return Err(OppfError::NotProvisioning("it names another key than the one it is signed with"));
    }
    body.provisioning(trust)
}

/// Reads the copy in a key storage, which may be without its signature: the storage's own box vouches for it.
pub(super) fn read_cached(text: &[u8], trust: &Trust) -> Result<Provisioning, OppfError> {
    match parse(text) {
        Ok(body) => body.provisioning(trust),
        Err(_) => read(text, trust),
    }
}

/// The bytes that are signed, and the signature.
fn split(file: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    // A signature without the last newline, or with one that an editor added.
    let file = file.trim_ascii_end();
    let (body, digits) = file.split_at_checked(file.len().checked_sub(SIGNATURE_DIGITS)?)?;
    let signature = BASE64.decode(digits).ok()?;
    let mut signed = body;
    while let Some(shorter) = signed.strip_suffix(b"\n") {
        signed = shorter;
    }
    (signed.len() < body.len()).then_some((signed, signature))
}

/// Why no trusted key has signed this. Believes the body only as far as its own bad name goes.
fn unsigned(body: &[u8], trust: &Trust) -> OppfError {
    let Ok(body) = parse(body) else { return OppfError::Tampered };
    match key_of(&body.signature_key) {
        Some(key) if trust.keys.contains(&key) => OppfError::Tampered,
        _ => OppfError::UnknownKey(Clean::new(&body.signature_key)),
    }
}

fn parse(body: &[u8]) -> Result<Body, OppfError> {
    serde_json::from_slice(body).map_err(|_| OppfError::NotProvisioning("its contents are not what they should be"))
}

fn key_of(base64: &str) -> Option<[u8; 32]> {
    BASE64.decode(base64).ok()?.try_into().ok()
}

impl Body {
    fn provisioning(self, trust: &Trust) -> Result<Provisioning, OppfError> {
        if self.version.split('.').next() != Some("1") {
            return Err(OppfError::Newer(Clean::new(&self.version)));
        }
        let expires = NaiveDate::parse_from_str(&self.license.expires, "%Y-%m-%d")
            .map_err(|_| OppfError::NotProvisioning("it does not say until when it is valid"))?;
        if expires < trust.today {
            return Err(OppfError::Expired(expires));
        }
        let mediator = self.mediator.ok_or(OppfError::NoMediator)?.url;
        if !is_template(&mediator) {
            return Err(OppfError::BadMediator(Clean::new(&mediator)));
        }
        let pins = match (self.domains, self.public_key_pinning) {
            (Some(domains), _) => domains.rules.into_iter().map(OppfRule::pins).collect::<Result<Vec<_>, _>>()?,
            (None, Some(old)) => old.into_iter().map(OldPins::pins).collect::<Result<Vec<_>, _>>()?,
            (None, None) => Vec::new(),
        };
        let rendezvous = self.rendezvous.map(|relay| relay.url);
        Ok(Provisioning { mediator, rendezvous, pins: pins.into_iter().flatten().collect() })
    }
}

fn is_template(url: &str) -> bool {
    let filled = url.replace("{deviceGroupIdPrefix4}", "0").replace("{deviceGroupIdPrefix8}", "00");
    filled.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme_str() == Some("wss") && uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none()
    })
}

impl OppfRule {
    /// [`None`] for a way of matching that is not known.
    fn pins(self) -> Result<Option<DomainPins>, OppfError> {
        let matching = match self.match_mode.as_str() {
            "exact" => Matching::Exact,
            "include-subdomains" => Matching::IncludeSubdomains,
            _ => return Ok(None),
        };
        domain_pins(&self.fqdn, matching, self.spkis)
    }
}

impl OldPins {
    fn pins(self) -> Result<Option<DomainPins>, OppfError> {
        match self.domain.strip_prefix("*.") {
            Some(domain) => domain_pins(domain, Matching::OneLabelBelow, self.spkis),
            None => domain_pins(&self.domain, Matching::Exact, self.spkis),
        }
    }
}

/// [`None`] if no pin is of a kind that is known. A pin that is damaged is an error: leaving it out would weaken the rule.
fn domain_pins(domain: &str, matching: Matching, spkis: Vec<Spki>) -> Result<Option<DomainPins>, OppfError> {
    let known = spkis.into_iter().filter(|spki| spki.algorithm == "sha256");
    let spkis: Vec<String> = known
        .map(|spki| key_of(&spki.value).map(|_| spki.value).ok_or(OppfError::NotProvisioning("a pin is damaged")))
        .collect::<Result<_, _>>()?;
    let domain = domain.to_ascii_lowercase();
    Ok((!spkis.is_empty()).then_some(DomainPins { domain, matching, spkis }))
}
