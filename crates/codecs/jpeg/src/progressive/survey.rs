//! Which scans a progressive file has, and which of them have to be decoded for the terms that are kept.

use crate::error::{Error, Limit};
use crate::frame::Frame;
use crate::header::{Header, Tables};
use crate::limits::Limits;
use crate::markers::{Markers, code};
use crate::scan::Scan;

/// A scan of the file, not yet decoded.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) scan: Scan,
    /// Where its entropy-coded data begins.
    pub(super) at: usize,
    pub(super) tables: Tables,
}

/// What the file holds after its header.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) scans: Vec<Planned>,
    /// An end-of-image marker was seen.
    pub(super) closed: bool,
    pub(super) damaged: bool,
}

impl Survey {
    /// # Errors
    /// [`Error::LimitExceeded`] for too many scans; [`Error::Malformed`] where not even the first one can be decoded.
    pub(super) fn of(data: &[u8], header: &Header<'_>, limits: &Limits) -> Result<Self, Error> {
        let mut survey = Self { scans: Vec::new(), closed: false, damaged: false };
        let mut tables = header.tables.clone();
        let mut markers = Markers::new(data, header.scans_at);
        while let Some(segment) = markers.next_segment() {
            let taken = match segment.marker {
                code::EOI => {
                    survey.closed = true;
                    break;
                }
                code::SOS => parse_scan(&header.frame, segment.payload).map(|scan| {
                    survey.scans.push(Planned { scan, at: markers.at(), tables: tables.clone() });
                }),
                _ => tables.apply(segment),
            };
            if let Err(error) = taken {
                // What came before is still a picture.
                if survey.scans.is_empty() {
                    return Err(error);
                }
                survey.damaged = true;
                break;
            }
            if survey.scans.len() > limits.max_scans as usize {
                return Err(Error::LimitExceeded(Limit::Scans));
            }
        }
        Ok(survey)
    }

    /// Whether each scan has to be decoded for the terms in the sets `kept`, one for each component.
    pub(super) fn needed(&self, kept: &[u64]) -> Vec<bool> {
        let mut watched = kept.to_vec();
        let mut needed = vec![false; self.scans.len()];
        for (planned, needed) in self.scans.iter().zip(&mut needed).rev() {
            let band = band(&planned.scan);
            for member in &planned.scan.members {
                let watched = &mut watched[member.component];
                if band & *watched != 0 {
                    *needed = true;
                    if planned.scan.high != 0 {
                        *watched |= band;
                    }
                }
            }
        }
        needed
    }

    /// All terms in the sets `kept` come down to their last bit.
    pub(super) fn is_complete(&self, kept: &[u64]) -> bool {
        let mut missing = kept.to_vec();
        for planned in self.scans.iter().filter(|planned| planned.scan.low == 0) {
            for member in &planned.scan.members {
                missing[member.component] &= !band(&planned.scan);
            }
        }
        missing.iter().all(|&missing| missing == 0)
    }
}

/// The coding indices that a scan is about.
pub(super) fn band(scan: &Scan) -> u64 {
    (u64::MAX >> (63 - scan.last)) & (u64::MAX << scan.first)
}

/// A scan header with the rules of T.81, G.1.1.1.
fn parse_scan(frame: &Frame, payload: &[u8]) -> Result<Scan, Error> {
    let scan = Scan::parse(frame, payload)?;
    let band_is_valid = if scan.first == 0 {
        scan.last == 0
    } else {
        scan.first <= scan.last && scan.last <= 63 && scan.members.len() == 1
    };
    if !band_is_valid {
        return Err(Error::Malformed("a scan's spectral band is not allowed"));
    }
    // libjpeg's bound; with more the first bits would not fit into a term.
    if scan.low > 13 || (scan.high != 0 && scan.high != scan.low + 1) {
        return Err(Error::Malformed("a scan's approximation is not allowed"));
    }
    Ok(scan)
}
