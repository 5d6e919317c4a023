//! The parts of a form (RFC 7578, RFC 2046 section 5.1), one after the other, each in pieces as they come. No more is held than one piece and
//! the beginning of a delimiter.

use bytes::{Buf, Bytes, BytesMut};
use futures::StreamExt;
use memchr::memmem::{self, Finder};

use super::{broken_off, malformed, too_large};
use crate::http::{Body, BodyError, Failed};

const LINE_END: &[u8] = b"\r\n";
const HEADERS_END: &[u8] = b"\r\n\r\n";

/// A form that is being read.
pub(super) struct Multipart {
    body: Body,
    /// Has come, and was not looked at.
    held: Bytes,
    /// What ends a part: the end of its last line, and the boundary.
    delimiter: Finder<'static>,
    at: At,
    /// Of the whole form, what may still come.
    left_bytes: u64,
    /// What may still come before the next part begins.
    left_between_bytes: u64,
    max_between_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the first delimiter, where anything may stand.
    Preamble,
    Part,
    /// Behind a delimiter.
    Delimiter,
    End,
}

impl Multipart {
    /// At most `max_bytes` are read of the form, and of what is no part's content at most `max_between_bytes` in a row.
    pub(super) fn new(body: Body, boundary: &str, max_bytes: u64, max_between_bytes: u64) -> Self {
        let delimiter = [LINE_END, b"--", boundary.as_bytes()].concat();
        Self {
            body,
            // The first delimiter has no line before it that could end.
            held: Bytes::from_static(LINE_END),
            delimiter: Finder::new(&delimiter).into_owned(),
            at: At::Preamble,
            left_bytes: max_bytes,
            left_between_bytes: max_between_bytes,
            max_between_bytes,
        }
    }

    /// The Content-Disposition of the next part, empty where it has none. What was not read of the one before is passed over.
    pub(super) async fn next_part(&mut self) -> Result<Option<Bytes>, Failed> {
        while self.chunk().await?.is_some() {}
        self.left_between_bytes = self.max_between_bytes;
        if self.at == At::End {
            return Ok(None);
        }
        // Behind the delimiter may stand white space. What was looked at is not looked at again with each byte that comes.
        let (mut line, mut searched) = (0, 0);
        let head = loop {
            if self.held.starts_with(b"--") {
                self.at = At::End;
                return Ok(None);
            }
            let after = self.held.get(line..).unwrap_or_default();
            line += after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let behind = self.held.get(line..).unwrap_or_default();
            if !behind.starts_with(LINE_END) && !LINE_END.starts_with(behind) && behind != b"-" {
                return Err(unreadable());
            }
            let from = usize::saturating_sub(searched, HEADERS_END.len() - 1);
            let found = memmem::find(behind.get(from..).unwrap_or_default(), HEADERS_END);
            if let Some(end) = found.map(|end| from + end) {
                let head = self.held.split_to(line + end + HEADERS_END.len());
                break head.slice(line..line + end);
            }
            searched = behind.len();
            self.pull().await?;
        };
        self.at = At::Part;
        disposition(&head)
    }

    /// The next piece of the part's content, none at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Failed> {
        if matches!(self.at, At::Delimiter | At::End) {
            return Ok(None);
        }
        loop {
            match self.delimiter.find(&self.held) {
                Some(0) => {
                    self.held.advance(self.delimiter.needle().len());
                    self.at = At::Delimiter;
                    return Ok(None);
                }
                Some(end) => return Ok(Some(self.held.split_to(end))),
                None => {}
            }
            let end = self.held.len() - begun(&self.held, self.delimiter.needle());
            if end > 0 {
                return Ok(Some(self.held.split_to(end)));
            }
            self.pull().await?;
        }
    }

    /// Waits for more.
    async fn pull(&mut self) -> Result<(), Failed> {
        let piece = match self.body.next().await {
            Some(Ok(piece)) => piece,
            Some(Err(BodyError::Broken(_))) => return Err(broken_off()),
            None => return Err(unreadable()),
        };
        let bytes = piece.len() as u64;
        self.left_bytes = self.left_bytes.checked_sub(bytes).ok_or_else(too_large)?;
        if self.at != At::Part {
            // The piece that goes beyond may hold the part.
            if self.left_between_bytes == 0 {
                return Err(unreadable());
            }
            self.left_between_bytes = self.left_between_bytes.saturating_sub(bytes);
        }
        self.held = joined(std::mem::take(&mut self.held), piece);
        Ok(())
    }
}

/// Grows by doubling: a head that comes byte by byte is not copied with each.
fn joined(held: Bytes, piece: Bytes) -> Bytes {
    if held.is_empty() {
        return piece;
    }
    let mut both = held.try_into_mut().unwrap_or_else(|held| BytesMut::from(&held[..]));
    both.extend_from_slice(&piece);
    both.freeze()
}

/// How many of the last bytes may be the beginning of the delimiter.
fn begun(bytes: &[u8], delimiter: &[u8]) -> usize {
    let tail = bytes.get(bytes.len().saturating_sub(delimiter.len() - 1)..).unwrap_or(bytes);
    let mut starts = memchr::memchr_iter(b'\r', tail);
    starts.find_map(|at| tail.get(at..).filter(|end| delimiter.starts_with(end))).map_or(0, <[u8]>::len)
}

fn disposition(head: &Bytes) -> Result<Option<Bytes>, Failed> {
    let mut disposition = Bytes::new();
    let mut rest = head.get(LINE_END.len()..).unwrap_or_default();
    while !rest.is_empty() {
        let end = memmem::find(rest, LINE_END).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(LINE_END.len()..).unwrap_or_default();
        let colon = line.iter().position(|&byte| byte == b':').ok_or_else(unreadable)?;
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"content-disposition") {
            disposition = head.slice_ref(value.get(1..).unwrap_or_default().trim_ascii());
        }
    }
    Ok(Some(disposition))
}

fn unreadable() -> Failed {
    malformed("The form can't be read. Send multipart/form-data as RFC 7578 has it.")
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    /// Dispositions and contents of all parts of a form that comes in pieces of this size.
    fn parts(form: &[u8], piece_bytes: usize) -> Option<Vec<(String, Vec<u8>)>> {
        let pieces: Vec<_> =
            form.chunks(piece_bytes).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut form = Multipart::new(futures::stream::iter(pieces).boxed_local(), "b-b", 10_000, 200);
        let mut parts = Vec::new();
        while let Some(head) = block_on(form.next_part()).ok()? {
            let mut content = Vec::new();
            while let Some(piece) = block_on(form.chunk()).ok()? {
                assert!(!piece.is_empty(), "a piece has bytes");
                content.extend_from_slice(&piece);
            }
            parts.push((String::from_utf8(head.to_vec()).unwrap(), content));
        }
        Some(parts)
    }

    #[test]
    fn parts_come_as_they_were_sent_in_whatever_pieces() {
        let contents = [
            &b""[..],
            b"a",
            b"\r\n",
            b"\r",
            b"\r\n--b-",
            b"--b-b",
            b"\r\r\n\r\n--b\r\n--b-\r\n--b-a\r\n-",
            &[b'\r'; 300],
        ];
        let mut form = b"whatever\r\n".to_vec();
        for (index, content) in contents.iter().enumerate() {
            let padding = [" ", "", "\t "][index % 3];
            let head = format!("--b-b{padding}\r\nX: y\r\ncontent-DISPOSITION:  n{index} \r\n\r\n");
            form.extend_from_slice(&[head.as_bytes(), content, b"\r\n"].concat());
        }
        form.extend_from_slice(b"--b-b\r\n\r\nno head\r\n--b-b--\r\nwhatever");
        let mut expected: Vec<_> = contents
            .iter()
            .enumerate()
            .map(|(index, content)| (format!("n{index}"), content.to_vec()))
            .collect();
        expected.push((String::new(), b"no head".to_vec()));
        for piece_bytes in 1..150 {
            assert_eq!(parts(&form, piece_bytes), Some(expected.clone()), "pieces of {piece_bytes}");
        }
        assert_eq!(parts(&form, form.len()), Some(expected));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for form in [
            &b""[..],
            b"--b-b",
            b"--b-b\r\n",
            b"--b-b\r\nContent-Disposition: a\r\n",
            b"--b-b\r\nContent-Disposition: a\r\n\r\nno end",
            b"--b-b\r\n\r\nx\r\n--b-b-",
            b"--b-bx\r\n\r\nx\r\n--b-b--",
            b"--b-b-x\r\n\r\nx\r\n--b-b--",
            b"--b-b\r\nno colon\r\n\r\nx\r\n--b-b--",
            b"--b-b\n\nx\n--b-b--",
        ] {
            for piece_bytes in [1, 3, 100] {
                assert_eq!(parts(form, piece_bytes), None, "{}", String::from_utf8_lossy(form));
            }
        }
        assert_eq!(parts(b"--b-b--", 1), Some(vec![]), "a form without parts is one");
    }

    #[test]
    fn what_stands_between_parts_is_bounded_and_what_is_in_them_is_not() {
        let form = |before: usize, within: usize| {
            [&vec![b'x'; before][..], b"\r\n--b-b\r\n\r\n", &vec![b'x'; within], b"\r\n--b-b--"].concat()
        };
        assert!(parts(&form(150, 9_000), 10).is_some());
        assert_eq!(parts(&form(300, 10), 10), None);
        assert_eq!(parts(&form(10, 10_000), 10), None);
    }

    #[test]
    fn a_part_that_is_not_read_is_passed_over() {
        let form = b"--b-b\r\n\r\none\r\n--b-b\r\nContent-Disposition: two\r\n\r\n2\r\n--b-b--";
        let body = futures::stream::iter(form.chunks(2).map(|piece| Ok(Bytes::from_static(piece))));
        let mut form = Multipart::new(body.boxed_local(), "b-b", 1_000, 200);
        block_on(async {
            assert!(form.next_part().await.ok().flatten().is_some());
            assert_eq!(form.next_part().await.ok().flatten().as_deref(), Some(&b"two"[..]));
            assert_eq!(form.next_part().await.ok().flatten(), None);
            assert_eq!(form.next_part().await.ok().flatten(), None);
        });
    }
}
