//! The integration tests: one module a subject, in one program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

mod admit;
mod alert_events;
mod alerts;
mod architecture;
mod code_on_screen;
mod commands;
mod doctor;
mod examples;
mod feed_memory;
mod flood;
mod fuzz;
mod history;
mod join;
mod join_memory;
mod joined;
mod journal;
mod keyring;
mod leave;
mod library;
mod listener;
mod lock;
mod manual;
mod metrics;
mod operator;
mod pair;
mod presence;
mod profile;
mod proxy;
mod pty;
mod public_api;
mod reach;
mod readme;
mod readme_session;
mod record;
mod schema;
mod secrets;
mod service;
mod small_disk;
mod stored;
mod support;
mod tabs;
mod tls;
mod watch;
