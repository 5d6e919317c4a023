//! Which commands a guest may not send, and which may be sent twice: the two things that a shared connection asks about a command.
//!
//! All instances share one connection to an address. A command that changes its state would change it for everybody, one that waits would
//! hold everybody's answers up, and one that answers without end would be taken for the answers of others.

use super::wit::RedisParameter;

/// Why the commands of a row are refused, and their names.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "turns a connection that all instances share into a subscription; a Redis trigger listens",
        &[
            "SUBSCRIBE",
            "PSUBSCRIBE",
            "SSUBSCRIBE",
            "UNSUBSCRIBE",
            "PUNSUBSCRIBE",
            "SUNSUBSCRIBE",
            "MONITOR",
            "SYNC",
            "PSYNC",
        ],
    ),
    (
        "waits on a connection that all instances share; ask again later instead",
        &[
            "BLPOP",
            "BRPOP",
            "BRPOPLPUSH",
            "BLMOVE",
            "BLMPOP",
            "BZPOPMIN",
            "BZPOPMAX",
            "BZMPOP",
            "WAIT",
            "WAITAOF",
        ],
    ),
    (
        "spans several commands on a connection that all instances share; EVAL runs as one",
        &["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"],
    ),
    (
        "changes a connection that all instances share; user, password and database belong in the address",
        &[
            "AUTH",
            "HELLO",
            "SELECT",
            "CLIENT",
            "QUIT",
            "RESET",
            "READONLY",
            "READWRITE",
            "ASKING",
            "REPLCONF",
        ],
    ),
    ("stops the server or holds it up", &["SHUTDOWN", "DEBUG", "FAILOVER"]),
];

/// Commands that change nothing. PUBLISH is among them: a message may come twice.
const REPEATABLE: &[&str] = &[
    "PING",
    "ECHO",
    "PUBLISH",
    "SPUBLISH",
    "GET",
    "MGET",
    "GETRANGE",
    "STRLEN",
    "EXISTS",
    "TYPE",
    "TTL",
    "PTTL",
    "SCAN",
    "HGET",
    "HMGET",
    "HGETALL",
    "HEXISTS",
    "HLEN",
    "HKEYS",
    "HVALS",
    "HSCAN",
    "LRANGE",
    "LLEN",
    "LINDEX",
    "SMEMBERS",
    "SISMEMBER",
    "SMISMEMBER",
    "SCARD",
    "SSCAN",
    "ZRANGE",
    "ZSCORE",
    "ZCARD",
    "ZRANK",
    "ZSCAN",
    "XLEN",
    "XRANGE",
    "DBSIZE",
];

/// Why a guest may not send this, as a sentence.
pub(super) fn refusal(command: &str, arguments: &[RedisParameter]) -> Option<String> {
    let name = command.to_ascii_uppercase();
    let reason = REFUSED.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(reason, _)| *reason);
    if let Some(reason) = reason {
        return Some(format!("{name} {reason}"));
    }
    match name.as_str() {
        "XREAD" | "XREADGROUP" if blocks(arguments) => Some(format!(
            "{name} with BLOCK waits on a connection that all instances share; ask again later instead"
        )),
        "SCRIPT" if arguments.first().is_some_and(|argument| is_word(argument, "DEBUG")) => {
            Some("SCRIPT DEBUG changes a connection that all instances share".to_owned())
        }
        _ => None,
    }
}

/// Whether a command may be sent again when nobody knows whether it ran.
pub(super) fn repeatable(command: &str) -> bool {
    REPEATABLE.iter().any(|name| name.eq_ignore_ascii_case(command))
}

/// Whether an XREAD or XREADGROUP has the option BLOCK, read as the server reads it: a group or a stream may have that name.
fn blocks(arguments: &[RedisParameter]) -> bool {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let values = match argument {
            argument if is_word(argument, "BLOCK") => return true,
            argument if is_word(argument, "STREAMS") => return false,
            argument if is_word(argument, "COUNT") => 1,
            argument if is_word(argument, "GROUP") => 2,
            _ => 0,
        };
        for _ in 0..values {
            arguments.next();
        }
    }
    false
}

fn is_word(argument: &RedisParameter, word: &str) -> bool {
    matches!(argument, RedisParameter::Binary(bytes) if bytes.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<RedisParameter> {
        text.split_whitespace().map(|word| RedisParameter::Binary(word.into())).collect()
    }

    #[test]
    fn what_would_change_or_hang_the_shared_connection_is_refused_in_any_case() {
        for (line, word) in [
            ("SUBSCRIBE x", "SUBSCRIBE turns"),
            ("monitor", "MONITOR turns"),
            ("bLpOp list 0", "BLPOP waits"),
            ("WAIT 1 0", "WAIT waits"),
            ("MULTI", "MULTI spans"),
            ("select 1", "SELECT changes"),
            ("CLIENT REPLY OFF", "CLIENT changes"),
            ("shutdown NOSAVE", "SHUTDOWN stops"),
            ("SCRIPT debug yes", "SCRIPT DEBUG"),
            ("XREAD COUNT 1 block 0 STREAMS s $", "BLOCK"),
            ("XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "BLOCK"),
            ("XREADGROUP GROUP STREAMS c NOACK BLOCK 0 STREAMS s >", "BLOCK"),
        ] {
            let mut line = line.splitn(2, ' ');
            let refused = refusal(line.next().unwrap(), &words(line.next().unwrap_or_default()));
            assert!(refused.as_ref().is_some_and(|text| text.contains(word)), "{word}: {refused:?}");
        }
    }

    #[test]
    fn what_answers_at_once_is_not() {
        for line in [
            "GET x",
            "EVAL return 0",
            "SCRIPT LOAD x",
            "XREAD COUNT 1 STREAMS BLOCK 0",
            "XREADGROUP GROUP BLOCK BLOCK STREAMS s >",
            "XADD s * BLOCK 0",
            "PUBLISH SUBSCRIBE x",
        ] {
            let mut words_of = line.splitn(2, ' ');
            let refused = refusal(words_of.next().unwrap(), &words(words_of.next().unwrap_or_default()));
            assert_eq!(refused, None, "{line}");
        }
    }

    #[test]
    fn only_what_changes_nothing_is_repeated() {
        for name in ["get", "PUBLISH", "SMEMBERS"] {
            assert!(repeatable(name), "{name}");
        }
        for name in ["INCR", "SET", "DEL", "EVAL", "LPOP", "XADD"] {
            assert!(!repeatable(name), "{name}");
        }
    }

    #[test]
    fn no_command_is_in_two_rows() {
        let mut names: Vec<_> = REFUSED.iter().flat_map(|(_, names)| *names).chain(REPEATABLE).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
