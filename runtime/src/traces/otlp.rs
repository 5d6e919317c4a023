//! Spans as OTLP writes them: `ExportTraceServiceRequest` of opentelemetry-proto 1, in the binary form of Protocol Buffers.
//!
//! By hand: of that form four kinds of fields are needed, and one message is read. A field's number stands beside what it is there for.

use super::span::{Attribute, Span, SpanEvent, Spans, Value};

/// Flags of a span: its context's lowest byte, where 1 is "sampled".
const SAMPLED: u32 = 1;
const STATUS_ERROR: u64 = 2;

/// How the values of fields are written.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

/// A message, as far as it is written.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.key(field, VARINT);
        self.varint(value);
    }

    fn fixed64(&mut self, field: u64, value: u64) {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn fixed32(&mut self, field: u64, value: u32) {
        self.key(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn attributes(&mut self, field: u64, attributes: &[Attribute]) {
        for (name, value) in attributes {
            self.message(field, |pair| {
                pair.bytes(1, name.as_bytes());
                pair.message(2, |any| match value {
                    Value::Text(text) => any.bytes(1, text.as_bytes()),
                    Value::Truth(truth) => any.number(2, u64::from(*truth)),
                    // Negative ones as the number of 64 bits that they are in two's complement.
                    Value::Number(number) => any.number(3, *number as u64),
                    Value::Fraction(fraction) => any.fixed64(4, fraction.to_bits()),
                });
            });
        }
    }

    fn event(&mut self, event: &SpanEvent) {
        self.fixed64(1, event.at_ns);
        self.bytes(2, event.name.as_bytes());
        self.attributes(3, &event.attributes);
    }

    fn span(&mut self, of: &Spans, span: &Span) {
        self.bytes(1, &of.trace.to_be_bytes());
        self.bytes(2, &span.id.to_be_bytes());
        if let Some(state) = &of.state {
            self.bytes(3, state.as_bytes());
        }
        if let Some(parent) = span.parent {
            self.bytes(4, &parent.to_be_bytes());
        }
        self.bytes(5, span.name.as_bytes());
        self.number(6, span.kind as u64);
        self.fixed64(7, span.begin_ns);
        self.fixed64(8, span.end_ns);
        self.attributes(9, &span.attributes);
        for event in &span.events {
            self.message(11, |inner| inner.event(event));
        }
        if span.dropped_events > 0 {
            self.number(12, span.dropped_events.into());
        }
        if span.is_error {
            self.message(15, |status| status.number(3, STATUS_ERROR));
        }
        self.fixed32(16, SAMPLED);
    }
}

/// The request that hands spans over, of what `resource` says who made them.
pub(super) fn request(resource: &[Attribute], spans: &[Spans]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |of_resource| {
        of_resource.message(1, |inner| inner.attributes(1, resource));
        of_resource.message(2, |of_scope| {
            of_scope.message(1, |scope| {
                scope.bytes(1, b"thumbs");
                scope.bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
            });
            for of in spans {
                for span in &of.spans {
                    of_scope.message(2, |inner| inner.span(of, span));
                }
            }
        });
    });
    request.0
}

/// How many spans of a request its answer (`ExportTraceServiceResponse`) says were refused. What can't be read says of none.
pub(super) fn rejected(answer: &[u8]) -> usize {
    let partial_success = fields(answer).find_map(|(field, value)| match value {
        Field::Bytes(bytes) if field == 1 => Some(bytes),
        _ => None,
    });
    let rejected = partial_success.into_iter().flat_map(fields).find_map(|(field, value)| match value {
        Field::Number(number) if field == 1 => usize::try_from(number).ok(),
        _ => None,
    });
    rejected.unwrap_or(0)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, as far as they can be read.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        let key = read_varint(&mut message)?;
        let value = match key & 7 {
            VARINT => Field::Number(read_varint(&mut message)?),
            LENGTH => {
                let length = usize::try_from(read_varint(&mut message)?).ok()?;
                Field::Bytes(message.split_off(..length)?)
            }
            FIXED64 => Field::Bytes(message.split_off(..8)?),
            FIXED32 => Field::Bytes(message.split_off(..4)?),
            _ => return None,
        };
        Some((key >> 3, value))
    })
}

fn read_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..10 {
        let byte = *from.split_off_first()?;
        value |= u64::from(byte & 0x7f) << (7 * place).min(63);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{
        super::span::{Kind, number, text},
        *,
    };

    /// A small request, as `protoc --encode` and the JSON of the specification's example have it, field by field.
    #[test]
    fn a_span_is_written_as_the_protocol_says() {
        let span = Span {
            id: 0x0102_0304_0506_0708,
            parent: Some(9),
            name: "n".into(),
            kind: Kind::Server,
            begin_ns: 1,
            end_ns: 2,
            attributes: vec![text("k", "v"), number("i", -1)],
            events: vec![],
            dropped_events: 0,
            is_error: true,
        };
        let spans = Spans { trace: 0xff, state: Some("a=1".into()), spans: vec![span] };
        let written = request(&[text("service.name", "s")], &[spans]);
        let inner = |message: &[u8], wanted: u64| -> Vec<u8> {
            let found = fields(message).find(|(field, _)| *field == wanted);
            let Some((_, Field::Bytes(bytes))) = found else { panic!("{wanted} is not in {message:?}") };
            bytes.to_vec()
        };
        let of_resource = inner(&written, 1);
        assert_eq!(
            inner(&inner(&of_resource, 1), 1),
            b"\x0a\x0cservice.name\x12\x03\x0a\x01s",
            "attributes of a resource: a key, and a value that is a text"
        );
        let span = inner(&inner(&of_resource, 2), 2);
        let expected: Vec<u8> = [
            &b"\x0a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff"[..],
            b"\x12\x08\x01\x02\x03\x04\x05\x06\x07\x08",
            b"\x1a\x03a=1",
            b"\x22\x08\0\0\0\0\0\0\0\x09",
            b"\x2a\x01n",
            b"\x30\x02",
            b"\x39\x01\0\0\0\0\0\0\0",
            b"\x41\x02\0\0\0\0\0\0\0",
            b"\x4a\x08\x0a\x01k\x12\x03\x0a\x01v",
            b"\x4a\x10\x0a\x01i\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x7a\x02\x18\x02",
            b"\x85\x01\x01\0\0\0",
        ]
        .concat();
        assert_eq!(span, expected);
    }

    #[test]
    fn an_answer_says_how_many_were_refused() {
        assert_eq!(rejected(b""), 0);
        assert_eq!(rejected(b"\x0a\x00"), 0);
        assert_eq!(rejected(b"\x0a\x09\x08\x83\x02\x12\x04nope"), 259);
        for junk in [&b"\xff"[..], b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"{}", b"\x0b"] {
            assert_eq!(rejected(junk), 0, "{junk:?}");
        }
    }
}
