//! Of the clients: what looks at their bytes before a library does.

#[path = "../../../../runtime/src/clients/account.rs"]
mod account;
#[path = "../../../../runtime/src/clients/inspect.rs"]
mod inspect;
pub mod postgres;
pub mod redis;

use inspect::Framing;

/// How many of the first bytes are let through, in pieces of this size: a piece in which the framing finds fault is not.
fn passed(framing: &mut impl Framing, bytes: &[u8], piece: usize) -> usize {
    bytes.chunks(piece).take_while(|piece| framing.follow(piece).is_ok()).map(<[u8]>::len).sum()
}
