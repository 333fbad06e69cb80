//! Payloads of each sort, in and out of their containers.

use bytes::{BufMut, Bytes};

use crate::protocol::container::{self, DecodeError, PayloadType};

pub(super) fn exactly<const N: usize>(bytes: &Bytes, field: &'static str) -> Result<[u8; N], DecodeError> {
    bytes.as_ref().try_into().map_err(|_| DecodeError::WrongLength(field))
}

pub(super) fn parse<M: prost::Message + Default>(payload: Bytes, name: &'static str) -> Result<M, DecodeError> {
    M::decode(payload).map_err(|_| DecodeError::Malformed(name))
}

pub(super) fn raw(payload_type: PayloadType, data: &Bytes) -> Bytes {
    let mut frame = container::begin(payload_type, data.len());
    frame.put_slice(data);
    frame.freeze()
}

pub(super) fn empty(payload_type: PayloadType) -> Bytes {
    container::begin(payload_type, 0).freeze()
}

pub(super) fn protobuf<M: prost::Message>(payload_type: PayloadType, message: &M) -> Bytes {
    let mut frame = container::begin(payload_type, message.encoded_len());
    message.encode_raw(&mut frame);
    frame.freeze()
}
