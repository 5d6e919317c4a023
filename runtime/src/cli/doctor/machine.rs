//! What the machine gives: files, memory, disk, a clock, and a folder that is ours.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use rustix::{fs::statvfs, process::geteuid};

use crate::{app::Finding, descriptors, limits::Limits};

/// With less space, what an upload and SQLite need for a moment may not fit.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;
/// With less, hardly anything fits.
const NO_SPACE_BYTES: u64 = 64 << 20;
/// What the process itself takes, beside its instances.
const OWN_MEMORY_SHARE: u64 = 5;
/// A clock may differ so much from that of the machine that wrote the data before.
const CLOCK_SLACK: Duration = Duration::from_secs(300);
/// When this program was young: no clock that is right says less.
const NOT_BEFORE_SECS: u64 = 1_767_225_600;

/// All of it.
pub(super) fn findings(state_dir: &Path, limits: &Limits, now: SystemTime) -> Vec<Finding> {
    let cgroup = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let mut findings = vec![
        open_files(descriptors::limit(), limits.max_connections),
        clock(now, newest(state_dir)),
        folder(state_dir),
        disk(state_dir),
    ];
    findings
        .extend(memory_bytes(&cgroup, &meminfo).map(|there| memory(there, limits.max_total_memory_bytes)));
    findings
}

fn open_files(limit: Option<u64>, wanted: u64) -> Finding {
    let subject = "open files";
    let connections = descriptors::connections(wanted, limit);
    match limit {
        Some(files) if connections < wanted => Finding::doubtful(
            subject,
            format!(
                "{files} files may be open, so no more than {connections} connections are taken instead of {wanted}."
            ),
            "Raise the hard limit (`ulimit -Hn`, `LimitNOFILE`), or lower THUMBS_MAX_CONNECTIONS.",
        ),
        Some(files) => {
            Finding::well(subject, format!("{files} may be open, enough for {wanted} connections."))
        }
        None => Finding::well(subject, "There is no limit."),
    }
}

/// `newest` is when something was written into the state directory last.
fn clock(now: SystemTime, newest: Option<SystemTime>) -> Finding {
    let remedy =
        "Set it, and have it kept (NTP): jobs, leases, links and requests to S3 are good for a time.";
    let not_before = SystemTime::UNIX_EPOCH + Duration::from_secs(NOT_BEFORE_SECS);
    if now < not_before {
        return Finding::wrong("clock", "The clock of this machine is years behind.", remedy);
    }
    match newest.and_then(|newest| newest.duration_since(now).ok()) {
        Some(ahead) if ahead > CLOCK_SLACK => Finding::doubtful(
            "clock",
            format!(
                "Something in the state directory was written {} s from now: the clock went back, or was ahead.",
                ahead.as_secs()
            ),
            remedy,
        ),
        _ => Finding::well("clock", "It does not contradict the data."),
    }
}

/// When anything directly in the folder, or in a folder of it, was written last.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let written = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    entries(folder)
        .flat_map(|path| entries(&path).filter_map(|below| written(&below)).chain(written(&path)).max())
        .max()
}

fn folder(state_dir: &Path) -> Finding {
    let (subject, name) = ("state", state_dir.display());
    let Ok(metadata) = fs::metadata(state_dir) else {
        let parent = state_dir.ancestors().skip(1).find(|parent| parent.is_dir() || *parent == Path::new(""));
        let parent = parent.filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        return match rustix::fs::access(parent, rustix::fs::Access::WRITE_OK) {
            Ok(()) => Finding::well(subject, format!("{name} is not there yet, and can be made.")),
            Err(_) => Finding::wrong(
                subject,
                format!("{name} is not there, and can't be made in {}.", parent.display()),
                "Make it for the user that serves, or name another with --state-dir.",
            ),
        };
    };
    let user = geteuid().as_raw();
    if !metadata.is_dir() {
        return Finding::wrong(subject, format!("{name} is no folder."), "Name another with --state-dir.");
    }
    if rustix::fs::access(state_dir, rustix::fs::Access::WRITE_OK).is_err() {
        return Finding::wrong(
            subject,
            format!("{name} can't be written to by this user ({user}); it belongs to {}.", metadata.uid()),
            "Give it to the user that serves (`chown -R`), or name another with --state-dir.",
        );
    }
    if metadata.uid() != user {
        return Finding::doubtful(
            subject,
            format!("{name} belongs to {}, and this is {user}.", metadata.uid()),
            "Ask as the user that serves: what this user makes, that one may not be able to change.",
        );
    }
    if metadata.mode() & 0o077 != 0 {
        return Finding::doubtful(
            subject,
            format!("{name} is open to others (mode {:03o}).", metadata.mode() & 0o777),
            "Nothing: `thumbs up` closes it. Where it can't, `chmod 700` does.",
        );
    }
    Finding::well(subject, format!("{name} is this user's alone."))
}

fn disk(state_dir: &Path) -> Finding {
    let there = state_dir.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    match statvfs(there) {
        Ok(disk) => space(disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_favail, disk.f_files),
        Err(error) => Finding::doubtful(
            "disk",
            format!("The system does not tell how much is free: {error}."),
            "Look by hand.",
        ),
    }
}

fn space(free_bytes: u64, free_files: u64, files: u64) -> Finding {
    let free = format!("{} MiB are free.", free_bytes >> 20);
    let remedy =
        "Make room, have less kept (keep_source, keep_jobs_days), or name another disk with --state-dir.";
    if free_bytes < NO_SPACE_BYTES {
        Finding::wrong("disk", free, remedy)
    } else if free_bytes < LITTLE_SPACE_BYTES {
        Finding::doubtful("disk", free, remedy)
    } else if files > 0 && free_files < files / 100 {
        Finding::doubtful("disk", format!("{free_files} more files fit, each image is one."), remedy)
    } else {
        Finding::well("disk", free)
    }
}

/// What this process may have at most, by its control group and the machine.
fn memory_bytes(cgroup: &str, meminfo: &str) -> Option<u64> {
    let machine = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.strip_suffix("kB"));
    let machine = machine.and_then(|kib| kib.trim().parse::<u64>().ok()?.checked_mul(1024));
    let group = cgroup.trim().parse::<u64>().ok();
    machine.into_iter().chain(group).min()
}

fn memory(there: u64, for_instances: u64) -> Finding {
    let (there_mib, wanted_mib) = (there >> 20, for_instances >> 20);
    let text = format!("{there_mib} MiB are there, of which instances may have {wanted_mib} MiB.");
    if for_instances > there - there / OWN_MEMORY_SHARE {
        let remedy =
            format!("Set THUMBS_MAX_TOTAL_MEMORY_BYTES to {} or less, or give more memory.", there / 2);
        return Finding::doubtful("memory", text, remedy);
    }
    Finding::well("memory", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Verdict::{self, Doubtful, Well, Wrong};

    fn at(secs: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(secs)
    }

    #[test]
    fn a_clock_is_wrong_where_it_contradicts_the_data() {
        let now = NOT_BEFORE_SECS + 1_000_000;
        for (now, newest, verdict) in [
            (now, None, Well),
            (now, Some(now - 9_999), Well),
            (now, Some(now + 200), Well),
            (now, Some(now + 3_600), Doubtful),
            (0, None, Wrong),
        ] {
            assert_eq!(clock(at(now), newest.map(at)).verdict, verdict, "{now} {newest:?}");
        }
    }

    #[test]
    fn files_space_and_memory_are_judged_by_what_is_wanted() {
        let verdicts: [(Finding, Verdict); 9] = [
            (open_files(None, 4_096), Well),
            (open_files(Some(1_048_576), 4_096), Well),
            (open_files(Some(1_024), 4_096), Doubtful),
            (space(8 << 30, 1_000, 2_000), Well),
            (space(8 << 30, 1, 2_000), Doubtful),
            (space(8 << 30, 0, 0), Well),
            (space(500 << 20, 1_000, 2_000), Doubtful),
            (space(1 << 20, 1_000, 2_000), Wrong),
            (memory(1 << 30, 2 << 30), Doubtful),
        ];
        for (finding, verdict) in verdicts {
            assert_eq!(finding.verdict, verdict, "{finding:?}");
            assert_eq!(finding.remedy.is_some(), verdict != Well, "{finding:?}");
        }
        assert_eq!(memory(8 << 30, 2 << 30).verdict, Well);
    }

    #[test]
    fn memory_is_what_the_group_has_or_the_machine() {
        let meminfo = "MemTotal:        2048 kB\nMemFree: 1 kB\n";
        assert_eq!(memory_bytes("max\n", meminfo), Some(2_097_152));
        assert_eq!(memory_bytes("1048576\n", meminfo), Some(1_048_576));
        assert_eq!(memory_bytes("", ""), None);
    }

    #[test]
    fn a_state_directory_is_ours_alone_or_can_be_made() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::TempDir::new().unwrap();
        assert_eq!(folder(&root.path().join("a/b")).verdict, Well);
        let open = root.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(folder(&open).verdict, Doubtful);
        fs::set_permissions(&open, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(folder(&open).verdict, Well);
        fs::write(root.path().join("file"), "").unwrap();
        assert_eq!(folder(&root.path().join("file")).verdict, Wrong);
    }
}
