//! A component that tries what it is told to: the door is the last segment of the path, what it wants there is the body. 200 with what it got, or 403
//! with the words in which it was refused.

#![cfg(target_arch = "wasm32")]
#![expect(unsafe_code, reason = "the SDK's macros write the entry points of the component")]

use std::{
    fs,
    net::{TcpStream, ToSocketAddrs as _, UdpSocket},
};

use anyhow::{anyhow, bail};
use spin_sdk::{
    http::{IntoResponse, Request, Response, send},
    http_component,
    key_value::Store,
    pg, redis,
    sqlite::Connection,
    variables,
};

#[http_component]
async fn prowl(request: Request) -> anyhow::Result<impl IntoResponse> {
    let door = request.path().rsplit('/').next().unwrap_or_default().to_owned();
    let wanted = String::from_utf8(request.into_body())?;
    Ok(match attempt(&door, &wanted).await {
        Ok(got) => Response::new(200, got),
        Err(refused) => Response::new(403, format!("{refused:#}")),
    })
}

async fn attempt(door: &str, wanted: &str) -> anyhow::Result<String> {
    Ok(match door {
        "read" => fs::read_to_string(wanted)?,
        "write" => format!("{:?}", fs::write(wanted, "it was here")?),
        "list" => format!("{:?}", fs::read_dir(wanted)?.collect::<Vec<_>>()),
        "tcp" => format!("{:?}", TcpStream::connect(wanted)?),
        "udp" => format!("{:?}", UdpSocket::bind(wanted)?),
        "name" => format!("{:?}", (wanted, 80).to_socket_addrs()?.collect::<Vec<_>>()),
        "http" => {
            let answer: Response = send(Request::get(wanted).build()).await?;
            format!("{} {}", answer.status(), String::from_utf8_lossy(answer.body()))
        }
        "environment" => std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect(),
        "variable" => variables::get(wanted)?,
        "store" => format!("{:?}", Store::open(wanted)?.get_keys()?),
        "keep" => format!("{:?}", Store::open_default()?.set("kept", wanted.as_bytes())?),
        "database" => format!("{:?}", Connection::open(wanted)?.execute("SELECT 1", &[])?.rows),
        "sql" => format!("{:?}", Connection::open_default()?.execute(wanted, &[])?.rows),
        "postgres" => {
            let connected = pg::Connection::open(wanted);
            format!("{:?}", connected.map_err(|error| anyhow!("{error:?}"))?)
        }
        "redis" => {
            let connected = redis::Connection::open(wanted);
            format!("{:?}", connected.map_err(|error| anyhow!("{error:?}"))?)
        }
        _ => bail!("no such door"),
    })
}
