//! The binary `thumbs`: reads the command line and hands over to the library.

use clap::Parser as _;
use thumbs::cli::Cli;

#[tokio::main]
async fn main() {
    let status = Cli::parse().run().await;
    // Dropping the Tokio runtime would wait for blocking work that was cut off.
    std::process::exit(status)
}
