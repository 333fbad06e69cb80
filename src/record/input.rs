//! What a session was told, to entries and back.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::entry::{RecordedCommand, RecordedInput, RecordedJournal};
use super::error::RecordFault;
use super::private::{Private, PrivateKey};
use crate::group::{Event, JournalState};
use crate::protocol::sealed::Sealable;
use crate::protocol::{
    CloseCode, DeviceId, Dialect, Envelope, GroupKeys, SharedDeviceData, SlotState, TransactionScope,
};
use crate::session::{ChatClientId, Command, Confirmed, DeliveryInput, LinkEnd, SessionInput};
use crate::text::Clean;

/// The type byte of a frame between a chat client and the chat server.
const CHAT_FRAME: u8 = 0;

/// The bytes of a frame's header.
const FRAME_HEADER: usize = 4;

/// The most frames of a batch; no read of a socket brings as many.
const MOST_FRAMES: usize = 1 << 20;

/// A frame as it is recorded: what a chat client and the chat server say is nobody's business.
pub(super) fn without_chat(frame: &Bytes) -> Bytes {
    if frame.first() != Some(&CHAT_FRAME) {
        return frame.clone();
    }
    let mut bytes = vec![0; frame.len()];
    bytes.iter_mut().zip(frame).take(FRAME_HEADER).for_each(|(target, byte)| *target = *byte);
    bytes.into()
}

/// Frames one after the other, each behind its length.
pub(super) fn join_frames(frames: &[Bytes]) -> Bytes {
    let mut joined = BytesMut::with_capacity(frames.iter().map(|frame| 4 + frame.len()).sum());
    for frame in frames {
        joined.put_u32_le(u32::try_from(frame.len()).unwrap_or(u32::MAX));
        if frame.first() == Some(&CHAT_FRAME) {
            joined.extend_from_slice(&without_chat(frame));
        } else {
            joined.extend_from_slice(frame);
        }
    }
    joined.freeze()
}

/// The frames again, which share the memory.
pub(super) fn split_frames(mut joined: Bytes) -> Result<Vec<Bytes>, RecordFault> {
    let mut frames = Vec::new();
    while !joined.is_empty() {
        let length = joined.first_chunk().map(|length| u32::from_le_bytes(*length) as usize);
        match length {
            Some(length) if length <= joined.len() - 4 && frames.len() < MOST_FRAMES => {
                let _ = joined.split_to(4);
                frames.push(joined.split_to(length));
            }
            _ => return Err(RecordFault::Malformed("its frames are not whole")),
        }
    }
    Ok(frames)
}

/// An input as it is recorded.
pub(super) fn recorded(input: &DeliveryInput, key: &PrivateKey, dialect: Dialect) -> RecordedInput {
    match input {
        DeliveryInput::Session(input) => session_input(input, key, dialect),
        DeliveryInput::HandOn { durable, .. } => RecordedInput::HandOn { durable: *durable },
        DeliveryInput::Journal(event) => {
            let (state, words) = match event {
                Event::JournalSetAside(name) => (RecordedJournal::SetAside, name.as_str()),
                Event::Journal(JournalState::Failed(why)) => (RecordedJournal::Failed, why.as_str()),
                _ => (RecordedJournal::Keeps, ""),
            };
            RecordedInput::Journal { state, words: key.seal(&words) }
        }
        DeliveryInput::JournalWorks { redeliver } => RecordedInput::JournalWorks { redeliver: *redeliver },
        DeliveryInput::Rest => RecordedInput::Rest,
    }
}

fn session_input(input: &SessionInput, key: &PrivateKey, dialect: Dialect) -> RecordedInput {
    let text = |text: &Clean| text.as_str().to_owned();
    match input {
        SessionInput::Timer => RecordedInput::Timer,
        SessionInput::LinkUp => RecordedInput::LinkUp,
        SessionInput::Frames(frames) => RecordedInput::Frames(join_frames(frames)),
        SessionInput::TextFrame => RecordedInput::TextFrame,
        SessionInput::Pong => RecordedInput::Pong,
        SessionInput::Alive => RecordedInput::Alive,
        SessionInput::NotReading => RecordedInput::NotReading,
        SessionInput::LinkDown(end) => match end {
            LinkEnd::Closed { code, reason } => RecordedInput::Closed { code: code.0, reason: text(reason) },
            LinkEnd::Unreachable(why) => RecordedInput::Unreachable(text(why)),
            LinkEnd::Busy { why, retry_after } => RecordedInput::Busy { why: text(why), retry_after: *retry_after },
            LinkEnd::Broken(why) => RecordedInput::Broken(text(why)),
        },
        SessionInput::Durable { connection, count } => {
            RecordedInput::Durable { connection: *connection, count: *count as u64 }
        }
        SessionInput::Redeliver { connection } => RecordedInput::Redeliver { connection: *connection },
        SessionInput::Flushed => RecordedInput::Flushed,
        SessionInput::Command(command) => RecordedInput::Command(recorded_command(command, key, dialect)),
    }
}

fn recorded_command(command: &Command, key: &PrivateKey, dialect: Dialect) -> RecordedCommand {
    match command {
        Command::RefreshDevices => RecordedCommand::RefreshDevices,
        Command::Ping => RecordedCommand::Ping,
        Command::TakeLock { scope, ttl } => {
            RecordedCommand::TakeLock { scope: key.seal(&scope.encode(dialect)), ttl: *ttl }
        }
        Command::LookAtLock => RecordedCommand::LookAtLock,
        Command::ReleaseLock => RecordedCommand::ReleaseLock,
        Command::DropDevice(device) => RecordedCommand::DropDevice(device.into_inner().0),
        Command::LeaveGroup(_) => RecordedCommand::LeaveGroup,
        Command::GiveUpSlot => RecordedCommand::GiveUpSlot,
        Command::AcknowledgeDevices => RecordedCommand::AcknowledgeDevices,
        Command::Reflect { envelope, ephemeral } => {
            RecordedCommand::Reflect { envelope: key.seal(&envelope.encode(dialect)), ephemeral: *ephemeral }
        }
        Command::Probe(_) => RecordedCommand::Probe,
        Command::SetSharedDeviceData(data) => {
            RecordedCommand::SetSharedDeviceData(key.seal(&data.clone().into_inner().encode(dialect)))
        }
        Command::BeginProxy(client) => RecordedCommand::BeginProxy(client.0),
        Command::Proxy(frame) => RecordedCommand::Proxy(u32::try_from(frame.len()).unwrap_or(u32::MAX)),
        Command::EndProxy => RecordedCommand::EndProxy,
        Command::Reconnect { expect } => {
            RecordedCommand::Reconnect { expects_existing: expect.map(|state| state == SlotState::Existing) }
        }
        Command::Leave => RecordedCommand::Leave,
    }
}

/// The input again; [`None`] for what the journal hands on, which the player has.
pub(super) fn input(recorded: RecordedInput, keys: &GroupKeys) -> Result<Option<DeliveryInput>, RecordFault> {
    let key = PrivateKey::of(keys);
    let end = |end| SessionInput::LinkDown(end);
    let input = match recorded {
        RecordedInput::Timer => SessionInput::Timer,
        RecordedInput::LinkUp => SessionInput::LinkUp,
        RecordedInput::Frames(frames) => SessionInput::Frames(split_frames(frames)?),
        RecordedInput::TextFrame => SessionInput::TextFrame,
        RecordedInput::Pong => SessionInput::Pong,
        RecordedInput::Alive => SessionInput::Alive,
        RecordedInput::NotReading => SessionInput::NotReading,
        RecordedInput::Closed { code, reason } => {
            end(LinkEnd::Closed { code: CloseCode(code), reason: Clean::new(&reason) })
        }
        RecordedInput::Unreachable(why) => end(LinkEnd::Unreachable(Clean::new(&why))),
        RecordedInput::Busy { why, retry_after } => end(LinkEnd::Busy { why: Clean::new(&why), retry_after }),
        RecordedInput::Broken(why) => end(LinkEnd::Broken(Clean::new(&why))),
        RecordedInput::Durable { connection, count } => {
            SessionInput::Durable { connection, count: usize::try_from(count).unwrap_or(usize::MAX) }
        }
        RecordedInput::Redeliver { connection } => SessionInput::Redeliver { connection },
        RecordedInput::Flushed => SessionInput::Flushed,
        RecordedInput::Command(recorded) => SessionInput::Command(command(recorded, &key, keys.dialect())),
        RecordedInput::HandOn { .. } => return Ok(None),
        RecordedInput::Journal { state, words } => {
            let words = Clean::new(&key.open::<String>(&words).unwrap_or_default());
            return Ok(Some(DeliveryInput::Journal(match state {
                RecordedJournal::Keeps => Event::Journal(JournalState::Keeps),
                RecordedJournal::Failed => Event::Journal(JournalState::Failed(words)),
                RecordedJournal::SetAside => Event::JournalSetAside(words),
            })));
        }
        RecordedInput::JournalWorks { redeliver } => return Ok(Some(DeliveryInput::JournalWorks { redeliver })),
        RecordedInput::Rest => return Ok(Some(DeliveryInput::Rest)),
    };
    Ok(Some(DeliveryInput::Session(input)))
}

/// What is sealed, if the key opens it.
fn open<T: Sealable>(private: &Private, key: &PrivateKey, dialect: Dialect) -> Option<T> {
    T::decode(Bytes::from(key.open::<Vec<u8>>(private)?), dialect).ok()
}

/// The command again. What a person agreed to was agreed to then, and goes nowhere now. Without the key, what only the group
/// may read is made up.
fn command(recorded: RecordedCommand, key: &PrivateKey, dialect: Dialect) -> Command {
    match recorded {
        RecordedCommand::RefreshDevices => Command::RefreshDevices,
        RecordedCommand::Ping => Command::Ping,
        RecordedCommand::TakeLock { scope, ttl } => {
            let scope = open(&scope, key, dialect).unwrap_or(TransactionScope::Unknown(-1));
            Command::TakeLock { scope, ttl }
        }
        RecordedCommand::LookAtLock => Command::LookAtLock,
        RecordedCommand::ReleaseLock => Command::ReleaseLock,
        RecordedCommand::DropDevice(device) => Command::DropDevice(Confirmed::after_asking(DeviceId(device))),
        RecordedCommand::LeaveGroup => Command::LeaveGroup(Confirmed::after_asking(())),
        RecordedCommand::GiveUpSlot => Command::GiveUpSlot,
        RecordedCommand::AcknowledgeDevices => Command::AcknowledgeDevices,
        RecordedCommand::Reflect { envelope, ephemeral } => {
            let envelope: Option<Envelope> =
                open(&envelope, key, dialect).or_else(|| Envelope::decode(Bytes::new(), dialect).ok());
            match envelope {
                Some(envelope) => Command::Reflect { envelope: Box::new(envelope), ephemeral },
                None => Command::RefreshDevices,
            }
        }
        RecordedCommand::Probe => Command::Probe(Confirmed::after_asking(())),
        RecordedCommand::SetSharedDeviceData(data) => {
            let data: SharedDeviceData = open(&data, key, dialect).unwrap_or_default();
            Command::SetSharedDeviceData(Confirmed::after_asking(data))
        }
        RecordedCommand::BeginProxy(client) => Command::BeginProxy(ChatClientId(client)),
        RecordedCommand::Proxy(length) => {
            // No frame is longer, and one that was is refused as then.
            let most = crate::protocol::MAX_CHAT_FRAME + 1;
            Command::Proxy(Bytes::from(vec![0; usize::try_from(length).unwrap_or(most).min(most)]))
        }
        RecordedCommand::EndProxy => Command::EndProxy,
        RecordedCommand::Reconnect { expects_existing } => Command::Reconnect {
            expect: expects_existing.map(|existing| if existing { SlotState::Existing } else { SlotState::New }),
        },
        RecordedCommand::Leave => Command::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_those_of_a_chat_lose_what_they_say() {
        let frames =
            [Bytes::from_static(b"\x82\0\0\0sealed"), Bytes::new(), Bytes::from_static(b"\0\0\0\0secret words")];
        let back = split_frames(join_frames(&frames)).unwrap();
        assert_eq!(back, [frames[0].clone(), Bytes::new(), Bytes::from_static(&[0; 16])]);
        assert!(split_frames(Bytes::from_static(b"\x05\0\0\0abcd")).is_err());
        assert!(split_frames(Bytes::from_static(b"\x05\0")).is_err());
    }
}
