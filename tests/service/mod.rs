//! The whole service over HTTP, as a client sees it: the shipped wasm under the runtime on port 0.

mod animation;
mod bad_input;
mod batches;
mod browsers;
mod command_line;
mod events;
mod formats;
mod grants;
mod happy_path;
mod health;
mod jobs;
mod keys;
mod kills;
mod life;
mod list;
mod metrics;
mod outages;
mod pages;
mod rates;
mod refused;
mod replicas;
mod reuse;
mod setbacks;
mod settings;
mod waiting;
