//! High dynamic range to sRGB: PQ and HLG (ITU-R BT.2100), by a stated way, as there is none that all take.
//!
//! Numbers become light of the display that they are meant for (HLG: one of 1,000 cd/m2). 203 cd/m2, the white of a sheet of paper (ITU-R BT.2408), is
//! the 1 of sRGB. The brightest of the three colours stays as it is up to three quarters of that; what is brighter is pressed together
//! so that 1,000 cd/m2 become 1. The others are scaled with it, so that hues stay. Then primaries are converted, and what lies outside is cut off.

use super::curve::Curve;
use super::shaper::Shaper;

/// cd/m2 of sRGB's white.
const WHITE: f32 = 203.0;
/// cd/m2 that become white.
const PEAK: f32 = 1000.0;
/// Up to here nothing changes.
const KNEE: f32 = 0.75;

/// How numbers mean light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

/// A transfer function and the primaries behind it.
#[derive(Debug)]
pub(crate) struct Hdr {
    transfer: Transfer,
    /// From light of these primaries.
    shaper: Shaper,
}

impl Hdr {
    /// As for [`Shaper::with_chromaticities`].
    pub(crate) fn new(transfer: Transfer, chromaticities: [[f64; 2]; 4]) -> Option<Self> {
        let shaper = Shaper::with_chromaticities(Curve::sample(|light| light), chromaticities)?;
        Some(Self { transfer, shaper })
    }

    /// All channels 0 to 255.
    pub(crate) fn to_srgb(&self, colour: [f32; 3]) -> [f32; 3] {
        let signal = colour.map(|channel| (channel / 255.0).clamp(0.0, 1.0));
        let light = match self.transfer {
            Transfer::Pq => signal.map(|signal| pq(signal) / WHITE),
            Transfer::Hlg => hlg(signal).map(|light| light / WHITE),
        };
        let brightest =
            light.iter().fold(0.0_f32, |most, &channel| if channel > most { channel } else { most });
        let factor = if brightest > KNEE { pressed(brightest) / brightest } else { 1.0 };
        self.shaper.to_srgb(light.map(|channel| channel * factor * 255.0))
    }
}

/// From light above the knee to light up to 1: it begins as steep as what is below, and ends at the peak.
fn pressed(light: f32) -> f32 {
    const SPAN: f32 = PEAK / WHITE - KNEE;
    let over = ((light - KNEE) / SPAN).min(1.0);
    let steep = SPAN / (1.0 - KNEE);
    KNEE + (1.0 - KNEE) * (steep * over / (1.0 + (steep - 1.0) * over))
}

/// cd/m2.
fn pq(signal: f32) -> f32 {
    const HIGHEST: f32 = 10_000.0;
    const M1: f32 = 2610.0 / 16384.0;
    const M2: f32 = 2523.0 / 32.0;
    const C1: f32 = 3424.0 / 4096.0;
    const C2: f32 = 2413.0 / 128.0;
    const C3: f32 = 2392.0 / 128.0;
    let power = libm::powf(signal, 1.0 / M2);
    let above = power - C1;
    if above <= 0.0 { 0.0 } else { HIGHEST * libm::powf(above / (C2 - C3 * power), 1.0 / M1) }
}

/// cd/m2 of a display of 1,000.
fn hlg(signal: [f32; 3]) -> [f32; 3] {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    const GAMMA: f32 = 1.2;
    let scene = signal.map(|signal| {
        if signal <= 0.5 { signal * signal / 3.0 } else { (libm::expf((signal - C) / A) + B) / 12.0 }
    });
    let [red, green, blue] = scene;
    let luminance = 0.2627 * red + 0.678 * green + 0.0593 * blue;
    let gain = if luminance > 0.0 { libm::powf(luminance, GAMMA - 1.0) } else { 0.0 };
    scene.map(|light| PEAK * gain * light)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BT2020: [[f64; 2]; 4] = [[0.312_7, 0.329_0], [0.708, 0.292], [0.17, 0.797], [0.131, 0.046]];

    fn grey(transfer: Transfer, signal: f32) -> f32 {
        let [red, green, blue] = Hdr::new(transfer, BT2020).unwrap().to_srgb([signal * 255.0; 3]);
        assert!((red - green).abs() < 0.5 && (green - blue).abs() < 0.5, "{red} {green} {blue}");
        green
    }

    #[test]
    fn signals_mean_the_light_that_the_standard_says() {
        for (signal, light) in [(0.0, 0.0), (0.508, 100.0), (0.581, 203.0), (0.7518, 1000.0), (1.0, 10_000.0)]
        {
            assert!((pq(signal) - light).abs() <= light * 0.01, "{signal}: {}", pq(signal));
        }
        for (signal, light) in [(0.0, 0.0), (0.75, 203.0), (1.0, 1000.0)] {
            assert!((hlg([signal; 3])[1] - light).abs() <= light * 0.01, "{signal}: {:?}", hlg([signal; 3]));
        }
    }

    #[test]
    fn paper_is_nearly_white_and_the_dark_stays_as_it_is() {
        // 0.879 of light, by the formula above.
        assert!((grey(Transfer::Pq, 0.580_7) - 241.0).abs() < 1.0, "{}", grey(Transfer::Pq, 0.580_7));
        assert!((grey(Transfer::Hlg, 0.75) - 241.0).abs() < 1.5, "{}", grey(Transfer::Hlg, 0.75));
        // 100 cd/m2 are 0.4926 of white.
        assert!((grey(Transfer::Pq, 0.508_1) - 186.0).abs() < 1.5, "{}", grey(Transfer::Pq, 0.508_1));
        for transfer in [Transfer::Pq, Transfer::Hlg] {
            assert!(grey(transfer, 0.0) < 0.01 && grey(transfer, 1.0) > 254.5);
            let levels: Vec<f32> = (0u8..=100).map(|step| grey(transfer, f32::from(step) / 100.0)).collect();
            // Where all is white, what is divided and multiplied by the same need not be the same to the last bit.
            assert!(levels.is_sorted_by(|darker, lighter| *lighter >= darker - 0.01), "{levels:?}");
        }
    }
}
