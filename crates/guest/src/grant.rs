//! Naming what is to be granted, for where a host only says no.

use thumbs_domain::variable::Variable;

/// That the server at `url`, the value of `variable`, is not granted, and how to grant it by `outbound`.
pub(crate) fn missing(variable: Variable, url: &str, outbound: Variable) -> String {
    let (name, grant) = (variable.row().name, outbound.row().name);
    match outbound_of(url) {
        Some(server) => format!("the server of {name} is not granted: set {grant} to {server}"),
        None => format!("the server of {name} is not granted: set {grant} to <scheme>://<host>:<port>"),
    }
}

/// The grant that a connection to this URL needs, `scheme://host:port`; none where the URL names no host.
fn outbound_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (scheme, port) = match scheme {
        "postgresql" | "postgres" => ("postgres", 5432),
        other => (other, 6379),
    };
    // As where a password is looked for (`redact.rs`): it may hold what ends a host.
    let (_, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    match host {
        "" => None,
        host if has_port => Some(format!("{scheme}://{host}")),
        host => Some(format!("{scheme}://{host}:{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_scheme_host_and_port_alone() {
        for (url, grant) in [
            ("redis://cache", Some("redis://cache:6379")),
            ("rediss://u:p%40ss@cache:7000/3", Some("rediss://cache:7000")),
            ("redis://[::1]", Some("redis://[::1]:6379")),
            ("redis://[::1]:7000", Some("redis://[::1]:7000")),
            ("postgresql://u:p@db.example/thumbs?sslmode=require", Some("postgres://db.example:5432")),
            ("postgres://u:p/w?d:/@db:5433/thumbs", Some("postgres://db:5433")),
            ("redis://", None),
            ("cache:6379", None),
        ] {
            assert_eq!(outbound_of(url).as_deref(), grant, "{url}");
        }
    }
}
