//! Commands without a terminal.
