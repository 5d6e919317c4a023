//! How often somebody may ask: a bucket of tokens that fills at a steady rate, one token a request.
//!
//! A bucket is one number, the moment at which it is full again (the theoretical arrival time of ATM's GCRA, ITU-T I.371): it takes one
//! statement to take a token, whatever happened before, and a bucket that is full need not be kept. Where buckets are is not known here.

/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

/// Largest number of requests a minute, and at once.
pub const MAX_REQUESTS: u64 = 1_000_000;

/// One kind of request, which has a bucket of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What needs the scope `write`.
    Writes,
    /// What needs the scope `read`.
    Reads,
}

impl Class {
    /// As headers and buckets spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Reads => "reads",
        }
    }
}

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_minute: i64,
    burst: i64,
}

/// What became of a request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Whether there was one.
    pub is_taken: bool,
    /// How many are left.
    pub left: i64,
    /// Seconds until the bucket is full, rounded up; of one that is empty, at most.
    pub full_in_secs: i64,
}

impl Rate {
    /// None where one of them is 0, which is no bound, or more than [`MAX_REQUESTS`].
    pub fn new(per_minute: u64, burst: u64) -> Option<Self> {
        let within =
            |number: u64| i64::try_from(number).ok().filter(|_| (1..=MAX_REQUESTS).contains(&number));
        Some(Self { per_minute: within(per_minute)?, burst: within(burst)? })
    }

    /// Microseconds in which a token comes.
    pub const fn spacing_us(self) -> i64 {
        MINUTE_US / self.per_minute
    }

    /// Microseconds in which an empty bucket fills.
    pub const fn span_us(self) -> i64 {
        self.spacing_us() * self.burst
    }

    /// A token was taken at `now_us`, and the bucket is full at `full_at_us` now.
    pub fn taken(self, full_at_us: i64, now_us: i64) -> Tokens {
        let missing_us = full_at_us.saturating_sub(now_us).clamp(0, self.span_us());
        let left = (self.span_us() - missing_us) / self.spacing_us();
        Tokens { is_taken: true, left, full_in_secs: secs_up(missing_us) }
    }

    /// There was none.
    pub const fn refused(self) -> Tokens {
        Tokens { is_taken: false, left: 0, full_in_secs: secs_up(self.span_us()) }
    }

    /// Seconds within which there is a token again in an empty bucket, rounded up.
    pub const fn next_in_secs(self) -> i64 {
        secs_up(self.spacing_us())
    }

    /// The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10, section 3): as many as the bucket holds, in the time
    /// in which it fills.
    pub fn policy_header(self, class: Class) -> String {
        format!("\"{}\";q={};w={}", class.name(), self.burst, secs_up(self.span_us()))
    }
}

impl Tokens {
    /// The value of `RateLimit` (the same draft, section 4).
    pub fn header(self, class: Class) -> String {
        format!("\"{}\";r={};t={}", class.name(), self.left, self.full_in_secs)
    }
}

/// Of moments that are not negative.
const fn secs_up(us: i64) -> i64 {
    (us + 999_999) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_of_nothing_is_none() {
        assert_eq!([Rate::new(0, 5), Rate::new(5, 0), Rate::new(MAX_REQUESTS + 1, 1)], [None; 3]);
        let most = Rate::new(MAX_REQUESTS, MAX_REQUESTS).unwrap();
        assert_eq!((most.spacing_us(), most.span_us()), (60, 60_000_000));
        assert!(Rate::new(1, MAX_REQUESTS).unwrap().span_us() > 0);
    }

    #[test]
    fn a_bucket_tells_what_is_left_and_when_it_is_full() {
        // One in twelve seconds, three at once.
        let rate = Rate::new(5, 3).unwrap();
        assert_eq!((rate.spacing_us(), rate.span_us(), rate.next_in_secs()), (12_000_000, 36_000_000, 12));
        for (missing_us, left, full_in_secs) in [
            (-5, 3, 0),
            (0, 3, 0),
            (12_000_000, 2, 12),
            (30_500_000, 0, 31),
            (36_000_000, 0, 36),
            // Of a clock that was put back.
            (3_600_000_000, 0, 36),
        ] {
            let tokens = rate.taken(1_000 + missing_us, 1_000);
            assert_eq!(tokens, Tokens { is_taken: true, left, full_in_secs }, "{missing_us}");
        }
        assert_eq!(rate.refused(), Tokens { is_taken: false, left: 0, full_in_secs: 36 });
    }

    #[test]
    fn headers_are_structured_as_the_draft_says() {
        let rate = Rate::new(5, 3).unwrap();
        assert_eq!(rate.policy_header(Class::Writes), "\"writes\";q=3;w=36");
        assert_eq!(rate.taken(24_000_000, 0).header(Class::Reads), "\"reads\";r=1;t=24");
    }
}
