//! Forms: which part is what, and what is no form.

use std::cell::Cell;
use std::rc::Rc;

use crate::kit::{BOUNDARY, Service, endless, form};

#[test]
fn a_form_brings_image_and_options_in_any_order() {
    let service = Service::new();
    for parts in [
        [("width", "320"), ("image", "an image"), ("fit", "contain")],
        [("image", "an image"), ("fit", "contain"), ("width", "320")],
    ] {
        let answer = service.post_form("?format=webp", &parts);
        assert_eq!(answer.status, 202, "{}", answer.text);
        let parameters = &answer.json()["parameters"];
        assert_eq!(parameters["width"], 320);
        assert_eq!(parameters["height"], 100);
        assert_eq!(parameters["fit"], "contain");
        assert_eq!(parameters["format"], "webp");
    }
}

#[test]
fn options_that_are_wrong_are_named_and_nothing_stays() {
    for (query, parts, word) in [
        ("?width=0", vec![("image", "x")], "width"),
        ("?width=99999", vec![("image", "x")], "width"),
        ("?fit=x", vec![("image", "x")], "fit"),
        ("?widht=1", vec![("image", "x")], "widht"),
        ("?width=1&width=1", vec![("image", "x")], "width"),
        ("?width=1", vec![("image", "x"), ("width", "1")], "width"),
        ("", vec![("image", "x"), ("height", "-1")], "height"),
        ("", vec![("image", "x"), ("quality", "101")], "quality"),
    ] {
        let service = Service::new();
        let answer = service.post_form(query, &parts);
        assert_eq!(answer.status, 400, "{query} {parts:?}");
        assert_eq!(answer.json()["code"], "invalid-option", "{query} {parts:?}");
        assert!(answer.text.contains(word), "{}", answer.text);
        service.assert_untouched();
    }
    let long = "1".repeat(100);
    let answer = Service::new().post_form("", &[("image", "x"), ("width", &long)]);
    assert_eq!(answer.json()["code"], "invalid-option");
    assert_eq!(answer.json()["detail"], "The option \"width\" takes a whole number from 1 to 2048.");
}

#[test]
fn a_file_under_another_name_is_told_its_right_one_before_it_is_read() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    for (parameters, status, detail) in [
        (
            "name=\"file\"; filename=\"photo.jpg\"",
            "malformed-request",
            "The form has a file in the part \"file\". Send the image in the part \"image\".",
        ),
        (
            "filename=\"photo.jpg\"",
            "malformed-request",
            "The form has a file in the part \"\". Send the image in the part \"image\".",
        ),
        ("name=\"widht\"", "invalid-option", "There is no option \"widht\"."),
    ] {
        let service = Service::new();
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {parameters}\r\n\r\n");
        let asked = Rc::new(Cell::new(0));
        let body = endless(&head, asked.clone());
        let answer = service.send("POST", "/jobs", &[("content-type", &form_type)], body);
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!((&answer.json()["code"], &answer.json()["detail"]), (&status.into(), &detail.into()));
        assert!(asked.get() <= 2, "{parameters}: {} pieces", asked.get());
        service.assert_untouched();
    }
}

#[test]
fn a_name_within_the_name_of_a_file_is_none() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let part = "Content-Disposition: form-data; filename=\"x; name=evil.png\"; name=\"image\"";
    let form = format!("--{BOUNDARY}\r\n{part}\r\n\r\n{}\r\n--{BOUNDARY}--\r\n", "x".repeat(500));
    assert_eq!(Service::new().post("", &[("content-type", &form_type)], form.as_bytes()).status, 202);
}

#[test]
fn a_body_that_is_meant_as_a_form_is_not_taken_for_an_image() {
    let too_long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for (content_type, why) in [
        (too_long.as_str(), "1 to 70"),
        ("multipart/form-data; boundary=\"\"", "quotes"),
        ("multipart/form-data", "no boundary"),
        ("Multipart/Form-Data; charset=utf-8", "no boundary"),
        ("multipart/form-data; boundary=a=b", "quotes"),
        ("multipart/form-data; boundary=a:b", "quotes"),
        ("multipart/", "no form"),
        ("multipart/mixed; boundary=a", "no form"),
    ] {
        let service = Service::new();
        let answer = service.post("", &[("content-type", content_type)], b"--a\r\n");
        assert_eq!(answer.status, 400, "{content_type}: {}", answer.text);
        assert_eq!(answer.json()["code"], "malformed-request", "{content_type}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(why), "{content_type}: {}", answer.text);
        service.assert_untouched();
    }
    let longest = "b".repeat(70);
    let form = format!("--{longest}\r\nContent-Disposition: form-data; name=image\r\n\r\nx\r\n--{longest}--");
    let content_type = format!("multipart/form-data; boundary={longest}");
    assert_eq!(Service::new().post("", &[("content-type", &content_type)], form.as_bytes()).status, 202);
    for content_type in
        ["", "image/png", "text/plain", "application/x-www-form-urlencoded", "multiparted/x", ";"]
    {
        let answer = Service::new().post("", &[("content-type", content_type)], b"an image");
        assert_eq!(answer.status, 202, "{content_type}: {}", answer.text);
    }
}

#[test]
fn a_form_that_never_comes_to_a_part_is_cut_off() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    for head in ["", &format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"")] {
        let asked = Rc::new(Cell::new(0));
        let body = endless(head, asked.clone());
        let answer = Service::new().send("POST", "/jobs", &[("content-type", &form_type)], body);
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (400, "malformed-request"));
        // 64 KiB in pieces of 100 bytes.
        assert!((650..=660).contains(&asked.get()), "{} pieces", asked.get());
    }
}

#[test]
fn a_request_that_is_no_upload_is_malformed() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let other_part = form(&[("width", "5")]);
    let two_images = form(&[("image", "x"), ("image", "y")]);
    let empty_image = form(&[("image", "")]);
    for (content_type, body) in [
        ("", ""),
        ("image/png", ""),
        ("multipart/form-data", "x"),
        (form_type.as_str(), ""),
        (form_type.as_str(), "not a form"),
        (form_type.as_str(), "------b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nno end"),
        (form_type.as_str(), other_part.as_str()),
        (form_type.as_str(), two_images.as_str()),
        (form_type.as_str(), empty_image.as_str()),
    ] {
        let service = Service::new();
        let answer = service.post("", &[("content-type", content_type)], body.as_bytes());
        assert_eq!(answer.status, 400, "{content_type}: {body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["code"], "malformed-request", "{content_type}: {body}");
        service.assert_untouched();
    }
}
