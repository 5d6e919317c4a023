//! `make bench`: how long one thumbnail takes, per image, in one run on one machine: in the sandbox as the service runs it, in the
//! native build of the same code, in libvips and in Pillow.
//!
//! A number is the median of several runs of the whole way from a file's bytes in memory to a 100x100 thumbnail's bytes in memory, a PNG unless
//! the class says otherwise, one thread, in milliseconds of processor time: what the clock on the wall says, were nothing else to run. The four take turns, run by
//! run, so that they meet the same neighbours. The sandbox's number includes making a fresh instance and throwing it away. The peers'
//! columns are empty where Python does not have them (`make bench-setup`). Ratios are to the faster of the two peers: the median of
//! the rounds' ratios, and beside it by the least times, which neighbours disturb least. Nothing is downloaded.

mod class;
mod machine;
mod measure;
mod peers;
mod photos;
mod recipe;
mod sandbox;
mod scene;
mod several;
mod summary;
mod table;

use std::cell::{Cell, RefCell};

use anyhow::Result;
use thumbs_imaging::options::{Limits, Options};

use measure::{by_turns, timed_ms};
use peers::{Peer, Peers};
use photos::Photo;
use summary::Summary;
use table::Row;

/// Of a thumbnail, in pixels.
const SIDE: u32 = 100;

fn main() -> Result<()> {
    let only = std::env::args().nth(1);
    let sandbox = sandbox::Sandbox::load()?;
    let mut peers = Peers::start();
    println!("{}\n", machine::description(&peers));
    println!("{}", table::HEAD);
    let mut rows = Vec::new();
    for photo in photos::all() {
        if only.as_ref().is_some_and(|only| {
            !photo.name.contains(only.as_str()) && !photo.class.to_string().contains(only.as_str())
        }) {
            continue;
        }
        let bytes = match photo.bytes() {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("bench: {} is left out: {error:#}", photo.name);
                continue;
            }
        };
        let row = measure_one(&sandbox, &mut peers, &photo, &bytes)?;
        println!("{row}");
        rows.push(row);
    }
    println!("\n{}", Summary::of(&rows));
    if only.is_none_or(|only| several::NAME.contains(only.as_str())) {
        println!("\n{}", several::HEAD);
        several::measure(&sandbox, |row| println!("{row}"))?;
    }
    Ok(())
}

fn measure_one(sandbox: &sandbox::Sandbox, peers: &mut Peers, photo: &Photo, bytes: &[u8]) -> Result<Row> {
    let output = photo.output();
    let options = Options { format: output, ..Options::default() };
    // The largest photos of a bench are larger than the service's defaults allow.
    let limits = Limits { max_pixels: 200_000_000, max_total_pixels: 200_000_000, ..Limits::default() };

    peers.load(bytes)?;
    let peers = RefCell::new(peers);
    let peak_memory_bytes = Cell::new(0);
    // Pillow, the faster one for animations by far, next to the sandbox.
    let [libvips, pillow, sandbox, native] = by_turns([
        Box::new(|| peers.borrow_mut().run_ms(Peer::Libvips, output)),
        Box::new(|| peers.borrow_mut().run_ms(Peer::Pillow, output)),
        Box::new(|| {
            let (ms, peak) = timed_ms(|| {
                if photo.is_coded_in_parts() {
                    sandbox.thumbnails(bytes, output, &[SIDE])
                } else {
                    sandbox.thumbnail(bytes, output)
                }
            })?;
            peak_memory_bytes.set(peak);
            Ok(Some(ms))
        }),
        Box::new(|| {
            // Their decoders are components of their own.
            if photo.is_coded_in_parts() {
                return Ok(None);
            }
            Ok(Some(timed_ms(|| thumbs_imaging::thumbnail(bytes, &options, &limits).map_err(Into::into))?.0))
        }),
    ])?;
    Ok(Row {
        name: photo.name.clone(),
        class: photo.class,
        megapixels: photos::megapixels(bytes),
        file_bytes: bytes.len(),
        sandbox,
        native,
        libvips,
        pillow,
        peak_memory_bytes: peak_memory_bytes.get(),
    })
}
