//! From the values of a channel to light and back. Curves are sampled once: a table with interpolation is exact to a
//! hundredth of a level and costs a pixel nothing. Powers come from `libm`, so that every machine makes the same table.

/// Steps of a sampled curve: even in the dark, where curves bend most, less than a hundredth of a level is lost.
const STEPS: usize = 2048;

/// A curve from 0..=1 to 0..=1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve(Vec<f32>);

impl Curve {
    /// Samples a function; what it gives outside 0..=1 is clamped, and what is not a number is 0.
    pub(crate) fn sample(function: impl Fn(f64) -> f64) -> Self {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small, and meant")]
        let at = |step: usize| function(step as f64 / STEPS as f64).clamp(0.0, 1.0) as f32;
        Self((0..=STEPS).map(at).map(|value| if value.is_nan() { 0.0 } else { value }).collect())
    }

    /// This, and then a function of what it gives.
    pub(crate) fn then(self, function: impl Fn(f64) -> f64) -> Self {
        Self::sample(|value| function(self.exact_at(value)))
    }

    fn exact_at(&self, value: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "samples have no more")]
        f64::from(self.at(value as f32))
    }

    /// `value` is clamped to 0..=1.
    pub(crate) fn at(&self, value: f32) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a power of two")]
        let place = value.clamp(0.0, 1.0) * STEPS as f32;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
        let step = (place as usize).min(STEPS - 1);
        #[expect(clippy::cast_precision_loss, reason = "at most STEPS")]
        let rest = place - step as f32;
        match self.0.get(step..step + 2) {
            Some(&[low, high]) => low + (high - low) * rest,
            _ => 0.0,
        }
    }
}

/// sRGB's own curve, to light (IEC 61966-2-1).
pub(crate) fn srgb_to_light(value: f64) -> f64 {
    if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
}

/// sRGB's own curve, from light.
pub(crate) fn light_to_srgb(light: f64) -> f64 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * libm::pow(light, 1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lose_less_than_a_hundredth_of_a_level() {
        let (to_light, from_light) = (Curve::sample(srgb_to_light), Curve::sample(light_to_srgb));
        for step in 0..=10_000 {
            let value = f64::from(step) / 10_000.0;
            let there = f64::from(to_light.at(value as f32));
            assert!((light_to_srgb(there) - value).abs() * 255.0 < 0.01, "{value}");
            let back = f64::from(from_light.at(value as f32));
            assert!((back - light_to_srgb(value)).abs() * 255.0 < 0.05, "{value}");
        }
    }

    #[test]
    fn stays_in_range_whatever_the_function() {
        let curve = Curve::sample(|value| if value < 0.5 { f64::NAN } else { 9.0 });
        assert_eq!((curve.at(0.0), curve.at(1.0)), (0.0, 1.0));
        assert_eq!((curve.at(-5.0), curve.at(f32::INFINITY)), (0.0, 1.0));
    }
}
