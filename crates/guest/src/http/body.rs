//! A request's body, read piece by piece so that no more than a bound is ever held.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::LocalBoxStream;
use thiserror::Error;

/// The pieces of a body as they come in.
pub type Body = LocalBoxStream<'static, Result<Bytes, BodyError>>;

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// It goes on beyond the bound. The rest was not read.
    #[error("the body has more than {max_bytes} bytes")]
    TooLarge {
        /// The bound.
        max_bytes: u64,
    },
    /// The connection broke, or the client gave up.
    #[error("the body broke off: {0}")]
    Broken(String),
}

/// What is reserved at first, at most.
const FIRST_BYTES: usize = 64 * 1024;

/// Adds a piece. As much is reserved as has come, up to what is announced: who announces much and sends nothing takes no memory,
/// and what is sent whole is copied a few times at most.
pub(crate) fn append(whole: &mut Vec<u8>, piece: &[u8], announced_len: usize) {
    if whole.capacity() - whole.len() < piece.len() {
        let expected = announced_len.saturating_sub(whole.len());
        whole.reserve_exact(expected.min(whole.len().max(FIRST_BYTES)).max(piece.len()));
    }
    whole.extend_from_slice(piece);
}

/// Reads all of a body, and stops at the first piece that goes beyond `max_bytes`. `announced_bytes` is what the client said
/// it would send, and saves growing the buffer too often.
///
/// # Errors
/// [`BodyError`].
pub async fn read_all(
    mut body: Body,
    max_bytes: u64,
    announced_bytes: Option<u64>,
) -> Result<Vec<u8>, BodyError> {
    let too_large = BodyError::TooLarge { max_bytes };
    if announced_bytes.is_some_and(|announced| announced > max_bytes) {
        return Err(too_large);
    }
    let max_len = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let announced_len = announced_bytes.and_then(|announced| usize::try_from(announced).ok()).unwrap_or(0);
    let mut whole = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        if piece.len() > max_len - whole.len() {
            return Err(too_large);
        }
        append(&mut whole, &piece, announced_len);
    }
    Ok(whole)
}

/// A body that is there already, for tests and for requests without one.
pub fn from_bytes(bytes: impl Into<Bytes>) -> Body {
    futures::stream::once(std::future::ready(Ok(bytes.into()))).boxed_local()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::cell::Cell;
    use std::rc::Rc;

    /// A body of endless pieces of 10 bytes that counts how many were asked for.
    fn endless(asked: Rc<Cell<u32>>) -> Body {
        futures::stream::repeat_with(move || {
            asked.set(asked.get() + 1);
            Ok(Bytes::from_static(&[7; 10]))
        })
        .boxed_local()
    }

    #[test]
    fn reads_up_to_the_bound_inclusive() {
        let body = from_bytes(vec![1; 10]);
        assert_eq!(block_on(read_all(body, 10, None)), Ok(vec![1; 10]));
    }

    #[test]
    fn stops_reading_at_the_bound() {
        let asked = Rc::new(Cell::new(0));
        let result = block_on(read_all(endless(asked.clone()), 35, None));
        assert_eq!(result, Err(BodyError::TooLarge { max_bytes: 35 }));
        assert_eq!(asked.get(), 4);
    }

    #[test]
    fn reads_nothing_of_a_body_that_is_announced_too_large() {
        let asked = Rc::new(Cell::new(0));
        let result = block_on(read_all(endless(asked.clone()), 35, Some(36)));
        assert_eq!(result, Err(BodyError::TooLarge { max_bytes: 35 }));
        assert_eq!(asked.get(), 0);
    }

    #[test]
    fn no_more_is_reserved_than_has_come_once_again() {
        let (announced, piece) = (32 << 20, [0; 16 * 1024]);
        let mut whole = Vec::new();
        append(&mut whole, &piece, announced);
        assert_eq!(whole.capacity(), FIRST_BYTES);
        let mut grown = 0;
        while whole.len() < announced {
            let before = whole.capacity();
            append(&mut whole, &piece, announced);
            assert!(whole.capacity() <= (2 * whole.len()).max(FIRST_BYTES), "{}", whole.capacity());
            grown += u32::from(whole.capacity() != before);
        }
        assert_eq!((whole.capacity(), grown), (announced, 9), "doubled each time, and exact at the end");
        let mut whole = Vec::new();
        append(&mut whole, &piece, 0);
        assert_eq!(whole.capacity(), piece.len(), "nothing was announced");
    }

    #[test]
    fn a_broken_body_is_an_error_and_not_an_end() {
        let broken = BodyError::Broken("reset".into());
        let body = futures::stream::iter([Ok(Bytes::from_static(b"abc")), Err(broken.clone())]).boxed_local();
        assert_eq!(block_on(read_all(body, 10, None)), Err(broken));
    }
}
