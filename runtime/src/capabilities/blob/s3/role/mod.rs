//! Credentials that are lent for a time, as to a role: a loan is renewed before it ends, while requests go on with the old one.
//!
//! Who lends is in [`source`]; what it answers is read in [`answer`]. Nothing of the environment is looked at unless an operator asks for it
//! (`--s3-role`): keys that lie in some variable of a build machine are not taken by accident.

mod answer;
mod source;

pub use source::RoleSource;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use thumbs_s3::{Credentials, Error, Settings};

use super::network::Network;

/// A loan is renewed so long before its end, or earlier: a fifth of its time, where that is less.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// After a renewal that failed, the old loan serves so long before the next try.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(20);

/// What was lent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lent {
    credentials: Credentials,
    until: SystemTime,
}

/// The bucket's settings with the credentials of now.
#[derive(Clone)]
struct Loan {
    settings: Arc<Settings>,
    renew_at: SystemTime,
    until: SystemTime,
}

/// Keeps the credentials of a role.
pub(super) struct Role {
    source: RoleSource,
    bucket: Settings,
    network: Network,
    patience: Duration,
    loan: Mutex<Option<Loan>>,
    /// Held by who renews.
    turn: tokio::sync::Mutex<()>,
}

impl Role {
    /// Asks nobody yet. May read the system's certificates from disk.
    ///
    /// # Errors
    /// The system has no trusted certificates, and the lender speaks TLS. One sentence.
    pub(super) fn new(source: RoleSource, bucket: &Settings, patience: Duration) -> Result<Self, String> {
        let network = Network::to(source.place(), source.is_https(), patience)?;
        let (loan, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { source, bucket: bucket.clone(), network, patience, loan, turn })
    }

    /// The settings to ask the bucket with.
    ///
    /// # Errors
    /// Nobody lends anything: [`Error::Unavailable`] where trying again may help, else [`Error::AccessDenied`].
    pub(super) async fn settings(&self) -> Result<Arc<Settings>, Error> {
        let now = SystemTime::now();
        let old = match self.loan() {
            Some(loan) if now < loan.renew_at => return Ok(loan.settings),
            Some(loan) if now < loan.until => Some(loan),
            _ => None,
        };
        let Some(old) = old else {
            let _turn = self.turn.lock().await;
            // Whoever was before may have done it.
            return match self.loan().filter(|loan| SystemTime::now() < loan.renew_at) {
                Some(loan) => Ok(loan.settings),
                None => self.renew().await,
            };
        };
        // One renews; all others, and this one where that fails, have a loan that is good.
        if let Ok(_turn) = self.turn.try_lock() {
            match self.renew().await {
                Ok(settings) => return Ok(settings),
                Err(_) => self.keep(Loan { renew_at: now + TRY_AGAIN_AFTER, ..old.clone() }),
            }
        }
        Ok(old.settings)
    }

    async fn renew(&self) -> Result<Arc<Settings>, Error> {
        let Lent { credentials, until } = self.source.ask(&self.network, self.patience).await?;
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        if left.is_zero() {
            return Err(Error::AccessDenied(format!(
                "{} lends credentials whose time is over: are the clocks right?",
                self.source.place()
            )));
        }
        let settings = Arc::new(self.bucket.clone().with_credentials(credentials));
        let renew_at = until - RENEW_BEFORE.min(left / 5);
        self.keep(Loan { settings: Arc::clone(&settings), renew_at, until });
        Ok(settings)
    }

    fn loan(&self) -> Option<Loan> {
        self.loan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, loan: Loan) {
        *self.loan.lock().unwrap_or_else(PoisonError::into_inner) = Some(loan);
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
