//! A guest's connection to a server: a share of the one that all instances have, for as long as that will do.
//!
//! A few commands, each of which is answered at once and changes nothing but data, go over the shared connection: those that the interface
//! has functions for. Anything else could change that connection (`SELECT`, `SUBSCRIBE`), hold up everybody's answers (`BLPOP`, a long
//! `EVAL`) or span several commands (`MULTI`). With the first such command a guest gets a connection of its own, and from then on all of its
//! commands go there. It is closed with the guest's handle; once it is lost, so is whatever the guest had set up there, and the handle with
//! it.
//!
//! What a guest may do to the server itself is the server's to say, to the user in the address (its ACL); no list here would be complete.

use std::sync::Arc;

use futures_util::{FutureExt as _, future::BoxFuture};
use redis::Value;

use super::{super::error::Failure, Connector, MessageTooLarge, RedisError, Session, other, wit};
use crate::{
    clients::redis::{Address, Client, CommandFault, Private, Request, Server, sentence},
    limits::{Limits, length},
    memory::Held,
};

/// The commands that go over the shared connection, and whether one may be sent twice where nobody knows whether it ran. A message may
/// come twice.
const SHARED: &[(&str, bool)] = &[
    ("DEL", false),
    ("GET", true),
    ("INCR", false),
    ("PUBLISH", true),
    ("SADD", false),
    ("SET", false),
    ("SMEMBERS", true),
    ("SREM", false),
];

/// Opens sessions on real servers.
#[derive(Clone, Debug)]
pub struct Servers {
    client: Client,
    max_message_bytes: usize,
}

impl Servers {
    /// By this client.
    #[must_use]
    pub fn new(client: Client, limits: &Limits) -> Self {
        Self { client, max_message_bytes: length(limits.max_message_bytes) }
    }
}

impl Connector for Servers {
    fn open<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, wit::Error>> {
        let open = || {
            let address = Address::parse(address).map_err(|_| wit::Error::InvalidAddress)?;
            let server = self.client.server(address).map_err(|_| wit::Error::TooManyConnections)?;
            let max_message_bytes = self.max_message_bytes;
            Ok(Box::new(ServerSession { server, max_message_bytes, own: Own::None }) as Box<dyn Session>)
        };
        std::future::ready(open()).boxed()
    }
}

#[derive(Debug)]
struct ServerSession {
    server: Arc<Server>,
    max_message_bytes: usize,
    own: Own,
}

/// The connection that a guest has for itself.
#[derive(Debug)]
enum Own {
    None,
    Open(Private),
    Lost,
}

impl ServerSession {
    async fn run(&mut self, name: &str, request: &Request, memory: Held) -> Result<Value, RedisError> {
        let shared = SHARED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        if let (Some((_, repeatable)), Own::None) = (shared, &self.own) {
            return self.server.run(request, *repeatable).await.map_err(fault);
        }
        if matches!(self.own, Own::None) {
            self.own = Own::Open(Private::open(&self.server).await.map_err(fault)?);
        }
        // Lost until it has answered: a guest that goes meanwhile leaves it in the middle of a command.
        let Own::Open(mut private) = std::mem::replace(&mut self.own, Own::Lost) else {
            return Err(failed("the connection was lost with an earlier command; open another"));
        };
        let result = private.run(request, memory).await;
        if !result.as_ref().is_err_and(CommandFault::ends_connection) {
            self.own = Own::Open(private);
        }
        result.map_err(fault)
    }
}

fn fault(fault: CommandFault) -> RedisError {
    match fault {
        CommandFault::NoneLeft => Failure::Guest(wit::Error::TooManyConnections),
        CommandFault::OutOfMemory(error) => error.into(),
        fault => failed(fault.to_string()),
    }
}

fn failed(text: impl Into<String>) -> RedisError {
    Failure::Guest(other(text))
}

impl Session for ServerSession {
    fn publish<'a>(
        &'a mut self,
        channel: &'a str,
        payload: Vec<u8>,
        memory: &'a Held,
    ) -> BoxFuture<'a, Result<(), RedisError>> {
        let arguments = [channel.into(), payload].map(wit::RedisParameter::Binary).into();
        async move { self.command("PUBLISH", arguments, memory).await.map(drop) }.boxed()
    }

    fn command<'a>(
        &'a mut self,
        name: &'a str,
        arguments: Vec<wit::RedisParameter>,
        memory: &'a Held,
    ) -> BoxFuture<'a, Result<Vec<wit::RedisResult>, RedisError>> {
        async move {
            let publishes = ["PUBLISH", "SPUBLISH"].iter().any(|known| known.eq_ignore_ascii_case(name));
            if let (true, Some(wit::RedisParameter::Binary(payload))) = (publishes, arguments.get(1))
                && payload.len() > self.max_message_bytes
            {
                return Err(failed(MessageTooLarge { max_bytes: self.max_message_bytes }.to_string()));
            }
            let mut command = redis::cmd(name);
            for argument in &arguments {
                match argument {
                    wit::RedisParameter::Int64(number) => command.arg(number),
                    wit::RedisParameter::Binary(bytes) => command.arg(bytes),
                };
            }
            drop(arguments);
            let answer = self.run(name, &Request::One(command), memory.beside()).await?;
            let mut results = Vec::new();
            flatten(answer, &mut results).map_err(failed)?;
            Ok(results)
        }
        .boxed()
    }
}

/// A server's answer as the interface gives it: a flat list, nested arrays in the order of their elements.
///
/// # Errors
/// The server's own words for why it did not do it, or a kind of value that the interface does not know.
// As deep as the parser lets an answer be.
fn flatten(answer: Value, results: &mut Vec<wit::RedisResult>) -> Result<(), String> {
    results.push(match answer {
        Value::Nil => wit::RedisResult::Nil,
        Value::Int(number) => wit::RedisResult::Int64(number),
        Value::BulkString(bytes) => wit::RedisResult::Binary(bytes),
        Value::SimpleString(text) => wit::RedisResult::Status(text),
        Value::Okay => wit::RedisResult::Status("OK".to_owned()),
        Value::Array(values) | Value::Set(values) => {
            return values.into_iter().try_for_each(|value| flatten(value, results));
        }
        Value::ServerError(error) => return Err(sentence(&error)),
        _ => return Err("the server answered with a kind of value that only its newer protocol has".to_owned()),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{wit::RedisResult, *};

    fn read(answer: &[u8]) -> Result<Vec<RedisResult>, String> {
        let mut results = Vec::new();
        flatten(redis::parse_redis_value(answer).unwrap(), &mut results).map(|()| results)
    }

    #[test]
    fn every_kind_of_answer_is_mapped() {
        let mapped =
            read(b"*6\r\n+OK\r\n+PONG\r\n:-7\r\n$3\r\na\xff\0\r\n$-1\r\n*2\r\n*1\r\n:1\r\n*0\r\n").unwrap();
        let [ok, pong, number, bytes, nil, nested] = mapped.as_slice() else { panic!("{mapped:?}") };
        assert!(matches!(ok, RedisResult::Status(text) if text == "OK"));
        assert!(matches!(pong, RedisResult::Status(text) if text == "PONG"));
        assert!(matches!(number, RedisResult::Int64(-7)));
        assert!(matches!(bytes, RedisResult::Binary(bytes) if bytes == b"a\xff\0"));
        assert!(matches!(nil, RedisResult::Nil));
        assert!(matches!(nested, RedisResult::Int64(1)));
    }

    #[test]
    fn an_error_keeps_the_servers_words_wherever_it_stands() {
        let words = "WRONGTYPE Operation against a key holding the wrong kind of value";
        assert_eq!(read(format!("-{words}\r\n").as_bytes()).unwrap_err(), words);
        assert_eq!(read(format!("*2\r\n:1\r\n-{words}\r\n").as_bytes()).unwrap_err(), words);
        assert_eq!(read(b"-ERR no\r\n").unwrap_err(), "ERR no");
        assert_eq!(read(b"-ODD\r\n").unwrap_err(), "ODD");
    }

    #[test]
    fn what_the_interface_does_not_know_is_an_error() {
        assert!(read(b"%1\r\n+a\r\n:1\r\n").unwrap_err().contains("newer protocol"));
    }
}
