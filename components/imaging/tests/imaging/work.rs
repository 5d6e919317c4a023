//! The work of one thumbnail at the default limits, in the worst corners of every format and option: measured by the time that the thread
//! was on a processor, which no other process lengthens.

use std::time::Duration;

use gif::Repeat;
use thumbs_imaging::options::{Fit, Limits, Options, OutputFormat};
use thumbs_imaging::thumbnail;

use crate::pictures::Noise;

const FORMATS: [OutputFormat; 4] =
    [OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Gif];

/// What this thread has spent on a processor; `None` where the system does not tell.
fn processor_time() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(told.split_whitespace().next()?.parse().ok()?))
}

/// What `work` gives, and what it takes `times` over of a processor: what the first of three tries takes that takes less than [`MOST`], or the
/// least of the three. Other programs at the same caches make any try slower, and none faster.
pub(crate) fn measured<T>(times: u32, mut work: impl FnMut() -> T) -> Option<(T, Duration)> {
    let mut tries = (0..3).map_while(|_| {
        let before = processor_time()?;
        let made = work();
        Some((made, (processor_time()? - before) * times))
    });
    let mut least = tries.next()?;
    while least.1 >= MOST {
        let Some(next) = tries.next() else { break };
        if next.1 < least.1 {
            least = next;
        }
    }
    Some(least)
}

/// An animation whose frames are noise of 255 colours, or of few, drawn finely or coarsely.
pub(crate) fn noise(side: u16, frames: u16, colours: u32, grain: usize) -> Vec<u8> {
    let mut noise = Noise::new(side.into());
    let palette: Vec<u8> = (0..3 * 256).map(|_| noise.next() as u8).collect();
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, side, side, &palette).unwrap();
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for _ in 0..frames {
        let across = usize::from(side).div_ceil(grain);
        let cells: Vec<u8> = (0..across * across).map(|_| (noise.next() % colours) as u8).collect();
        let places = (0..usize::from(side)).flat_map(|y| (0..usize::from(side)).map(move |x| (x, y)));
        let buffer: Vec<u8> = places.map(|(x, y)| cells[y / grain * across + x / grain]).collect();
        let frame = gif::Frame {
            width: side,
            height: side,
            buffer: buffer.into(),
            delay: 10,
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    file
}

/// What one thumbnail may take natively, on any machine of these years: in the sandbox it is up to twice as much. The corners below take a
/// second or less where this was written, and took up to 14 s without their bounds.
pub(crate) const MOST: Duration = Duration::from_secs(3);

#[test]
fn no_thumbnail_takes_more_than_its_time_in_any_format() {
    let few_and_large = noise(700, 8, 256, 1);
    let many_and_small = noise(48, 200, 256, 1);
    let coarse = noise(48, 24, 256, 6);
    let two_colours = noise(48, 24, 2, 1);
    for format in FORMATS {
        for (name, file, side, max_bytes) in [
            ("many", &many_and_small, 1000, None),
            ("many", &many_and_small, 140, Some(300_000)),
            ("many", &many_and_small, 2048, Some(3_000_000)),
            ("large", &few_and_large, 1000, Some(2_000_000)),
            ("large", &few_and_large, 2048, Some(100_000)),
            ("large", &few_and_large, 2048, Some(1)),
            ("coarse", &coarse, 2048, None),
            ("coarse", &coarse, 500, Some(100_000)),
            ("two", &two_colours, 2048, Some(50_000)),
        ] {
            let options = Options {
                width: side,
                height: side,
                fit: Fit::Fill,
                format,
                max_bytes,
                ..Options::default()
            };
            let Some((made, spent)) = measured(1, || thumbnail(file, &options, &Limits::default())) else {
                return;
            };
            let what = format!("{name} to {format:?} of {side} in {max_bytes:?} bytes");
            println!("{what}: {spent:?}, {:?}", made.as_ref().map(|made| &made.concessions));
            assert!(made.is_ok() || max_bytes == Some(1), "{what}: {:?}", made.err());
            assert!(spent < MOST, "{what}: {spent:?}");
        }
    }
}
