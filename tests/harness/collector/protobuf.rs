//! Reading the binary form of Protocol Buffers: fields by their numbers. What is no message panics.

/// A message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a>(pub(super) &'a [u8]);

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    /// All fields in their order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (u64, Field<'a>)> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let key = varint(&mut rest);
            let value = match key % 8 {
                0 => Field::Number(varint(&mut rest)),
                1 => Field::Number(u64::from_le_bytes(taken(&mut rest, 8).try_into().expect("eight bytes"))),
                2 => {
                    let length = usize::try_from(varint(&mut rest)).expect("a length");
                    Field::Bytes(taken(&mut rest, length))
                }
                5 => Field::Number(
                    u32::from_le_bytes(taken(&mut rest, 4).try_into().expect("four bytes")).into(),
                ),
                kind => panic!("no kind of field: {kind}"),
            };
            Some((key / 8, value))
        })
    }

    /// The messages in the fields of this number.
    pub(super) fn messages(&self, number: u64) -> impl Iterator<Item = Message<'a>> + use<'a> {
        self.fields().filter(move |(field, _)| *field == number).map(move |(_, value)| match value {
            Field::Bytes(bytes) => Message(bytes),
            Field::Number(_) => panic!("field {number} is no message"),
        })
    }

    /// The last field of this number, as bytes; none are no bytes.
    pub(super) fn bytes(&self, number: u64) -> &'a [u8] {
        self.messages(number).last().map_or(&[], |message| message.0)
    }

    /// The same as text.
    pub(super) fn text(&self, number: u64) -> String {
        String::from_utf8(self.bytes(number).to_vec()).expect("text is UTF-8")
    }

    /// The last field of this number, as a number; none is 0.
    pub(super) fn number(&self, number: u64) -> u64 {
        let found = self.fields().filter(|(field, _)| *field == number).last();
        match found {
            Some((_, Field::Number(value))) => value,
            Some(_) => panic!("field {number} is no number"),
            None => 0,
        }
    }
}

fn taken<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at_checked(length).expect("a field ends within its message");
    *rest = left;
    taken
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = taken(rest, 1)[0];
        value |= u64::from(byte % 128) << shift;
        if byte < 128 {
            return value;
        }
    }
    panic!("no number is so long")
}
