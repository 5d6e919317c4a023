//! What the numbers were measured with.

use crate::peers::Peers;

/// One paragraph for the head of the table.
pub(crate) fn description(peers: &Peers) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cpu}, {cores} cores, one thread used, processor time; Wasmtime 48, simd128; {}", peers.versions)
}
