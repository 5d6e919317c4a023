//! Black-box tests: the shipped wasm under the runtime, driven over HTTP.
