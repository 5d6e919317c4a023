//! What must hold for any bytes whatsoever, as the fuzz targets of all four formats check it:
//!
//! - Nothing panics, no arithmetic overflows (overflow checks are on), and nothing takes 10 s (`-timeout`, in the Makefile).
//! - No more memory is allocated than follows from the limits and from what the header says; see [`thumbnail_bytes`].
//! - A probe and a thumbnail say the same of the source, or fail for the same reason; what is over a limit is told before anything is decoded.
//! - A thumbnail is what was asked for, and what we made is what we read.
//! - Making it twice gives the same bytes.
//!
//! `options`: what is asked for, out of the input itself. The counting allocator is `fuzz/memory`.

mod options;

use libfuzzer_sys::Corpus;
use thumbs_fuzz_memory as memory;
use thumbs_imaging::error::{Error, Limit};
use thumbs_imaging::options::{
    Concession, Fit, Gravity, Limits, Options, OutputFormat, SourceFormat, Warning,
};
use thumbs_imaging::{SourceInfo, Thumbnail, check as check_before, probe, sniff, thumbnail};

use options::{Order, order};

/// Takes one input; those of another format are not kept, as another target has them.
///
/// # Panics
/// If one of the above does not hold.
pub fn check(format: SourceFormat, image: &[u8]) -> Corpus {
    if sniff(image) != Some(format) {
        return Corpus::Reject;
    }
    let Order { options, limits, twice } = order(image);
    let (probed, _) = memory::within(probe_bytes(image), || probe(image, &limits));
    let bound = match &probed {
        Ok(source) => thumbnail_bytes(image, source, &options),
        Err(_) => probe_bytes(image),
    };
    let (made, peak) = memory::within(bound, || thumbnail(image, &options, &limits));
    if std::env::var_os("THUMBS_FUZZ_REPORT").is_some() {
        eprintln!("{peak} of {bound} bytes, {probed:?}, {options:?}");
    }
    let source = match (&probed, &made) {
        (_, Err(Error::LimitExceeded(Limit::OutputSide))) => {
            assert!(options.width.max(options.height) > limits.max_output_side);
            return Corpus::Keep;
        }
        (Err(of_probe), Err(of_thumbnail)) => {
            assert_eq!(of_probe, of_thumbnail);
            return Corpus::Keep;
        }
        (Err(error), Ok(_)) => panic!("a thumbnail of what can't be probed: {error}"),
        (Ok(source), _) => source,
    };
    check_source(source, format, &limits);
    match &made {
        Ok(made) => {
            check_thumbnail(made, source, &options);
            check_again(made);
        }
        Err(Error::Malformed(_) | Error::UnsupportedFeature(_)) => {}
        Err(Error::BudgetUnreachable) => assert!(options.max_bytes.is_some()),
        Err(Error::LimitExceeded(limit)) => {
            assert!(matches!(limit, Limit::Frames | Limit::TotalPixels | Limit::HeldPixels), "{limit:?}");
            assert!(source.frames > 1);
            assert_eq!(check_before(source, &[options], &limits), Err(Error::LimitExceeded(*limit)));
        }
        Err(error) => panic!("not the image's fault: {error}"),
    }
    if twice {
        assert!(made == thumbnail(image, &options, &limits), "not the same twice");
    }
    Corpus::Keep
}

/// A probe walks over the file and remembers places in it.
fn probe_bytes(image: &[u8]) -> usize {
    (64 << 10) + image.len()
}

/// What may be allocated at once for a thumbnail, in bytes:
///
/// - for any image, the tables of decoders and encoders that never grow, of which the GIF encoder's search for colours is most
/// - what a file can blow up, see [`blown_up_bytes`]
/// - for a pixel of the source's longer side: rows of up to 8 bytes a pixel, batches of them, and the resampler's rows
/// - for a pixel of the source, of one frame: 4 bytes of canvas and 4 of what a frame restores afterwards; 16 of an
///   interlaced PNG's sums; 6.4 of a progressive JPEG's coefficients (136 for a block of each of three components)
/// - for a pixel of all thumbnails together: 4 decoded, 4 turned or padded, 4 made smaller for a budget, and the file
/// - for a pixel of one thumbnail: what encoders keep of the frame they are at
fn thumbnail_bytes(image: &[u8], source: &SourceInfo, options: &Options) -> usize {
    const TABLES: usize = 3 << 20;
    const SIDE_PIXEL: usize = 256;
    const SOURCE_PIXEL: usize = 20;
    const FILM_PIXEL: usize = 20;
    const FRAME_PIXEL: usize = 200;
    // Attention chooses from at most eight boxes, rounded up.
    let boxes = if options.fit == Fit::Cover && options.gravity == Gravity::Attention { 9 } else { 1 };
    let side = source.width.max(source.height) as usize;
    let pixels = source.width as usize * source.height as usize;
    let shown = boxes * options.width as usize * options.height as usize;
    let film = shown * source.frames as usize;
    TABLES
        + blown_up_bytes(image, source.format)
        + SIDE_PIXEL * side
        + SOURCE_PIXEL * pixels
        + FILM_PIXEL * film
        + FRAME_PIXEL * shown
}

/// What a few bytes of a file can become apart from pixels.
fn blown_up_bytes(image: &[u8], format: SourceFormat) -> usize {
    match format {
        // The output of a dictionary that nothing clears: each code's string is longer by one. The buffer grows by copying.
        SourceFormat::Gif => 2 * (image.len() * image.len()).min(10 << 20) + image.len(),
        // A profile, which is not compressed, as numbers.
        SourceFormat::Jpeg => 16 * image.len(),
        // A profile of at most 8 MiB, deflated at best 1032 : 1; while it is inflated its buffer grows by copying.
        SourceFormat::Png => 3 * (1032 * image.len()).min(8 << 20),
        // Prefix codes of a lossless image, 19 bytes of which become 3 KB, to 32 MiB (`max_table_bytes`).
        SourceFormat::Webp => (200 * image.len()).min(32 << 20),
        // Their pictures are decoded elsewhere; ranges of the file for each box.
        SourceFormat::Heic | SourceFormat::Avif => 16 * image.len(),
    }
}

fn check_source(source: &SourceInfo, format: SourceFormat, limits: &Limits) {
    let SourceInfo { width, height, frames, orientation, .. } = *source;
    assert_eq!(source.format, format);
    assert!(width >= 1 && height >= 1 && frames >= 1 && (1..=8).contains(&orientation));
    assert!(width.max(height) <= limits.max_side);
    assert!(u64::from(width) * u64::from(height) <= limits.max_pixels);
}

fn check_thumbnail(made: &Thumbnail, source: &SourceInfo, options: &Options) {
    assert_eq!(made.source, *source);
    assert_eq!(made.format, options.format);
    let narrowed = made.concessions.iter().any(|concession| matches!(concession, Concession::Width(_)));
    if narrowed {
        assert!(options.max_bytes.is_some() && made.width <= options.width && made.height <= options.height);
        assert!((made.width, made.height) != (options.width, options.height));
    } else {
        assert_eq!((made.width, made.height), (options.width, options.height));
    }
    assert!(options.max_bytes.is_none_or(|most| made.data.len() as u64 <= most));
    assert!(options.max_output_frames.is_none_or(|most| made.frames <= most));
    assert!(made.frames >= 1 && made.frames <= source.frames);
    assert!(made.cost.frames >= made.frames && made.cost.frames <= source.frames);
    assert!((1..=25).contains(&made.placeholder.len()));
    for (index, warning) in made.warnings.iter().enumerate() {
        assert!(!made.warnings[..index].contains(warning));
    }
    let keeps = options.animated && options.format != OutputFormat::Jpeg;
    assert!(keeps || made.frames == 1);
    let is_said = [Warning::AnimationDropped, Warning::Truncated, Warning::Damaged]
        .iter()
        .any(|said| made.warnings.contains(said));
    assert!(made.frames > 1 || source.frames == 1 || is_said);
}

/// What we made is read by us, whole and as it was said to be.
fn check_again(made: &Thumbnail) {
    let all = Limits::default();
    let options = Options { width: made.width, height: made.height, fit: Fit::Fill, ..Options::default() };
    let again = thumbnail(&made.data, &options, &all).expect("a file we made is one we read");
    assert_eq!((again.source.width, again.source.height), (made.width, made.height));
    assert_eq!(again.source.frames, made.frames);
    assert!(again.warnings.is_empty(), "{:?}", again.warnings);
    assert!(matches!(
        (made.format, again.source.format),
        (OutputFormat::Png, SourceFormat::Png)
            | (OutputFormat::Jpeg, SourceFormat::Jpeg)
            | (OutputFormat::Webp, SourceFormat::Webp)
            | (OutputFormat::Gif, SourceFormat::Gif)
    ));
}
