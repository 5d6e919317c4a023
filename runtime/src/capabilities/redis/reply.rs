//! A server's answer as the interface gives it: a flat list, nested arrays in the order of their elements.

use redis::{ServerError, Value};

use super::wit::RedisResult;

/// Flattens.
///
/// # Errors
/// The server's own words for why it did not do it, or a kind of value that the interface does not know.
pub(super) fn flat(value: Value) -> Result<Vec<RedisResult>, String> {
    let mut results = Vec::new();
    append(&mut results, value)?;
    Ok(results)
}

// As deep as the parser lets an answer be.
fn append(results: &mut Vec<RedisResult>, value: Value) -> Result<(), String> {
    results.push(match value {
        Value::Nil => RedisResult::Nil,
        Value::Int(number) => RedisResult::Int64(number),
        Value::BulkString(bytes) => RedisResult::Binary(bytes),
        Value::SimpleString(text) => RedisResult::Status(text),
        Value::Okay => RedisResult::Status("OK".to_owned()),
        Value::Array(values) | Value::Set(values) => {
            return values.into_iter().try_for_each(|value| append(results, value));
        }
        Value::ServerError(error) => return Err(sentence(&error)),
        _ => return Err("the server answered with a kind of value that only its newer protocol has".to_owned()),
    });
    Ok(())
}

/// An error as the server wrote it.
pub(super) fn sentence(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &[u8]) -> Result<Vec<RedisResult>, String> {
        flat(redis::parse_redis_value(answer).unwrap())
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
