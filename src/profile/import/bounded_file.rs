//! Reading a file of another program, which may be of any size.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a whole file; [`None`] if it has more bytes than `most`.
pub(super) fn read_bounded(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}
