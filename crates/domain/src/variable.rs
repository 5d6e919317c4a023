//! What an operator can set, on every host: one row a variable, from which come what the components read, the checks of the values
//! and the table of docs/configuration.md. `spin.toml`, which hosts read, is held against it by a test.
//!
//! What bounds the host itself is not here: those limits are the host's own.

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
    /// Which components of spin.toml are given it: among their variables, or in their grants.
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
    /// A text; a clause says which.
    Text(&'static str),
}

impl std::fmt::Display for Takes {
    /// Goes on after "must be".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number { min, max, unit } => write!(f, "a whole number from {min} to {max} ({unit})"),
            Self::Switch => f.write_str("true or false"),
            Self::Text(clause) => f.write_str(clause),
        }
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

const WITH_JOBS: &[&str] = &["upload", "status", "download", "resize", "ops"];
const WITH_BLOBS: &[&str] = &["upload", "download", "resize", "ops"];
const BOUNDED: &[&str] = &["upload", "resize", "pages"];
const WAKING: &[&str] = &["upload", "status", "resize", "ops"];
const WORKING: &[&str] = &["resize"];

const ADDRESS: Takes = Takes::Text("`<scheme>://<host>:<port>`");
const A_DAY_SECS: u64 = 24 * 60 * 60;
const GIB: u64 = 1024 * 1024 * 1024;

variables! {
    DatabaseUrl = "database_url", "sqlite:default", secret,
        Takes::Text("`sqlite:<label>` or `postgres://<user>:<password>@<host>:<port>/<database>`"), WITH_JOBS,
        "Where the jobs are: an SQLite database that the manifest names, which on `thumbs up` is a file, or PostgreSQL";
    DatabaseOutbound = "database_outbound", "postgres://localhost:5432", public, ADDRESS, WITH_JOBS,
        "Grants the server of `database_url`; `thumbs up` derives it";
    RedisUrl = "redis_url", "redis://localhost:6379", secret,
        Takes::Text("`redis://...` or `rediss://...`"), WAKING,
        "The Redis of the wake-ups; where nobody sets it, they stay within `thumbs up`. Spin needs one";
    RedisOutbound = "redis_outbound", "redis://localhost:6379", public, ADDRESS, WAKING,
        "Grants the server of `redis_url`; `thumbs up` derives it";
    WakeChannel = "wake_channel", "thumbs-wake", public, Takes::Text("the name of a Redis channel"), WAKING,
        "The channel of the wake-ups; one for each application on a Redis";
    BlobUrl = "blob_url", "kv:default", public,
        Takes::Text("`s3://<bucket>[/<prefix>]`, on `thumbs up` also `dir:<path>` or `memory:`, on Spin and with `--compose-all` also `kv:<label>`"),
        WITH_BLOBS,
        "Where the images are; where nobody sets it, `<state-dir>/blobs` on `thumbs up`";
    BlobOutbound = "blob_outbound", "http://localhost:9000", public, ADDRESS, WITH_BLOBS,
        "Grants the server of an S3 blob store; `thumbs up` derives it";
    S3EndpointUrl = "s3_endpoint_url", "http://localhost:9000", public, Takes::Text("`http://...` or `https://...`, or empty"), WITH_BLOBS,
        "The server of an `s3://` blob store; empty is AWS in `s3_region`";
    S3Region = "s3_region", "us-east-1", public, Takes::Text("the name of a region"), WITH_BLOBS,
        "The region of the bucket; servers other than AWS take any";
    S3PathStyle = "s3_path_style", "true", public, Takes::Switch, WITH_BLOBS,
        "Whether the bucket stands in the path of a URL, and not in its host";
    S3AccessKeyId = "s3_access_key_id", "", secret, Takes::Text("an access key"), WITH_BLOBS,
        "Who asks the S3 server";
    S3SecretAccessKey = "s3_secret_access_key", "", secret, Takes::Text("the secret of the access key"), WITH_BLOBS,
        "Proves who asks the S3 server";
    S3SessionToken = "s3_session_token", "", secret, Takes::Text("a session token, or empty"), WITH_BLOBS,
        "Comes with an access key that is lent for a time, as to a role";
    MaxUploadBytes = "max_upload_bytes", "33554432", public, number(1, GIB, "bytes"), BOUNDED,
        "Bytes of one uploaded image; 413 beyond, while the upload is read";
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
    MaxOutputPixels = "max_output_pixels", "4194304", public, number(1, 10_000_000_000, "pixels"), BOUNDED,
        "Pixels of a thumbnail over all its frames, which bound the work of making it: an animation that has more loses frames, evenly, and the job says so (`concessions`); 422 where one frame has more";
    MaxAttempts = "max_attempts", "3", public, number(1, 100, "attempts"), WORKING,
        "Attempts before a job is the dead letter, of those that the image may have failed";
    LeaseSecs = "lease_secs", "30", public, number(1, A_DAY_SECS, "seconds"), WORKING,
        "How long a worker may keep a job without finishing it; longer than the longest attempt";
    RetryBackoffMs = "retry_backoff_ms", "1000", public, number(1, 300_000, "milliseconds"), WORKING,
        "The pause after the first failed attempt; doubles with each, up to five minutes";
    MaxJobAgeSecs = "max_job_age_secs", "86400", public, number(1, 30 * A_DAY_SECS, "seconds"), WORKING,
        "How long after the upload a job is tried again whose attempts the service itself failed: its storage was away, it had no memory left, it was stopped. Such attempts are not among the `max_attempts`";
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
            let taken = match row.takes {
                Takes::Number { min, max, .. } => {
                    row.default.parse().is_ok_and(|number: u64| (min..=max).contains(&number))
                }
                Takes::Switch => row.default.parse::<bool>().is_ok(),
                Takes::Text(_) => true,
            };
            assert!(taken, "{}", row.name);
        }
    }
}
