//! A pipe whose reader does not read.

use std::io::{PipeReader, PipeWriter, Write as _, pipe};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// A pipe that takes nothing until somebody reads the empty lines that are in it.
pub fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    for size in [4_096, 1] {
        while writer.write(&vec![b'\n'; size]).is_ok() {}
    }
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}
