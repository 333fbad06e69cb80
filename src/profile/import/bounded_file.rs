//! Files of other programs, which may be anything.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A whole file; [`None`] if it is larger than that.
pub(super) fn read_bounded(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}
