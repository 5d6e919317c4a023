//! What is done to a picture before it is shown: cut out, turned, mirrored, in the order that the file gives. It comes to one part of the
//! stored picture and one of the eight orientations of EXIF.

use crate::error::Error;

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Rect {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// Where a step to the right and a step down in the stored picture lead in the shown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    right: Way,
    down: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Right,
    Down,
    Left,
    Up,
}

impl Way {
    const fn quarter_turned_left(self) -> Self {
        match self {
            Self::Right => Self::Up,
            Self::Up => Self::Left,
            Self::Left => Self::Down,
            Self::Down => Self::Right,
        }
    }

    /// Left and right exchanged.
    const fn mirrored(self) -> Self {
        match self {
            Self::Right => Self::Left,
            Self::Left => Self::Right,
            other => other,
        }
    }

    /// Top and bottom exchanged.
    const fn upside_down(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            other => other,
        }
    }
}

/// All that is done to a picture, so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transform {
    crop: Rect,
    turn: Turn,
}

/// `clap`: the size of what is kept, and how far its centre is from that of the picture; fractions of pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CleanAperture {
    pub(crate) width: Fraction,
    pub(crate) height: Fraction,
    pub(crate) across: Fraction,
    pub(crate) down: Fraction,
}

/// A fraction; the denominator is not 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fraction {
    numerator: i64,
    denominator: i64,
}

impl Fraction {
    pub(crate) fn new(numerator: i32, denominator: u32) -> Result<Self, Error> {
        if denominator == 0 {
            return Err(Error::Malformed("a fraction has the denominator 0"));
        }
        Ok(Self { numerator: i64::from(numerator), denominator: i64::from(denominator) })
    }

    const fn floor(self) -> i64 {
        self.numerator.div_euclid(self.denominator)
    }
}

impl Transform {
    pub(crate) const fn of(width: u32, height: u32) -> Self {
        let turn = Turn { right: Way::Right, down: Way::Down };
        Self { crop: Rect { left: 0, top: 0, width, height }, turn }
    }

    /// Which part of the stored picture is shown.
    pub(crate) const fn crop(&self) -> Rect {
        self.crop
    }

    /// 1 to 8, as in EXIF.
    pub(crate) const fn orientation(&self) -> u8 {
        use Way::{Down, Left, Right, Up};
        match (self.turn.right, self.turn.down) {
            (Left, Down) => 2,
            (Left, Up) => 3,
            (Right, Up) => 4,
            (Down, Right) => 5,
            (Down, Left) => 6,
            (Up, Left) => 7,
            (Up, Right) => 8,
            // The others are parallel, and do not come about.
            _ => 1,
        }
    }

    /// `irot`: so many quarters of a turn against the clock.
    pub(crate) fn rotate(&mut self, quarters: u8) {
        for _ in 0..quarters % 4 {
            self.turn = Turn {
                right: self.turn.right.quarter_turned_left(),
                down: self.turn.down.quarter_turned_left(),
            };
        }
    }

    /// `imir`: left and right are exchanged, else top and bottom.
    pub(crate) fn mirror(&mut self, left_and_right: bool) {
        let mirror = if left_and_right { Way::mirrored } else { Way::upside_down };
        self.turn = Turn { right: mirror(self.turn.right), down: mirror(self.turn.down) };
    }

    /// `clap`, of what is shown so far. Fractions of a pixel at the edges are kept out.
    pub(crate) fn cut(&mut self, aperture: &CleanAperture) -> Result<(), Error> {
        let turned = matches!(self.turn.right, Way::Down | Way::Up);
        let (width, height) = match turned {
            true => (self.crop.height, self.crop.width),
            false => (self.crop.width, self.crop.height),
        };
        let (left, kept_width) = kept(width, aperture.width, aperture.across)?;
        let (top, kept_height) = kept(height, aperture.height, aperture.down)?;
        // From the sides of what is shown to those of what is stored.
        let from_first = |way| match way {
            Way::Right => left,
            Way::Left => width - left - kept_width,
            Way::Down => top,
            Way::Up => height - top - kept_height,
        };
        let (stored_width, stored_height) =
            if turned { (kept_height, kept_width) } else { (kept_width, kept_height) };
        self.crop = Rect {
            left: self.crop.left + from_first(self.turn.right),
            top: self.crop.top + from_first(self.turn.down),
            width: stored_width,
            height: stored_height,
        };
        Ok(())
    }
}

/// The first pixel that is kept of `side`, and how many.
fn kept(side: u32, size: Fraction, offset: Fraction) -> Result<(u32, u32), Error> {
    const OUTSIDE: Error = Error::Malformed("what is cut out lies outside of the picture");
    let kept = u32::try_from(size.floor()).ok().filter(|kept| (1..=side).contains(kept)).ok_or(OUTSIDE)?;
    // offset + (side - kept) / 2. All have 32 bits, so that nothing overflows.
    let denominator = 2 * i128::from(offset.denominator);
    let numerator =
        2 * i128::from(offset.numerator) + i128::from(side - kept) * i128::from(offset.denominator);
    let first = numerator.div_euclid(denominator);
    let first = u32::try_from(first).ok().filter(|first| *first <= side - kept).ok_or(OUTSIDE)?;
    Ok((first, kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aperture(width: i32, height: i32, across: i32, down: i32) -> CleanAperture {
        let whole = |number| Fraction::new(number, 1).unwrap();
        CleanAperture {
            width: whole(width),
            height: whole(height),
            across: Fraction::new(across, 2).unwrap(),
            down: Fraction::new(down, 2).unwrap(),
        }
    }

    #[test]
    fn turns_and_mirrors_come_to_the_orientations_of_exif() {
        let orientation = |quarters, mirrors: &[bool]| {
            let mut transform = Transform::of(4, 3);
            transform.rotate(quarters);
            mirrors.iter().for_each(|&left_and_right| transform.mirror(left_and_right));
            transform.orientation()
        };
        assert_eq!([0, 1, 2, 3, 4].map(|quarters| orientation(quarters, &[])), [1, 8, 3, 6, 1]);
        assert_eq!([0, 1, 2, 3].map(|quarters| orientation(quarters, &[true])), [2, 7, 4, 5]);
        assert_eq!([0, 1, 2, 3].map(|quarters| orientation(quarters, &[false])), [4, 5, 2, 7]);
        assert_eq!(orientation(1, &[true, true]), 8);
    }

    #[test]
    fn the_middle_is_cut_out_and_moved_from_there() {
        let mut transform = Transform::of(100, 50);
        transform.cut(&aperture(60, 30, 0, -10)).unwrap();
        assert_eq!(transform.crop(), Rect { left: 20, top: 5, width: 60, height: 30 });
    }

    #[test]
    fn what_is_cut_after_a_turn_is_meant_as_shown() {
        let mut transform = Transform::of(100, 50);
        transform.rotate(1);
        // Shown it is 50 x 100, and its top is the right side of what is stored.
        transform.cut(&aperture(50, 20, 0, -80)).unwrap();
        assert_eq!(transform.crop(), Rect { left: 80, top: 0, width: 20, height: 50 });
        assert_eq!(transform.orientation(), 8);
    }

    #[test]
    fn the_largest_numbers_are_no_other_numbers() {
        let across = Fraction::new(1, u32::MAX).unwrap();
        let mut transform = Transform::of(u32::MAX, 50);
        transform.cut(&CleanAperture { across, ..aperture(1, 50, 0, 0) }).unwrap();
        assert_eq!(transform.crop(), Rect { left: (u32::MAX - 1) / 2, top: 0, width: 1, height: 50 });
    }

    #[test]
    fn what_lies_outside_is_refused() {
        for bad in
            [aperture(101, 50, 0, 0), aperture(0, 50, 0, 0), aperture(-1, 1, 0, 0), aperture(100, 50, 2, 0)]
        {
            assert!(Transform::of(100, 50).cut(&bad).is_err(), "{bad:?}");
        }
        assert!(Fraction::new(1, 0).is_err());
    }
}
