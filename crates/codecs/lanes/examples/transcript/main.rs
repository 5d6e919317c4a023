//! A component without imports that says what every operation gives in the sandbox. `tests/shipped/lanes.rs` holds it against what
//! the same list of operations gives natively. It is built by `make components`, and not shipped.

#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "natively there is nobody to ask"))]
mod operations;

#[cfg(target_arch = "wasm32")]
mod component {
    #[expect(unsafe_code, reason = "generated")]
    mod bindings {
        wit_bindgen::generate!({
            inline: "
                package thumbs:lanes;
                world transcript {
                    export transcript: func() -> list<tuple<string, list<u8>>>;
                }
            ",
            pub_export_macro: false,
        });

        use super::Component;
        export!(Component with_types_in self);
    }

    struct Component;

    impl bindings::Guest for Component {
        fn transcript() -> Vec<(String, Vec<u8>)> {
            crate::operations::transcript()
        }
    }
}
