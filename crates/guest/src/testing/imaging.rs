//! Imaging that answers what it was told to.

use std::time::Duration;

use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;

use crate::clock::Clock;
use crate::imaging::{Encoded, Header, Imaging, ImagingError, Intake, Made, Probing, SourceInfo};

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
    fn header<'a>(&'a self, _: &ImageLimits) -> Box<dyn Header + 'a> {
        Box::new(Scripted { source: self.0.clone(), image: Vec::new() })
    }

    fn check(&self, _: &SourceInfo, _: &Options, _: &ImageLimits) -> Result<(), ImagingError> {
        self.0.clone().map(drop)
    }
}

impl Imaging for ScriptedImaging {
    fn intake<'a>(&'a self, _: Option<u64>, _: &ImageLimits) -> Box<dyn Intake + 'a> {
        Box::new(Scripted { source: self.0.clone(), image: Vec::new() })
    }
}

struct Scripted {
    source: Result<SourceInfo, ImagingError>,
    image: Vec<u8>,
}

impl Header for Scripted {
    fn feed(&mut self, piece: &[u8]) -> Result<Option<SourceFormat>, ImagingError> {
        self.image.extend_from_slice(piece);
        self.source.clone().map(|source| Some(source.format))
    }

    fn source(&mut self) -> Result<SourceInfo, ImagingError> {
        self.source.clone()
    }
}

impl Intake for Scripted {
    fn feed(&mut self, piece: &[u8]) -> Result<(), ImagingError> {
        self.image.extend_from_slice(piece);
        Ok(())
    }

    /// The thumbnail's bytes are those of the image, reversed; of a variant its name comes behind, of WebP that. Each step takes a second more
    /// than the one before.
    fn thumbnails(
        self: Box<Self>,
        options: &Options,
        _: bool,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError> {
        let source = self.source?;
        clock.sleep(Duration::from_secs(6));
        let outputs = options.outputs().into_iter().map(|(name, options)| {
            let name = name.map(|name| name.as_str().as_bytes()).unwrap_or_default();
            let data: Vec<u8> = self.image.iter().rev().chain(name).copied().collect();
            let of = |data, format| Encoded {
                data,
                format,
                width: options.width,
                height: options.height,
                frames: 1,
                placeholder: "cGxhY2Vob2xkZXI=".to_owned(),
                warnings: vec![],
                concessions: vec![],
                webp: None,
            };
            match options.format.one() {
                Some(format) => of(data, format),
                None => {
                    let webp = of([&data[..], b" as WebP"].concat(), OutputFormat::Webp);
                    Encoded { webp: Some(Box::new(webp)), ..of(data, OutputFormat::Jpeg) }
                }
            }
        });
        Ok(Made {
            outputs: outputs.collect(),
            peak_memory_bytes: 1_000_000,
            source_pixels: u64::from(source.width) * u64::from(source.height),
            source_frames: source.frames,
            decode: Duration::from_secs(1),
            finish: Duration::from_secs(2),
            encode: Duration::from_secs(3),
        })
    }
}
