//! `--threema-desktop`: the user's own key storage of Threema Desktop, opened with the user's own password.
//!
//! Only the Device Group Key, the server group, the identity's name and the OnPrem configuration are taken. The rest stays
//! in one buffer, which is wiped when the import is over. The device ids are left alone: two devices with one id would
//! throw each other out.

use std::io;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use bytes::Bytes;
use crypto_secretbox::aead::{AeadInPlace as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, Tag, XSalsa20Poly1305};
use prost::Message as _;
use zeroize::Zeroizing;

use super::bounded_file::read_bounded;
use super::imported::Imported;
use super::oppf::{self, OppfError, Trust};
use crate::profile::secrets::{Passphrase, PromptError};
use crate::protocol::ServerGroupError;
use crate::protocol::proto::keystorage::encrypted_key_storage::{Argon2idParameters, KdfParameters};
use crate::protocol::proto::keystorage::{DecryptedKeyStorage, EncryptedKeyStorage};
use crate::protocol::{Dialect, GroupSecret, ServerGroup};
use crate::text::Clean;

/// The file in a profile's directory.
pub(super) const FILE: &str = "data/keystorage.pb3";

/// Schema versions that are public.
const NEWEST_OUTER: u32 = 1;
const NEWEST_INNER: u32 = 2;

/// A key storage takes some hundred bytes, with a provisioning file in it some ten thousand.
const MOST_BYTES: u64 = 4 << 20;

/// What a file may ask for: Threema Desktop itself takes 128 to 512 MiB, for two seconds.
const MOST_MEMORY: u32 = 1 << 30;
const MOST_ITERATIONS: u32 = 64;
const MOST_LANES: u32 = 16;

const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// The key storage cannot be imported. Its message never contains any of it.
#[derive(Debug, thiserror::Error)]
pub enum DesktopError {
    /// There is no profile of Threema Desktop.
    #[error("found no Threema Desktop profile in {}; name its directory: --threema-desktop DIR", looked(searched))]
    NotFound {
        /// The directories that were searched.
        searched: Vec<PathBuf>,
    },
    /// There is more than one profile.
    #[error(
        "there are several Threema Desktop profiles; name one of them: --threema-desktop DIR, where DIR is {}",
        looked(found)
    )]
    Several {
        /// Their directories.
        found: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("cannot read the key storage {path}: {cause}")]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// The password cannot be had.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The file is no key storage.
    #[error(
        "the key storage is damaged or cut short ({0}); start Threema Desktop once to see whether it still opens it"
    )]
    Damaged(&'static str),
    /// A layout that is not public.
    #[error(
        "this key storage was written by a newer Threema Desktop ({0}), whose layout d2mtop does not know; nothing was read from it. Join the group from the phone, or give the key with --key-file"
    )]
    Newer(String),
    /// The parameters would take too much memory or time.
    #[error(
        "the key storage asks for {memory_mib} MiB of memory and {iterations} passes in {lanes} lanes to check its password; that is more than Threema Desktop ever does, so the file is damaged or not meant well"
    )]
    TooCostly { memory_mib: u32, iterations: u32, lanes: u32 },
    /// This machine has less memory than the file asks for.
    #[error(
        "checking the password takes {memory_mib} MiB of memory, which this machine does not have free; close something and try again"
    )]
    NoMemory { memory_mib: u32 },
    /// The password is wrong, or the file is damaged.
    #[error("the password of Threema Desktop is wrong, or the key storage is damaged; nothing was imported")]
    WrongPassword,
    /// The server group is none.
    #[error("the key storage names no usable server group: {0}")]
    ServerGroup(#[from] ServerGroupError),
    /// The OnPrem configuration in it cannot be used.
    #[error("the OnPrem configuration in the key storage cannot be used: {0}")]
    OnPrem(#[from] OppfError),
}

fn looked(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    if paths.is_empty() { "any place (no home directory)".to_owned() } else { paths.join(" or ") }
}

/// Reads the file of a profile's directory, which is a secret only together with its password.
///
/// # Errors
/// If it cannot be read, or is far larger than a key storage is.
pub fn read(path: &Path) -> Result<Vec<u8>, DesktopError> {
    read_bounded(path, MOST_BYTES)
        .map_err(|cause| DesktopError::Unreadable { path: path.to_owned(), cause })?
        .ok_or(DesktopError::Damaged("it is far too large"))
}

/// Opens a key storage.
///
/// # Errors
/// If the password is wrong, or the file is damaged, cut short, newer than what is public, or costly beyond reason.
pub fn open(file: &[u8], password: &Passphrase, trust: &Trust) -> Result<Imported, DesktopError> {
    let outer = EncryptedKeyStorage::decode(file).map_err(|_| DesktopError::Damaged("its frame"))?;
    if outer.schema_version > NEWEST_OUTER {
        return Err(DesktopError::Newer(format!("file schema {}", outer.schema_version)));
    }
    let Some(KdfParameters::Argon2id(parameters)) = &outer.kdf_parameters else {
        return Err(DesktopError::Damaged("it does not say how the password is used"));
    };
    let key = stretch(password, parameters)?;
    let plain = Bytes::from_owner(unseal(&outer.encrypted_key_storage, &key)?);
    drop(key);
    // Byte fields of the message are windows into that buffer, which is wiped when the last of them is dropped.
    let mut inner = DecryptedKeyStorage::decode(plain).map_err(|_| DesktopError::Damaged("its contents"))?;
    if inner.schema_version > NEWEST_INNER {
        return Err(DesktopError::Newer(format!("key schema {}", inner.schema_version)));
    }
    let secret = group_secret(&std::mem::take(&mut inner.dgk))?;
    let identity = inner.identity_data.take().ok_or(DesktopError::Damaged("no identity"))?;
    let server_group = match inner.schema_version {
        NEWEST_INNER => ServerGroup::parse(&identity.server_group, Dialect::Dgk)?,
        // As Threema Desktop itself moved on: the number became two digits.
        _ => ServerGroup::parse(&format!("{:02x}", identity.deprecated_server_group), Dialect::Dgk)?,
    };
    let provisioning = inner
        .on_prem_config
        .filter(|config| !config.oppf_cached_config.is_empty())
        .map(|config| oppf::read_cached(config.oppf_cached_config.as_bytes(), trust))
        .transpose()?;
    let (mediator, pins) =
        provisioning.map_or((None, Vec::new()), |provisioning| (Some(provisioning.mediator), provisioning.pins));
    Ok(Imported {
        dialect: Dialect::Dgk,
        mediator,
        server_group,
        identity: Some(Clean::new(&identity.identity)),
        pins,
        secret,
    })
}

fn group_secret(bytes: &Bytes) -> Result<GroupSecret, DesktopError> {
    let mut key: [u8; 32] =
        bytes.as_ref().try_into().map_err(|_| DesktopError::Damaged("its group key has the wrong length"))?;
    Ok(GroupSecret::new(&mut key))
}

fn stretch(password: &Passphrase, parameters: &Argon2idParameters) -> Result<Zeroizing<[u8; 32]>, DesktopError> {
    let &Argon2idParameters { version, ref salt, memory_bytes, iterations, parallelism } = parameters;
    if version != 0 {
        return Err(DesktopError::Newer(format!("Argon2 version number {version}")));
    }
    let memory_mib = memory_bytes >> 20;
    if memory_bytes > MOST_MEMORY || iterations > MOST_ITERATIONS || parallelism > MOST_LANES {
        return Err(DesktopError::TooCostly { memory_mib, iterations, lanes: parallelism });
    }
    let senseless = |_| DesktopError::Damaged("its password parameters make no sense");
    let params = Params::new(memory_bytes / 1_024, iterations, parallelism, Some(32)).map_err(senseless)?;
    let mut blocks: Vec<Block> = Vec::new();
    let count = params.block_count();
    blocks.try_reserve_exact(count).map_err(|_| DesktopError::NoMemory { memory_mib })?;
    blocks.resize(count, Block::new());
    let mut key = Zeroizing::new([0_u8; 32]);
    let stretched = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password.bytes(),
        salt,
        key.as_mut_slice(),
        &mut blocks,
    );
    blocks.iter_mut().for_each(zeroize::Zeroize::zeroize);
    stretched.map_err(senseless)?;
    Ok(key)
}

fn unseal(sealed: &[u8], key: &Zeroizing<[u8; 32]>) -> Result<Zeroizing<Vec<u8>>, DesktopError> {
    let too_short = DesktopError::Damaged("its box is too short");
    let Some((nonce, rest)) = sealed.split_at_checked(NONCE_LENGTH) else { return Err(too_short) };
    let Some((tag, cipher)) = rest.split_at_checked(TAG_LENGTH) else { return Err(too_short) };
    let mut plain = Zeroizing::new(cipher.to_vec());
    XSalsa20Poly1305::new(Key::from_slice(key.as_slice()))
        .decrypt_in_place_detached(Nonce::from_slice(nonce), b"", plain.as_mut_slice(), Tag::from_slice(tag))
        .map_err(|_| DesktopError::WrongPassword)?;
    Ok(plain)
}
