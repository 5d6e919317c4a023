//! The components of images as the service runs them: on its engine, with fresh instances for every image.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use thumbs::{
    engine::{self, PoolSize},
    limits::Limits as ServiceLimits,
};
use thumbs_imaging::options::OutputFormat as Output;
use wasmtime::{
    Engine, Store,
    component::{Component, Linker, ResourceAny},
};

mod bindings {
    wasmtime::component::bindgen!({ path: "../wit/imaging", world: "imaging" });

    /// One module each, for their names are the same.
    pub(super) mod heic {
        wasmtime::component::bindgen!({ path: "../wit/heic", world: "heic" });
    }
    pub(super) mod avif {
        wasmtime::component::bindgen!({ path: "../wit/avif", world: "avif" });
    }
}

use bindings::{
    Imaging, ImagingPre,
    avif::{AvifPre, exports::thumbs::avif::decoder as avif},
    exports::thumbs::imaging::thumbnailer::{
        Chroma, Fit, Gravity, GuestTask, Keep, Limits, Options, OutputFormat, Piece, Rows, Shape,
        SourceFormat,
    },
    heic::{HeicPre, exports::thumbs::heic::decoder as heic},
};

/// Components at work on one image at most: imaging, and a decoder beside it.
const INSTANCES: u32 = 2;

/// Rows of luma that travel at a time, as in the service.
const ROWS: u32 = 64;

/// The compiled components.
pub(crate) struct Sandbox {
    engine: Engine,
    imaging: ImagingPre<()>,
    heic: HeicPre<()>,
    avif: AvifPre<()>,
}

impl Sandbox {
    pub(crate) fn load() -> Result<Self> {
        let target = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")).canonicalize()?;
        let engine = engine::compile_cache(&target.join("bench-cache"))
            .and_then(|cache| engine::engine(&ServiceLimits::default(), PoolSize::of(INSTANCES), cache))
            .map_err(anyhow_of)?;
        let component = |name: &str| {
            let path = target.join(format!("wasm32-unknown-unknown/component/thumbs_{name}.wasm"));
            let wasm = std::fs::read(&path)
                .with_context(|| format!("{} is missing: run `make components`", path.display()))?;
            let component = Component::new(&engine, wasm).map_err(anyhow_of)?;
            Linker::new(&engine).instantiate_pre(&component).map_err(anyhow_of)
        };
        Ok(Self {
            imaging: ImagingPre::new(component("imaging")?).map_err(anyhow_of)?,
            heic: HeicPre::new(component("heic")?).map_err(anyhow_of)?,
            avif: AvifPre::new(component("avif")?).map_err(anyhow_of)?,
            engine,
        })
    }

    fn instance(&self) -> Result<(Store<()>, Imaging)> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let imaging = self.imaging.instantiate(&mut store).map_err(anyhow_of)?;
        Ok((store, imaging))
    }

    /// Makes one thumbnail of what imaging decodes alone, and gives the peak of the component's linear memory in bytes.
    pub(crate) fn thumbnail(&self, image: &[u8], output: Output) -> Result<u64> {
        let (mut store, imaging) = self.instance()?;
        let thumbnail = imaging
            .thumbs_imaging_thumbnailer()
            .call_make(&mut store, image, options(100, output), LIMITS)
            .map_err(anyhow_of)?
            .map_err(anyhow_of)?;
        Ok(thumbnail.cost.peak_memory_bytes)
    }

    /// Makes a thumbnail of each of these sides in one task, as a worker does, of any kind of image, and gives the peak of imaging's linear memory.
    pub(crate) fn thumbnails(&self, image: &[u8], output: Output, sides: &[u32]) -> Result<u64> {
        let (mut store, imaging) = self.instance()?;
        let imaging = imaging.thumbs_imaging_thumbnailer();
        let (intakes, tasks) = (imaging.intake(), imaging.task());
        let size = Some(image.len() as u64);
        let intake = intakes.call_constructor(&mut store, Keep::Image, size, LIMITS).map_err(anyhow_of)?;
        let mut words = vec![0_u64; image.len().div_ceil(8)];
        for (word, bytes) in words.iter_mut().zip(image.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(whole);
        }
        let piece = Piece { words, size_bytes: u32::try_from(image.len())? };
        intakes.call_feed(&mut store, intake, &piece).map_err(anyhow_of)?.map_err(anyhow_of)?;
        let outputs: Vec<_> = sides.iter().map(|side| options(*side, output)).collect();
        let task =
            intakes.call_thumbnails(&mut store, intake, &outputs).map_err(anyhow_of)?.map_err(anyhow_of)?;
        match tasks.call_format(&mut store, task).map_err(anyhow_of)? {
            SourceFormat::Heic => {
                let decoder = self.heic.instantiate(&mut store).map_err(anyhow_of)?;
                decode_heic(&mut store, &tasks, task, &decoder.thumbs_heic_decoder().picture())?;
            }
            SourceFormat::Avif => {
                let decoder = self.avif.instantiate(&mut store).map_err(anyhow_of)?;
                decode_avif(&mut store, &tasks, task, &decoder.thumbs_avif_decoder().picture())?;
            }
            _ => {}
        }
        tasks.call_decode(&mut store, task).map_err(anyhow_of)?.map_err(anyhow_of)?;
        tasks.call_finish(&mut store, task).map_err(anyhow_of)?.map_err(anyhow_of)?;
        let mut peak_memory_bytes = 0;
        for output in 0..u32::try_from(sides.len())? {
            let made = tasks.call_encode(&mut store, task, output).map_err(anyhow_of)?.map_err(anyhow_of)?;
            peak_memory_bytes = made.cost.peak_memory_bytes;
        }
        Ok(peak_memory_bytes)
    }
}

/// Carries the parts of an image to their decoder and their rows back, as the service's worker does. A function for each decoder: their
/// interfaces are equal but for their names, and so have types of their own.
macro_rules! decode_with {
    ($name:ident, $decoder:ident) => {
        fn $name(
            store: &mut Store<()>,
            tasks: &GuestTask<'_>,
            task: ResourceAny,
            pictures: &$decoder::GuestPicture<'_>,
        ) -> Result<()> {
            while let Some(part) =
                tasks.call_next_part(&mut *store, task).map_err(anyhow_of)?.map_err(anyhow_of)?
            {
                let picture = pictures
                    .call_decode(&mut *store, &part.configuration, &part.data, part.max_pixels)
                    .map_err(anyhow_of)?
                    .map_err(anyhow_of)?;
                let shape = pictures.call_shape(&mut *store, picture).map_err(anyhow_of)?;
                let height = shape.height;
                let shape = Shape {
                    width: shape.width,
                    height,
                    bit_depth: shape.bit_depth,
                    chroma: match shape.chroma {
                        $decoder::Chroma::Monochrome => Chroma::Monochrome,
                        $decoder::Chroma::HalvedBothWays => Chroma::HalvedBothWays,
                        $decoder::Chroma::HalvedAcross => Chroma::HalvedAcross,
                        $decoder::Chroma::Full => Chroma::Full,
                    },
                    primaries: shape.primaries,
                    transfer: shape.transfer,
                    matrix: shape.matrix,
                    full_range: shape.full_range,
                };
                tasks.call_begin_part(&mut *store, task, shape).map_err(anyhow_of)?.map_err(anyhow_of)?;
                for first in (0..height).step_by(ROWS as usize) {
                    let rows = pictures.call_rows(&mut *store, picture, first, ROWS).map_err(anyhow_of)?;
                    let [luma, cb, cr] = [rows.luma, rows.cb, rows.cr]
                        .map(|plane| Piece { words: plane.words, size_bytes: plane.size_bytes });
                    let rows = Rows { luma, cb, cr };
                    tasks.call_take_rows(&mut *store, task, &rows).map_err(anyhow_of)?.map_err(anyhow_of)?;
                }
                picture.resource_drop(&mut *store).map_err(anyhow_of)?;
            }
            Ok(())
        }
    };
}

decode_with!(decode_heic, heic);
decode_with!(decode_avif, avif);

fn anyhow_of(error: impl std::fmt::Debug) -> anyhow::Error {
    anyhow!("{error:?}")
}

const LIMITS: Limits = Limits {
    max_pixels: 200_000_000,
    max_side: 16_384,
    max_frames: 200,
    max_total_pixels: 200_000_000,
    max_output_side: 2048,
    max_output_pixels: 100_000_000,
};

/// A square that covers the box.
fn options(side: u32, output: Output) -> Options {
    let format = match output {
        Output::Png => OutputFormat::Png,
        Output::Jpeg => OutputFormat::Jpeg,
        Output::Webp => OutputFormat::Webp,
        Output::Gif => OutputFormat::Gif,
    };
    Options {
        width: side,
        height: side,
        fit: Fit::Cover,
        format,
        gravity: Gravity::Center,
        animated: true,
        background: None,
        quality: None,
        lossless: false,
        max_bytes: None,
        max_output_frames: None,
    }
}
