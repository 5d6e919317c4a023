//! `thumbs up` and `thumbs migrate`: the application, served or made ready.

use std::{io::IsTerminal as _, net::SocketAddr, time::Duration};

use clap::Args;

use super::application::{Application, environment};
use crate::{RuntimeBuilder, descriptors, restart, shutdown::Signals, traces};

/// How long the end waits for the reader of standard error.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct Up {
    #[command(flatten)]
    application: Application,
    /// Where requests are taken.
    #[arg(long, env = "THUMBS_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Where this process tells its numbers (/metrics), whether it lives (/livez) and whether it is ready (/readyz), to whoever reaches it
    /// [default: nowhere].
    #[arg(long, env = "THUMBS_ADMIN", value_name = "ADDRESS:PORT")]
    admin: Option<SocketAddr>,
    /// Where spans are sent (OTLP over HTTP), http://localhost:4318 say; which ones and with which headers is said by OpenTelemetry's
    /// variables OTEL_... [default: OTEL_EXPORTER_OTLP_ENDPOINT; without it nothing is traced].
    #[arg(long, env = "THUMBS_OTLP", value_name = "URL")]
    otlp: Option<String>,
    /// How many messages are handled at a time; 0 serves requests only [default: one per core].
    #[arg(long, env = "THUMBS_WORKERS", value_name = "NUMBER")]
    workers: Option<usize>,
    /// What this program tells itself when it begins anew (`restart.rs`).
    #[arg(long, env = restart::AGAIN, hide = true)]
    after_compiling: bool,
}

#[derive(Args, Debug)]
pub(super) struct Migrate {
    #[command(flatten)]
    application: Application,
    /// How long to wait for servers that do not answer.
    #[arg(long, env = "THUMBS_WAIT_SECS", default_value_t = 0, value_name = "SECONDS")]
    wait_secs: u64,
}

pub(super) async fn migrate(options: Migrate) -> Result<(), Box<dyn std::error::Error>> {
    let (builder, log) = options.application.builder()?;
    let ended = builder.server_wait(Duration::from_secs(options.wait_secs)).prepare().await;
    log.flush(FLUSH_TIMEOUT);
    Ok(ended?)
}

pub(super) async fn up(options: Up) -> Result<(), Box<dyn std::error::Error>> {
    descriptors::raise_limit();
    let (mut builder, log) = options.application.builder()?;
    builder = builder.listen(options.listen);
    if let Some(address) = options.admin {
        builder = builder.admin(address);
    }
    if let Some(settings) = traces::Settings::read(options.otlp.as_deref(), &environment())? {
        builder = builder.traces(settings);
    }
    if let Some(workers) = options.workers {
        builder = builder.workers(workers);
    }
    if !options.after_compiling {
        builder = builder.after_compiling(restart::afresh);
    }
    let ended = serve(builder).await;
    // What the log's reader does not take by then is lost: it must not hold the process up.
    log.flush(FLUSH_TIMEOUT);
    ended
}

/// Runs the application until a signal comes, and then lets it finish.
pub(super) async fn serve(builder: RuntimeBuilder) -> Result<(), Box<dyn std::error::Error>> {
    let mut signals = Signals::listen()?;
    let running = tokio::select! {
        running = builder.start() => running?,
        () = signals.next() => return Ok(()),
    };
    if std::io::stdout().is_terminal() {
        print!("{}", running.banner());
    }
    signals.next().await;
    tokio::select! {
        () = running.shutdown() => {}
        () = signals.next() => {}
    }
    Ok(())
}
