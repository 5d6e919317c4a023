//! A manifest of any text is read or refused in a sentence that names its line; what it grants and routes can be asked.

#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use thumbs_host_fuzz::capabilities::allowed_hosts::AllowedHosts;
use thumbs_host_fuzz::manifest::{Manifest, ManifestError, Route};
use thumbs_host_fuzz::triggers::router::{Pattern, Router};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    // TOML's own reader takes time by the square of how deep a value is.
    let bound = (1 << 20) + 256 * text.len();
    let (manifest, _) = thumbs_fuzz_memory::within(bound, || Manifest::parse(Path::new("spin.toml"), text));
    // What is asked for stands in the last line, which is a comment.
    let asked = text.rsplit('\n').next().and_then(|line| line.strip_prefix("# ")).unwrap_or("/jobs/1");
    match manifest {
        Ok(manifest) => ask(&manifest, asked),
        Err(error) => {
            if let ManifestError::Invalid { line, .. } = &error {
                assert!((1..=text.matches('\n').count() + 1).contains(line), "{error}");
            }
        }
    }
});

fn ask(manifest: &Manifest, asked: &str) {
    let values: BTreeMap<String, String> = manifest
        .variables
        .iter()
        .filter_map(|(name, variable)| Some((name.clone(), variable.default.clone()?)))
        .collect();
    for (id, component) in &manifest.components {
        assert_eq!(*id, component.id);
        assert_eq!(component.resolve_variables(&values).len(), component.variables.len());
        if let Ok(hosts) = AllowedHosts::parse(component.resolve_outbound_hosts(&values)) {
            let url = asked.trim_start_matches('/');
            assert!(!hosts.allows_url(url) || url::Url::parse(url).is_ok_and(|url| url.has_host()));
        }
    }
    let routes = manifest.http.iter().filter_map(|trigger| match &trigger.route {
        Route::Path(path) => Some((Pattern::parse(path).ok()?, path)),
        Route::Private => None,
    });
    let Ok(router) = Router::new(routes) else { return };
    let Some(found) = router.find(asked) else { return };
    assert_eq!(found.pattern.as_str(), found.target.as_str());
    assert!(asked.ends_with(found.rest));
    assert!(found.named.iter().all(|(_, value)| !value.is_empty() && !value.contains('/')));
}
