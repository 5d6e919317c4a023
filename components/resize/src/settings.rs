//! Looking at the settings of the whole service, before it starts.

use thumbs_domain::event::Event;
use thumbs_guest::config::{self, ConfigError, Variables};
use thumbs_guest::log::Log;

/// Writes down everything that is wrong with them. `host` gives a limit of the host by the name under which an operator sets
/// it.
///
/// # Errors
/// The first of what is wrong.
pub fn look_at_settings(
    variables: &dyn Variables,
    host: impl Fn(&str) -> Option<String>,
    log: &Log,
) -> Result<(), ConfigError> {
    let wrong = config::check(variables, host);
    for error in &wrong {
        log.event(Event::Misconfigured { cause: &error.to_string() });
    }
    wrong.into_iter().next().map_or(Ok(()), Err)
}
