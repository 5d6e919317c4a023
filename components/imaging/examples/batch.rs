//! Makes thumbnails natively, one for each line of standard input: the image's file, the thumbnail's file, and options as `name=value`
//! (`format`, `width`, `height`, `quality`, `lossless`). Answers each with its bytes and the microseconds that its encoding took.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a tool for developers that stops at the first mistake"
)]

use std::io::{BufRead, stdin};
use std::time::Instant;

use thumbs_imaging::Task;
use thumbs_imaging::options::{Limits, Options, OutputFormat};

fn options<'a>(pairs: impl Iterator<Item = &'a str>) -> Options {
    let mut options = Options::default();
    for (name, value) in pairs.map(|pair| pair.split_once('=').unwrap()) {
        match (name, value) {
            ("format", "png") => options.format = OutputFormat::Png,
            ("format", "jpeg") => options.format = OutputFormat::Jpeg,
            ("format", "webp") => options.format = OutputFormat::Webp,
            ("format", "gif") => options.format = OutputFormat::Gif,
            ("width", pixels) => options.width = pixels.parse().unwrap(),
            ("height", pixels) => options.height = pixels.parse().unwrap(),
            ("quality", quality) => options.quality = Some(quality.parse().unwrap()),
            ("lossless", lossless) => options.lossless = lossless.parse().unwrap(),
            (name, value) => panic!("no option {name}={value}"),
        }
    }
    options
}

fn main() {
    for line in stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split_whitespace();
        let (from, to) = (words.next().unwrap(), words.next().unwrap());
        let image = std::fs::read(from).unwrap();
        let mut task = Task::open(&image[..], &[options(words)], &Limits::default()).unwrap();
        task.decode().unwrap();
        task.finish().unwrap();
        let begin = Instant::now();
        let made = task.encode(0).unwrap();
        let spent = begin.elapsed();
        std::fs::write(to, &made.data).unwrap();
        println!("{} {}", made.data.len(), spent.as_micros());
    }
}
