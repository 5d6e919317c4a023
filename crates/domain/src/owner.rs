//! Whose a job is, and whose jobs somebody may come upon.

/// Whose a job is: the name of the key that made it.
pub use thumbs_access::KeyName as Owner;

/// Whose jobs a request may come upon. Others are, to it, not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Everybody's, and those of nobody, which were made when nobody needed a key.
    All,
    /// Those of this owner.
    Of(&'a Owner),
    /// None.
    Nothing,
}

impl Reach<'_> {
    /// Whether a job of this owner, or of nobody, is among them.
    pub fn covers(self, owner: Option<&Owner>) -> bool {
        match self {
            Self::All => true,
            Self::Of(own) => owner == Some(own),
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_is_all_or_ones_own() {
        let (shop, web) = (Owner::parse("shop"), Owner::parse("web"));
        for (reach, covered) in [
            (Reach::All, [true, true, true]),
            (Reach::Of(shop.as_ref().unwrap()), [true, false, false]),
            (Reach::Nothing, [false, false, false]),
        ] {
            assert_eq!([shop.as_ref(), web.as_ref(), None].map(|owner| reach.covers(owner)), covered);
        }
    }
}
