//! A scan's header (T.81, section B.2.3), and what both kinds of scan share: the walk over MCUs with its restarts and its damage.

use crate::bits::{BitReader, Restart};
use crate::error::Error;
use crate::frame::Frame;

/// Blocks of an interleaved MCU, at most (T.81, B.2.3).
pub(crate) const MAX_MCU_BLOCKS: usize = 10;

/// A component of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its place in the frame.
    pub(crate) component: usize,
    /// Huffman tables, 0 to 3.
    pub(crate) dc: usize,
    pub(crate) ac: usize,
}

/// One scan.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    /// 1 to 4, each component once.
    pub(crate) members: Vec<Member>,
    /// Spectral selection: first and last coding index.
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Successive approximation: the bit position before (0 for none) and of this scan.
    pub(crate) high: u32,
    pub(crate) low: u32,
}

impl Scan {
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn parse(frame: &Frame, payload: &[u8]) -> Result<Self, Error> {
        const LENGTH: Error = Error::Malformed("a scan header's length is wrong");
        let (&count, rest) = payload.split_first().ok_or(LENGTH)?;
        let specs = rest.get(..2 * usize::from(count)).ok_or(LENGTH)?;
        let &[first, last, approximation] = rest[specs.len()..].first_chunk().ok_or(LENGTH)?;
        if !(1..=4).contains(&count) {
            return Err(Error::Malformed("a scan doesn't have 1 to 4 components"));
        }
        let mut members: Vec<Member> = Vec::with_capacity(4);
        for spec in specs.chunks_exact(2) {
            // Components that share a name are meant in their order, as libjpeg takes them.
            let mut named = (0..frame.components.len()).filter(|&at| frame.components[at].id == spec[0]);
            let is_free = |at: &usize| members.iter().all(|other| other.component != *at);
            let component = match named.clone().find(is_free) {
                Some(component) => component,
                None if named.next().is_some() => {
                    return Err(Error::Malformed("a scan names a component twice"));
                }
                None => {
                    return Err(Error::Malformed("a scan names a component that the frame doesn't have"));
                }
            };
            let (dc, ac) = (usize::from(spec[1] >> 4), usize::from(spec[1] & 15));
            if dc > 3 || ac > 3 {
                return Err(Error::Malformed("a Huffman table's number is above 3"));
            }
            members.push(Member { component, dc, ac });
        }
        let scan = Self {
            members,
            first: u32::from(first),
            last: u32::from(last),
            high: u32::from(approximation >> 4),
            low: u32::from(approximation & 15),
        };
        if scan.members.len() > 1 && scan.units(frame).len() > MAX_MCU_BLOCKS {
            return Err(Error::Malformed("an MCU has more than 10 blocks"));
        }
        Ok(scan)
    }

    /// The blocks of an MCU in order.
    pub(crate) fn units(&self, frame: &Frame) -> Vec<Unit> {
        if self.members.len() == 1 {
            return vec![Unit { member: 0, dx: 0, dy: 0 }];
        }
        let mut units = Vec::new();
        for (index, member) in self.members.iter().enumerate() {
            let component = &frame.components[member.component];
            for dy in 0..component.v {
                units.extend((0..component.h).map(|dx| Unit { member: index, dx, dy }));
            }
        }
        units
    }

    /// How many MCUs, across and down. A lone component's MCU is one block, and only blocks with samples of it are coded.
    pub(crate) fn grid(&self, frame: &Frame) -> (usize, usize) {
        match self.members.as_slice() {
            [member] => {
                let component = &frame.components[member.component];
                (component.blocks_across, component.blocks_down)
            }
            _ => (frame.mcus_across, frame.mcus_down),
        }
    }

    /// Blocks of a member in an MCU, across and down.
    pub(crate) fn blocks(&self, frame: &Frame, member: &Member) -> (usize, usize) {
        if self.members.len() == 1 {
            return (1, 1);
        }
        let component = &frame.components[member.component];
        (component.h, component.v)
    }
}

/// One block of an MCU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its component, by the scan's order.
    pub(crate) member: usize,
    /// Its place among the component's blocks in the MCU.
    pub(crate) dx: usize,
    pub(crate) dy: usize,
}

/// How a walk over a scan's MCUs goes: where restarts are due, and what is lost.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    interval: u32,
    /// MCUs until the next restart; `u32::MAX` where there is none.
    left: u32,
    due: u8,
    state: State,
    /// The MCU row where the data went missing that is still missing.
    lost_row: usize,
    /// Something was lost or left over.
    pub(crate) damaged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    /// Until the next restart.
    Lost,
    /// For good.
    Ended,
}

/// What is to be done for the next MCU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Decode it.
    Decode,
    /// Forget predictions, then decode it.
    Restarted,
    /// Its data is lost.
    Lost,
}

impl Walk {
    /// `interval` is 0 where there are no restarts.
    pub(crate) const fn new(interval: u32) -> Self {
        let left = if interval == 0 { u32::MAX } else { interval };
        Self { interval, left, due: 0, state: State::Whole, lost_row: 0, damaged: false }
    }

    /// To be called before each MCU, with the number of its row.
    #[inline(always)]
    pub(crate) fn step(&mut self, reader: &mut BitReader<'_>, row: usize) -> Step {
        if self.left == 0 {
            return self.restart(reader, row);
        }
        if self.interval != 0 {
            self.left -= 1;
        }
        reader.ensure_mcu();
        if self.state == State::Whole { Step::Decode } else { Step::Lost }
    }

    #[cold]
    #[inline(never)]
    fn restart(&mut self, reader: &mut BitReader<'_>, row: usize) -> Step {
        self.left = self.interval - 1;
        if self.state == State::Ended {
            return Step::Lost;
        }
        let found = reader.restart(self.due);
        self.due = (self.due + 1) & 7;
        match found {
            Restart::Found => {
                self.state = State::Whole;
                return Step::Restarted;
            }
            Restart::Ahead => self.lose(State::Lost, row),
            Restart::End => self.lose(State::Ended, row),
        }
        Step::Lost
    }

    /// To be called after an MCU whose bits were not all there.
    #[cold]
    pub(crate) fn overrun(&mut self, reader: &BitReader<'_>, row: usize) {
        let resumes = self.interval != 0 && reader.restarts_later();
        self.lose(if resumes { State::Lost } else { State::Ended }, row);
    }

    fn lose(&mut self, state: State, row: usize) {
        if self.state == State::Whole {
            self.lost_row = row;
        }
        (self.state, self.damaged) = (state, true);
    }

    /// Of `rows` MCU rows, those before the data ended for good.
    pub(crate) fn whole_rows(&self, rows: usize) -> usize {
        if self.has_ended() { self.lost_row } else { rows }
    }

    /// Nothing more will be decoded in this scan.
    pub(crate) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }
}
