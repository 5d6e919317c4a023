//! The Wasmtime host of the thumbs application.
