//! What the suites of `spin test` and `thumbs test` share. A suite is a component for the world `fermyon:spin-test/test`: it lists its
//! tests by name and runs one when asked; a test fails by panicking.
//!
//! Which component a suite tests is said in spin.toml, `[component.x.tool.spin-test]`. Each test starts with empty stores; what it needs in
//! them it puts there itself (`jobs`, `blobs`), behind the back of the component under test.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[expect(missing_docs, reason = "generated from wit/, documented there")]
pub mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/spin", "../../../wit/wasi-io", "../../../wit/wasi-clocks", "../../../wit/wasi-http", "../../../wit/spin-test-virt", "../../../wit/spin-wasi-virt", "../../../wit/spin-test"],
        inline: "
            package thumbs:spin-test-suite;
            world suite {
                include fermyon:spin-test/test;
            }
        ",
        with: {
            "wasi:io/error@0.2.0": ::wasi::io::error,
            "wasi:io/poll@0.2.0": ::wasi::io::poll,
            "wasi:io/streams@0.2.0": ::wasi::io::streams,
            "wasi:clocks/monotonic-clock@0.2.0": ::wasi::clocks::monotonic_clock,
            "wasi:http/types@0.2.0": ::wasi::http::types,
        },
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "thumbs_spin_test::bindings",
    });
}

pub mod blobs;
mod http;
pub mod jobs;
pub mod keys;

pub use http::{Reply, Request};
pub use wasi::http::types::Method;

/// A test: its name, which tells what holds, and what shows it.
pub type Test = (&'static str, fn());

/// Names of the tests, in order.
#[must_use]
pub fn names(tests: &[Test]) -> Vec<String> {
    tests.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Runs the test of this name.
///
/// # Panics
/// When it fails, or when there is none of this name.
pub fn run(tests: &[Test], name: &str) {
    let Some((_, test)) = tests.iter().find(|(candidate, _)| *candidate == name) else {
        panic!("there is no test {name:?}");
    };
    test();
}

/// Makes the component of a suite from its list of tests.
#[macro_export]
macro_rules! suite {
    ($($test:ident),+ $(,)?) => {
        const TESTS: &[$crate::Test] = &[$((stringify!($test), $test as fn())),+];

        struct Suite;

        impl $crate::bindings::Guest for Suite {
            fn list_tests() -> Vec<String> {
                $crate::names(TESTS)
            }

            fn run(name: String) {
                $crate::run(TESTS, &name);
            }
        }

        $crate::bindings::export!(Suite with_types_in $crate::bindings);
    };
}
