//! Messages between client and mediator, and what devices seal for each other.

use bytes::Bytes;
use d2mtop::protocol::sealed::Sealable as _;
use d2mtop::protocol::{ClientMessage, Dialect, Envelope, ServerMessage};

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

pub fn server_messages(data: &[u8]) {
    for dialect in DIALECTS {
        let Ok(message) = ServerMessage::decode(Bytes::copy_from_slice(data), dialect) else { continue };
        // What no version knows of the header is not written again.
        let written = message.encode(dialect);
        let again = ServerMessage::decode(written.clone(), dialect).expect("what we write, we read");
        assert_eq!(again.encode(dialect), written, "written again, it is another message");
    }
}

pub fn client_messages(data: &[u8]) {
    for dialect in DIALECTS {
        let Ok(message) = ClientMessage::decode(Bytes::copy_from_slice(data), dialect) else { continue };
        // What no version knows of the header is not written again.
        let written = message.encode(dialect);
        let again = ClientMessage::decode(written.clone(), dialect).expect("what we write, we read");
        assert_eq!(again.encode(dialect), written, "written again, it is another message");
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
