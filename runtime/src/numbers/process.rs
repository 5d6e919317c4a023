//! What the system knows of this process. Read from Linux' `/proc`; elsewhere most of it is not known, and not told.

use std::{fs, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use crate::descriptors;

/// What the system knows of this process, now.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) cpu: Duration,
    pub(crate) resident_bytes: Option<u64>,
    pub(crate) open_fds: Option<u64>,
    pub(crate) max_fds: Option<u64>,
}

impl Process {
    /// Asks. Blocks for a moment that grows with the number of open files.
    pub(crate) fn look() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu =
            Duration::new(u64::try_from(cpu.tv_sec).unwrap_or(0), u32::try_from(cpu.tv_nsec).unwrap_or(0));
        // One of them is the folder that is read.
        let open = fs::read_dir("/proc/self/fd").ok().map(|files| (files.count() as u64).saturating_sub(1));
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self { cpu, resident_bytes: resident_bytes(&status), open_fds: open, max_fds: descriptors::limit() }
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))?;
    kib.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_linux_writes_it() {
        assert_eq!(resident_bytes("Name:\tthumbs\nVmRSS:\t   43012 kB\nThreads:\t7\n"), Some(44_044_288));
        assert_eq!(resident_bytes("VmRSS: many kB"), None);
        assert_eq!(resident_bytes(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_opened_is_one_more() {
        let looked = Process::look();
        assert!(looked.resident_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(looked.open_fds.is_some_and(|open| open >= 3), "{looked:?}");
        assert!(looked.cpu > Duration::ZERO);
    }
}
