//! Jobs that are to make several thumbnails.

use crate::kit::Service;

const TWO: &str = r#"[{"name":"small","width":64},{"name":"card","format":"webp"}]"#;

fn query(variants: &str) -> String {
    let encoded: String = variants.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("?height=50&variants={encoded}")
}

#[test]
fn they_are_said_by_the_form_or_the_query_and_shown_complete() {
    let service = Service::new();
    let by_form = service.post_form("", &[("height", "50"), ("variants", TWO), ("image", "an image")]);
    let by_query = service.post(&query(TWO), &[], b"an image");
    for answer in [by_form, by_query] {
        let job = answer.json();
        assert_eq!(answer.status, 202, "{}", answer.text);
        let asked = &job["parameters"]["variants"];
        assert_eq!((&asked[0]["width"], &asked[0]["height"]), (&64.into(), &50.into()));
        assert_eq!((&asked[1]["format"], &asked[1]["height"]), (&"webp".into(), &50.into()));
        let id = job["job_id"].as_str().unwrap();
        assert_eq!(job["variants"][1]["url"], format!("/thumbnails/{id}/card"));
    }
    let plain = service.post("", &[], b"an image").json();
    assert_eq!((plain.get("variants"), plain["parameters"].get("variants")), (None, None));
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_left() {
    let service = Service::new();
    let eight: Vec<_> = (0..8).map(|number| format!(r#"{{"name":"v{number}"}}"#)).collect();
    let nine = format!(r#"[{},{{"name":"v8"}}]"#, eight.join(","));
    let long = format!(r#"[{{"name":"a","background":"{}"}}]"#, "f".repeat(8 * 1024));
    for (variants, told) in [
        (nine.as_str(), "1 to 8 objects"),
        (&long, "1 to 8 objects"),
        (r#"[{"name":"card","width":0}]"#, "In the variant \\\"card\\\": The option \\\"width\\\""),
    ] {
        for answer in [
            service.post_form("", &[("variants", variants), ("image", "an image")]),
            service.post(&query(variants), &[], b"an image"),
        ] {
            assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("invalid-option")));
            assert!(answer.text.contains(told), "{}", answer.text);
        }
    }
    service.assert_untouched();
    assert_eq!(service.post(&query(&format!("[{}]", eight.join(","))), &[], b"an image").status, 202);
}

#[test]
fn an_operator_may_turn_them_off() {
    let mut service = Service::new();
    service.variables.0.insert("max_variants", "0".to_owned());
    let answer = service.post(&query(TWO), &[], b"an image");
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("There is no option"), "{}", answer.text);
}

#[test]
fn under_one_idempotency_key_they_are_the_same_or_it_is_another_request() {
    let service = Service::new();
    let key = [("idempotency-key", "a-key")];
    let first = service.post(&query(TWO), &key, b"an image").json();
    assert_eq!(service.post(&query(TWO), &key, b"an image").json()["job_id"], first["job_id"]);
    let other = service.post(&query(&TWO.replace("64", "65")), &key, b"an image");
    assert_eq!((other.status, other.json()["code"].as_str()), (422, Some("idempotency-key-reused")));
}
