//! The coded pictures of a HEIC or AVIF, from the imaging component that finds them in the file to the component that decodes them, and their
//! rows back again. None of them may reach another: they have no imports.

use thumbs_domain::format::SourceFormat;

use crate::bindings::thumbs::avif::decoder as avif;
use crate::bindings::thumbs::heic::decoder as heic;
use crate::bindings::thumbs::imaging::thumbnailer as wit;

/// Of luma, that travel at a time; even, as rows of colour differences may go with two.
const ROWS: u32 = 64;

/// Has all parts decoded that `task` asks for; none of most formats.
pub(super) fn decode(format: SourceFormat, task: &wit::Task) -> Result<(), wit::Error> {
    match format {
        SourceFormat::Heic => decode_heic(task),
        SourceFormat::Avif => decode_avif(task),
        _ => Ok(()),
    }
}

/// The same for the interface of each decoder: they are equal but for their names, and so have types of their own.
macro_rules! decode_with {
    ($name:ident, $decoder:ident) => {
        fn $name(task: &wit::Task) -> Result<(), wit::Error> {
            while let Some(wit::CodedPart { configuration, data, max_pixels }) = task.next_part()? {
                let picture =
                    $decoder::Picture::decode(&configuration, &data, max_pixels).map_err(|error| {
                        match error {
                            $decoder::Error::Unsupported(what) => wit::Error::UnsupportedFeature(what),
                            $decoder::Error::Malformed(how) => wit::Error::Malformed(how),
                            // By what the file says of it, which was within the limits.
                            $decoder::Error::TooLarge => {
                                wit::Error::Malformed("a picture is larger than the file says".to_owned())
                            }
                        }
                    })?;
                drop(data);
                let shape = picture.shape();
                task.begin_part(wit::Shape {
                    width: shape.width,
                    height: shape.height,
                    bit_depth: shape.bit_depth,
                    chroma: match shape.chroma {
                        $decoder::Chroma::Monochrome => wit::Chroma::Monochrome,
                        $decoder::Chroma::HalvedBothWays => wit::Chroma::HalvedBothWays,
                        $decoder::Chroma::HalvedAcross => wit::Chroma::HalvedAcross,
                        $decoder::Chroma::Full => wit::Chroma::Full,
                    },
                    primaries: shape.primaries,
                    transfer: shape.transfer,
                    matrix: shape.matrix,
                    full_range: shape.full_range,
                })?;
                let mut first = 0;
                while first < shape.height {
                    let $decoder::Rows { luma, cb, cr } = picture.rows(first, ROWS);
                    let [luma, cb, cr] = [luma, cb, cr].map(|$decoder::Plane { words, size_bytes }| {
                        // As it came, in the other's type.
                        wit::Piece { words, size_bytes }
                    });
                    task.take_rows(&wit::Rows { luma, cb, cr })?;
                    first += ROWS;
                }
            }
            Ok(())
        }
    };
}

decode_with!(decode_heic, heic);
decode_with!(decode_avif, avif);
