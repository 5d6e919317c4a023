//! The imports that are ours: blobs, imaging and decoders, generated from `wit/`. Spin's own come with its SDK.
//!
//! A component imports only what it calls: what it does not is left out when it is linked, so one set of bindings serves all.

wit_bindgen::generate!({
    inline: "
        package thumbs:guest;

        world guest {
            import thumbs:blob-store/store@1.0.0;
            import thumbs:imaging/thumbnailer@1.0.0;
            import thumbs:heic/decoder@1.0.0;
            import thumbs:avif/decoder@1.0.0;
        }
    ",
    path: ["../../wit/blob-store", "../../wit/imaging", "../../wit/heic", "../../wit/avif"],
    world: "thumbs:guest/guest",
    generate_all,
});
