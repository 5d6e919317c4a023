//! Where a service of a test keeps everything, and the same tests in every such place.
//!
//! The wasm, the manifest and the test are the same; only variables differ, as they do between a laptop and a cluster. A home outlives a
//! service, so that a second one can start on the same data.

use std::{
    fmt,
    path::Path,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use thumbs::{
    RuntimeBuilder, StartError,
    capabilities::key_value::{Backend as _, EmbeddedStore},
    limits::Limits,
};

use crate::{
    servers::{self, Auth, Bucket, Postgres, Redis, S3},
    service::{Service, StateDir, empty_state_dir, files_below},
};

/// Where one service, or several that share everything, keep their data.
#[derive(Debug)]
pub struct Home {
    kind: Kind,
    state_dir: StateDir,
    variables: Vec<(String, String)>,
}

#[derive(Debug)]
enum Kind {
    Embedded,
    Servers { prefix: String },
    KeyValue,
}

/// A sweep takes milliseconds once somebody was woken; who waits longer waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers' password: whoever puts it into a URL must encode it.
const PASSWORD: &str = "p@ss:w/rd?";

/// The servers that all tests of the process share; each test has a database, a prefix in the bucket and a channel of its own.
struct Shared {
    postgres: Postgres,
    redis: Redis,
    s3: S3,
}

static SHARED: LazyLock<Mutex<Option<Shared>>> = LazyLock::new(|| {
    let servers = (
        servers::available(Postgres::start(Auth::Scram(PASSWORD.to_owned()))),
        servers::available(Redis::start_with_password(PASSWORD)),
    );
    let shared = match servers {
        (Some(postgres), Some(redis)) => Some(Shared { postgres, redis, s3: S3::start() }),
        _ => None,
    };
    Mutex::new(shared)
});

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Home {
    /// SQLite, a directory, wake-ups within the process: what `thumbs up` does by itself.
    #[must_use]
    pub fn embedded() -> Self {
        Self { kind: Kind::Embedded, state_dir: empty_state_dir(), variables: Vec::new() }
    }

    /// PostgreSQL, S3 and Redis; `None` where this machine lacks one, after saying so.
    #[must_use]
    pub fn on_servers() -> Option<Self> {
        tokio::task::block_in_place(|| {
            let shared = SHARED.lock().expect("a test that failed did not hold the servers");
            let shared = shared.as_ref()?;
            let name = format!("home_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
            let database_url = shared.postgres.create_database(&name);
            Some(Self::of_servers(database_url, &shared.redis, shared.s3.bucket(), name))
        })
    }

    /// A database, a server and a bucket that the caller has, and may stop. `name` keeps it apart from others on the same servers: it becomes
    /// the prefix of the blobs and a part of the channel's name.
    #[must_use]
    pub fn of_servers(database_url: String, redis: &Redis, bucket: Bucket, name: String) -> Self {
        let mut variables = bucket.variables();
        for (variable, value) in &mut variables {
            if variable == "blob_url" {
                value.push('/');
                value.push_str(&name);
            }
        }
        variables.push(("database_url".to_owned(), database_url));
        variables.push(("redis_url".to_owned(), redis.url()));
        variables.push(("wake_channel".to_owned(), format!("wake-{name}")));
        Self { kind: Kind::Servers { prefix: name }, state_dir: empty_state_dir(), variables }
    }

    /// SQLite, and blobs in key-value by the blob-store component, composed in as on stock Spin.
    #[must_use]
    pub fn in_key_value() -> Self {
        Self { kind: Kind::KeyValue, state_dir: empty_state_dir(), variables: Vec::new() }
    }

    /// Starts a service here.
    pub async fn start(&self) -> Service {
        self.start_with(|builder| builder).await
    }

    /// Starts a service here with whatever `configure` changes.
    pub async fn start_with(&self, configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Service {
        Service::start_with(self.state_dir.clone(), |builder| configure(self.apply(builder))).await
    }

    /// Starts a service that may not start.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn try_start(
        &self,
        configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Result<Service, StartError> {
        Service::try_start(self.state_dir.clone(), |builder| configure(self.apply(builder))).await
    }

    /// What points a process of `thumbs up` here, beside its state directory.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let compose_all = matches!(self.kind, Kind::KeyValue).then(|| "--compose-all".to_owned());
        let variable =
            |(name, value): &(String, String)| ["--variable".to_owned(), format!("{name}={value}")];
        let uncached = ["--variable".to_owned(), "result_cache=false".to_owned()];
        compose_all.into_iter().chain(uncached).chain(self.variables.iter().flat_map(variable)).collect()
    }

    /// Whether all of it lies on this host, and nobody looks at its clock who has another.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        !matches!(self.kind, Kind::Servers { .. })
    }

    /// Where a service here keeps what lies on this host.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        self.state_dir.path()
    }

    /// Points a runtime here.
    pub fn apply(&self, builder: RuntimeBuilder) -> RuntimeBuilder {
        let builder = builder.compose_all(matches!(self.kind, Kind::KeyValue));
        self.variables.iter().fold(builder, |builder, (name, value)| builder.variable(name, value))
    }

    /// Waits until the blobs are so: workers delete them in their own time.
    pub async fn blobs_become(&self, what: &str, is_so: impl Fn(&[String]) -> bool) {
        let start = Instant::now();
        loop {
            let blobs = self.blobs().await;
            if is_so(&blobs) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{self}: {what}: {blobs:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The names of all blobs, of originals and thumbnails.
    ///
    /// # Panics
    /// When the store can't be read.
    pub async fn blobs(&self) -> Vec<String> {
        match &self.kind {
            Kind::Embedded => files_below(&self.state_dir.path().join("blobs"))
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            Kind::Servers { prefix } => {
                let shared = SHARED.lock().expect("a test that failed did not hold the servers");
                let objects = shared.as_ref().map(|shared| shared.s3.objects()).unwrap_or_default();
                objects.into_iter().filter(|key| key.starts_with(&format!("{prefix}/"))).collect()
            }
            Kind::KeyValue => {
                let folder = self.state_dir.path().join("key-value");
                let store = EmbeddedStore::new(&folder, "default", &Limits::default());
                store.keys(usize::MAX).await.expect("the key-value store can be read")
            }
        }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            Kind::Embedded => "SQLite and a directory",
            Kind::Servers { .. } => "PostgreSQL, S3 and Redis",
            Kind::KeyValue => "SQLite and key-value",
        })
    }
}

/// Makes tests of functions that take a [`Home`]: each runs in all of them, as `<module>::<home>::<name>`.
#[macro_export]
macro_rules! in_every_home {
    ($($test:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::home::Home::embedded()).await;
            })+
        }

        mod on_servers {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(home) = $crate::home::Home::on_servers() {
                    super::$test(home).await;
                }
            })+
        }

        mod in_key_value {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::home::Home::in_key_value()).await;
            })+
        }
    };
}
