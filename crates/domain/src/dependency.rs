//! What the service depends on: one row each, from which come what `/readyz` and `/healthz/detailed` ask, and the advice there.

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As answers spell it.
    pub name: &'static str,
    /// Without it no request can be served. One that is not needed makes the service slower or less, and no worse.
    pub is_needed: bool,
    /// What is asked of it.
    pub probe: &'static str,
    /// What an operator does where it does not answer.
    pub remedy: &'static str,
}

/// One thing that the service depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// Where the jobs are.
    Database,
    /// Where the images are.
    Blobs,
    /// How the workers are woken.
    Messages,
}

impl Dependency {
    /// All, in the order in which they are asked.
    pub const ALL: &'static [Self] = &[Self::Database, Self::Blobs, Self::Messages];

    /// Its row of the table.
    pub const fn row(self) -> &'static Row {
        match self {
            Self::Database => &Row {
                name: "database",
                is_needed: true,
                probe: "Whether a job is due: a statement by an index",
                remedy: "Look after the database that `database_url` names; the log has its words under the correlation id",
            },
            Self::Blobs => &Row {
                name: "blobs",
                is_needed: true,
                probe: "A blob that is not there",
                remedy: "Look after the store that `blob_url` names; the log has its words under the correlation id",
            },
            Self::Messages => &Row {
                name: "messages",
                is_needed: false,
                probe: "Publishing a wake-up, which does no harm",
                remedy: "Look after the Redis that `redis_url` names; until it is back, jobs wait for the next tick",
            },
        }
    }
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Of what.
    pub dependency: Dependency,
    /// It answered as it should.
    pub is_up: bool,
    /// How long that took.
    pub latency_ms: f64,
}

/// How the service stands, by its probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// All answer.
    Ok,
    /// What is needed answers, something else does not.
    Degraded,
    /// Something that is needed does not answer.
    Down,
}

impl Health {
    /// By these probes.
    pub fn of(probes: &[Probe]) -> Self {
        let missing = probes.iter().filter(|probe| !probe.is_up);
        missing.fold(Self::Ok, |health, probe| match (health, probe.dependency.row().is_needed) {
            (_, true) | (Self::Down, _) => Self::Down,
            _ => Self::Degraded,
        })
    }

    /// As answers spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_decides() {
        let health = |down: &[Dependency]| {
            let probe = |&dependency: &Dependency| Probe {
                dependency,
                is_up: !down.contains(&dependency),
                latency_ms: 1.0,
            };
            Health::of(&Dependency::ALL.iter().map(probe).collect::<Vec<_>>())
        };
        assert_eq!(health(&[]), Health::Ok);
        assert_eq!(health(&[Dependency::Messages]), Health::Degraded);
        assert_eq!(health(&[Dependency::Database]), Health::Down);
        assert_eq!(health(&[Dependency::Blobs, Dependency::Messages]), Health::Down);
    }
}
