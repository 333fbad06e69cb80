//! A key sealed with a passphrase.
//!
//! ```text
//! offset  0   8  magic "d2mtopPF"
//!         8   1  version, 1
//!         9   1  scrypt: log2 of N
//!        10   1  scrypt: r
//!        11   1  scrypt: p
//!        12  32  salt
//!        44  24  nonce
//!        68  80  XSalsa20-Poly1305 box (authenticator first) of the key's 64 hex digits
//! ```
//!
//! The key of the box is keyed `BLAKE2b` of the first 68 bytes, under what scrypt makes of passphrase and salt: whoever
//! changes a parameter changes the key of the box.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use blake2b_simd::Params as Blake2b;
use crypto_secretbox::aead::{AeadInPlace as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, Tag, XSalsa20Poly1305};
use rand::Rng as _;
use scrypt::Params;
use zeroize::Zeroizing;

use super::prompt::Passphrase;
use crate::profile::random::fresh_random;
use crate::protocol::GroupSecret;

const MAGIC: &[u8; 8] = b"d2mtopPF";
const VERSION: u8 = 1;
const HEADER_LENGTH: usize = 68;
const LENGTH: usize = HEADER_LENGTH + 16 + 64;
const PERSONAL: &[u8; 16] = b"d2mtop keyfile 1";

/// 128 MiB, some tenths of a second.
const COST: Cost = Cost { log_n: 17, r: 8, p: 1 };
/// The most that a file may ask for: 1 GiB, for some seconds.
const MOST: Cost = Cost { log_n: 20, r: 32, p: 16 };
const MOST_MEMORY: u64 = 1 << 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    log_n: u8,
    r: u8,
    p: u8,
}

/// The passphrase file cannot be used. Its message never contains any of key or passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseFileError {
    /// It cannot be read.
    #[error("cannot read the passphrase file {path}: {cause}")]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// It is no passphrase file.
    #[error("{path} is no passphrase file, or is cut short; import the key again")]
    NotOurs {
        /// The path of the file.
        path: PathBuf,
    },
    /// Its version is newer.
    #[error("the passphrase file {path} has version {version}, made by a newer d2mtop; use that one")]
    Newer {
        /// The path of the file.
        path: PathBuf,
        /// The version that it says it has.
        version: u8,
    },
    /// Its parameters would take too much memory or time.
    #[error(
        "the passphrase file {path} asks for more memory or time than d2mtop gives it (N = 2^{log_n}, r = {r}, p = {p}); it is damaged or not meant well"
    )]
    TooCostly {
        /// The path of the file.
        path: PathBuf,
        log_n: u8,
        r: u8,
        p: u8,
    },
    /// The passphrase is wrong, or the file is damaged.
    #[error("the passphrase file {path} does not open: the passphrase is wrong, or the file is damaged")]
    DoesNotOpen {
        /// The path of the file.
        path: PathBuf,
    },
}

/// Reads the sealed file; [`None`] if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, PassphraseFileError> {
    let read = File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(LENGTH as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(PassphraseFileError::Unreadable { path: path.to_owned(), cause }),
    }
}

/// Opens the sealed key.
pub(super) fn open(path: &Path, file: &[u8], passphrase: &Passphrase) -> Result<GroupSecret, PassphraseFileError> {
    let not_ours = || PassphraseFileError::NotOurs { path: path.to_owned() };
    let does_not_open = || PassphraseFileError::DoesNotOpen { path: path.to_owned() };
    let (version, rest) = file.strip_prefix(MAGIC).and_then(|rest| rest.split_first()).ok_or_else(not_ours)?;
    if *version != VERSION {
        return Err(PassphraseFileError::Newer { path: path.to_owned(), version: *version });
    }
    let &[log_n, r, p, ..] = rest else { return Err(not_ours()) };
    if file.len() != LENGTH {
        return Err(not_ours());
    }
    let (header, sealed) = file.split_at_checked(HEADER_LENGTH).ok_or_else(not_ours)?;
    let key = key_of_box(path, Cost { log_n, r, p }, header, passphrase)?;
    let (tag, cipher) = sealed.split_at_checked(16).ok_or_else(not_ours)?;
    let mut digits = Zeroizing::new([0_u8; 64]);
    digits.iter_mut().zip(cipher).for_each(|(target, source)| *target = *source);
    let nonce = header.get(44..).ok_or_else(not_ours)?;
    XSalsa20Poly1305::new(Key::from_slice(key.as_slice()))
        .decrypt_in_place_detached(Nonce::from_slice(nonce), b"", digits.as_mut_slice(), Tag::from_slice(tag))
        .map_err(|_| does_not_open())?;
    let digits = std::str::from_utf8(digits.as_slice()).map_err(|_| does_not_open())?;
    GroupSecret::from_hex(digits).map_err(|_| does_not_open())
}

/// Seals the key for a new file.
pub(super) fn seal(path: &Path, secret: &GroupSecret, passphrase: &Passphrase) -> Result<Vec<u8>, PassphraseFileError> {
    seal_at(COST, path, secret, passphrase)
}

fn seal_at(
    cost: Cost,
    path: &Path,
    secret: &GroupSecret,
    passphrase: &Passphrase,
) -> Result<Vec<u8>, PassphraseFileError> {
    let mut random = fresh_random();
    let (salt, nonce): ([u8; 32], [u8; 24]) = (random.r#gen(), random.r#gen());
    let mut file = Vec::with_capacity(LENGTH);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&[VERSION, cost.log_n, cost.r, cost.p]);
    file.extend_from_slice(&salt);
    file.extend_from_slice(&nonce);
    let key = key_of_box(path, cost, &file, passphrase)?;
    let mut digits = Zeroizing::new([0_u8; 64]);
    digits.iter_mut().zip(secret.expose_hex().bytes()).for_each(|(target, source)| *target = source);
    let tag = XSalsa20Poly1305::new(Key::from_slice(key.as_slice()))
        .encrypt_in_place_detached(Nonce::from_slice(&nonce), b"", digits.as_mut_slice())
        .map_err(|_| PassphraseFileError::DoesNotOpen { path: path.to_owned() })?;
    file.extend_from_slice(&tag);
    file.extend_from_slice(digits.as_slice());
    Ok(file)
}

fn key_of_box(
    path: &Path,
    cost: Cost,
    header: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<[u8; 32]>, PassphraseFileError> {
    let Cost { log_n, r, p } = cost;
    let too_costly = || PassphraseFileError::TooCostly { path: path.to_owned(), log_n, r, p };
    let memory = || 128_u64 << log_n;
    if log_n > MOST.log_n || r > MOST.r || p > MOST.p || memory() * u64::from(r) > MOST_MEMORY {
        return Err(too_costly());
    }
    let params = Params::new(log_n, r.into(), p.into()).map_err(|_| too_costly())?;
    let salt = header.get(12..44).unwrap_or_default();
    let mut stretched = Zeroizing::new([0_u8; 32]);
    scrypt::scrypt(passphrase.bytes(), salt, &params, stretched.as_mut_slice()).map_err(|_| too_costly())?;
    let hash = Blake2b::new()
        .hash_length(32)
        .key(stretched.as_slice())
        .personal(PERSONAL)
        .to_state()
        .update(header)
        .finalize();
    let mut key = Zeroizing::new([0_u8; 32]);
    key.iter_mut().zip(hash.as_bytes()).for_each(|(target, source)| *target = *source);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { log_n: 4, r: 8, p: 1 };

    fn secret() -> GroupSecret {
        GroupSecret::from_hex(&"5a".repeat(32)).unwrap()
    }

    fn opened(file: &[u8], passphrase: &str) -> Result<String, PassphraseFileError> {
        open(Path::new("x"), file, &Passphrase::from(passphrase)).map(|secret| secret.expose_hex().to_string())
    }

    #[test]
    fn it_opens_with_its_passphrase_only_and_whole_only() {
        let file = seal_at(CHEAP, Path::new("x"), &secret(), &Passphrase::from("open sesame")).unwrap();
        assert_eq!(file.len(), LENGTH);
        assert_eq!(opened(&file, "open sesame").unwrap(), "5a".repeat(32));
        assert!(matches!(opened(&file, "open sesamE"), Err(PassphraseFileError::DoesNotOpen { .. })));
        assert!(matches!(opened(&file, ""), Err(PassphraseFileError::DoesNotOpen { .. })));
        for length in 0..file.len() {
            assert!(matches!(opened(&file[..length], "open sesame"), Err(PassphraseFileError::NotOurs { .. })));
        }
        let mut longer = file;
        longer.push(0);
        assert!(matches!(opened(&longer, "open sesame"), Err(PassphraseFileError::NotOurs { .. })));
    }

    #[test]
    fn no_bit_can_be_changed() {
        let file = seal_at(CHEAP, Path::new("x"), &secret(), &Passphrase::from("p")).unwrap();
        for place in 0..file.len() {
            for bit in [1, 0x80] {
                let mut changed = file.clone();
                changed[place] ^= bit;
                assert!(opened(&changed, "p").is_err(), "byte {place}");
            }
        }
    }

    #[test]
    fn parameters_beyond_reason_are_refused_before_they_cost_anything() {
        let file = seal_at(CHEAP, Path::new("x"), &secret(), &Passphrase::from("p")).unwrap();
        for (place, value) in [(9, 21), (9, 63), (9, 255), (10, 33), (10, 255), (11, 17), (10, 0), (11, 0)] {
            let mut changed = file.clone();
            changed[place] = value;
            let error = opened(&changed, "p").unwrap_err();
            assert!(matches!(error, PassphraseFileError::TooCostly { .. }), "{place} {value}: {error}");
        }
        let mut both = file.clone();
        both[9..11].copy_from_slice(&[20, 16]);
        assert!(matches!(opened(&both, "p"), Err(PassphraseFileError::TooCostly { .. })));
        let mut newer = file;
        newer[8] = 2;
        assert!(opened(&newer, "p").unwrap_err().to_string().contains("newer"));
    }

    #[test]
    fn two_files_of_one_key_have_nothing_in_common() {
        let make = || seal_at(CHEAP, Path::new("x"), &secret(), &Passphrase::from("p")).unwrap();
        let (one, other) = (make(), make());
        assert_ne!(one[12..44], other[12..44]);
        assert_ne!(one[44..68], other[44..68]);
        assert_ne!(one[68..], other[68..]);
    }
}
