//! The shipped suites, run over the shipped components as `thumbs test` runs them.

use thumbs::spin_test::Suites;
use thumbs_tests::service;

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_suites_pass() {
    let suites =
        match Suites::builder(service::manifest_path()).cache_dir(service::compile_cache()).load().await {
            Ok(suites) => suites,
            Err(error) => panic!("were the suites built? `make suites`: {error}"),
        };
    let mut out = Vec::new();
    let passed = suites.run(&[], &mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(passed, "{text}");
    for component in ["upload", "status", "download"] {
        assert!(text.contains(&format!("tests ({component})\n")), "{component} has no suite: {text}");
    }
    assert!(suites.count() >= 30, "tests got lost: {text}");
}
