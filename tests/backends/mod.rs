//! Each back end against its contract, and the host's clients against real servers.

mod blob_contract;
mod blob_no_s3;
mod blob_s3;
pub(crate) mod blob_tls;
mod component_blobs;
mod job_store;
mod machine;
mod native_blobs;
mod postgres_client;
mod redis_client;
mod schema;
