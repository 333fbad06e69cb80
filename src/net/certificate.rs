//! What is wrong with a certificate that cannot be used, where the TLS library says less than there is to say.

use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The fewest bits of an RSA key that counts.
const FEWEST_RSA_BITS: usize = 2_048;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05];
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

/// Why a certificate cannot be used, behind its name, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// An RSA key that is too short.
    #[error(
        "has an RSA key of {0} bits, or is vouched for by one, and fewer than 2048 are too few; who runs the mediator can make \
         a new key (ECDSA P-256, or RSA with 2048 bits)"
    )]
    ShortRsa(usize),
    /// A key on a curve that the library does not have.
    #[error(
        "has a key on the curve P-521, or is vouched for by one, which d2mtop does not know; who runs the mediator can make \
         a new key (ECDSA P-256 or P-384)"
    )]
    P521,
    /// A signature that can be forged.
    #[error(
        "is signed with SHA-1, which can be forged; who runs the mediator can have a new one signed (with SHA-256)"
    )]
    Sha1,
    /// A certificate without extensions.
    #[error(
        "is of X.509 version 1, which says nothing about what it is for; who runs the mediator can make one of version 3, \
         with the host name as subjectAltName"
    )]
    VersionOne,
    /// A certificate that says only in its subject, or nowhere, whose it is.
    #[error(
        "names no host (subjectAltName), without which it counts for none; who runs the mediator can make one that does"
    )]
    NoName,
    /// There is nothing between it and an authority that is not known.
    #[error("comes alone, and no trusted authority has signed it")]
    Alone,
}

impl Unusable {
    /// What is wrong with a certificate that was refused, or with one of those that came with it.
    pub(super) fn of(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Option<Self> {
        std::iter::once(leaf).chain(others).find_map(of_one)
    }

    /// What is wrong with the algorithm that a certificate is signed with.
    pub(super) fn of_algorithm(identifier: &[u8]) -> Option<Self> {
        let names = |oid: &[u8]| identifier.windows(oid.len()).any(|window| window == oid);
        if names(RSA_SHA1) || names(ECDSA_SHA1) {
            Some(Self::Sha1)
        } else if names(P521) || names(ECDSA_SHA512) {
            Some(Self::P521)
        } else {
            None
        }
    }

    /// Whether no trusted authority can be reached from a certificate that came without others.
    pub(super) fn is_alone(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> bool {
        others.is_empty() && EndEntityCert::try_from(leaf).is_ok_and(|leaf| leaf.issuer() != leaf.subject())
    }
}

fn of_one(certificate: &CertificateDer<'_>) -> Option<Unusable> {
    match EndEntityCert::try_from(certificate) {
        Err(webpki::Error::UnsupportedCertVersion) => Some(Unusable::VersionOne),
        Err(_) => None,
        Ok(certificate) => of_key(&certificate.subject_public_key_info()),
    }
}

fn of_key(info: &[u8]) -> Option<Unusable> {
    let (info, _) = element(info, 0x30)?;
    let (algorithm, rest) = element(info, 0x30)?;
    let (identifier, parameters) = element(algorithm, 0x06)?;
    if identifier == RSA {
        let (bits, _) = element(rest, 0x03)?;
        let (key, _) = element(bits.get(1..)?, 0x30)?;
        let (modulus, _) = element(key, 0x02)?;
        let start = modulus.iter().position(|byte| *byte != 0)?;
        let modulus = modulus.get(start..)?;
        let bits = modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?;
        return (bits < FEWEST_RSA_BITS).then_some(Unusable::ShortRsa(bits));
    }
    let (curve, _) = element(parameters, 0x06)?;
    (curve == P521).then_some(Unusable::P521)
}

/// The content of the first DER element if it has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (octets, rest) =
            rest.split_at_checked(usize::from(length & 0x7f)).filter(|(octets, _)| octets.len() <= 4)?;
        (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
    };
    if *first == tag { rest.split_at_checked(length) } else { None }
}
