//! What is tried with any bytes at all, here for some seconds and by `fuzz/` for hours. A target panics where a rule is
//! broken; what it takes is bytes that a program, a file or a person could bring.

mod choices;
mod files;
mod links;
mod mediator;
mod network;
mod session;
mod text;
mod wire;

/// A name and what it runs.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 13] = [
    ("server_messages", wire::server_messages),
    ("client_messages", wire::client_messages),
    ("envelopes", wire::envelopes),
    ("clean", text::clean),
    ("filter", text::filter),
    ("session", session::session),
    ("mediator", mediator::mediator),
    ("profiles", files::profiles),
    ("key_storage", files::key_storage),
    ("provisioning", files::provisioning),
    ("journal", files::journal),
    ("addresses", links::addresses),
    ("joining", links::joining),
];
