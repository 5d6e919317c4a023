//! What a platform demands of a custom emoji, under one name.
//!
//! The numbers are the platforms' as their users report them (none is in a standard). Where a platform writes "KB", 1,000
//! bytes are taken: a file that keeps the smaller bound keeps the larger one too.

use serde::{Deserialize, Serialize};

/// The option `preset`: defaults for other options. An option given beside it wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// 128 x 128, 128,000 bytes, 50 frames.
    Slack,
    /// 128 x 128, 256,000 bytes.
    Discord,
    /// 128 x 128, 256,000 bytes.
    Mastodon,
}

impl Preset {
    /// All, in the order in which texts list them.
    pub const ALL: [Self; 3] = [Self::Slack, Self::Discord, Self::Mastodon];

    /// As the option spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Mastodon => "mastodon",
        }
    }

    /// Width, and height, in pixels.
    pub const fn side(self) -> u32 {
        128
    }

    /// The largest file that the platform takes, in bytes.
    pub const fn max_bytes(self) -> u64 {
        match self {
            Self::Slack => 128_000,
            Self::Discord | Self::Mastodon => 256_000,
        }
    }

    /// The most frames that the platform takes; none where it names no bound.
    pub const fn max_frames(self) -> Option<u32> {
        match self {
            Self::Slack => Some(50),
            Self::Discord | Self::Mastodon => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_and_the_row_spell_a_preset_alike() {
        for preset in Preset::ALL {
            assert_eq!(serde_json::to_string(&preset).unwrap(), format!("\"{}\"", preset.name()));
        }
    }
}
