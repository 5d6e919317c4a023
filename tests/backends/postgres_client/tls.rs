//! `sslmode` against a server that offers TLS.

use std::path::PathBuf;

use super::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A certificate authority, for one test. All have the same name.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A server's certificate for this host, and its key.
    fn certify(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![host.to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A server that offers TLS for `host`, and the files of its authority and of another.
struct Server {
    postgres: Postgres,
    folder: TempDir,
}

impl Server {
    fn start(host: &str) -> Option<Self> {
        let authority = Authority::new();
        let (certificate, key) = authority.certify(host);
        let auth = Auth::Scram(PASSWORD.to_owned());
        let postgres = servers::available(Postgres::start_with_tls(auth, &certificate, &key))?;
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("its.pem"), authority.pem).unwrap();
        std::fs::write(folder.path().join("another.pem"), Authority::new().pem).unwrap();
        std::fs::write(folder.path().join("none.pem"), "no certificate").unwrap();
        Some(Self { postgres, folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self, mode: &str, roots: Option<&str>) -> String {
        let roots = roots.map_or(String::new(), |name| format!("&sslrootcert={}", self.file(name).display()));
        self.postgres.url().replace("sslmode=disable", &format!("sslmode={mode}{roots}"))
    }

    /// Whether a session is encrypted; the fault, where there is none.
    async fn connect(&self, url: &str) -> Result<bool, ServerFault> {
        let client = Client::new(&Limits::default());
        client.check(url).await?;
        let mut session = client.open(url).await.unwrap();
        let statement = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Ok(matches!(value(&mut session, statement).await, DbValue::Boolean(true)))
    }

    async fn refusal(&self, mode: &str, roots: Option<&str>) -> String {
        match self.connect(&self.url(mode, roots)).await {
            Err(ServerFault::Refused(text)) => text,
            other => panic!("{mode} {roots:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_session_is_encrypted_as_its_mode_says() {
    let Some(server) = Server::start("127.0.0.1") else { return };
    for (mode, roots, expected) in [
        ("disable", None, false),
        ("prefer", None, true),
        ("require", None, true),
        ("require", Some("its.pem"), true),
        ("verify-ca", Some("its.pem"), true),
        ("verify-full", Some("its.pem"), true),
    ] {
        assert_eq!(server.connect(&server.url(mode, roots)).await, Ok(expected), "{mode} {roots:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_by_the_modes_that_look() {
    let Some(server) = Server::start("127.0.0.1") else { return };
    let untrusted =
        "shows a certificate that comes from an authority that is not trusted: name it by sslrootcert";
    for mode in ["require", "verify-ca", "verify-full"] {
        let said = server.refusal(mode, Some("another.pem")).await;
        assert!(said.ends_with(untrusted), "{mode}: {said}");
    }
    // Those of the machine; it may have none.
    let said = server.refusal("verify-full", None).await;
    assert!(said.ends_with(untrusted) || said.ends_with("has no certificate authorities"), "{said}");
    for file in ["none.pem", "absent.pem", ""] {
        let said = server.refusal("verify-full", Some(file)).await;
        assert!(said.contains("the file of its sslrootcert can't be read, or has no certificates"), "{said}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_by_the_mode_that_looks_at_names() {
    let Some(server) = Server::start("db.example.com") else { return };
    for mode in ["require", "verify-ca"] {
        assert_eq!(server.connect(&server.url(mode, Some("its.pem"))).await, Ok(true), "{mode}");
    }
    let said = server.refusal("verify-full", Some("its.pem")).await;
    assert!(said.contains("shows a certificate that is for another host"), "{said}");
}

#[tokio::test]
async fn a_name_is_verified_as_well_as_an_address() {
    let Some(server) = Server::start("localhost") else { return };
    let by_name = server.url("verify-full", Some("its.pem")).replace("@127.0.0.1:", "@localhost:");
    assert_eq!(server.connect(&by_name).await, Ok(true));
    let said = server.refusal("verify-full", Some("its.pem")).await;
    assert!(said.contains("is for another host"), "{said}");
}

#[tokio::test]
async fn limits_hold_in_an_encrypted_session_too() {
    let Some(server) = Server::start("127.0.0.1") else { return };
    let url = server.url("verify-full&channel_binding=require", Some("its.pem"));
    let client = Client::new(&Limits { sql_max_result_bytes: 100_000, ..Limits::default() });
    let mut session = client.open(&url).await.unwrap();
    let said = query_failed(session.query("SELECT repeat('x', 20000000)", Vec::new()).await);
    assert!(said.contains("more than 100000 bytes"), "{said}");

    let client = Client::new(&Limits { sql_statement_timeout_ms: 500, ..Limits::default() });
    let mut session = client.open(&url).await.unwrap();
    query_failed(session.query("SELECT pg_sleep(3600)", Vec::new()).await);
    let mut outside = Client::new(&Limits::default()).open(&url).await.unwrap();
    until(&mut outside, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'", 0)
        .await;
}
