//! Messages between client and mediator, and what devices seal for each other.

use bytes::Bytes;
use d2mtop::protocol::sealed::Sealable as _;
use d2mtop::protocol::{ClientMessage, DecodeError, Dialect, Envelope, ServerMessage};

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

pub fn server_messages(data: &[u8]) {
    is_written_as_read(data, ServerMessage::decode, ServerMessage::encode);
}

pub fn client_messages(data: &[u8]) {
    is_written_as_read(data, ClientMessage::decode, ClientMessage::encode);
}

fn is_written_as_read<M>(
    data: &[u8],
    decode: fn(Bytes, Dialect) -> Result<M, DecodeError>,
    encode: fn(&M, Dialect) -> Bytes,
) {
    for dialect in DIALECTS {
        let Ok(message) = decode(Bytes::copy_from_slice(data), dialect) else { continue };
        // What no version knows of the header is not written again.
        let written = encode(&message, dialect);
        let again = decode(written.clone(), dialect).expect("what we write, we read");
        assert_eq!(encode(&again, dialect), written, "written again, it is another message");
    }
}

pub fn envelopes(data: &[u8]) {
    for dialect in DIALECTS {
        let Ok(envelope) = Envelope::decode(Bytes::copy_from_slice(data), dialect) else { continue };
        let summary = envelope.summary();
        let _tree = envelope.tree();
        let again = Envelope::decode(envelope.encode(dialect).into(), dialect).expect("what we write, we read");
        assert_eq!(again.summary(), summary, "written again, it tells something else");
    }
}
