//! `thumbs test`.

use std::path::PathBuf;

use clap::Args;

use super::application::{environment, limits, pair};
use crate::spin_test::Suites;

#[derive(Args, Debug)]
pub(super) struct Test {
    /// Only tests with one of these in their name.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// The manifest.
    #[arg(short = 'f', long, env = "THUMBS_MANIFEST", default_value = "spin.toml", value_name = "FILE")]
    from: PathBuf,
    /// Only the suite of this component.
    #[arg(long, env = "THUMBS_TEST_COMPONENT", value_name = "ID")]
    component: Option<String>,
    /// Name the tests instead of running them.
    #[arg(long, env = "THUMBS_TEST_LIST")]
    list: bool,
    /// Where compiled components are kept; may be shared with `thumbs up`.
    #[arg(long, env = "THUMBS_CACHE_DIR", default_value = ".thumbs/compiled", value_name = "DIRECTORY")]
    cache_dir: PathBuf,
    /// Set a limit of the host; wins over the environment's THUMBS_<NAME>. `thumbs limits` lists them.
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    limit: Vec<(String, String)>,
}

pub(super) async fn test(options: Test) -> Result<bool, Box<dyn std::error::Error>> {
    let mut builder = Suites::builder(options.from)
        .cache_dir(options.cache_dir)
        .limits(limits(&environment(), &options.limit)?);
    if let Some(component) = options.component {
        builder = builder.component(component);
    }
    let suites = builder.load().await?;
    let mut out = std::io::stdout();
    if options.list {
        suites.list(&options.filters, &mut out)?;
        return Ok(true);
    }
    Ok(suites.run(&options.filters, &mut out).await?)
}
