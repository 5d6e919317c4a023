//! The binary `thumbs`: reads the command line and hands over to the library.

use clap::Parser as _;
use thumbs::{cli::Cli, threads};

fn main() {
    let command = Cli::parse();
    let status = match threads::runtime("thumbs", None) {
        Ok(runtime) => runtime.block_on(command.run()),
        Err(error) => {
            eprintln!("error: the system gives no threads: {error}");
            1
        }
    };
    // Dropping the Tokio runtime would wait for blocking work that was cut off.
    std::process::exit(status)
}
