//! The classes' worst rows against their targets.

use std::{collections::BTreeMap, fmt};

use crate::{
    class::Class,
    table::{MIB, Row},
};

/// Megapixels below which images are judged apart: what counts there are fixed costs.
const SMALL_MP: f64 = 0.5;
/// The targets of memory are meant for images of so many megapixels.
const LARGE_MP: f64 = 40.0;

/// What the table comes to.
pub(crate) struct Summary<'r> {
    worst: BTreeMap<(bool, Class), (&'r Row, f64)>,
    large: Vec<(&'r Row, u32)>,
}

impl<'r> Summary<'r> {
    pub(crate) fn of(rows: &'r [Row]) -> Self {
        let mut worst = BTreeMap::new();
        for row in rows {
            let Some(ratio) = row.ratio() else { continue };
            let entry = worst.entry((row.megapixels < SMALL_MP, row.class)).or_insert((row, ratio));
            if ratio > entry.1 {
                *entry = (row, ratio);
            }
        }
        let large = rows.iter().filter(|row| row.megapixels > LARGE_MP);
        Self { worst, large: large.filter_map(|row| Some((row, row.class.target_mib()?))).collect() }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = |met| if met { "met" } else { "missed" };
        writeln!(f, "| class | worst image | worst ratio | target | |\n|---|---|---|---|---|")?;
        for (&(small, class), &(row, ratio)) in &self.worst {
            let suffix = if small { ", small" } else { "" };
            let Some(target) = class.target_ratio() else {
                writeln!(f, "| {class}{suffix} | {} | {ratio:.2} | | |", row.name)?;
                continue;
            };
            // As printed: a third digit says nothing.
            let met = verdict((ratio * 100.0).round() <= target * 100.0);
            writeln!(f, "| {class}{suffix} | {} | {ratio:.2} | {target:.1} | {met} |", row.name)?;
        }
        for &(row, target_mib) in &self.large {
            let peak_mib = row.peak_memory_bytes as f64 / MIB;
            let met = verdict(peak_mib <= f64::from(target_mib));
            let (class, name) = (row.class, &row.name);
            writeln!(f, "| {class}, memory | {name} | {peak_mib:.1} MiB | {target_mib} MiB | {met} |")?;
        }
        Ok(())
    }
}
