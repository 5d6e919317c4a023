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

/// Reads all of a body, and stops at the first piece that goes beyond `max_bytes`. `announced_bytes` is what the client said
/// it would send, and saves growing the buffer.
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
    let mut whole = Vec::with_capacity(announced_len);
    while let Some(piece) = body.next().await {
        let piece = piece?;
        if piece.len() > max_len - whole.len() {
            return Err(too_large);
        }
        whole.extend_from_slice(&piece);
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
    fn a_broken_body_is_an_error_and_not_an_end() {
        let broken = BodyError::Broken("reset".into());
        let body = futures::stream::iter([Ok(Bytes::from_static(b"abc")), Err(broken.clone())]).boxed_local();
        assert_eq!(block_on(read_all(body, 10, None)), Err(broken));
    }
}
