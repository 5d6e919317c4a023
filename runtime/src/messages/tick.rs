//! Wake-ups that come by themselves, for messages can be lost: one at the start, and then one after each interval.
//!
//! A tick reaches one subscription of this process; every runtime has its own.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Subscription;

/// Wakes a subscription at once and then again and again, until stopped.
///
/// # Panics
/// Where the interval is zero.
pub async fn tick(subscription: Subscription, every: Duration, stop: CancellationToken) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ticking = async {
        loop {
            ticks.tick().await;
            subscription.wake();
        }
    };
    tokio::select! {
        () = ticking => {}
        () = stop.cancelled() => {}
    }
}
