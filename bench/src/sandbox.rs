//! The imaging component as the service runs it: on its engine, with a fresh instance for every image.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use thumbs::{
    engine::{self, PoolSize},
    limits::Limits as ServiceLimits,
};
use thumbs_imaging::options::OutputFormat as Output;
use wasmtime::{
    Engine, Store,
    component::{Component, Linker},
};

mod bindings {
    wasmtime::component::bindgen!({ path: "../wit/imaging", world: "imaging" });
}

use bindings::{
    ImagingPre,
    exports::thumbs::imaging::thumbnailer::{Fit, Gravity, Keep, Limits, Options, OutputFormat, Piece},
};

/// The compiled component.
pub(crate) struct Sandbox {
    engine: Engine,
    component: ImagingPre<()>,
}

impl Sandbox {
    pub(crate) fn load() -> Result<Self> {
        let target = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")).canonicalize()?;
        let path = target.join("wasm32-unknown-unknown/component/thumbs_imaging.wasm");
        let engine = engine::compile_cache(&target.join("bench-cache"))
            .and_then(|cache| engine::engine(&ServiceLimits::default(), PoolSize::of(1), cache))
            .map_err(|error| anyhow!("{error:?}"))?;
        let wasm = std::fs::read(&path)
            .with_context(|| format!("{} is missing: run `make components`", path.display()))?;
        let component = Component::new(&engine, wasm).map_err(|error| anyhow!("{error:?}"))?;
        let pre = Linker::new(&engine).instantiate_pre(&component).map_err(|error| anyhow!("{error:?}"))?;
        let component = ImagingPre::new(pre).map_err(|error| anyhow!("{error:?}"))?;
        Ok(Self { engine, component })
    }

    /// Makes one thumbnail and gives the peak of the component's linear memory in bytes.
    pub(crate) fn thumbnail(&self, image: &[u8], output: Output) -> Result<u64> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.component.instantiate(&mut store).map_err(|error| anyhow!("{error:?}"))?;
        let format = match output {
            Output::Png => OutputFormat::Png,
            Output::Jpeg => OutputFormat::Jpeg,
            Output::Webp => OutputFormat::Webp,
            Output::Gif => OutputFormat::Gif,
        };
        let options = options(100, format);
        let thumbnail = instance
            .thumbs_imaging_thumbnailer()
            .call_make(&mut store, image, options, LIMITS)
            .map_err(|error| anyhow!("{error:?}"))?
            .map_err(|error| anyhow!("{error:?}"))?;
        Ok(thumbnail.cost.peak_memory_bytes)
    }

    /// Makes a PNG of each of these sides in one task, as a worker does.
    pub(crate) fn thumbnails(&self, image: &[u8], sides: &[u32]) -> Result<()> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.component.instantiate(&mut store).map_err(|error| anyhow!("{error:?}"))?;
        let imaging = instance.thumbs_imaging_thumbnailer();
        let mut make =
            || -> wasmtime::Result<Result<(), bindings::exports::thumbs::imaging::thumbnailer::Error>> {
                let size = Some(image.len() as u64);
                let intake = imaging.intake().call_constructor(&mut store, Keep::Image, size, LIMITS)?;
                let mut words = vec![0_u64; image.len().div_ceil(8)];
                for (word, bytes) in words.iter_mut().zip(image.chunks(8)) {
                    let mut whole = [0; 8];
                    whole[..bytes.len()].copy_from_slice(bytes);
                    *word = u64::from_le_bytes(whole);
                }
                let piece = Piece { words, size_bytes: u32::try_from(image.len()).unwrap_or(u32::MAX) };
                let outputs: Vec<_> = sides.iter().map(|side| options(*side, OutputFormat::Png)).collect();
                let (intake_of, task_of) = (imaging.intake(), imaging.task());
                if let Err(error) = intake_of.call_feed(&mut store, intake, &piece)? {
                    return Ok(Err(error));
                }
                let task = match intake_of.call_thumbnails(&mut store, intake, &outputs)? {
                    Ok(task) => task,
                    Err(error) => return Ok(Err(error)),
                };
                for step in [task_of.call_decode(&mut store, task)?, task_of.call_finish(&mut store, task)?] {
                    if step.is_err() {
                        return Ok(step);
                    }
                }
                for output in 0..u32::try_from(outputs.len()).unwrap_or(u32::MAX) {
                    if let Err(error) = task_of.call_encode(&mut store, task, output)? {
                        return Ok(Err(error));
                    }
                }
                Ok(Ok(()))
            };
        make().map_err(|error| anyhow!("{error:?}"))?.map_err(|error| anyhow!("{error:?}"))
    }
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
fn options(side: u32, format: OutputFormat) -> Options {
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
