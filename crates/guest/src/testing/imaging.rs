//! Imaging that answers what it was told to.

use std::time::Duration;

use thumbs_domain::format::SourceFormat;
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;

use crate::clock::Clock;
use crate::imaging::{Imaging, ImagingError, Made, Probing, SourceInfo};

/// Takes every image for the same one, or for a bad one.
#[derive(Clone, Debug)]
pub struct ScriptedImaging(pub Result<SourceInfo, ImagingError>);

impl ScriptedImaging {
    /// Every image is a JPEG of 40 x 30.
    pub fn jpeg() -> Self {
        Self(Ok(SourceInfo {
            format: SourceFormat::Jpeg,
            width: 40,
            height: 30,
            frames: 1,
            orientation: 1,
            has_alpha: false,
            hidden_pixels: 0,
        }))
    }
}

impl Probing for ScriptedImaging {
    fn probe(&self, _: &[u8], _: &ImageLimits) -> Result<SourceInfo, ImagingError> {
        self.0.clone()
    }

    fn check(&self, _: &SourceInfo, _: &Options, _: &ImageLimits) -> Result<(), ImagingError> {
        self.0.clone().map(drop)
    }
}

impl Imaging for ScriptedImaging {
    /// The thumbnail's bytes are those of the image, reversed; each step takes a second more than the one before.
    fn thumbnail(
        &self,
        image: &[u8],
        options: &Options,
        _: &ImageLimits,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError> {
        let source = self.0.clone()?;
        clock.sleep(Duration::from_secs(6));
        Ok(Made {
            data: image.iter().rev().copied().collect(),
            format: options.format,
            width: options.width,
            height: options.height,
            frames: 1,
            placeholder: "cGxhY2Vob2xkZXI=".to_owned(),
            warnings: vec![],
            concessions: vec![],
            peak_memory_bytes: 1_000_000,
            source_pixels: u64::from(source.width) * u64::from(source.height),
            source_frames: source.frames,
            decode: Duration::from_secs(1),
            finish: Duration::from_secs(2),
            encode: Duration::from_secs(3),
        })
    }
}
