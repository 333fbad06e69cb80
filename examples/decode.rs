//! Opens a sealed envelope, as a reflection carries it, and prints every field of it.
//!
//! ```text
//! cargo run --example decode --no-default-features -- group.key HEX [mk|dgk]
//! ```
//!
//! The key file holds 64 hex digits; the envelope is nonce, authenticator and ciphertext. What people wrote or are is printed
//! last.

use std::error::Error;

use d2mtop::protocol::d2d::TreeBranch;
use d2mtop::protocol::{Dialect, Envelope, GroupKeys, GroupSecret, Sealed};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (key_file, envelope, dialect) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [key_file, envelope] | [key_file, envelope, "dgk"] => (key_file, envelope, Dialect::Dgk),
        [key_file, envelope, "mk"] => (key_file, envelope, Dialect::Mk),
        _ => return Err("usage: decode KEY_FILE HEX [mk|dgk]".into()),
    };
    let secret = GroupSecret::from_hex(std::fs::read_to_string(key_file)?.trim())?;
    let keys = GroupKeys::derive(dialect, &secret);
    let envelope: Envelope = Sealed::from_wire(hex::decode(envelope)?.into()).open(&keys)?;
    println!("{:?}", envelope.summary());
    print_all(&envelope.tree(), 0);
    for (name, text) in envelope.tree().iter().flat_map(TreeBranch::private) {
        text.reveal().iter().for_each(|line| println!("{name}: {line}"));
    }
    Ok(())
}

fn print_all(branches: &[TreeBranch], depth: usize) {
    for branch in branches {
        println!("{:indent$}{} {}", "", branch.name, branch.value, indent = 2 * depth);
        print_all(&branch.children, depth + 1);
    }
}
