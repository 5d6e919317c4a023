//! RESP: what the framing lets through is, for the parser behind it, no value that is larger than the bound, and it finds the same fault
//! however the bytes are cut.

#[path = "../../../../runtime/src/clients/redis/answers.rs"]
mod answers;

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use redis::{Parser, Value};

use self::answers::Answers;
use super::passed;

/// What an answer may come to.
const MAX_BYTES: u64 = 512;
/// What the parser has beside values: its buffer, what it knows of each level of a list, and a vector that grows by doubling.
const PARSER_BYTES: usize = 192 << 10;
/// Of a value for each byte that it may come to: a value of a list has 64 bytes and more.
const VALUE_BYTES: usize = 64;
/// Of an element the framing counts no less.
const ELEMENT_BYTES: usize = 64;

/// The last byte says how the others are cut.
///
/// # Panics
/// If one of the above does not hold.
pub fn check(input: &[u8]) {
    let Some((&piece, bytes)) = input.split_last() else { return };
    let of = |piece| passed(&mut Answers::new(MAX_BYTES, Arc::default()), bytes, piece);
    let good = of(1);
    let piece = usize::from(piece).max(1);
    assert_eq!(
        of(piece),
        if good == bytes.len() { good } else { good / piece * piece },
        "in pieces of {piece}"
    );
    let bound = PARSER_BYTES + VALUE_BYTES * MAX_BYTES as usize;
    thumbs_fuzz_memory::within(bound, || parse(&bytes[..good]));
}

/// Has the parser read what is let through, which it gets a byte at a time, so that it is known where a value ends.
fn parse(bytes: &[u8]) {
    let (mut parser, mut wire) = (Parser::new(), Wire { bytes, read: 0 });
    loop {
        let begin = wire.read;
        match parser.parse_value(&mut wire) {
            Ok(value) => {
                let bytes = bytes_of(&value);
                assert!(bytes <= MAX_BYTES as usize, "{bytes} bytes: {value:?}");
            }
            // The connection ends there.
            Err(error) if !is_unfinished(&error) => return,
            Err(_) => {
                // A line is counted where it ends, and has a bound of its own.
                let waiting =
                    bytes[begin..wire.read].windows(2).rposition(|pair| pair == b"\r\n").unwrap_or_default();
                // The headers of elements come beside what counts, and are no longer than an element counts.
                assert!(
                    waiting <= 3 * MAX_BYTES as usize + 64,
                    "the parser waits for more behind {waiting} bytes"
                );
                return;
            }
        }
    }
}

fn is_unfinished(error: &redis::RedisError) -> bool {
    error.is_io_error() && error.to_string().contains("unexpected end of file")
        || matches!(error.kind(), redis::ErrorKind::Io)
}

/// At least this much is in memory.
fn bytes_of(value: &Value) -> usize {
    let list = |values: &[Value]| values.iter().map(|value| ELEMENT_BYTES + bytes_of(value)).sum();
    let pairs = |pairs: &[(Value, Value)]| {
        pairs.iter().map(|(key, value)| 2 * ELEMENT_BYTES + bytes_of(key) + bytes_of(value)).sum::<usize>()
    };
    match value {
        Value::BulkString(bytes) => bytes.len(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.len(),
        Value::Array(values) | Value::Set(values) | Value::Push { data: values, .. } => list(values),
        Value::Map(values) => pairs(values),
        Value::Attribute { data, attributes } => pairs(attributes) + bytes_of(data),
        _ => 0,
    }
}

struct Wire<'a> {
    bytes: &'a [u8],
    read: usize,
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let next = self.bytes.get(self.read).ok_or(ErrorKind::UnexpectedEof)?;
        let Some(slot) = buffer.first_mut() else { return Ok(0) };
        *slot = *next;
        self.read += 1;
        Ok(1)
    }
}
