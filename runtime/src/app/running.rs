//! An application that runs, and how it ends.

use std::{net::SocketAddr, time::Duration};

use tokio_util::sync::DropGuard;

use crate::{
    engine::Ticker,
    telemetry::{Event, Logger},
    traces::Sending,
    triggers::{http::ServerTasks, redis::Workers},
};

/// How long is waited for what was cut off: as long as the report of a worker's end takes at most, and a little.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// An application that runs. Dropping it ends it at once; [`Running::shutdown`] lets it finish.
#[derive(Debug)]
pub struct Running {
    pub(super) address: SocketAddr,
    /// Where the admin listener is, which ends with this.
    pub(super) admin: Option<(SocketAddr, DropGuard)>,
    pub(super) banner: String,
    pub(super) tasks: ServerTasks,
    pub(super) workers: Workers,
    pub(super) lame_duck: Duration,
    pub(super) drain_timeout: Duration,
    pub(super) log: Logger,
    /// Sends spans, if any are made.
    pub(super) sending: Option<Sending>,
    // Last: guests that are being stopped still need the clock.
    pub(super) _ticker: Ticker,
}

impl Running {
    /// Where it takes requests.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where it tells its numbers, if it does.
    #[must_use]
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|(address, _)| *address)
    }

    /// What a person at a terminal wants to know: address, routes, where data lies. No secrets.
    #[must_use]
    pub fn banner(&self) -> &str {
        &self.banner
    }

    /// Says that it is not ready and goes on for a while (`lame_duck_ms`), so that who sends requests here has the time to learn of it. Then
    /// takes nothing new, waits for what runs (at most `drain_timeout_ms`), and ends.
    pub async fn shutdown(mut self) {
        self.log.event(&Event::Stopping);
        self.tasks.leave.cancel();
        tokio::time::sleep(self.lame_duck).await;
        self.tasks.stop.cancel();
        self.tasks.tracker.close();
        self.workers.stop();
        let finished = async {
            self.tasks.tracker.wait().await;
            self.workers.finished().await;
        };
        let drained = tokio::time::timeout(self.drain_timeout, finished).await.is_ok();
        if !drained {
            self.log.event(&Event::CutOff { drain_timeout_ms: millis_of(self.drain_timeout) });
            self.tasks.kill.cancel();
            self.workers.kill();
            let ended = async {
                self.tasks.tracker.wait().await;
                self.workers.finished().await;
            };
            // Who does not even end has a thread that hangs in the system, which nobody can end.
            let _all = tokio::time::timeout(LAST_WAIT, ended).await;
        }
        if let Some(sending) = self.sending.take() {
            sending.finish().await;
        }
        self.log.event(&Event::Stopped { drained });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.leave.cancel();
        self.tasks.stop.cancel();
        self.tasks.kill.cancel();
    }
}

fn millis_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
