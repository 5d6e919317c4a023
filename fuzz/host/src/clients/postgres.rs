//! PostgreSQL's messages: what the framing lets through is, for the parser behind it, no message that is longer than the bound; it knows of
//! an open transaction what the parser is told, and finds the same however the bytes are cut.

#[path = "../../../../runtime/src/clients/postgres/messages.rs"]
mod messages;

use bytes::BytesMut;
use postgres_protocol::message::backend::{Header, Message, READY_FOR_QUERY_TAG};

use self::messages::Messages;
use super::passed;

/// What a message may come to.
const MAX_BYTES: u64 = 512;
/// The byte that stands for no open transaction.
const NO_TRANSACTION: u8 = b'I';

/// The last byte says how the others are cut, and whether the server was asked for TLS.
///
/// # Panics
/// If one of the above does not hold.
pub fn check(input: &[u8]) {
    let Some((&last, bytes)) = input.split_last() else { return };
    let (piece, asked_for_tls) = (usize::from(last >> 1).max(1), last & 1 == 1);
    let of = |piece, bytes| {
        let (mut messages, seen) = Messages::new(MAX_BYTES, asked_for_tls);
        (passed(&mut messages, bytes, piece), seen)
    };
    let (good, seen) = of(1, bytes);
    let (in_pieces, _) = of(piece, bytes);
    assert_eq!(
        in_pieces,
        if good == bytes.len() { good } else { good / piece * piece },
        "in pieces of {piece}"
    );
    let messages = bytes.get(usize::from(asked_for_tls)..good).unwrap_or_default();
    if let Some(told) = parse(messages).filter(|_| good == bytes.len()) {
        assert_eq!(seen.in_transaction(), told);
    }
}

/// Whether the last message that tells of it tells of an open transaction. None where the bytes are not whole messages, one after the other: the
/// connection ends then, or more is to come.
fn parse(bytes: &[u8]) -> Option<bool> {
    let (mut left, mut told) = (BytesMut::from(bytes), false);
    while !left.is_empty() {
        let header = Header::parse(&left).ok()??;
        let length = usize::try_from(header.len()).expect("a length");
        assert!(length <= MAX_BYTES as usize + 4, "a message of {length} bytes");
        let status = left.get(5).copied();
        Message::parse(&mut left).ok()??;
        if header.tag() == READY_FOR_QUERY_TAG {
            told = status? != NO_TRANSACTION;
        }
    }
    Some(told)
}
