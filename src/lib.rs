//! d2mtop: a terminal dashboard for a Threema-style multi-device group.

#[allow(missing_docs, clippy::doc_markdown, reason = "clap shows these texts to users as they are")]
pub mod cli;
pub mod group;
pub mod headless;
pub mod mediator;
pub mod net;
pub mod profile;
pub mod protocol;
pub mod runtime;
pub mod session;
pub mod text;
pub mod tui;
