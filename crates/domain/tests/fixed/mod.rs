//! Bounds that no operator sets: for docs/limits.md, held to the places that keep them. Those of imaging are in its README, those of S3's answers
//! and of single calls to the host beside their code, for nobody meets them but by a fault of another.

/// One row of the table.
pub(crate) struct Bound {
    /// As people read it.
    pub(crate) value: &'static str,
    /// What it bounds.
    pub(crate) bounds: &'static str,
    /// What happens when it is hit.
    pub(crate) when_hit: &'static str,
    /// The file that has it, from the top of the repository.
    pub(crate) file: &'static str,
    /// How it stands there.
    pub(crate) code: &'static str,
}

macro_rules! bounds {
    ($($value:literal, $bounds:literal, $when_hit:literal, $file:literal: $code:literal;)*) => {
        /// Clients' first, then workers', the host's, the command line's.
        pub(crate) const TABLE: &[Bound] = &[
            $(Bound { value: $value, bounds: $bounds, when_hit: $when_hit, file: $file, code: $code },)*
        ];
    };
}

bounds! {
    "30 s", "how long an answer is held by `wait`", "the job is shown as it stands",
        "crates/domain/src/wait.rs": "MAX_WAIT_SECS: u64 = 30;";
    "100", "jobs on a page of `GET /jobs`", "400 `invalid-option`",
        "crates/domain/src/list.rs": "MAX_LIMIT: u32 = 100;";
    "100", "ids in `GET /jobs?ids=`", "400 `invalid-option`",
        "crates/domain/src/list.rs": "MAX_IDS: usize = 100;";
    "64 KiB", "what surrounds the image in a form: boundaries, headers of parts, options", "413",
        "crates/guest/src/intake/form.rs": "FORM_OVERHEAD_BYTES: u64 = 64 * 1024;";
    "70", "characters of a form's boundary", "400 `malformed-request`",
        "crates/guest/src/intake/content_type.rs": "MAX_BOUNDARY_CHARS: usize = 70;";
    "20 s", "work on one batch, without what the client is waited for", "its form is not read on: `is_complete` is false, and the last part says why",
        "components/upload/src/batch.rs": "MAX_WORK: Duration = Duration::from_secs(20);";
    "255", "characters of a file's name in a batch", "the rest is left out",
        "crates/domain/src/batch.rs": "MAX_CHARS: usize = 255;";
    "128", "characters of an `X-Request-Id`", "the host makes another",
        "runtime/src/triggers/http/headers.rs": "MAX_ID_BYTES: usize = 128;";
    "5 minutes", "the pause before a job is tried again, which doubles", "it grows no more",
        "crates/domain/src/machine.rs": "MAX_BACKOFF_MS: i64 = 5 * 60 * 1000;";
    "24", "attempts at a job that end by the clock (`timed-out`)", "the job has failed",
        "crates/domain/src/machine.rs": "MAX_TIMED_OUT: usize = 24;";
    "16", "jobs that died with their last worker, and that one message gives up", "the next message goes on",
        "components/resize/src/handler.rs": "MAX_GIVEN_UP: u32 = 16;";
    "50", "rows of each kind that a sweep takes away: jobs that succeeded, jobs that failed, originals", "another sweep follows at once",
        "components/resize/src/sweep.rs": "MAX_ROWS: u32 = 50;";
    "250", "blobs that a sweep deletes", "another sweep follows at once",
        "components/resize/src/sweep.rs": "MAX_BLOBS: u32 = 5 * MAX_ROWS;";
    "500", "keys of originals, and of thumbnails, among which a sweep looks for orphans", "another sweep follows at once",
        "crates/guest/src/orphans.rs": "PAGE: u32 = 500;";
    "3 s", "how long a sweep deletes noted blobs, and then orphans", "another sweep follows: at once, or where one can't be deleted a minute later",
        "crates/guest/src/effort.rs": "MAX_TRYING: Duration = Duration::from_secs(3);";
    "10", "blobs that can't be deleted, in one sweep: noted ones, and orphans of each kind", "the next sweep goes on behind them, or begins with others of the same page",
        "crates/guest/src/effort.rs": "MAX_FAILURES: usize = 10;";
    "a day", "how long a page holds up the search for orphans because some of it can't be deleted, however far the search is behind", "they are left where they are (`orphan-left`)",
        "crates/guest/src/orphans.rs": "PATIENCE_MS: i64 = 24 * 3600 * 1000;";
    "10,000", "names of one folder of blobs that are held, and for a minute kept, while it is listed", "the folder is read once more",
        "runtime/src/capabilities/blob/directory/list.rs": "MAX_NAMES: usize = 10_000;";
    "24", "callbacks that a process sends at a time; one receiver has half of what is free in as many processes as are needed for what is under way, eight where it is alone", "what is due waits for a place",
        "crates/domain/src/callback/turns.rs": "PLACES: usize = 24;";
    "100", "callbacks among which the next is chosen: so many that have been due longest, and as many that came to be due last", "the others wait until these are sent",
        "crates/domain/src/callback/turns.rs": "LOOKED_AT: u32 = 100;";
    "500", "characters of a text in a line of the components' log", "it is cut",
        "crates/guest/src/log.rs": "MAX_CHARS: usize = 500;";
    "8", "different things that the log has of one instance as refused (`grant-refused`)", "how often more was refused is said at its end",
        "runtime/src/capabilities/refusals.rs": "MAX_SAID: usize = 8;";
    "64 MiB", "one blob, on Spin", "put fails as too-large",
        "components/blob-store/src/guest.rs": "MAX_BLOB_BYTES: u64 = 64 << 20;";
    "10 s", "how long S3 takes to answer, and a body stands still, on Spin", "the request is tried again, up to four times in 25 s",
        "components/blob-store/src/s3/wasi_http.rs": "FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);";
    "25 s", "all attempts at one operation on S3", "the store counts as away",
        "crates/s3/src/retry.rs": "total: Duration::from_secs(25),";
    "1,024", "keys of messages that came last, for a request that is about to wait for one of them", "the oldest is forgotten: such a request waits until its pause is over",
        "runtime/src/triggers/http/parking.rs": "MAX_RECENT_KEYS: usize = 1_024;";
    "64 KiB", "the answer that is kept of a request which waits by a note of what was done", "it is not kept: where no place is found for the last look, the client gets 503",
        "runtime/src/triggers/http/continued.rs": "MAX_KEPT_ANSWER_BYTES: usize = 64 * 1024;";
    "64", "bytes of the name of a key in the line of a request", "the line has none",
        "runtime/src/triggers/http/access.rs": "MAX_CALLER_BYTES: usize = 64;";
    "100", "thumbnails that lost workers left of a job that failed, and that go with its original", "the others stay",
        "crates/guest/src/garbage.rs": "MAX_LEFT_BEHIND: u32 = 100;";
    "64 KiB", "the values that SQLite works on in a function whose time grows with a product", "the statement fails",
        "runtime/src/capabilities/sqlite/policy.rs": "MAX_SEARCHED_BYTES: i32 = 64 * 1024;";
    "64 KiB", "random bytes that a guest is given at once", "the instance is trapped",
        "runtime/src/instance/state.rs": "MAX_RANDOM_BYTES: u64 = 64 * 1024;";
    "128 KiB", "a file that holds a variable's value", "the start ends",
        "runtime/src/variables.rs": "MAX_FILE_BYTES: u64 = 128 * 1024;";
    "256 MiB", "a file that `thumbs submit` sends", "it is not read, and counts as failed",
        "runtime/src/cli/sending.rs": "MAX_FILE_BYTES: u64 = 256 << 20;";
    "10 s, 300 s", "how long `thumbs submit` and the like take to connect, and for one exchange", "it is tried again within `--patience-secs`",
        "runtime/src/cli/client/wire.rs": "EXCHANGE_TIMEOUT: Duration = Duration::from_secs(300);";
}
