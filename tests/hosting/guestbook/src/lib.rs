//! A guestbook for Spin: who signs it is written down, counted, and told to a desk; who complains, to the office.

#![cfg(target_arch = "wasm32")]
#![expect(unsafe_code, reason = "the SDK's macros write the entry points of the component")]

use anyhow::anyhow;
use spin_sdk::{
    http::{IntoResponse, Method, Request, Response},
    http_component,
    key_value::Store,
    redis, redis_component,
    sqlite::{Connection, Value},
};

const VISITS: &str = "visits";

#[http_component]
fn book(request: Request) -> anyhow::Result<impl IntoResponse> {
    let text = String::from_utf8(request.body().to_vec())?;
    match (request.method(), request.path()) {
        (Method::Post, "/entries") => sign(text, "redis://localhost:6379"),
        (Method::Post, "/complaints") => sign(text, "redis://localhost:6380"),
        (Method::Get, "/entries") => list("SELECT text AS line FROM entries ORDER BY rowid"),
        (Method::Get, "/notes") => list("SELECT desk || ' ' || text AS line FROM notes ORDER BY 1"),
        (Method::Get, "/visits") => {
            Ok(Response::new(200, Store::open_default()?.get(VISITS)?.unwrap_or_default()))
        }
        _ => Ok(Response::new(404, "no such page")),
    }
}

#[redis_component]
fn note(message: Vec<u8>) -> anyhow::Result<()> {
    let text = Value::Text(String::from_utf8(message)?);
    open()?.execute("INSERT INTO notes VALUES (?, ?)", &[Value::Text(std::env::var("DESK")?), text])?;
    Ok(())
}

fn sign(text: String, server: &str) -> anyhow::Result<Response> {
    open()?.execute("INSERT INTO entries VALUES (?)", &[Value::Text(text.clone())])?;
    let store = Store::open_default()?;
    let visits = match store.get(VISITS)? {
        Some(number) => String::from_utf8(number)?.parse()?,
        None => 0_u32,
    };
    store.set(VISITS, (visits + 1).to_string().as_bytes())?;
    let connection = redis::Connection::open(server).map_err(|error| anyhow!("{error:?}"))?;
    connection.publish("signed", &text.into_bytes()).map_err(|error| anyhow!("{error:?}"))?;
    Ok(Response::new(201, ()))
}

fn list(query: &str) -> anyhow::Result<Response> {
    let rows = open()?.execute(query, &[])?;
    let lines: Vec<&str> = rows.rows().filter_map(|row| row.get("line")).collect();
    Ok(Response::new(200, lines.join("\n")))
}

fn open() -> anyhow::Result<Connection> {
    let connection = Connection::open_default()?;
    for table in ["entries (text TEXT NOT NULL)", "notes (desk TEXT NOT NULL, text TEXT NOT NULL)"] {
        connection.execute(&format!("CREATE TABLE IF NOT EXISTS {table}"), &[])?;
    }
    Ok(connection)
}
