//! What a thumbnail follows from. Two jobs of one recipe have the same thumbnail, byte for byte (docs/architecture.md, invariant 10), so what
//! was made for one may be given to the other.

use thumbs_domain::digest::Digest;
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;

use crate::digest::sha256;
use crate::jobs::StoreError;

/// The digest of an image, of what is asked for, of the limits (which may take frames from an animation) and of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe(Digest);

/// Another number where the engine makes other pixels: of what it is known to make of all fixtures, which no change of a pixel leaves as it was.
const ENGINE: u64 = fnv_1a(
    fnv_1a(0xcbf2_9ce4_8422_2325, include_bytes!("../../../components/imaging/tests/fixtures/golden.json")),
    include_bytes!("../../../components/imaging/tests/fixtures/heif/golden.json"),
);

/// RFC 9923, going on from the hash of what came before.
const fn fnv_1a(mut hash: u64, mut bytes: &[u8]) -> u64 {
    while let [byte, rest @ ..] = bytes {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
}

impl Recipe {
    /// Of this image with these options, for an engine of this version.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] never happens: options are texts and numbers, which have a JSON form.
    pub fn of(image: &Digest, options: &Options, limits: &ImageLimits) -> Result<Self, StoreError> {
        let options =
            serde_json::to_string(options).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("thumbs-recipe-1\n{version} {ENGINE:016x}\n{limits:?}\n{image}\n{options}");
        Ok(Self(sha256(text.as_bytes())))
    }

    /// From a digest that stands for one.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }
}

impl std::fmt::Display for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thumbs_domain::options::Draft;

    const LIMITS: ImageLimits = ImageLimits {
        max_pixels: 1,
        max_side: 2,
        max_frames: 3,
        max_total_pixels: 4,
        max_output_side: 5,
        max_output_pixels: 6,
    };

    #[test]
    fn a_recipe_is_another_where_anything_is_that_a_thumbnail_follows_from() {
        let (image, other_image) = (Digest::from_bytes([1; 32]), Digest::from_bytes([2; 32]));
        let (options, other_options) = (Draft::new(2048).finish(1), Draft::new(2048).finish(2));
        let recipe = |image, options, limits| Recipe::of(image, options, limits).unwrap();
        let one = recipe(&image, &options, &LIMITS);
        assert_eq!(one, recipe(&image, &options, &LIMITS));
        assert_ne!(one, recipe(&other_image, &options, &LIMITS));
        assert_ne!(one, recipe(&image, &options, &ImageLimits { max_output_pixels: 7, ..LIMITS }));
        let is_same = options == other_options;
        assert_eq!(one == recipe(&image, &other_options, &LIMITS), is_same);
    }

    #[test]
    fn the_engine_is_told_by_what_it_makes() {
        // The test vectors of RFC 9923 for 64 bits.
        assert_eq!(fnv_1a(0xcbf2_9ce4_8422_2325, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(0xcbf2_9ce4_8422_2325, b"foobar"), 0x8594_4171_f739_67e8);
    }
}
