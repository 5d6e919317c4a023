//! ICC profiles in APP2 segments (ICC.1, annex B.4): each holds a part, with its number and how many there are.

/// What the file has of an ICC profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IccProfile<'a> {
    /// Nothing.
    None,
    /// All of its parts, in order.
    Whole(Vec<&'a [u8]>),
    /// Parts are missing, or do not go together.
    Broken,
}

/// The parts as they come, in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts<'a> {
    parts: Vec<(u8, &'a [u8])>,
    count: u8,
    broken: bool,
}

impl<'a> Parts<'a> {
    /// A segment's payload behind the mark that it is a profile: the part's number from 1, how many there are, bytes.
    pub(crate) fn add(&mut self, part: &'a [u8]) {
        match part {
            [number, count, body @ ..] if self.parts.is_empty() || *count == self.count => {
                self.count = *count;
                self.parts.push((*number, body));
            }
            _ => self.broken = true,
        }
    }

    pub(crate) fn profile(&self) -> IccProfile<'a> {
        if self.parts.is_empty() && !self.broken {
            return IccProfile::None;
        }
        let mut parts = self.parts.clone();
        parts.sort_by_key(|&(number, _)| number);
        let complete = parts.len() == usize::from(self.count)
            && parts.iter().zip(1..).all(|(&(number, _), expected)| number == expected);
        if complete && !self.broken {
            IccProfile::Whole(parts.into_iter().map(|(_, part)| part).collect())
        } else {
            IccProfile::Broken
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(parts: &[&[u8]]) -> IccProfile<'static> {
        let mut collected = Parts::default();
        parts.iter().for_each(|part| collected.add(part.to_vec().leak()));
        collected.profile()
    }

    #[test]
    fn parts_may_come_in_any_order_but_must_be_whole() {
        assert_eq!(profile(&[]), IccProfile::None);
        assert_eq!(profile(&[b"\x02\x02cd", b"\x01\x02ab"]), IccProfile::Whole(vec![b"ab", b"cd"]));
        for broken in [
            &[&b"\x01\x02ab"[..]][..],
            &[b"\x01\x02ab", b"\x01\x02ab"],
            &[b"\x01\x02ab", b"\x02\x03cd"],
            &[b"\x00\x01ab"],
            &[b""],
        ] {
            assert_eq!(profile(broken), IccProfile::Broken, "{broken:?}");
        }
    }
}
