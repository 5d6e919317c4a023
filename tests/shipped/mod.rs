//! What ships, read as files: imports of the components, the manifest, thumbnails of the wasm beside those of the native build.

mod components;
mod imports;
mod lanes;
mod manifest;
mod parity;
mod spin_test;
