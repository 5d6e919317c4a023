//! The servers that an application needs: looked at once before it serves, and watched until they answer.
//!
//! One that refuses (credentials, a name, a region) is the operator's to mend, and ends the start. One that does not answer may yet: the
//! application starts, says so, and answers 503 to what needs the server meanwhile. Nothing here carries a request: every client connects
//! by itself when it is needed.

use std::time::Duration;

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all, try_join_all},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::StartError;
use crate::{
    backoff::Backoff,
    clients::ServerFault,
    telemetry::{Event, Logger},
};

/// The first pause before looking again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

type Look = Box<dyn Fn() -> BoxFuture<'static, Result<(), ServerFault>> + Send + Sync>;

/// One server, by the setting that names it.
pub(super) struct Server {
    setting: String,
    look: Look,
}

impl Server {
    /// `setting` is what the operator would change; `look` tells whether the server would serve us.
    pub(super) fn new<F>(setting: &str, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), ServerFault>> + Send + 'static,
    {
        Self { setting: setting.to_owned(), look: Box::new(move || look().boxed()) }
    }

    /// What the operator would change.
    pub(super) fn setting(&self) -> &str {
        &self.setting
    }

    /// Whether it would serve us.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub(super) async fn look(&self) -> Result<(), ServerFault> {
        (self.look)().await
    }

    /// Looks again and again until the server answers.
    async fn watch(self, max_pause: Duration, log: Logger) {
        let mut backoff = Backoff::new(FIRST_PAUSE, max_pause);
        let mut refused = false;
        loop {
            tokio::time::sleep(backoff.next()).await;
            match (self.look)().await {
                Ok(()) => {
                    log.event(&Event::ServerAnswers { setting: &self.setting });
                    return;
                }
                Err(ServerFault::Refused(reason)) if !refused => {
                    refused = true;
                    log.event(&Event::ServerRefuses { setting: &self.setting, reason: &reason });
                }
                Err(_) => {}
            }
        }
    }
}

/// Looks at all at the same time, and gives those that do not answer.
///
/// # Errors
/// One that refuses.
pub(super) async fn look(servers: Vec<Server>, log: &Logger) -> Result<Vec<Server>, StartError> {
    let looking = servers.into_iter().map(|server| async move {
        match (server.look)().await {
            Ok(()) => Ok(None),
            Err(ServerFault::Unreachable(reason)) => {
                log.event(&Event::ServerUnreachable { setting: &server.setting, reason: &reason });
                Ok(Some(server))
            }
            Err(ServerFault::Refused(reason)) => Err(StartError::Server { setting: server.setting, reason }),
        }
    });
    Ok(try_join_all(looking).await?.into_iter().flatten().collect())
}

/// Waits for those that did not answer, but not for ever: what needs one fails then, and says so.
pub(super) async fn wait(servers: Vec<Server>, at_most: Duration, max_pause: Duration, log: &Logger) {
    let watching = join_all(servers.into_iter().map(|server| server.watch(max_pause, log.clone())));
    let _given_up = tokio::time::timeout(at_most, watching).await;
}

/// Watches those that did not answer, until they do or the application stops.
pub(super) fn watch(
    servers: Vec<Server>,
    max_pause: Duration,
    log: &Logger,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) {
    for server in servers {
        let (watching, stop) = (server.watch(max_pause, log.clone()), stop.clone());
        tracker.spawn(async move {
            tokio::select! {
                () = watching => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::telemetry::{CaptureSink, Level};

    fn answering(setting: &str, answers: Vec<Result<(), ServerFault>>) -> Server {
        let number = AtomicUsize::new(0);
        Server::new(setting, move || {
            let index = number.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            std::future::ready(answers[index].clone())
        })
    }

    fn down() -> Result<(), ServerFault> {
        Err(ServerFault::Unreachable("db:5432 does not answer".into()))
    }

    #[tokio::test]
    async fn a_server_that_refuses_ends_the_start_and_names_the_setting() {
        let sink = CaptureSink::default();
        let log = Logger::new(Arc::new(sink), Level::Info);
        let refuses = answering("redis_url", vec![Err(ServerFault::Refused("the password is wrong".into()))]);
        let error = look(vec![answering("database_url", vec![down()]), refuses], &log).await.err().unwrap();
        assert_eq!(error.to_string(), "redis_url: the password is wrong");
    }

    #[tokio::test]
    async fn a_server_that_is_down_is_said_to_be_and_watched_until_it_answers() {
        let sink = CaptureSink::default();
        let log = Logger::new(Arc::new(sink.clone()), Level::Info);
        let answers = vec![down(), down(), Err(ServerFault::Refused("no".into())), down(), Ok(())];
        let absent = look(vec![answering("database_url", answers)], &log).await.unwrap();
        assert_eq!(absent.len(), 1);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        watch(absent, Duration::from_millis(1), &log, &tracker, &stop);
        tracker.close();
        tracker.wait().await;
        let events: Vec<_> = sink.lines().iter().map(|line| line.event.clone()).collect();
        assert_eq!(events, ["server-unreachable", "server-refuses", "server-answers"]);
    }

    #[tokio::test]
    async fn one_that_answers_in_time_is_waited_for_and_no_longer() {
        let sink = CaptureSink::default();
        let log = Logger::new(Arc::new(sink.clone()), Level::Info);
        let long = Duration::from_secs(3600);
        let comes = answering("database_url", vec![down(), down(), Ok(())]);
        wait(vec![comes], long, Duration::from_millis(1), &log).await;
        assert_eq!(sink.lines().len(), 1, "its answer is told");
        let never = answering("database_url", vec![down()]);
        wait(vec![never], Duration::from_millis(1), long, &log).await;
        assert_eq!(sink.lines().len(), 1);
    }

    #[tokio::test]
    async fn stopping_ends_the_watch() {
        let log = Logger::new(Arc::new(CaptureSink::default()), Level::Info);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        watch(
            vec![answering("s3_endpoint_url", vec![down()])],
            Duration::from_secs(60),
            &log,
            &tracker,
            &stop,
        );
        tracker.close();
        stop.cancel();
        tracker.wait().await;
    }
}
