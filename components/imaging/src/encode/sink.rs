//! Where encoders write: a buffer that refuses to grow past the byte budget, so that an attempt which can't fit stops
//! early instead of encoding 200 frames for nothing.

use std::io::{Error, ErrorKind, Write};

/// Why an attempt gave no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The file would have more bytes than allowed.
    OverBudget,
    /// The format can't hold the picture (sides beyond its header's fields).
    Unencodable,
}

/// Bytes written so far, at most `max_bytes`.
#[derive(Debug)]
pub(crate) struct Sink {
    bytes: Vec<u8>,
    max_bytes: usize,
    overflowed: bool,
}

impl Sink {
    /// `None` is no bound. A bound beyond the address space is none either.
    pub(crate) fn new(max_bytes: Option<u64>) -> Self {
        let max_bytes = max_bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
        Self { bytes: Vec::new(), max_bytes, overflowed: false }
    }

    /// Another one with the same bound.
    pub(crate) fn clone_empty(&self) -> Self {
        Self { bytes: Vec::new(), max_bytes: self.max_bytes, overflowed: false }
    }

    /// Whether `bytes` more would still fit.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.bytes.len().checked_add(bytes).is_some_and(|total| total <= self.max_bytes)
    }

    /// How many bytes more would fit.
    pub(crate) fn room(&self) -> usize {
        self.max_bytes.saturating_sub(self.bytes.len())
    }

    /// Appends, or reports that the budget is spent.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.has_room(bytes.len()) {
            self.bytes.extend_from_slice(bytes);
            Ok(())
        } else {
            self.overflowed = true;
            Err(Failure::OverBudget)
        }
    }

    /// The whole file, if nothing was refused.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Failure> {
        if self.overflowed { Err(Failure::OverBudget) } else { Ok(self.bytes) }
    }

    /// What a codec's error means: this sink made it, or the picture.
    pub(crate) const fn blame(&self) -> Failure {
        if self.overflowed { Failure::OverBudget } else { Failure::Unencodable }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.put(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(Error::from(ErrorKind::StorageFull)),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_exactly_the_budget_and_remembers_a_refusal() {
        let mut sink = Sink::new(Some(4));
        assert_eq!((sink.room(), sink.put(b"1234"), sink.room()), (4, Ok(()), 0));
        assert_eq!(sink.put(b""), Ok(()));
        assert_eq!(sink.put(b"5"), Err(Failure::OverBudget));
        assert_eq!(sink.put(b""), Ok(()), "a refusal must not be forgotten because nothing more came");
        assert_eq!(sink.finish(), Err(Failure::OverBudget));
    }

    #[test]
    fn is_unbounded_without_a_budget() {
        let mut sink = Sink::new(None);
        assert!(sink.write_all(&[7; 1000]).is_ok());
        assert_eq!(sink.finish().map(|bytes| bytes.len()), Ok(1000));
    }
}
