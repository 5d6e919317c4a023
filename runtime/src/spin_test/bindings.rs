//! What wasmtime generates from `wit/spin-test` and what belongs to it: traits for a suite's imports, a caller for its exports. No code of
//! ours. WASI's own resources are those of wasmtime, so a suite's requests are what every host function of `wasi:http` knows.

mod generated {
    wasmtime::component::bindgen!({
        path: [
            "../wit/spin",
            "../wit/wasi-io",
            "../wit/wasi-clocks",
            "../wit/wasi-http",
            "../wit/spin-test-virt",
            "../wit/spin-wasi-virt",
            "../wit/spin-test",
        ],
        world: "fermyon:spin-test/test",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:http/types": crate::spin_test::bindings::http_types,
            "fermyon:spin/sqlite": crate::capabilities::sqlite::wit,
            "fermyon:spin-test-virt/key-value.store": crate::spin_test::state::OpenStore,
            "fermyon:spin-test-virt/sqlite.connection": crate::capabilities::sqlite::OpenConnection,
            "fermyon:spin-test/http-helper.response-receiver": crate::spin_test::http::Receiver,
        },
        require_store_data_send: true,
    });
}

pub(super) use generated::{TestPre, fermyon, wasi};

/// WASI's own, for generated code that links a whole world at once. It knows no options, which wasmtime's own has for what WASI 0.2.0 did
/// not have yet. Nobody calls that code: WASI is linked apart from the rest (`suite.rs`).
#[expect(unreachable_pub, dead_code, reason = "generated code names it, and re-exports what is in it")]
pub mod http_types {
    use wasmtime::component::{HasData, Linker};
    pub use wasmtime_wasi_http::p2::bindings::http::types::*;
    use wasmtime_wasi_http::p2::bindings::http::types::{self as all};

    pub fn add_to_linker<T, D>(
        linker: &mut Linker<T>,
        view: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()>
    where
        D: HasData,
        for<'a> D::Data<'a>: Host,
        T: 'static + Send,
    {
        all::add_to_linker::<T, D>(linker, &LinkOptions::default(), view)
    }
}
