//! What the clients have in common of TLS: protocol versions, cryptography, and the certificate authorities of this machine.

use std::sync::Arc;

use rustls::{ClientConfig, ConfigBuilder, Error, RootCertStore, WantsVerifier, crypto::CryptoProvider};

/// The cryptography in use. It is named here, so that none needs to be the process's default.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Configures a client as far as whom it trusts.
///
/// # Errors
/// The cryptography has no version of TLS that is thought safe.
pub(crate) fn configure() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()
}

/// What can be read of the machine's store: a broken file among many must not make all others useless. Blocks.
pub(crate) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let _counts = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
