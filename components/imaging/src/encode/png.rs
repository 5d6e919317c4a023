//! PNG, and APNG for clips of more than one frame (PNG specification, third edition). Only what loses nothing is done
//! unasked: colour types that hold the same pixels in fewer bytes. Fewer colours come in as a [`Palette`].

use png::{BitDepth, BlendOp, ColorType, DeflateCompression, DisposeOp, Filter, chunk};
use thumbs_png::image_data;

use crate::raster::Loops;

use super::Settings;
use super::census::{Census, visible};
use super::clip::{Clip, pixels};
use super::delta::{Area, Patch, patch};
use super::dither::{Dither, Mapper};
use super::palette::Palette;
use super::quantise::{self, Alpha};
use super::sink::{Failure, Sink};

/// How a pixel is stored.
enum Layout {
    Grey,
    Rgb,
    Rgba,
    /// With the way to hide what the palette lacks: nothing, if it holds every colour.
    Indexed(Palette, Dither),
}

/// How rows become a stream.
#[derive(Clone, Copy)]
enum Deflating {
    /// By code of our own, for filtered stills: more time for fewer bytes (docs/decisions/0053).
    Small,
    /// By the encoder of the crate `png`. Measured on thumbnails: for photographs fdeflate with adaptive filters takes 1/20 of
    /// the time of zlib's level 6 for 5 % more bytes; where runs repeat it misses them (up to 7 times the bytes). Filters hurt whatever is drawn,
    /// palettes above all: what repeats no longer does once its neighbours are taken off. At 100 and 128 pixels a drawing of more than 256 colours takes 1.05 times
    /// the bytes of `oxipng -o4` at level 6 without filters, 1.2 (soft edges: 1.4) at level 3 with them.
    Quick(Filter, DeflateCompression),
}

/// Samples up to which a still gets the smaller stream where it is filtered: a thumbnail of 256x256 pixels and four channels.
const MAX_SMALL_SAMPLES: usize = 1 << 18;

/// # Errors
/// See [`Failure`].
pub(crate) fn write(clip: &Clip<'_>, settings: &Settings, sink: Sink) -> Result<Vec<u8>, Failure> {
    let adaptive = |deflate| Deflating::Quick(Filter::Adaptive, deflate);
    let plain = |level| Deflating::Quick(Filter::NoFilter, DeflateCompression::Level(level));
    if let Some(colours) = settings.colours {
        let palette = quantise::palette(clip, usize::from(colours), Alpha::Full);
        let dither = if clip.is_animated() { Dither::Ordered } else { Dither::Diffused };
        return attempt(clip, &Layout::Indexed(palette, dither), plain(9), sink);
    }
    let census = Census::of(clip);
    let truecolour = match (census.opaque, census.grey) {
        (true, true) => Layout::Grey,
        (true, false) => Layout::Rgb,
        (false, _) => Layout::Rgba,
    };
    let samples = clip.width() as usize * clip.height() as usize * truecolour.header().0.samples();
    let filtered = if !clip.is_animated() && samples <= MAX_SMALL_SAMPLES {
        Deflating::Small
    } else if settings.thorough {
        adaptive(DeflateCompression::Level(9))
    } else if census.flat {
        adaptive(DeflateCompression::Level(3))
    } else {
        adaptive(DeflateCompression::FdeflateUltraFast)
    };
    // Which of two is smaller can't be told from the pixels; few colours, and what is drawn, also make both quick.
    let other = if let Some(colours) = census.colours {
        let palette = Layout::Indexed(Palette::new(colours), Dither::None);
        attempt(clip, &palette, plain(if settings.thorough { 9 } else { 5 }), sink.clone_empty())
    } else if census.flat {
        attempt(clip, &truecolour, plain(if settings.thorough { 9 } else { 6 }), sink.clone_empty())
    } else {
        return attempt(clip, &truecolour, filtered, sink);
    };
    let filtered = attempt(clip, &truecolour, filtered, sink);
    match (other, filtered) {
        (Ok(other), Ok(filtered)) => Ok(if other.len() <= filtered.len() { other } else { filtered }),
        (Ok(only), Err(_)) | (Err(_), Ok(only)) => Ok(only),
        (Err(failure), Err(_)) => Err(failure),
    }
}

fn attempt(
    clip: &Clip<'_>,
    layout: &Layout,
    deflating: Deflating,
    mut sink: Sink,
) -> Result<Vec<u8>, Failure> {
    let written = write_frames(clip, layout, deflating, &mut sink);
    match written {
        Ok(()) => sink.finish(),
        Err(_) => Err(sink.blame()),
    }
}

fn write_frames(
    clip: &Clip<'_>,
    layout: &Layout,
    deflating: Deflating,
    sink: &mut Sink,
) -> Result<(), png::EncodingError> {
    let (width, height) = (clip.width(), clip.height());
    let mut encoder = png::Encoder::new(sink, width, height);
    if let Deflating::Quick(filter, deflate) = deflating {
        encoder.set_filter(filter);
        encoder.set_deflate_compression(deflate);
    }
    let (colour, depth) = layout.header();
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if let Layout::Indexed(palette, _) = layout {
        encoder.set_palette(palette.rgb());
        if let Some(alpha) = palette.leading_alpha() {
            encoder.set_trns(alpha);
        }
    }
    if clip.is_animated() {
        let plays = match clip.loops() {
            Loops::Forever => 0,
            Loops::Times(plays) => u32::from(plays),
        };
        encoder.set_animated(u32::try_from(clip.len()).unwrap_or(u32::MAX), plays)?;
    }
    let mut writer = encoder.write_header()?;
    let mut mapper = match layout {
        Layout::Indexed(palette, dither) => Some(Mapper::new(palette, *dither)),
        Layout::Grey | Layout::Rgb | Layout::Rgba => None,
    };
    let mut shown: Vec<[u8; 4]> = Vec::new();
    for shot in clip.shots() {
        let source = pixels(&shot.raster);
        let next = match &mut mapper {
            Some(mapper) => mapper.colours(source, width),
            None => source.iter().copied().map(visible).collect(),
        };
        let patch = if shown.is_empty() {
            Patch { area: Area::whole(width, height), pixels: next.clone(), blend: false }
        } else {
            patch(&shown, &next, width, false, layout.has_transparent())
        };
        if clip.is_animated() {
            let (numerator, denominator) = delay(shot.delay_ms);
            writer.reset_frame_position()?;
            writer.set_frame_dimension(patch.area.width, patch.area.height)?;
            writer.set_frame_position(patch.area.left, patch.area.top)?;
            writer.set_frame_delay(numerator, denominator)?;
            writer.set_dispose_op(DisposeOp::None)?;
            writer.set_blend_op(if patch.blend { BlendOp::Over } else { BlendOp::Source })?;
        }
        let rows = layout.pack(&patch.pixels, patch.area.width, depth);
        match deflating {
            Deflating::Small => {
                let (row_bytes, step) = (rows.len() / height as usize, colour.samples());
                writer.write_chunk(chunk::IDAT, &image_data(&rows, row_bytes, step))?;
            }
            Deflating::Quick(..) => writer.write_image_data(&rows)?,
        }
        shown = next;
    }
    writer.finish()
}

impl Layout {
    fn header(&self) -> (ColorType, BitDepth) {
        match self {
            Self::Grey => (ColorType::Grayscale, BitDepth::Eight),
            Self::Rgb => (ColorType::Rgb, BitDepth::Eight),
            Self::Rgba => (ColorType::Rgba, BitDepth::Eight),
            Self::Indexed(palette, _) => (
                ColorType::Indexed,
                match palette.colours().len() {
                    0..=2 => BitDepth::One,
                    3..=4 => BitDepth::Two,
                    5..=16 => BitDepth::Four,
                    _ => BitDepth::Eight,
                },
            ),
        }
    }

    /// Whether a pixel can be left out of a blended frame.
    fn has_transparent(&self) -> bool {
        match self {
            Self::Grey | Self::Rgb => false,
            Self::Rgba => true,
            Self::Indexed(palette, _) => palette.transparent().is_some(),
        }
    }

    /// The rows of `pixels` as bytes, before filtering.
    fn pack(&self, pixels: &[[u8; 4]], width: u32, depth: BitDepth) -> Vec<u8> {
        match self {
            Self::Grey => pixels.iter().map(|pixel| pixel[0]).collect(),
            Self::Rgb => pixels.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
            Self::Rgba => pixels.as_flattened().to_vec(),
            Self::Indexed(palette, _) => {
                let indices = Mapper::new(palette, Dither::None).indices(pixels, width);
                pack_bits(&indices, width as usize, depth)
            }
        }
    }
}

/// Indices of `depth` bits, each row filled up to whole bytes, the leftmost pixel in the high bits.
fn pack_bits(indices: &[u8], width: usize, depth: BitDepth) -> Vec<u8> {
    let bits = depth as usize;
    let per_byte = 8 / bits.clamp(1, 8);
    if per_byte == 1 {
        return indices.to_vec();
    }
    indices
        .chunks(width.max(1))
        .flat_map(|row| row.chunks(per_byte))
        .map(|group| {
            group.iter().zip(1..).fold(0u8, |byte, (&index, place)| byte | (index << (8 - bits * place)))
        })
        .collect()
}

/// Seconds as the fraction of two 16-bit numbers that fcTL stores: exact to the millisecond up to 65 s, to the
/// centisecond up to 10 minutes, to the second beyond.
fn delay(delay_ms: u32) -> (u16, u16) {
    [1000u16, 100, 1]
        .into_iter()
        .find_map(|per_second| {
            let unit_ms = 1000 / u32::from(per_second);
            let units = delay_ms.saturating_add(unit_ms / 2) / unit_ms;
            u16::try_from(units).ok().map(|units| (units, per_second))
        })
        .unwrap_or((u16::MAX, 1))
}
