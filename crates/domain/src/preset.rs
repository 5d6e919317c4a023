//! What a platform demands of a custom emoji, under one name: one row a platform, from which come the option's words, its effect
//! and the table of docs/api.md.
//!
//! The numbers are the platforms' as their users report them (none is in a standard). Where a platform writes "KB", 1,000
//! bytes are taken: a file that keeps the smaller bound keeps the larger one too.

use crate::words::words;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Width, and height, in pixels.
    pub side: u32,
    /// The largest file that the platform takes, in bytes.
    pub max_bytes: u64,
    /// The most frames that the platform takes; none where it names no bound.
    pub max_frames: Option<u32>,
    /// What it is for.
    pub meaning: &'static str,
}

macro_rules! presets {
    ($($preset:ident = $word:literal, $side:literal, $max_bytes:literal, $max_frames:expr, $meaning:literal;)+) => {
        words! {
            /// The option `preset`: defaults for other options. An option given beside it wins.
            Preset {
                $(#[doc = concat!($meaning, ".")] $preset = $word,)+
            }
        }

        impl Preset {
            /// The preset's row of the table.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$preset => &Row {
                        side: $side,
                        max_bytes: $max_bytes,
                        max_frames: $max_frames,
                        meaning: $meaning,
                    },)+
                }
            }
        }
    };
}

presets! {
    Slack = "slack", 128, 128_000, Some(50), "A custom emoji of Slack";
    Discord = "discord", 128, 256_000, None, "A custom emoji of Discord";
    Mastodon = "mastodon", 128, 256_000, None, "A custom emoji of Mastodon";
}
