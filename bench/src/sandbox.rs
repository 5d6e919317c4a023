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
    exports::thumbs::imaging::thumbnailer::{Fit, Gravity, Limits, Options, OutputFormat},
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
        let options = Options {
            width: 100,
            height: 100,
            fit: Fit::Cover,
            format: match output {
                Output::Png => OutputFormat::Png,
                Output::Jpeg => OutputFormat::Jpeg,
                Output::Webp => OutputFormat::Webp,
                Output::Gif => OutputFormat::Gif,
            },
            gravity: Gravity::Center,
            animated: true,
            background: None,
            quality: None,
            lossless: false,
            max_bytes: None,
            max_output_frames: None,
        };
        let limits = Limits {
            max_pixels: 200_000_000,
            max_side: 16_384,
            max_frames: 200,
            max_total_pixels: 200_000_000,
            max_output_side: 2048,
            max_output_pixels: 100_000_000,
        };
        let thumbnail = instance
            .thumbs_imaging_thumbnailer()
            .call_make(&mut store, image, options, limits)
            .map_err(|error| anyhow!("{error:?}"))?
            .map_err(|error| anyhow!("{error:?}"))?;
        Ok(thumbnail.cost.peak_memory_bytes)
    }
}
