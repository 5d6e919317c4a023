//! A connection that did not come about, as one sentence that a person can act on.

use std::{error::Error as _, io::ErrorKind};

use tokio_postgres::error::{DbError, SqlState};

use super::{
    address::{Address, Encryption},
    messages::Seen,
    tls,
};
use crate::clients::ServerFault;

/// What an error of the driver means before the first statement, on a connection that has shown this.
pub(super) fn of_connecting(address: &Address, error: &tokio_postgres::Error, seen: &Seen) -> ServerFault {
    if let Some(refusal) = error.as_db_error() {
        return of_server(address, refusal);
    }
    let cause = error.source();
    let io = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
    if let Some(handshake) =
        io.and_then(|io| io.get_ref()).and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return address.refused(tls::clause(handshake));
    }
    if seen.no_tls() && address.encryption != Encryption::Prefer {
        return address.refused("offers no TLS, which its sslmode asks for");
    }
    match (io, cause) {
        (Some(io), _) if io.kind() == ErrorKind::InvalidData => {
            address.refused("is not there: what answers is no PostgreSQL server")
        }
        (Some(io), _) => address.unreachable(format_args!("can't be reached: {}", io.kind())),
        (None, _) if error.is_closed() => {
            address.unreachable("can't be reached: the server closed the connection")
        }
        // The driver's own words: a method of authentication that it has not, or a proof that does not hold.
        (None, Some(cause)) => address.refused(format_args!("can't be connected to: {cause}")),
        (None, None) => address.refused(format_args!("can't be connected to: {error}")),
    }
}

fn of_server(address: &Address, refusal: &DbError) -> ServerFault {
    let code = refusal.code();
    match *code {
        SqlState::CANNOT_CONNECT_NOW => address.unreachable("is not ready: its server is starting up or shutting down"),
        SqlState::TOO_MANY_CONNECTIONS => address.unreachable(
            "has no connection left: raise max_connections of its server, or lower pg_max_connections here",
        ),
        SqlState::INVALID_PASSWORD if address.password.is_none() => {
            address.refused("asks for a password, and its address has none")
        }
        SqlState::INVALID_PASSWORD => address.refused("refuses this user with this password: correct its address"),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => address.refused(
            "does not let this user in from here: see whether the user exists, what pg_hba.conf of its server says, and \
             whether that wants TLS (sslmode=require)",
        ),
        SqlState::INVALID_CATALOG_NAME => address.refused("does not exist: create it, or correct its address"),
        SqlState::INSUFFICIENT_PRIVILEGE => address.refused("does not let this user in: grant CONNECT on it"),
        // The classes of SQLSTATE that are about the server and not about who asks: connections, resources, operators, the system.
        _ if ["08", "53", "57", "58", "XX"].iter().any(|class| code.code().starts_with(class)) => {
            address.unreachable(format_args!("can't be reached: {} (SQLSTATE {})", refusal.message(), code.code()))
        }
        _ => address.refused(format_args!("refuses: {} (SQLSTATE {})", refusal.message(), code.code())),
    }
}
