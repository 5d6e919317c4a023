//! The contract test kit of the job store: one function for each behaviour, run against every database.
//!
//! A new database adds a [`TestDatabase`] and the line `job_store_contract!(make)`, and no test logic. Time is an argument, so
//! leases end without waiting. What is observed is what the store answers, through connections other than the one that wrote.
//!
//! | file | subject |
//! |---|---|
//! | `schema.rs` | how the tables come about and change |
//! | `creation.rs` | new jobs, and requests that are one request |
//! | `reading.rs` | one job, and lists |
//! | `claims.rs` | who gets which job, and when |
//! | `endings.rs` | what an attempt leaves behind |
//! | `life.rs` | jobs that are tried again, and jobs that go |
//! | `batches.rs` | jobs that came together |
//! | `callbacks.rs` | who is told that a job ended |
//! | `numbers.rs` | what is counted of jobs |
//! | `rates.rs` | buckets of tokens |
//! | `recipes.rs` | thumbnails that are there already |
//! | `kit.rs` | what these share |
#![expect(clippy::panic, clippy::expect_used, reason = "a test kit fails loudly")]

mod batches;
mod callbacks;
mod claims;
mod creation;
mod endings;
mod kit;
mod life;
mod numbers;
mod rates;
mod reading;
mod recipes;
mod schema;

pub use batches::*;
pub use callbacks::*;
pub use claims::*;
pub use creation::*;
pub use endings::*;
pub use kit::use_every_call;
pub use life::*;
pub use numbers::*;
pub use rates::*;
pub use reading::*;
pub use recipes::*;
pub use schema::*;

use crate::jobs::{Batches, Callbacks, Life, Numbers, Rates};
use crate::sql::{Dialect, Postgres, Sql, Sqlite, Step, statements};

/// All that a job store does.
pub trait Whole: Life + Numbers + Batches + Rates + Callbacks {}

impl<T: Life + Numbers + Batches + Rates + Callbacks> Whole for T {}

/// An empty database of its own for one test, gone with the value.
pub trait TestDatabase: Sync {
    /// What it speaks.
    const KIND: Kind;

    /// Another connection to it, with the job store over it.
    fn connect(&self) -> Box<dyn Whole + Send>;

    /// Another connection to it, for what no job store would do.
    fn sql(&self) -> Box<dyn Sql>;
}

/// A kind of database.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// [`Sqlite`].
    Sqlite,
    /// [`Postgres`].
    Postgres,
}

impl Kind {
    /// A database as version 1 of the schema left it, with a job in each state.
    pub fn schema_1(self) -> Vec<Step> {
        statements(match self {
            Self::Sqlite => include_str!("fixtures/schema-1.sqlite.sql"),
            Self::Postgres => include_str!("fixtures/schema-1.postgres.sql"),
        })
    }

    /// How the schema comes from the version before.
    pub fn steps_to(self, version: i64) -> Vec<Step> {
        fn steps<D: Dialect>(version: i64) -> Vec<Step> {
            let migration = D::MIGRATIONS.iter().find(|migration| migration.version == version);
            migration.map(D::steps).unwrap_or_default()
        }
        match self {
            Self::Sqlite => steps::<Sqlite>(version),
            Self::Postgres => steps::<Postgres>(version),
        }
    }
}

/// Makes a test of each function of the kit. `$make` is a function that gives a [`TestDatabase`], or none where the machine
/// lacks the server; it says so itself then.
#[macro_export]
macro_rules! job_store_contract {
    ($make:path) => {
        $crate::job_store_contract!($make:
            any_first_call_creates_the_schema
            many_first_calls_at_once_create_one_schema
            a_database_of_version_1_keeps_its_rows
            many_may_migrate_at_once
            a_migration_gets_along_with_those_who_work
            a_migration_that_was_broken_off_is_finished
            a_migration_that_no_statement_misses_is_run_by_the_next_write
            a_newer_schema_that_lets_us_is_worked_with
            a_newer_schema_is_read_and_not_written
            gives_back_what_was_created
            one_idempotency_key_makes_one_job
            one_idempotency_key_makes_one_job_however_many_try_at_once
            idempotency_keys_of_owners_are_apart
            a_batch_is_its_jobs_in_the_order_of_the_form
            a_batch_is_found_by_its_key
            knows_no_other_job
            each_owner_comes_upon_its_own_jobs
            jobs_of_before_are_nobodys
            lists_the_newest_first_page_by_page
            lists_by_status
            lists_by_why_jobs_failed
            finds_jobs_by_their_ids
            a_row_that_makes_no_sense_is_an_error
            a_row_that_makes_no_sense_hides_no_other
            claims_the_longest_due_first
            owners_take_turns
            open_jobs_are_counted
            claims_nothing_before_it_is_due
            a_new_job_is_due_for_a_worker_whose_clock_is_behind
            a_claim_tells_whether_more_is_due
            many_workers_claim_each_job_once
            a_leased_job_is_nobody_elses_until_the_lease_ends
            a_lease_is_extended_by_who_holds_it_and_by_nobody_else
            a_job_is_found_by_who_holds_it_and_by_nobody_else
            a_success_is_kept
            a_failed_attempt_is_due_again_later
            an_attempt_that_is_given_back_does_not_count
            a_job_given_up_is_never_claimed_again
            a_late_worker_changes_nothing
            a_job_whose_last_worker_died_is_given_up
            a_job_whose_last_worker_died_keeps_the_reason_of_the_attempt_before
            reads_note_wake_ups_only_so_often
            a_failed_job_is_tried_again_as_if_it_were_new
            of_several_thumbnails_none_is_forgotten
            the_attempts_at_a_job_are_remembered
            only_a_failed_job_with_its_original_is_tried_again
            a_job_out_of_reach_is_none
            a_deleted_job_leaves_a_note_of_each_blob
            of_a_job_that_was_put_back_nothing_is_garbage
            a_job_may_be_deleted_under_its_worker
            of_a_deleted_job_the_idempotency_key_is_free
            one_sweep_is_for_one_worker
            a_job_that_is_due_later_than_can_be_meant_is_due_now
            who_looks_for_orphans_goes_on_where_another_ended
            a_job_tells_which_blobs_it_may_have
            what_is_done_and_old_goes_and_nothing_else
            originals_go_before_their_jobs
            a_bucket_gives_what_it_holds_and_then_what_comes
            no_token_is_given_twice
            a_clock_that_is_put_back_locks_nobody_out
            full_buckets_are_swept
            what_was_made_is_found_by_its_recipe_and_owner
            a_job_that_is_held_from_the_beginning_is_its_holders
            a_job_that_its_holder_left_is_made_when_its_lease_ends
            a_callback_is_due_when_its_job_ends
            a_job_without_a_callback_tells_nobody
            a_callback_is_one_workers_until_its_lease_ends
            how_an_attempt_at_a_callback_went_is_kept
            a_receiver_that_never_answers_holds_up_no_other
            many_workers_claim_each_callback_once
            a_job_that_is_tried_again_is_told_of_again
            a_deleted_job_tells_nobody
            callbacks_are_counted_as_they_change
            jobs_are_counted_as_they_change
            bytes_that_went_are_counted
            counting_gets_in_nobodys_way
            the_queue_tells_who_waits_for_what
            jobs_of_before_are_counted_at_the_migration
        );
    };
    ($make:path: $($behaviour:ident)+) => {
        $(
            #[test]
            fn $behaviour() {
                if let Some(database) = $make() {
                    $crate::jobs::contract::$behaviour(&database);
                }
            }
        )+
    };
}
