//! All end-to-end tests, one module per subject.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod animation;
mod bad_input;
mod blob_contract;
mod blob_no_s3;
mod blob_s3;
mod blob_tls;
mod component_blobs;
mod grants;
mod happy_path;
mod imports;
mod job_store;
mod jobs;
mod list;
mod manifest;
mod native_blobs;
mod outages;
mod parity;
mod postgres_client;
mod redis_client;
mod refused;
mod replicas;
mod schema;
mod spin_test;
