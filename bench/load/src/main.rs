//! `make load`: what clients see of a service that is asked for a part of what it can do, for all of it, and for more.
//!
//! The service is `thumbs up` in a process of its own, with its defaults and a fresh state directory, on the same machine; this program takes its
//! share of the cores. What it can do is found first, by clients that each wait for their job before they send the next (`closed.rs`). Then requests
//! start at moments that were drawn before, whatever the earlier ones do (`open.rs`), and each is timed from its moment: a service that stalls can't
//! hide those that would have come meanwhile. At the end one key floods the service while three others go on as before (`flood.rs`).
//!
//! Prints one table in Markdown. How long a thumbnail takes by itself is measured beside, in `thumbs-bench`; whether anything grows in an hour by
//! `bench/soak.py`.

mod client;
mod closed;
mod flood;
mod images;
mod open;
mod random;
mod service;
mod table;
mod tally;
mod watch;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use clap::Parser;

use crate::{
    client::Client,
    images::Images,
    open::{Known, Mix},
    service::Service,
};

/// Puts a service of its own under load.
#[derive(Parser)]
struct Options {
    /// How long each part of the load goes on.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Clients that find out what the service can do.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Draws the moments at which requests start.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Jobs a second that the service can do, where that is known.
    #[arg(long)]
    capacity: Option<f64>,
    /// Variables of the application, beside its defaults.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    variables: Vec<String>,
}

/// The parts of the load, as shares of what the service can do.
const SHARES: [f64; 4] = [0.5, 0.8, 1.2, 2.0];

/// What is more than it can do is put on it once more where the queue is bounded to what it does in so many seconds.
const BOUNDED_SECS: f64 = 5.0;

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(&options))
}

async fn run(options: &Options) -> Result<()> {
    let images = Arc::new(Images::load()?);
    let length = Duration::from_secs(options.seconds);
    let service = Service::start(&options.variables)?;
    let known = Arc::new(Known::default());
    let client = Client::new(service.address(), None);
    let found = closed::capacity(&service, &client, &images, &known, options.clients).await?;
    let capacity = options.capacity.unwrap_or(found);
    let description = images.description();
    println!(
        "{description}; {found:.0} jobs a second by {} clients, one after the other each",
        options.clients
    );
    println!(
        "100 % are {capacity:.0} uploads a second, and for each 4 polls and 1 thumbnail\n\n{}",
        table::HEAD
    );
    let load = Load { images: &images, known: &known, length, seed: options.seed };
    for share in SHARES {
        load.put(&service, &format!("{:.0} %", share * 100.0), capacity * share).await?;
    }
    drop(service);

    let bound = (capacity * BOUNDED_SECS).ceil();
    let service = Service::start(&[&options.variables[..], &[format!("max_queued_jobs={bound}")]].concat())?;
    let load = Load { known: &Arc::new(Known::default()), ..load };
    for share in SHARES.into_iter().filter(|share| *share > 1.0) {
        let name = format!("{:.0} %, max_queued_jobs={bound}", share * 100.0);
        load.put(&service, &name, capacity * share).await?;
    }
    drop(service);

    println!("\n{}", flood::run(&images, capacity, length, &options.variables).await?);
    Ok(())
}

/// What is the same for each part of the load.
struct Load<'a> {
    images: &'a Arc<Images>,
    known: &'a Arc<Known>,
    length: Duration,
    seed: u64,
}

impl Load<'_> {
    /// Puts a part of it onto a service, and prints its rows.
    async fn put(&self, service: &Service, name: &str, uploads_per_sec: f64) -> Result<()> {
        let mix = Mix { uploads_per_sec, polls: 4.0, thumbnails: 1.0 };
        let client = Client::new(service.address(), None);
        let load = open::run(&client, self.images, self.known, mix, self.length, self.seed);
        let (tally, seen) = watch::during(service, self.length, load).await?;
        println!("{}", table::rows(name, &mix, self.length, &tally, &seen));
        Ok(())
    }
}

/// Where spin.toml and the built components are.
fn repository() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own)
}
