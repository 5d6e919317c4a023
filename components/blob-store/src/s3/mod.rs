//! The way of S3 requests in a component. What they are and what their answers mean is in the crate `thumbs-s3`.

pub(crate) mod wasi_http;
