//! Who we are: options, key files, directories.
