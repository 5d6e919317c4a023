//! The public face: reads the header, checks the limits, and chooses the way through the file.

use crate::coefficients::Coefficients;
use crate::colour::Conversion;
use crate::error::{Error, Limit};
use crate::frame::{ColourModel, Component, Process};
use crate::header::Header;
use crate::image::{Band, Image, Outcome, PixelFormat};
use crate::limits::Limits;
use crate::markers::{Markers, code};
use crate::output::Output;
use crate::plane::Plane;
use crate::profile::IccProfile;
use crate::progressive;
use crate::scale::Scale;
use crate::scan::Scan;
use crate::sequential::{self, Report};
use crate::shape::Shape;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// In pixels at full scale, 1 to 65,535.
    pub width: u32,
    /// In pixels at full scale, 1 to 65,535.
    pub height: u32,
    /// 1, 3 or 4.
    pub components: u8,
    /// How the file codes colour; [`Info::format`] is what comes out.
    pub colour: ColourModel,
    /// Of decoded pictures.
    pub format: PixelFormat,
    /// Several scans of growing precision, instead of one.
    pub progressive: bool,
    /// MCUs between restart markers, 0 for none.
    pub restart_interval: u32,
}

/// A JPEG file whose header has been read. Nothing has been allocated in proportion to the picture.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    data: &'a [u8],
    header: Header<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads everything before the first scan.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what another decoder may do; [`Error::Malformed`] where there is no picture.
    pub fn new(data: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { data, header: Header::parse(data)? })
    }

    /// What the header says.
    #[must_use]
    pub fn info(&self) -> Info {
        let frame = &self.header.frame;
        Info {
            width: frame.width,
            height: frame.height,
            components: frame.components.len() as u8,
            colour: self.header.colour,
            format: self.conversion().format(),
            progressive: frame.process == Process::Progressive,
            restart_interval: self.header.tables.restart_interval,
        }
    }

    /// The first EXIF segment, from its TIFF header on.
    #[must_use]
    pub const fn exif(&self) -> Option<&'a [u8]> {
        self.header.exif
    }

    /// The file ends before its end marker does. Its pixels may be complete all the same.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let scans = self.data.get(self.header.scans_at..).unwrap_or_default();
        !scans.windows(2).rev().any(|pair| pair == [0xff, code::EOI])
    }

    /// The first XMP segment, as XML.
    #[must_use]
    pub const fn xmp(&self) -> Option<&'a [u8]> {
        self.header.xmp
    }

    /// The ICC profile, as its segments hold it.
    #[must_use]
    pub fn icc_profile(&self) -> IccProfile<'a> {
        self.header.profile.profile()
    }

    /// Decodes the whole picture.
    ///
    /// # Errors
    /// As [`Decoder::decode_bands`]; the result counts towards [`Limits::max_alloc_bytes`].
    pub fn decode(&self, scale: Scale, limits: &Limits) -> Result<Image, Error> {
        let info = self.info();
        limits.check_size(info.width, info.height)?;
        let (width, height) = (scale.reduced(info.width), scale.reduced(info.height));
        let bytes = u64::from(width) * u64::from(height) * info.format.channels() as u64;
        limits.check_alloc(bytes)?;
        let rest = Limits { max_alloc_bytes: limits.max_alloc_bytes - bytes, ..*limits };
        let mut pixels = Vec::new();
        let outcome = self.decode_bands(scale, &rest, &mut |band| {
            // Allocated once the first band is there, when the file has shown to be decodable.
            pixels.reserve_exact((bytes as usize).saturating_sub(pixels.len()));
            pixels.extend_from_slice(band.pixels);
        })?;
        Ok(Image { width, height, format: info.format, pixels, outcome })
    }

    /// Decodes the picture and hands all its rows, in order, to `sink`.
    ///
    /// A baseline file needs memory for some rows only. A progressive one needs its coefficients until the last scan: 2 bytes a
    /// block of luma and at most 16 of chroma at 1/8, at most 136 at larger scales. One with a scan for each component needs its planes.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] before anything large is allocated; [`Error::Malformed`] where the first scan cannot be decoded
    /// at all. Later damage is told by the [`Outcome`].
    pub fn decode_bands(
        &self,
        scale: Scale,
        limits: &Limits,
        sink: &mut dyn FnMut(Band<'_>),
    ) -> Result<Outcome, Error> {
        let frame = &self.header.frame;
        limits.check_size(frame.width, frame.height)?;
        let sum = |bytes: fn(&Component, Shape) -> u64| -> u64 {
            frame
                .components
                .iter()
                .map(|component| bytes(component, Shape::of(frame, component, scale)))
                .sum()
        };
        let output = Output::new(frame, scale, self.conversion(), sink);
        let report = if frame.process == Process::Progressive {
            limits.check_alloc(sum(Coefficients::bytes))?;
            let mut output = output;
            progressive::decode(self.data, &self.header, scale, limits, &mut output)?
        } else {
            self.decode_sequential(scale, limits, sum(Plane::whole_bytes), output)?
        };
        let height = scale.reduced(frame.height);
        let rows = report.mcu_rows as u32 * frame.v_max as u32 * scale.block_side();
        Ok(Outcome {
            rows_decoded: if report.truncated { rows.min(height) } else { height },
            truncated: report.truncated,
            damaged: report.damaged || report.truncated,
        })
    }

    fn decode_sequential(
        &self,
        scale: Scale,
        limits: &Limits,
        whole_bytes: u64,
        mut output: Output<'_>,
    ) -> Result<Report, Error> {
        let frame = &self.header.frame;
        let mut markers = Markers::new(self.data, self.header.scans_at);
        let mut tables = self.header.tables.clone();
        let first = markers.next_segment().ok_or(Error::Malformed("it ends before the first scan"))?;
        let mut scan = Scan::parse(frame, first.payload)?;
        if scan.members.len() == frame.components.len() {
            let mut planes: Vec<Plane> = self.planes(scale, Plane::band);
            return sequential::decode(
                self.data,
                markers.at(),
                (frame, &scan, &tables),
                &mut planes,
                Some(&mut output),
            );
        }

        limits.check_alloc(whole_bytes)?;
        let mut planes: Vec<Plane> = self.planes(scale, Plane::whole);
        let mut mcu_rows = vec![None; frame.components.len()];
        let (mut damaged, mut truncated, mut scans) = (false, false, 0);
        'scans: loop {
            scans += 1;
            if scans > limits.max_scans {
                return Err(Error::LimitExceeded(Limit::Scans));
            }
            let report =
                sequential::decode(self.data, markers.at(), (frame, &scan, &tables), &mut planes, None)?;
            (damaged, truncated) = (damaged || report.damaged, truncated || report.truncated);
            for member in &scan.members {
                let rows = match scan.members.len() {
                    _ if !report.truncated => frame.mcus_down,
                    // A lone component's rows are single blocks.
                    1 => report.mcu_rows / frame.components[member.component].v,
                    _ => report.mcu_rows,
                };
                mcu_rows[member.component] = Some(rows);
            }
            if mcu_rows.iter().all(Option::is_some) {
                break;
            }
            markers = Markers::new(self.data, report.end);
            loop {
                let next = markers.next_segment().filter(|segment| segment.marker != code::EOI);
                // A component that never comes stays mid-grey.
                let Some(segment) = next else {
                    truncated = true;
                    break 'scans;
                };
                if segment.marker == code::SOS {
                    scan = Scan::parse(frame, segment.payload)?;
                    break;
                }
                tables.apply(segment)?;
            }
        }
        output.emit(&planes);
        let mcu_rows = mcu_rows.into_iter().map(|rows| rows.unwrap_or(0)).min().unwrap_or(0);
        Ok(Report { mcu_rows, damaged, truncated, end: self.data.len() })
    }

    fn planes(&self, scale: Scale, new: fn(&Component, Shape) -> Plane) -> Vec<Plane> {
        let frame = &self.header.frame;
        frame.components.iter().map(|component| new(component, Shape::of(frame, component, scale))).collect()
    }

    fn conversion(&self) -> Conversion {
        Conversion::new(self.header.colour)
    }
}
