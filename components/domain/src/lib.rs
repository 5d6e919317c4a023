//! The pure model: ids, options, the job state machine, problems.
