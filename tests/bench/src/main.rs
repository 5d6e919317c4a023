//! `make bench`: how long one thumbnail takes, per image, in one run on one machine: in the sandbox as the service runs it, in the
//! native build of the same code, in libvips and in Pillow.
//!
//! A number is the median of several runs of the whole way from a file's bytes in memory to a 100x100 thumbnail's bytes in memory, one
//! thread. The sandbox's includes making a fresh instance and throwing it away. The peers' columns are empty where Python does not
//! have them (`make bench-setup`). Ratios are to the faster of the two peers. Nothing is downloaded.

mod machine;
mod measure;
mod peers;
mod photos;
mod sandbox;
mod table;

use anyhow::Result;
use thumbs_imaging::options::{Limits, Options, OutputFormat};

use measure::{Repeat, median_ms};
use photos::Photo;
use table::Row;

fn main() -> Result<()> {
    let only = std::env::args().nth(1);
    let sandbox = sandbox::Sandbox::load()?;
    let mut peers = peers::Peers::start();
    println!("{}", machine::description(&peers));
    println!("{}", table::HEAD);
    for photo in photos::all() {
        if only
            .as_ref()
            .is_some_and(|only| !photo.name.contains(only.as_str()) && !photo.class.contains(only.as_str()))
        {
            continue;
        }
        println!("{}", measure_one(&sandbox, &mut peers, &photo)?);
    }
    Ok(())
}

fn measure_one(sandbox: &sandbox::Sandbox, peers: &mut peers::Peers, photo: &Photo) -> Result<Row> {
    let bytes = photo.bytes()?;
    let options = Options { format: photo.output, ..Options::default() };
    // The largest photos of a bench are larger than the service's defaults allow.
    let limits = Limits { max_pixels: 200_000_000, max_total_pixels: 200_000_000, ..Limits::default() };
    let repeat = Repeat::default();

    let mut peak_memory_bytes = 0;
    let sandbox_ms = median_ms(repeat, || {
        peak_memory_bytes = sandbox.thumbnail(&bytes, photo.output == OutputFormat::Gif)?;
        Ok(())
    })?;
    let native_ms = median_ms(repeat, || {
        thumbs_imaging::thumbnail(&bytes, &options, &limits)?;
        Ok(())
    })?;
    let peer = peers.measure(&bytes, photo.output, repeat)?;
    Ok(Row {
        name: photo.name.clone(),
        class: photo.class,
        megapixels: photo.megapixels(&bytes),
        file_bytes: bytes.len(),
        sandbox_ms,
        native_ms,
        vips_ms: peer.vips_ms,
        pillow_ms: peer.pillow_ms,
        peak_memory_bytes,
    })
}
