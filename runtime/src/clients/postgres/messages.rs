//! PostgreSQL's messages on their way in: a bound on each, held before it is in memory, and what they say in passing.
//!
//! The client library keeps a message, and so a row, until its last byte has come. A statement can make a row of a gigabyte out of nothing
//! (`repeat('x', 1000000000)`), so the length that a message declares is looked at while its first bytes go by. It does not tell, either,
//! whether a transaction is open, which the end of each answer says.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::super::{account::Account, inspect::Framing};

/// A message's type and its length, which counts itself and not the type.
const HEADER_BYTES: usize = 5;
/// The message that ends an answer; its body is one byte.
const READY_FOR_QUERY: u8 = b'Z';
/// That byte, where no transaction is open.
const NO_TRANSACTION: u8 = b'I';

/// What the messages of a connection have shown so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    too_long: AtomicBool,
    in_transaction: AtomicBool,
    no_tls: AtomicBool,
    account: Arc<Account>,
}

impl Seen {
    /// A message was longer than the bound, and the stream ended there.
    pub(super) fn too_long(&self) -> bool {
        self.too_long.load(Ordering::Acquire)
    }

    /// Who has the memory for the message that is on its way.
    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// A transaction was open when the last answer ended, perhaps one that has failed.
    pub(super) fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Acquire)
    }

    /// The server was asked for TLS, and has none.
    pub(super) fn no_tls(&self) -> bool {
        self.no_tls.load(Ordering::Acquire)
    }
}

/// Follows messages.
#[derive(Debug)]
pub(super) struct Messages {
    seen: Arc<Seen>,
    max_bytes: u64,
    /// The first byte answers the question for TLS, and is no message.
    after_question: bool,
    header: [u8; HEADER_BYTES],
    header_len: usize,
    body_left: u64,
}

impl Messages {
    /// From the beginning of a connection, whose first byte says whether the server speaks TLS if it was asked that.
    pub(super) fn new(max_bytes: u64, asked_for_tls: bool) -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen::default());
        let messages = Self {
            seen: Arc::clone(&seen),
            max_bytes,
            after_question: asked_for_tls,
            header: [0; HEADER_BYTES],
            header_len: 0,
            body_left: 0,
        };
        (messages, seen)
    }

    fn answer(&mut self, answer: u8) -> io::Result<()> {
        self.after_question = false;
        self.seen.no_tls.store(answer == b'N', Ordering::Release);
        match answer {
            b'S' | b'N' => Ok(()),
            // An error, before the server knows what is asked of it: it has no room for another process.
            b'E' => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "no answer of PostgreSQL's")),
        }
    }

    fn header(&mut self) -> io::Result<()> {
        let [_, length @ ..] = self.header;
        self.header_len = 0;
        self.body_left = u64::from(u32::from_be_bytes(length)).saturating_sub(4);
        if self.body_left > self.max_bytes {
            self.seen.too_long.store(true, Ordering::Release);
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
        }
        self.seen.account.hold(self.body_left).map_err(io::Error::other)
    }
}

impl Framing for Messages {
    fn follow(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let [first, rest @ ..] = bytes {
            if self.after_question {
                self.answer(*first)?;
                bytes = rest;
            } else if self.body_left > 0 {
                let passed = usize::try_from(self.body_left).unwrap_or(usize::MAX).min(bytes.len());
                if self.header.first() == Some(&READY_FOR_QUERY) {
                    self.seen.in_transaction.store(*first != NO_TRANSACTION, Ordering::Release);
                }
                self.body_left -= passed as u64;
                bytes = bytes.get(passed..).unwrap_or_default();
            } else {
                if let Some(slot) = self.header.get_mut(self.header_len) {
                    *slot = *first;
                }
                self.header_len += 1;
                bytes = rest;
                if self.header_len == HEADER_BYTES {
                    self.header()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body_bytes: usize) -> Vec<u8> {
        let mut message = vec![b'D'];
        message.extend((body_bytes as u32 + 4).to_be_bytes());
        message.extend(vec![7; body_bytes]);
        message
    }

    /// How far the bytes were followed in pieces of this size, and what they showed.
    fn follow(bytes: &[u8], max_bytes: u64, step: usize) -> (usize, Arc<Seen>) {
        let (mut messages, seen) = Messages::new(max_bytes, false);
        let pieces = bytes.chunks(step).take_while(|piece| messages.follow(piece).is_ok());
        (pieces.map(<[u8]>::len).sum(), seen)
    }

    #[test]
    fn messages_pass_up_to_the_bound_however_they_are_cut() {
        let bytes = [message(0), message(10), message(3), message(10)].concat();
        for step in 1..=bytes.len() {
            let (passed, seen) = follow(&bytes, 10, step);
            assert_eq!((passed, seen.too_long()), (bytes.len(), false), "{step}");
        }
    }

    #[test]
    fn a_longer_message_ends_the_stream_at_its_header() {
        let bytes = [message(3), message(11)].concat();
        for step in 1..=HEADER_BYTES {
            let (passed, seen) = follow(&bytes, 10, step);
            assert!(seen.too_long() && passed < 8 + HEADER_BYTES, "{step}: {passed}");
        }
        let huge = [b'D', 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        let (passed, seen) = follow(&huge, u64::from(u32::MAX) - 5, 64);
        assert_eq!((passed, seen.too_long()), (0, true));
    }

    #[test]
    fn a_length_that_is_none_holds_up_nothing() {
        let (passed, seen) = follow(&[b'D', 0, 0, 0, 0, b'Z', 0, 0, 0, 4], 10, 64);
        assert_eq!((passed, seen.too_long()), (10, false));
    }

    #[test]
    fn the_end_of_an_answer_says_whether_a_transaction_is_open() {
        let ready = |status: u8| [message(3), vec![b'Z', 0, 0, 0, 5, status]].concat();
        for step in 1..=14 {
            let (mut messages, seen) = Messages::new(10, false);
            for (status, expected) in [(b'I', false), (b'T', true), (b'I', false), (b'E', true)] {
                ready(status).chunks(step).for_each(|piece| messages.follow(piece).unwrap());
                assert_eq!(seen.in_transaction(), expected, "{status} {step}");
            }
        }
    }

    #[test]
    fn the_answer_to_the_question_for_tls_is_no_message() {
        for (answer, is_one, no_tls) in
            [(b'S', true, false), (b'N', true, true), (b'E', false, false), (b'H', false, false)]
        {
            let (mut messages, seen) = Messages::new(10, true);
            let bytes = [vec![answer], message(10)].concat();
            assert_eq!(messages.follow(&bytes).is_ok(), is_one, "{answer}");
            assert_eq!(seen.no_tls(), no_tls, "{answer}");
        }
    }
}
