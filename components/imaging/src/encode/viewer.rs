//! For tests: what a viewer shows of a file, frame by frame, by the decoders of the codec crates and the composition rules of
//! each format.

use std::io::Cursor;

use crate::options::OutputFormat;
use crate::raster::{Frame, Loops, Raster};

/// All frames as shown, and how often they are played.
pub(super) struct Playback {
    pub(super) frames: Vec<Frame>,
    pub(super) loops: Loops,
}

pub(super) fn view(data: &[u8], format: OutputFormat) -> Playback {
    match format {
        OutputFormat::Png => view_png(data),
        OutputFormat::Jpeg => unreachable!("no decoder among the dependencies"),
        OutputFormat::Webp => view_webp(data),
        OutputFormat::Gif => view_gif(data),
    }
}

fn plays(count: u32) -> Loops {
    if count == 0 { Loops::Forever } else { Loops::Times(u16::try_from(count).unwrap()) }
}

fn view_png(data: &[u8]) -> Playback {
    let mut decoder = ::png::Decoder::new(Cursor::new(data));
    decoder.set_transformations(::png::Transformations::EXPAND | ::png::Transformations::ALPHA);
    let mut reader = decoder.read_info().unwrap();
    let (width, height) = (reader.info().width, reader.info().height);
    let animation = reader.info().animation_control;
    let mut canvas = vec![0u8; (width * height * 4) as usize];
    let mut buffer = vec![0u8; reader.output_buffer_size().unwrap()];
    let mut frames = Vec::new();
    for _ in 0..animation.map_or(1, |animation| animation.num_frames) {
        let info = reader.next_frame(&mut buffer).unwrap();
        let control = reader.info().frame_control;
        let (left, top) = control.map_or((0, 0), |control| (control.x_offset, control.y_offset));
        let over = control.is_some_and(|control| control.blend_op == ::png::BlendOp::Over);
        let step = info.color_type.samples();
        for (index, pixel) in buffer[..info.buffer_size()].chunks_exact(step).enumerate() {
            let rgba = match *pixel {
                [grey, alpha] => [grey, grey, grey, alpha],
                [red, green, blue, alpha] => [red, green, blue, alpha],
                _ => unreachable!("alpha was asked for"),
            };
            let (x, y) = (left + index as u32 % info.width, top + index as u32 / info.width);
            let place = ((y * width + x) * 4) as usize;
            assert!(!over || rgba[3] == 0 || rgba[3] == 255, "blending would mix");
            if !(over && rgba[3] == 0) {
                canvas[place..place + 4].copy_from_slice(&rgba);
            }
        }
        let delay_ms = control
            .map_or(0, |control| u32::from(control.delay_num) * 1000 / u32::from(control.delay_den.max(1)));
        frames.push(Frame { raster: Raster::new(width, height, canvas.clone()).unwrap(), delay_ms });
    }
    Playback { frames, loops: plays(animation.map_or(0, |animation| animation.num_plays)) }
}

fn view_webp(data: &[u8]) -> Playback {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(data)).unwrap();
    let (width, height) = decoder.dimensions();
    let step = if decoder.has_alpha() { 4 } else { 3 };
    let mut buffer = vec![0u8; decoder.output_buffer_size().unwrap()];
    let raster = |buffer: &[u8]| {
        let rgba = buffer
            .chunks_exact(step)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], pixel.get(3).copied().unwrap_or(255)]);
        Raster::new(width, height, rgba.collect()).unwrap()
    };
    let loops = match decoder.loop_count() {
        image_webp::LoopCount::Forever => Loops::Forever,
        image_webp::LoopCount::Times(plays) => Loops::Times(plays.get()),
    };
    let mut frames = Vec::new();
    if decoder.is_animated() {
        for _ in 0..decoder.num_frames() {
            let delay_ms = decoder.read_frame(&mut buffer).unwrap();
            frames.push(Frame { raster: raster(&buffer), delay_ms });
        }
    } else {
        decoder.read_image(&mut buffer).unwrap();
        frames.push(Frame { raster: raster(&buffer), delay_ms: 0 });
    }
    Playback { frames, loops }
}

fn view_gif(data: &[u8]) -> Playback {
    let mut options = ::gif::DecodeOptions::new();
    options.set_color_output(::gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(Cursor::new(data)).unwrap();
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    let mut canvas = vec![0u8; (width * height * 4) as usize];
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let places = |frame: &::gif::Frame<'_>| -> Vec<usize> {
            let (left, top) = (u32::from(frame.left), u32::from(frame.top));
            let (across, down) = (u32::from(frame.width), u32::from(frame.height));
            let place = move |x: u32, y: u32| (((top + y) * width + left + x) * 4) as usize;
            (0..down).flat_map(|y| (0..across).map(move |x| place(x, y))).collect()
        };
        for (place, pixel) in places(frame).into_iter().zip(frame.buffer.chunks_exact(4)) {
            if pixel[3] > 0 {
                canvas[place..place + 4].copy_from_slice(pixel);
            }
        }
        let raster = Raster::new(width, height, canvas.clone()).unwrap();
        frames.push(Frame { raster, delay_ms: u32::from(frame.delay) * 10 });
        if frame.dispose == ::gif::DisposalMethod::Background {
            for place in places(frame) {
                canvas[place..place + 4].fill(0);
            }
        }
    }
    let loops = match decoder.repeat() {
        ::gif::Repeat::Infinite => Loops::Forever,
        ::gif::Repeat::Finite(repeats) => Loops::Times(repeats + 1),
    };
    Playback { frames, loops }
}
