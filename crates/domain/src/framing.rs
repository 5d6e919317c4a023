//! How an image meets the box that its thumbnail fills.

use crate::words::words;

words! {
    /// How the image meets the box of `width` x `height`.
    Fit {
        /// Fills the box; what stands over is cut off where `gravity` says.
        Cover = "cover",
        /// Fits inside the box; the rest is padded.
        Contain = "contain",
        /// Fills the box by stretching.
        Fill = "fill",
    }
}

words! {
    /// Which part of the image `cover` keeps.
    Gravity {
        /// The middle.
        Center = "center",
        /// The top.
        North = "north",
        /// The top right corner.
        NorthEast = "north-east",
        /// The right.
        East = "east",
        /// The bottom right corner.
        SouthEast = "south-east",
        /// The bottom.
        South = "south",
        /// The bottom left corner.
        SouthWest = "south-west",
        /// The left.
        West = "west",
        /// The top left corner.
        NorthWest = "north-west",
        /// The part that draws the eye.
        Attention = "attention",
    }
}
