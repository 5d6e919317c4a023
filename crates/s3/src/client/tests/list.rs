//! Keys, a page at a time.

use super::*;

fn page(names: &[&str], more: bool) -> Result<Reply, Fault> {
    let objects: String =
        names.iter().map(|name| format!("<Contents><Key>{name}</Key><Size>1</Size></Contents>")).collect();
    let document = format!(
        "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>blobs</Name>\
         <IsTruncated>{more}</IsTruncated>{objects}</ListBucketResult>"
    );
    Ok(Reply::new(200, &[], document.as_bytes()))
}

fn list(script: &Script, prefix: &str, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    with_client(script, async |client, _| client.list(prefix, after, limit).await)
}

#[test]
fn keys_are_asked_for_below_the_bucket_s_prefix_and_given_without_it() {
    let script = Script::new([page(&["prod/uploads/b", "prod/uploads/c"], false)]);
    assert_eq!(
        list(&script, "uploads/", "uploads/a", 5),
        Ok(vec!["uploads/b".to_owned(), "uploads/c".to_owned()])
    );
    let happened = script.happened();
    let Sent { method, path, headers, .. } = &happened.sent[0];
    let query = "list-type=2&max-keys=5&prefix=prod%2Fuploads%2F&start-after=prod%2Fuploads%2Fa";
    assert_eq!((*method, path.as_str()), (Method::Get, format!("/blobs/?{query}").as_str()));
    assert!(headers["authorization"].contains("Signature="), "{headers:?}");
}

#[test]
fn what_is_no_blob_is_passed_over_and_the_page_filled_from_the_next() {
    let script =
        Script::new([page(&["prod/A", "prod/a", "prod/a b"], true), page(&["prod/b", "prod/c"], true)]);
    assert_eq!(list(&script, "", "", 2), Ok(vec!["a".to_owned(), "b".to_owned()]));
    let sent: Vec<_> = script.happened().sent.iter().map(|sent| sent.path.clone()).collect();
    assert!(sent[1].ends_with("&start-after=prod%2Fa%20b"), "{sent:?}");
}

#[test]
fn an_end_is_an_end_and_a_fault_is_tried_again() {
    let script = Script::new([Ok(Reply::refusal(503, "SlowDown")), page(&[], false)]);
    assert_eq!(list(&script, "uploads/", "", 5), Ok(vec![]));
    assert_eq!(list(&Script::new([]), "uploads/", "", 0), Ok(vec![]), "nobody is asked for nothing");
    for answer in
        ["", "<Error><Code>Other</Code></Error>", "<ListBucketResult><Contents/></ListBucketResult>"]
    {
        let script = Script::new([Ok(Reply::new(200, &[], answer.as_bytes()))]);
        assert!(matches!(list(&script, "", "", 5), Err(Error::Other(_))), "{answer}");
    }
}

#[test]
fn names_that_do_not_go_on_are_no_list() {
    for names in [
        &["prod/uploads/a"][..],
        &["prod/uploads/A", "prod/uploads/b"],
        &["prod/uploads/c", "prod/uploads/b"],
        &["prod/uploads/b", "prod/uploads/b"],
        &["prod/v"],
        &["uploads/b"],
    ] {
        let script = Script::new([page(names, true)]);
        let listed = list(&script, "uploads/", "uploads/a", 5);
        assert!(
            matches!(&listed, Err(Error::Other(text)) if text.contains("order")),
            "{names:?}: {listed:?}"
        );
    }
}

#[test]
fn all_pages_have_the_time_of_one_operation() {
    let pages: Vec<_> = (10..99).map(|number| page(&[&format!("prod/~{number}")], true)).collect();
    let script = Script { latency: Duration::from_secs(2), ..Script::new(pages) };
    assert!(matches!(list(&script, "", "", 5), Err(Error::Unavailable(_))));
    assert_eq!(script.happened().sent.len(), 13, "25 s");
}
