//! All end-to-end tests, one module per subject.

mod bad_input;
mod grants;
mod happy_path;
mod imports;
mod job_store;
mod jobs;
mod list;
mod manifest;
