//! What wasmtime generates from `wit/`: traits for imports, a caller for the Redis trigger's export. No code of ours.

#[expect(missing_docs, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: ["../wit/spin", "../wit/spin-inbound", "../wit/blob-store"],
        inline: "
            package thumbs:host;

            world message-handler {
                import fermyon:spin/variables@2.0.0;
                import fermyon:spin/key-value@2.0.0;
                import fermyon:spin/sqlite@2.0.0;
                import fermyon:spin/redis@2.0.0;
                import fermyon:spin/postgres@2.0.0;
                import thumbs:blob-store/store@1.0.0;
                export fermyon:spin/inbound-redis;
            }
        ",
        world: "thumbs:host/message-handler",
        imports: {
            "fermyon:spin/variables@2.0.0": trappable,
            default: async | trappable,
        },
        exports: { default: async },
        trappable_error_type: {
            "fermyon:spin/variables@2.0.0.error" => crate::capabilities::variables::VariablesError,
            "fermyon:spin/key-value@2.0.0.error" => crate::capabilities::key_value::KeyValueError,
            "fermyon:spin/sqlite@2.0.0.error" => crate::capabilities::sqlite::SqliteError,
            "fermyon:spin/redis@2.0.0.error" => crate::capabilities::redis::RedisError,
            "fermyon:spin/rdbms-types@2.0.0.error" => crate::capabilities::postgres::PostgresError,
            "thumbs:blob-store/store@1.0.0.error" => crate::capabilities::blob::BlobError,
        },
        with: {
            "fermyon:spin/key-value@2.0.0.store": crate::capabilities::key_value::OpenStore,
            "fermyon:spin/sqlite@2.0.0.connection": crate::capabilities::sqlite::OpenConnection,
            "fermyon:spin/redis@2.0.0.connection": crate::capabilities::redis::OpenConnection,
            "fermyon:spin/postgres@2.0.0.connection": crate::capabilities::postgres::OpenConnection,
            "thumbs:blob-store/store@1.0.0.writer": crate::capabilities::blob::OpenWriter,
            "thumbs:blob-store/store@1.0.0.reader": crate::capabilities::blob::OpenReader,
        },
        require_store_data_send: true,
    });
}

pub(crate) use generated::{MessageHandlerPre, fermyon, thumbs};
