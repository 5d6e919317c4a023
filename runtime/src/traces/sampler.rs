//! Which traces are recorded: those of `OTEL_TRACES_SAMPLER`.

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// A trace that somebody else began is recorded where they say so; else this sampler decides of it too.
    pub follows_parent: bool,
    /// Of a trace that begins here: which share is recorded, from 0 to 1.
    pub ratio: f64,
}

impl Sampler {
    /// `parentbased_always_on`, which holds where nobody says otherwise.
    pub const DEFAULT: Self = Self { follows_parent: true, ratio: 1.0 };

    /// The sampler of this name, with what `OTEL_TRACES_SAMPLER_ARG` says.
    ///
    /// # Errors
    /// None has this name, or the argument is no share. What would do.
    pub fn parse(name: &str, argument: Option<&str>) -> Result<Self, &'static str> {
        let (follows_parent, own) = match name.strip_prefix("parentbased_") {
            Some(own) => (true, own),
            None => (false, name),
        };
        let ratio = match own {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => match argument {
                None => 1.0,
                Some(text) => {
                    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
                    ratio.ok_or("with traceidratio OTEL_TRACES_SAMPLER_ARG is a number from 0 to 1")?
                }
            },
            _ => return Err("use always_on, always_off or traceidratio, or one of these after parentbased_"),
        };
        Ok(Self { follows_parent, ratio })
    }

    /// Whether a trace is recorded that begins here, or of which its parent does not decide. Alike everywhere for the same trace.
    pub(super) fn takes(&self, trace: u128) -> bool {
        // The last eight bytes, as other implementations do, without the bit that some of them can't have.
        let draw = (trace as u64) >> 1;
        self.ratio >= 1.0 || draw < (self.ratio * (1_u64 << 63) as f64) as u64
    }

    /// Whether a trace is recorded that somebody else began.
    pub(super) fn takes_on(&self, trace: u128, is_sampled: bool) -> bool {
        if self.follows_parent { is_sampled } else { self.takes(trace) }
    }

    /// Whether there is no trace that it takes.
    pub(super) fn takes_nothing(&self) -> bool {
        !self.follows_parent && self.ratio <= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplers_have_the_names_of_the_specification() {
        for (name, argument, follows_parent, ratio) in [
            ("always_on", None, false, 1.0),
            ("always_off", Some("1"), false, 0.0),
            ("traceidratio", Some("0.25"), false, 0.25),
            ("traceidratio", None, false, 1.0),
            ("parentbased_always_on", None, true, 1.0),
            ("parentbased_always_off", None, true, 0.0),
            ("parentbased_traceidratio", Some("0"), true, 0.0),
        ] {
            assert_eq!(Sampler::parse(name, argument), Ok(Sampler { follows_parent, ratio }), "{name}");
        }
        for (name, argument) in
            [("", None), ("jaeger_remote", None), ("traceidratio", Some("2")), ("traceidratio", Some("NaN"))]
        {
            assert!(Sampler::parse(name, argument).is_err(), "{name} {argument:?}");
        }
    }

    #[test]
    fn a_share_of_traces_is_taken_and_always_the_same_ones() {
        let half = Sampler { follows_parent: false, ratio: 0.5 };
        assert!(half.takes(0x7fff_ffff_ffff_ffff) && !half.takes(0x8000_0000_0000_0000));
        assert!(half.takes(u128::from(u64::MAX) << 64), "the last eight bytes decide");
        assert!(half.takes_on(1, false) && !half.takes_on(u128::MAX, true));
        let none = Sampler { follows_parent: true, ratio: 0.0 };
        assert!(
            !none.takes(1) && none.takes_on(1, true) && !none.takes_on(1, false) && !none.takes_nothing()
        );
        assert!(Sampler { follows_parent: false, ratio: 0.0 }.takes_nothing());
    }
}
