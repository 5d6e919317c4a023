//! TLS towards a PostgreSQL server: whom an `sslmode` trusts, and what a refused certificate is called.
//!
//! Certificates are read from files and from the machine's store when the first connection needs them, and again as long as that fails.

use std::{fs::File, io::Read as _, path::Path, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Encryption, Roots};
use crate::{blocking::blocking, clients::tls};

/// A bundle of all public authorities has a quarter of it. The path may come from a guest, so the file is not trusted to be short.
const MAX_ROOTS_BYTES: u64 = 1 << 20;

/// Makes TLS sessions as `encryption` wants them.
///
/// # Errors
/// A clause about the address: its certificate authorities can't be read.
pub(super) async fn connector(encryption: &Encryption) -> Result<MakeRustlsConnect, &'static str> {
    let (roots, check_name) = match encryption {
        Encryption::Disable | Encryption::Prefer | Encryption::Require => (None, false),
        Encryption::VerifyCa(roots) => (Some(load(roots.clone()).await?), false),
        Encryption::VerifyFull(roots) => (Some(load(roots.clone()).await?), true),
    };
    let algorithms = tls::provider().signature_verification_algorithms;
    let verifier = Arc::new(Verifier { roots, check_name, algorithms });
    let config = tls::configure().map_err(|_| "can't be reached by TLS")?;
    let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

async fn load(roots: Roots) -> Result<Arc<RootCertStore>, &'static str> {
    let store = blocking(move || match roots {
        Roots::System => Some(tls::system_roots())
            .filter(|store| !store.is_empty())
            .ok_or("can't be verified: this machine has no certificate authorities"),
        // One sentence for all: whether a file is there is not a guest's business.
        Roots::File(path) => read(&path).ok_or(
            "can't be verified: the file of its sslrootcert can't be read, or has no certificates in PEM",
        ),
    })
    .await;
    store.map(Arc::new)
}

fn read(path: &Path) -> Option<RootCertStore> {
    // A pipe or a device would be read for ever.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut pem = Vec::new();
    File::open(path).ok()?.take(MAX_ROOTS_BYTES).read_to_end(&mut pem).ok()?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        store.add(certificate.ok()?).ok()?;
    }
    (!store.is_empty()).then_some(store)
}

/// What a certificate has to be. That the server holds its key is always checked.
#[derive(Debug)]
struct Verifier {
    /// Who may have signed it; anybody, where none.
    roots: Option<Arc<RootCertStore>>,
    /// Whether it must be for the address's host.
    check_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
            if self.check_name {
                verify_server_name(&certificate, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A failed handshake as a clause about the server.
pub(super) fn clause(error: &Error) -> String {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };
    let reason = match error {
        // The second is an authority of the same name and with another key.
        Error::InvalidCertificate(UnknownIssuer | BadSignature) => {
            "comes from an authority that is not trusted: name it by sslrootcert"
        }
        Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "is for another host: correct the host in the address, or the certificate"
        }
        Error::InvalidCertificate(Expired | ExpiredContext { .. }) => "has expired",
        Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => "is not valid yet",
        Error::InvalidCertificate(_) => "is not one that a server may have",
        other => return format!("can't be reached by TLS: {other}"),
    };
    format!("shows a certificate that {reason}")
}
