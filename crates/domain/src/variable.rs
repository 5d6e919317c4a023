//! What an operator can set, on every host: one row a variable, from which come what the components read, the checks of the values
//! and the table of docs/configuration.md. `spin.toml`, which hosts read, is held against it by a test.
//!
//! What bounds the host itself is not here: those limits are the host's own.

use thumbs_access::{CallbackSecrets, Keys, LinkSecrets};

use crate::address::TrustedProxies;
use crate::callback::CallbackHosts;
use crate::format::AcceptedFormats;
use crate::origin::Origins;
use crate::rate::MAX_REQUESTS;
use crate::retention::{Keep, MAX_DAYS};
use crate::variant::MAX_VARIANTS;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As spin.toml spells it; on every host set by `SPIN_VARIABLE_<NAME>`.
    pub name: &'static str,
    /// What holds where nobody sets it.
    pub default: &'static str,
    /// It may hold a credential, so hosts don't show it.
    pub is_secret: bool,
    /// What values it takes.
    pub takes: Takes,
    /// What it is for.
    pub meaning: &'static str,
    /// Which components of spin.toml are given it: among their variables, alone or in [`EDGE`], or in their grants.
    pub components: &'static [&'static str],
}

/// What values a variable takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A whole number of this range.
    Number {
        /// The smallest.
        min: u64,
        /// The largest: beyond it is a mistake in the unit.
        max: u64,
        /// Of what.
        unit: &'static str,
    },
    /// `true` or `false`.
    Switch,
    /// Where the jobs are.
    DatabaseUrl,
    /// Where the wake-ups are.
    RedisUrl,
    /// Where the images are.
    BlobUrl,
    /// The server of an S3 store.
    Endpoint,
    /// A grant.
    Grant,
    /// How long something is kept.
    Kept,
    /// Who may ask from a browser.
    Origins,
    /// Who may ask at all.
    ApiKeys,
    /// What links are signed with.
    LinkSecrets,
    /// Who may be told that a job ended.
    CallbackHosts,
    /// What that is signed with.
    CallbackSecrets,
    /// Who is believed about others' addresses.
    Proxies,
    /// What images may be encoded as.
    Formats,
    /// A name that is not empty; the clause says of what.
    Name(&'static str),
    /// Any text, an empty one too; the clause says which.
    Any(&'static str),
}

impl std::fmt::Display for Takes {
    /// Goes on after "must be".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Number { min, max, unit } => {
                return write!(f, "a whole number from {min} to {max} ({unit})");
            }
            Self::Switch => "true or false",
            Self::DatabaseUrl => {
                "`sqlite:<label>` or `postgres://<user>:<password>@<host>:<port>/<database>`"
            }
            Self::RedisUrl => "`redis://...` or `rediss://...`",
            Self::BlobUrl => {
                "`s3://<bucket>[/<prefix>]`, on `thumbs up` also `dir:<path>` or `memory:`, on Spin and with `--compose-all` also `kv:<label>`"
            }
            Self::Endpoint => "`http://...` or `https://...`, or empty",
            Self::Grant => "`<scheme>://<host>:<port>`",
            Self::Kept => {
                return write!(f, "`forever`, `until-done` or a whole number from 1 to {MAX_DAYS} (days)");
            }
            Self::Origins => "empty, `*`, or origins (`https://<host>[:<port>]`) with commas between them",
            Self::ApiKeys => {
                "empty, or keys as `thumbs key new` prints them (`<name>:<scopes>:<last day>:<SHA-256>`), with line breaks or commas between them"
            }
            Self::LinkSecrets => {
                "empty, or secrets of 32 visible ASCII characters or more, with white space between them"
            }
            Self::Formats => "names of `jpeg`, `png`, `gif`, `webp`, `heic`, `avif` with commas between them",
            Self::CallbackHosts => {
                "empty, or hosts (`<host>[:<port>]`, `*.<domain>[:<port>]`, without TLS `http://` and the same) with commas between them"
            }
            Self::CallbackSecrets => {
                "empty, or secrets (`whsec_<base64 of 24 to 64 bytes>`) with white space between them"
            }
            Self::Proxies => "empty, or addresses and networks (`10.0.0.0/8`) with commas between them",
            Self::Name(clause) | Self::Any(clause) => clause,
        })
    }
}

impl Takes {
    /// Whether this is one of the values.
    pub fn accepts(self, value: &str) -> bool {
        let after = |schemes: &[&str]| {
            let (scheme, rest) = value.split_once("://")?;
            (schemes.contains(&scheme) && !rest.is_empty()).then_some(rest)
        };
        match self {
            Self::Number { .. } => self.number(value).is_some(),
            Self::Switch => matches!(value, "true" | "false"),
            Self::DatabaseUrl => {
                value.strip_prefix("sqlite:").is_some_and(|label| !label.is_empty())
                    || after(&["postgres", "postgresql"]).is_some()
            }
            Self::RedisUrl => after(&["redis", "rediss"]).is_some(),
            Self::BlobUrl => {
                let named = |kind| value.strip_prefix(kind).is_some_and(|name| !name.is_empty());
                value == "memory:" || named("dir:") || named("kv:") || after(&["s3"]).is_some()
            }
            Self::Endpoint => value.is_empty() || after(&["http", "https"]).is_some(),
            Self::Grant => value.split_once("://").is_some_and(|(scheme, rest)| {
                let (host, port) = rest.rsplit_once(':').unwrap_or_default();
                !scheme.is_empty() && !host.is_empty() && !port.is_empty()
            }),
            Self::Kept => Keep::parse(value).is_some(),
            Self::Origins => Origins::parse(value).is_some(),
            Self::ApiKeys => Keys::parse(value).is_ok(),
            Self::LinkSecrets => LinkSecrets::parse(value).is_ok(),
            Self::CallbackHosts => CallbackHosts::parse(value).is_some(),
            Self::CallbackSecrets => CallbackSecrets::parse(value).is_ok(),
            Self::Proxies => TrustedProxies::parse(value).is_some(),
            Self::Formats => AcceptedFormats::parse(value).is_some(),
            Self::Name(_) => !value.trim().is_empty(),
            Self::Any(_) => true,
        }
    }

    /// The number that this text is, where the variable takes it.
    pub fn number(self, value: &str) -> Option<u64> {
        let Self::Number { min, max, .. } = self else { return None };
        value.trim().parse().ok().filter(|number| (min..=max).contains(number))
    }
}

const fn number(min: u64, max: u64, unit: &'static str) -> Takes {
    Takes::Number { min, max, unit }
}

macro_rules! variables {
    ($($variable:ident = $name:literal, $default:literal, $visibility:ident, $takes:expr, $components:expr, $meaning:literal;)+) => {
        /// One variable of the application.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Variable {
            $(#[doc = concat!("`", $name, "`: ", $meaning, ".")] $variable,)+
        }

        impl Variable {
            /// All variables, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variable),+];

            /// The variable's row of the table.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variable => {
                        const ROW: &Row = &Row {
                            name: $name,
                            default: $default,
                            is_secret: variables!(@ $visibility),
                            takes: $takes,
                            meaning: $meaning,
                            components: $components,
                        };
                        ROW
                    })+
                }
            }
        }
    };
    (@ secret) => { true };
    (@ public) => { false };
}

// Of these, `resize` only looks at it at start.
const ALL: &[&str] = &["upload", "status", "download", "resize", "pages", "ops"];
const WITH_JOBS: &[&str] = &["upload", "status", "download", "resize", "ops", "callback"];
const WITH_BLOBS: &[&str] = &["upload", "download", "resize", "ops"];
const GUARDED: &[&str] = &["upload", "status", "download", "resize", "ops"];
const LINKING: &[&str] = &["upload", "status", "download", "resize", "callback"];
const BOUNDED: &[&str] = &["upload", "resize", "pages"];
const WAKING: &[&str] = &["upload", "status", "download", "resize", "ops", "callback"];
// The upload is refused where its job could not be worked on.
const WORKING: &[&str] = &["upload", "resize"];

// Who is woken looks for what is kept no longer.
const SWEEPING: &[&str] = &["resize"];
const BATCHING: &[&str] = &["upload", "resize"];
const QUEUEING: &[&str] = &["upload", "resize"];
const CALLING_BACK: &[&str] = &["resize", "callback"];

const A_DAY_SECS: u64 = 24 * 60 * 60;
const GIB: u64 = 1024 * 1024 * 1024;

variables! {
    DatabaseUrl = "database_url", "sqlite:default", secret,
        Takes::DatabaseUrl, WITH_JOBS,
        "Where the jobs are: an SQLite database that the manifest names, which on `thumbs up` is a file, or PostgreSQL";
    DatabaseOutbound = "database_outbound", "postgres://localhost:5432", public, Takes::Grant, WITH_JOBS,
        "Grants the server of `database_url`; `thumbs up` derives it";
    RedisUrl = "redis_url", "redis://localhost:6379", secret,
        Takes::RedisUrl, WAKING,
        "The Redis of the wake-ups; where nobody sets it, they stay within `thumbs up`. Spin needs one";
    RedisOutbound = "redis_outbound", "redis://localhost:6379", public, Takes::Grant, WAKING,
        "Grants the server of `redis_url`; `thumbs up` derives it";
    WakeChannel = "wake_channel", "thumbs-wake", public, Takes::Name("the name of a Redis channel"), WAKING,
        "The channel of the wake-ups; one for each application on a Redis";
    BlobUrl = "blob_url", "kv:default", public,
        Takes::BlobUrl, WITH_BLOBS,
        "Where the images are; where nobody sets it, `<state-dir>/blobs` on `thumbs up`";
    BlobOutbound = "blob_outbound", "http://localhost:9000", public, Takes::Grant, WITH_BLOBS,
        "Grants the server of an S3 blob store; `thumbs up` derives it";
    S3EndpointUrl = "s3_endpoint_url", "http://localhost:9000", public, Takes::Endpoint, WITH_BLOBS,
        "The server of an `s3://` blob store; empty is AWS in `s3_region`";
    S3Region = "s3_region", "us-east-1", public, Takes::Name("the name of a region"), WITH_BLOBS,
        "The region of the bucket; servers other than AWS take any";
    S3PathStyle = "s3_path_style", "true", public, Takes::Switch, WITH_BLOBS,
        "Whether the bucket stands in the path of a URL, and not in its host";
    S3AccessKeyId = "s3_access_key_id", "", secret, Takes::Any("an access key"), WITH_BLOBS,
        "Who asks the S3 server";
    S3SecretAccessKey = "s3_secret_access_key", "", secret, Takes::Any("the secret of the access key"), WITH_BLOBS,
        "Proves who asks the S3 server";
    S3SessionToken = "s3_session_token", "", secret, Takes::Any("a session token, or empty"), WITH_BLOBS,
        "Comes with an access key that is lent for a time, as to a role";
    AllowedOrigins = "allowed_origins", "", public, Takes::Origins, ALL,
        "Pages of which origins may use the service from a browser (CORS): none, all (`*`), or these";
    ApiKeys = "api_keys", "", secret, Takes::ApiKeys, GUARDED,
        "Who may use the service: one key an entry, of which it holds the SHA-256; where it is empty, everybody may";
    LinkSecret = "link_secret", "", secret, Takes::LinkSecrets, LINKING,
        "Signs links to thumbnails that are good without a key; the first signs, links of the others are good as well. Where it is empty there are none";
    LinkSecs = "link_secs", "86400", public, number(60, 366 * A_DAY_SECS, "seconds"), LINKING,
        "How long the link is good that a job has (`links.signed_thumbnail`), up to a tenth less";
    Formats = "formats", "jpeg,png,gif,webp,heic,avif", public, Takes::Formats, BOUNDED,
        "What images may be encoded as; 415 where it is another. Leave a name out to turn its decoder off: on the day of a hole in it, or, for `heic`, where you want no HEVC, which is patented (decision 32)";
    MaxUploadBytes = "max_upload_bytes", "33554432", public, number(1, GIB, "bytes"), BOUNDED,
        "Bytes of one uploaded image; 413 beyond, while the upload is read";
    MaxBatchParts = "max_batch_parts", "100", public, number(1, 1_000, "images"), BATCHING,
        "Images of one batch (`POST /batches`); those beyond are not read, and the answer says so";
    MaxBatchBytes = "max_batch_bytes", "3422552064", public, number(1, 4 * GIB, "bytes"), BATCHING,
        "Bytes of the form of a batch; 413 beyond where its length is declared, else those beyond are not read, and the answer says so";
    MaxPixels = "max_pixels", "64000000", public, number(1, 10_000_000_000, "pixels"), BOUNDED,
        "Width x height of one frame; 422 beyond, by the image's header";
    MaxSide = "max_side", "16384", public, number(1, 1_000_000, "pixels"), BOUNDED,
        "Width, and height, of an image; 422 beyond";
    MaxFrames = "max_frames", "200", public, number(1, 100_000, "frames"), BOUNDED,
        "Frames of an animation that have to be decoded: all up to the last that is kept, one for a still; 422 beyond";
    MaxTotalPixels = "max_total_pixels", "100000000", public, number(1, 100_000_000_000, "pixels"), BOUNDED,
        "Pixels over all frames that have to be decoded, with what GIF frames hide beyond the screen; 422 beyond. Of an animation that stays one, half of it bounds what is held at once (the canvas, twice but for WebP, and the thumbnails), a quarter the thumbnails; 422 beyond";
    MaxOutputSide = "max_output_side", "2048", public, number(1, 16_383, "pixels"), BOUNDED,
        "Width, and height, of a thumbnail; 400 beyond";
    MaxVariants = "max_variants", "8", public, number(0, MAX_VARIANTS as u64, "thumbnails"), BOUNDED,
        "Thumbnails of one image in one job, asked for by the option `variants`; 400 beyond. 0 turns the option off";
    MaxOutputPixels = "max_output_pixels", "4194304", public, number(1, 10_000_000_000, "pixels"), BOUNDED,
        "Pixels of a thumbnail over all its frames, which bound the work of making it: an animation that has more loses frames, evenly, and the job says so (`concessions`); 422 where one frame has more. Those of all variants of a job count together";
    WritesPerMinute = "writes_per_minute", "0", public, number(0, MAX_REQUESTS, "requests"), ALL,
        "Uploads and other requests that need the scope `write`, of the keys of one name a minute, without a key of one client's address; 429 beyond, before the upload is read. 0 is no bound";
    WritesBurst = "writes_burst", "20", public, number(1, MAX_REQUESTS, "requests"), ALL,
        "How many of them may come at once";
    ReadsPerMinute = "reads_per_minute", "0", public, number(0, MAX_REQUESTS, "requests"), ALL,
        "The same for requests that need the scope `read`, as of jobs and thumbnails; one with a signed link counts for its client's address. 0 is no bound";
    ReadsBurst = "reads_burst", "120", public, number(1, MAX_REQUESTS, "requests"), ALL,
        "How many of them may come at once";
    TrustedProxies = "trusted_proxies", "", public, Takes::Proxies, ALL,
        "Proxies whose `X-Forwarded-For` or `Forwarded` is believed for a client's address; without any, it is the connection's";
    MaxQueuedJobs = "max_queued_jobs", "0", public, number(0, 1_000_000_000, "jobs"), QUEUEING,
        "Jobs that wait or are being made; 503 beyond, before the upload is read. A key whose name has less than its part (this number by the names that may write, one at least) is let in all the same, so there may be up to twice as many in all, or where it is less than the names one more for each; uploads that come at the same time may go a little beyond. 0 is no bound";
    MaxQueuedJobsPerOwner = "max_queued_jobs_per_owner", "0", public, number(0, 100_000, "jobs"), QUEUEING,
        "The same for the jobs of one owner, where there are keys; 429 beyond. 0 is no bound";
    ResultCache = "result_cache", "true", public, Takes::Switch, QUEUEING,
        "Whether an upload is done at once whose thumbnail was made before: of the same image with the same options, for the same key, or where there are none for anybody";
    CallbackHosts = "callback_hosts", "", public, Takes::CallbackHosts, &["upload", "resize", "callback"],
        "Whom a client may have told that its job ended (`callback_url`, docs/WEBHOOKS.md); where it is empty, nobody";
    CallbackSecret = "callback_secret", "", secret, Takes::CallbackSecrets, CALLING_BACK,
        "Signs what they are told, by each of its secrets; needed where `callback_hosts` names any";
    CallbackPrivate = "callback_private", "false", public, Takes::Switch, &["resize"],
        "Whether `thumbs up` connects to receivers whose address is not public: on this machine, or in its networks";
    CallbackMaxAttempts = "callback_max_attempts", "10", public, number(1, 100, "attempts"), CALLING_BACK,
        "Attempts to tell a receiver before it is given up";
    CallbackBackoffMs = "callback_backoff_ms", "5000", public, number(1, 3_600_000, "milliseconds"), CALLING_BACK,
        "The pause after the first of them that failed, up to a quarter longer by lot; three times as long after each further one, up to eight hours";
    CallbackOutbound = "callback_outbound", "https://callbacks.invalid:443", public, Takes::Grant, &["callback"],
        "On Spin grants the receivers: one host, or all below a domain (`https://*.example.com:443`); `thumbs up` grants what `callback_hosts` names";
    MaxAttempts = "max_attempts", "3", public, number(1, 100, "attempts"), WORKING,
        "Attempts before a job is the dead letter, of those that the image may have failed";
    LeaseSecs = "lease_secs", "30", public, number(1, A_DAY_SECS, "seconds"), WORKING,
        "How long a worker may keep a job without finishing it; longer than the longest attempt";
    RetryBackoffMs = "retry_backoff_ms", "1000", public, number(1, 300_000, "milliseconds"), WORKING,
        "The pause after the first failed attempt; doubles with each, up to five minutes";
    MaxJobAgeSecs = "max_job_age_secs", "86400", public, number(1, 30 * A_DAY_SECS, "seconds"), WORKING,
        "How long after the upload a job is tried again whose attempts the service itself failed: its storage was away, it had no memory left, it was stopped. Such attempts are not among the `max_attempts`";
    KeepSource = "keep_source", "forever", public, Takes::Kept, SWEEPING,
        "How long the original of a job is kept once the job is done: `forever`, so many days, or `until-done`, which is a minute or so. Without it, a failed job can't be tried again";
    KeepJobsDays = "keep_jobs_days", "0", public, number(0, MAX_DAYS as u64, "days"), SWEEPING,
        "How many days after its upload a job that is done is deleted, with its original and its thumbnail; 0 keeps them for ever";
    KeepOrphansDays = "keep_orphans_days", "7", public, number(0, MAX_DAYS as u64, "days"), SWEEPING,
        "After how many days an image or thumbnail is deleted that no job has: a process was killed between storing it and writing it down. 0 keeps them for ever: set it where another service's images lie in the same place, which its jobs have and these do not";
}

/// Several variables in one, so that a component reads them by one call to the host: the manifest puts them together.
#[derive(Clone, Copy, Debug)]
pub struct Joined {
    /// The component's variable.
    pub name: &'static str,
    /// What stands in it, in this order, with [`SEPARATOR`] between them.
    pub parts: &'static [Variable],
    /// Which components are given it instead of its parts.
    pub components: &'static [&'static str],
}

/// What stands between variables that are joined. No value has it that its variable takes.
pub const SEPARATOR: char = ';';

/// What each request is looked at by before its component sees it.
pub const EDGE: Joined = Joined {
    name: "edge",
    parts: &[
        Variable::AllowedOrigins,
        Variable::WritesPerMinute,
        Variable::WritesBurst,
        Variable::ReadsPerMinute,
        Variable::ReadsBurst,
        Variable::TrustedProxies,
    ],
    components: &["upload", "status", "download", "pages", "ops"],
};

impl Joined {
    /// As the manifest has it.
    pub fn template(&self) -> String {
        let parts: Vec<_> = self.parts.iter().map(|part| format!("{{{{ {} }}}}", part.row().name)).collect();
        parts.join(SEPARATOR.encode_utf8(&mut [0; 4]))
    }

    /// What `text`, which the component was given, has of this variable; none of one that is not joined.
    pub fn part<'a>(&self, text: &'a str, variable: Variable) -> Option<&'a str> {
        let place = self.parts.iter().position(|part| *part == variable)?;
        text.splitn(self.parts.len(), SEPARATOR).nth(place)
    }
}

impl Row {
    /// What a component may reach, not what it reads: the manifest has it in `allowed_outbound_hosts`.
    pub fn is_grant(&self) -> bool {
        self.name.ends_with("_outbound")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_variable_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Variable::ALL.iter().map(|variable| variable.row().name).collect();
        assert_eq!(names.len(), Variable::ALL.len());
    }

    #[test]
    fn every_default_is_one_that_the_variable_takes() {
        for row in Variable::ALL.iter().map(|variable| variable.row()) {
            assert!(row.takes.accepts(row.default), "{}", row.name);
        }
    }

    #[test]
    fn a_variable_takes_what_it_says_and_nothing_else() {
        let number = Takes::Number { min: 1, max: 100, unit: "attempts" };
        for (takes, good, bad) in [
            (
                number,
                &["1", " 30 ", "100"][..],
                &["", "0", "101", "-1", "x", "1.5", "99999999999999999999"][..],
            ),
            (Takes::Switch, &["true", "false"], &["", "yes", "True", "1"]),
            (
                Takes::DatabaseUrl,
                &["sqlite:default", "postgres://u:p@h:5432/d", "postgresql://h/d"],
                &["", "sqlite", "sqlite:", "postgres:", "postgres://", "mysql://h/d", "default"],
            ),
            (Takes::RedisUrl, &["redis://h", "rediss://u:p@h:1/2"], &["", "h:6379", "redis:", "http://h"]),
            (
                Takes::BlobUrl,
                &["s3://b", "s3://b/p", "dir:/x", "memory:", "kv:default"],
                &["", "s3:", "s3://", "dir:", "kv:", "/x", "gs://b"],
            ),
            (Takes::Endpoint, &["", "http://h:9000", "https://h"], &["h:9000", "https://", "ftp://h"]),
            (
                Takes::Grant,
                &["redis://h:6379", "http://[::1]:80"],
                &["", "h:6379", "redis://h", "redis://h:"],
            ),
            (Takes::ApiKeys, &[""], &[" ", "hunter2"]),
            (Takes::LinkSecrets, &["", "0123456789abcdef0123456789abcdef"], &[" ", "hunter2"]),
            (
                Takes::CallbackHosts,
                &["", "hooks.example, *.example:8443", "http://[::1]:1"],
                &["*", "ftp://hooks.example", "hooks.example/path"],
            ),
            (
                Takes::CallbackSecrets,
                &["", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"],
                &[" ", "hunter2", "whsec_aHVudGVyMg=="],
            ),
            (Takes::Proxies, &["", "10.0.0.0/8, ::1"], &["10.0.0.0/33", "proxy.example"]),
            (Takes::Kept, &["forever", "until-done", "30"], &["", "0", "36501", "never"]),
            (Takes::Name("x"), &["a"], &["", " "]),
            (Takes::Any("x"), &["", "a"], &[]),
        ] {
            good.iter().for_each(|value| assert!(takes.accepts(value), "{takes}: {value:?}"));
            bad.iter().for_each(|value| assert!(!takes.accepts(value), "{takes}: {value:?}"));
        }
    }
}
