//! `thumbs bundle`, `backup` and `restore`: the application in one file, and its data in a folder.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::{
    Runtime,
    backup::{self, Copied},
    bundle,
    manifest::Manifest,
};

#[derive(Args, Debug)]
pub(super) struct BundleOptions {
    /// The program to write.
    #[arg(value_name = "PROGRAM")]
    output: PathBuf,
    /// The manifest.
    #[arg(short = 'f', long, env = "THUMBS_MANIFEST", default_value = "spin.toml", value_name = "FILE")]
    from: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct BackupOptions {
    /// The backup.
    #[arg(value_name = "FOLDER")]
    backup: PathBuf,
    /// Where databases and blobs lie that have no other place.
    #[arg(long, env = "THUMBS_STATE_DIR", default_value = ".thumbs", value_name = "DIRECTORY")]
    state_dir: PathBuf,
}

/// Compiles by starting once, in a folder that is gone afterwards, on embedded storage alone.
pub(super) async fn make_bundle(options: BundleOptions) -> Result<(), Box<dyn std::error::Error>> {
    let mut entries = bundle::application(&Manifest::read(&options.from)?)?;
    let folder = std::env::temp_dir().join(format!("thumbs-bundle-{}", std::process::id()));
    let cache_dir = folder.join(bundle::COMPILED);
    let builder = Runtime::builder(options.from)
        .state_dir(folder.join("state"))
        .cache_dir(&cache_dir)
        .listen(SocketAddr::from(([127, 0, 0, 1], 0)));
    let compiled = match builder.start().await {
        Ok(running) => {
            running.shutdown().await;
            bundle::compiled(&cache_dir)
        }
        Err(error) => {
            // Nothing is kept of it.
            let _ = std::fs::remove_dir_all(&folder);
            return Err(error.into());
        }
    };
    std::fs::remove_dir_all(&folder)?;
    entries.extend(compiled?);
    bundle::write(&std::env::current_exe()?, &entries, &options.output)?;
    println!("{}: thumbs with {} files of the application", options.output.display(), entries.len());
    Ok(())
}

/// Makes a backup, or restores one.
pub(super) fn copy(options: &BackupOptions, is_backup: bool) -> Result<bool, Box<dyn std::error::Error>> {
    let BackupOptions { backup, state_dir } = options;
    let (copied, to) = if is_backup {
        (backup::back_up(state_dir, backup)?, backup)
    } else {
        (backup::restore(backup, state_dir)?, state_dir)
    };
    let Copied { databases, blobs, blob_bytes } = copied;
    println!("{}: {databases} databases, {blobs} blobs of {blob_bytes} bytes", to.display());
    Ok(true)
}
