//! Redis' answers on their way in: a bound on each, held before it is in memory.
//!
//! The bytes are followed only as far as their framing (RESP): how long a string says it is, how many elements an array says it has. Each
//! element of an array counts [`ELEMENT_BYTES`] besides its own, for that is what it costs in memory: a list of a million empty strings is
//! not small. The first header that goes over the bound ends the connection; whoever waited for the answer gets the error.

use std::{io, sync::Arc};

use super::super::{account::Account, inspect::Framing};

/// What an element of an array costs beyond its bytes.
const ELEMENT_BYTES: u64 = 64;
/// The longest line: a status, an error. No server writes such a long one.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// The longest line that says how long something is. The parser takes a number with white space of any length around it, which is counted nowhere.
const MAX_LENGTH_LINE_BYTES: usize = 32;
/// A line ends with these two, and not with the second alone: what the parser takes for a part of the line must not be taken for the next.
const LINE_END: &[u8] = b"\r\n";
/// What a line begins with. Other bytes the parser passes over where they come one by one, and takes what is behind them for the beginning.
const KINDS: &[u8] = b"+-:$*_#,(!=%~>|";

/// Follows answers.
#[derive(Debug)]
pub(super) struct Answers {
    max_bytes: u64,
    account: Arc<Account>,
    /// What the answer has come to so far.
    bytes: u64,
    /// Elements of the answer that are still to come.
    elements: u64,
    /// Bytes of a string that are still to come, its line end included.
    string: u64,
    /// A header that has not ended yet.
    line: Vec<u8>,
}

impl Answers {
    /// None of which comes to more than so many bytes, or to more than there is on this account.
    pub(super) fn new(max_bytes: u64, account: Arc<Account>) -> Self {
        Self { max_bytes, account, bytes: 0, elements: 1, string: 0, line: Vec::new() }
    }

    fn header(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let kind = line.first().copied().unwrap_or_default();
        match kind {
            b'$' | b'=' | b'!' => match length(&line)? {
                // A string that is none.
                None => {}
                Some(length) => {
                    self.grow(length)?;
                    self.string = length.saturating_add(2);
                    return Ok(());
                }
            },
            b'*' | b'~' | b'>' | b'%' | b'|' => {
                let each = if matches!(kind, b'%' | b'|') { 2 } else { 1 };
                // Attributes precede what they belong to.
                let own = u64::from(kind == b'|');
                let elements = length(&line)?.unwrap_or(0).saturating_mul(each).saturating_add(own);
                // All at once: the parser makes room for as many as are announced.
                self.grow(elements.saturating_mul(ELEMENT_BYTES))?;
                self.elements = self.elements.saturating_add(elements);
            }
            _ => self.grow(line.len() as u64)?,
        }
        self.end_element();
        Ok(())
    }

    fn end_element(&mut self) {
        self.elements = self.elements.saturating_sub(1);
        if self.elements == 0 {
            self.elements = 1;
            self.bytes = 0;
        }
    }

    fn grow(&mut self, bytes: u64) -> io::Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.max_bytes {
            return Err(self.too_large());
        }
        self.account.hold(self.bytes).map_err(io::Error::other)
    }

    fn too_large(&self) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the answer has more than {} bytes", self.max_bytes),
        )
    }
}

impl Framing for Answers {
    fn follow(&mut self, mut read: &[u8]) -> io::Result<()> {
        while !read.is_empty() {
            if self.string > 0 {
                let skipped = read.len().min(usize::try_from(self.string).unwrap_or(usize::MAX));
                read = read.get(skipped..).unwrap_or_default();
                self.string -= skipped as u64;
                if self.string == 0 {
                    self.end_element();
                }
                continue;
            }
            let (line, rest) = match read.iter().position(|byte| *byte == b'\n') {
                Some(end) => read.split_at(end + 1),
                None => (read, &[][..]),
            };
            if self.line.is_empty() && !line.first().is_some_and(|kind| KINDS.contains(kind)) {
                return Err(not_resp());
            }
            if self.line.len() + line.len() > MAX_LINE_BYTES {
                return Err(self.too_large());
            }
            self.line.extend_from_slice(line);
            read = rest;
            if self.line.ends_with(LINE_END) {
                self.header()?;
            }
        }
        Ok(())
    }
}

/// How long that is which the line begins; none where the number says that it is nothing at all.
fn length(line: &[u8]) -> io::Result<Option<u64>> {
    let may_be_nothing = matches!(line.first(), Some(b'$' | b'*' | b'~' | b'>'));
    let digits = str::from_utf8(line.get(1..).unwrap_or_default()).unwrap_or_default().trim();
    match digits.parse::<i64>() {
        _ if line.len() > MAX_LENGTH_LINE_BYTES => Err(not_resp()),
        Ok(number) if number >= 0 || may_be_nothing => Ok(u64::try_from(number).ok()),
        // Of the others the parser waits for as many as there are numbers.
        Ok(_) | Err(_) => Err(not_resp()),
    }
}

fn not_resp() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is not RESP")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows the bytes in pieces of every size, for framing must not depend on how they arrive.
    fn follow(max_bytes: u64, bytes: &[u8]) -> Result<Answers, String> {
        let mut results = (1..=bytes.len().max(1)).map(|size| {
            let mut answers = Answers::new(max_bytes, Arc::default());
            bytes
                .chunks(size)
                .try_for_each(|piece| answers.follow(piece))
                .map_err(|error| error.to_string())?;
            Ok(answers)
        });
        let first = results.next().unwrap();
        for result in results {
            assert_eq!(result.is_ok(), first.is_ok());
        }
        first
    }

    #[test]
    fn each_answer_has_the_whole_bound_for_itself() {
        let answers = b"+OK\r\n:1\r\n$-1\r\n*-1\r\n$3\r\na\r\n\r\n*2\r\n$1\r\nx\r\n*1\r\n:1\r\n%1\r\n+a\r\n+b\r\n*0\r\n$0\r\n\r\n".repeat(50);
        let seen = follow(200, &answers).unwrap();
        assert_eq!((seen.bytes, seen.elements, seen.string), (0, 1, 0));
        assert!(seen.line.is_empty());
    }

    #[test]
    fn a_string_over_the_bound_is_seen_before_it_comes() {
        assert!(follow(100, b"$100\r\n").is_ok());
        assert_eq!(follow(100, b"$101\r\n").unwrap_err(), "the answer has more than 100 bytes");
        assert!(follow(100, b"$9223372036854775807\r\n").is_err());
        assert!(follow(100, b"=101\r\n").is_err());
    }

    #[test]
    fn elements_count_even_when_they_are_empty() {
        assert!(follow(64 * 9, b"*10\r\n").is_err());
        assert!(follow(64 * 10, b"*10\r\n$0\r\n\r\n").is_ok());
        assert!(follow(64 * 3, b"*3\r\n$1\r\n").is_err());
        assert!(follow(1000, b"*9223372036854775807\r\n").is_err());
        assert!(follow(1000, b"%9223372036854775807\r\n").is_err());
        // Nested, none of them large.
        assert!(follow(64 * 9, &b"*2\r\n".repeat(5)).is_err());
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut answers = Answers::new(u64::MAX, Arc::default());
        answers.follow(&[b'+'; MAX_LINE_BYTES]).unwrap();
        assert!(answers.follow(b"+").is_err());
    }

    #[test]
    fn a_line_ends_where_the_parser_ends_it() {
        // All of it is one status, and not also a string that a list would hide in.
        assert_eq!(follow(1000, b"+a\n$100\r\n").unwrap().string, 0);
        assert!(follow(100, b"+a\n$90\r\n*100\r\n").is_err());
    }

    #[test]
    fn what_is_not_the_protocol_is_refused() {
        let spaced = [b"$", &[b' '; 40][..], b"1\r\n"].concat();
        for bytes in [
            &b"$x\r\n"[..],
            b"*\r\n",
            b"$99999999999999999999\r\n",
            b"=-1\r\n",
            b"!-1\r\n",
            b"%-1\r\n",
            b"|-1\r\n",
            b"?*9\r\n",
            b"\r\n",
            &spaced,
        ] {
            assert_eq!(follow(100, bytes).unwrap_err(), "the answer is not RESP");
        }
    }
}
