//! A command, and why it gave nothing.

use redis::{Cmd, Pipeline, RedisError, ServerError, Value, aio::MultiplexedConnection};

use crate::{clients::ServerFault, memory::OutOfMemory};

/// What is sent and answered as one.
#[derive(Debug)]
pub(crate) enum Request {
    One(Cmd),
    /// Commands between which no other runs; the answer is the list of theirs.
    Transaction(Pipeline),
}

/// Why a command gave nothing. The texts name no secret but what the guest itself sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandFault {
    /// It is too large, and was not sent.
    #[error("a command to Redis has at most {0} bytes")]
    TooLarge(u64),
    /// All connections that nobody shares are in use, and this one needs such a one. It was not sent.
    #[error("all connections to Redis that a guest may have for itself are in use")]
    NoneLeft,
    /// There is no connection, so it was not sent.
    #[error(transparent)]
    NotConnected(#[from] ServerFault),
    /// The server did not do it; its own words.
    #[error("{0}")]
    Rejected(String),
    /// It was sent and the connection lost. It may have run.
    #[error("the connection to Redis at {place} was lost before the answer; the command may have run")]
    Lost {
        /// Host and port.
        place: String,
    },
    /// It was sent and not answered in time. It may have run, or run yet.
    #[error("Redis at {place} did not answer within {patience_ms} ms")]
    Silent {
        /// Host and port.
        place: String,
        /// How long it was waited for.
        patience_ms: u128,
    },
    /// It ran, and there is no room for its answer in the memory of whoever asked.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// It ran, and its answer is too large or none of the protocol's.
    #[error("the answer of Redis at {place} can't be read: {reason}")]
    Unreadable {
        /// Host and port.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl CommandFault {
    /// Whether nothing more can be told over the connection that it happened on.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. } | Self::Silent { .. } | Self::OutOfMemory(_) | Self::Unreadable { .. }
        )
    }
}

impl Request {
    /// # Errors
    /// The library's; the server's own are among them.
    pub(super) async fn send(&self, connection: &mut MultiplexedConnection) -> Result<Value, RedisError> {
        match self {
            Self::One(command) => connection.send_packed_command(command).await?.extract_error(),
            Self::Transaction(pipeline) => pipeline.query_async(connection).await,
        }
    }

    /// What its arguments come to. Their framing is small beside them.
    pub(super) fn bytes(&self) -> u64 {
        let of = |command: &Cmd| -> u64 {
            command
                .args_iter()
                .map(|argument| match argument {
                    redis::Arg::Simple(bytes) => bytes.len() as u64,
                    _ => 0,
                })
                .sum()
        };
        match self {
            Self::One(command) => of(command),
            Self::Transaction(pipeline) => pipeline.cmd_iter().map(of).sum(),
        }
    }
}

/// What the server said, where it answered with an error.
pub(super) fn server_words(error: &RedisError) -> Option<String> {
    let errors = error.clone().into_server_errors()?;
    errors.first().map(|(_, error)| sentence(error))
}

/// An error as the server wrote it.
pub(crate) fn sentence(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}
