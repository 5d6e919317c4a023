//! Uploads in parts and downloads in pieces.

use super::*;

const BEGUN: &str = "<?xml version=\"1.0\"?>\n<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <UploadId>a+b/c=</UploadId></InitiateMultipartUploadResult>";
const COMPLETED: &str =
    "  \n<CompleteMultipartUploadResult><ETag>\"whole-2\"</ETag></CompleteMultipartUploadResult>";

fn document(body: &str) -> Result<Reply, Fault> {
    Ok(Reply::new(200, &[], body.as_bytes()))
}

fn part(etag: &str) -> Result<Reply, Fault> {
    Ok(Reply::new(200, &[("etag", etag)], b""))
}

fn refused(status: u16, code: &str) -> Result<Reply, Fault> {
    Ok(Reply::refusal(status, code))
}

/// Writes so many bytes in pieces and finishes.
fn upload(script: &Script, bytes: usize) -> Result<(), Error> {
    with_client(script, async |client, key| {
        let mut upload = Upload::new(key, ContentType::parse("image/png").unwrap());
        for piece in vec![7; bytes].chunks(1 << 20) {
            upload.write(client, piece).await?;
            assert!(upload.held_bytes() <= PART_BYTES);
        }
        upload.finish(client).await
    })
}

fn sent(script: &Script) -> Vec<(&'static str, String, usize)> {
    let happened = script.happened();
    happened.sent.iter().map(|sent| (sent.method.as_str(), sent.path.clone(), sent.body.len())).collect()
}

#[test]
fn what_fits_one_part_is_one_put() {
    for bytes in [0, 1, PART_BYTES] {
        let script = Script::new([part("\"a\"")]);
        assert_eq!(upload(&script, bytes), Ok(()));
        assert_eq!(sent(&script), [("PUT", "/blobs/prod/uploads/a.png".to_owned(), bytes)]);
    }
}

#[test]
fn what_does_not_fit_one_part_is_sent_in_parts_and_put_together() {
    let lost = Err(GONE);
    let script =
        Script::new([document(BEGUN), part("\"one\""), lost, part("\"<two>\""), document(COMPLETED)]);
    assert_eq!(upload(&script, PART_BYTES + 3), Ok(()));
    let sent_paths: Vec<(&str, String)> = sent(&script).into_iter().map(|sent| (sent.0, sent.1)).collect();
    let of_part =
        |number| ("PUT", format!("/blobs/prod/uploads/a.png?partNumber={number}&uploadId=a%2Bb%2Fc%3D"));
    assert_eq!(
        sent_paths,
        [
            ("POST", "/blobs/prod/uploads/a.png?uploads=".to_owned()),
            of_part(1),
            of_part(2),
            of_part(2),
            ("POST", "/blobs/prod/uploads/a.png?uploadId=a%2Bb%2Fc%3D".to_owned()),
        ]
    );
    let happened = script.happened();
    assert_eq!(happened.sent[0].headers["content-type"], "image/png");
    assert_eq!((happened.sent[1].body.len(), happened.sent[3].body.len()), (PART_BYTES, 3));
    let document = String::from_utf8(happened.sent[4].body.to_vec()).unwrap();
    assert!(document.contains("<Part><PartNumber>2</PartNumber><ETag>\"&lt;two&gt;\"</ETag></Part>"));
    assert_eq!(happened.sent[4].headers["content-length"], document.len().to_string());
}

#[test]
fn what_can_not_be_finished_is_aborted() {
    let denied = || refused(403, "AccessDenied");
    let gone = || Ok(Reply::new(204, &[], b""));
    for script in [
        Script::new([document(BEGUN), part("\"one\""), denied(), gone()]),
        Script::new([document(BEGUN), part("\"one\""), part("\"two\""), denied(), gone()]),
    ] {
        assert!(matches!(upload(&script, PART_BYTES + 3), Err(Error::AccessDenied(_))));
        let abort = sent(&script).pop().unwrap();
        assert_eq!(abort, ("DELETE", "/blobs/prod/uploads/a.png?uploadId=a%2Bb%2Fc%3D".to_owned(), 0));
    }
}

#[test]
fn a_success_that_its_document_takes_back_is_tried_again() {
    let failed = || document("<Error><Code>InternalError</Code></Error>");
    let begun = || [document(BEGUN), part("\"one\""), part("\"two\"")];
    let script = Script::new(begun().into_iter().chain([failed(), document(COMPLETED)]));
    assert_eq!(upload(&script, PART_BYTES + 3), Ok(()));
    let foreign = Script::new(begun().into_iter().chain([document("hello"), Ok(Reply::new(204, &[], b""))]));
    assert!(matches!(upload(&foreign, PART_BYTES + 3), Err(Error::Other(_))));
}

#[test]
fn an_end_whose_answer_was_lost_is_looked_up() {
    let bytes = PART_BYTES + 3;
    let head = |bytes: usize| Ok(Reply::new(200, &[("content-length", &bytes.to_string())], b""));
    for (size, is_done) in [(bytes, true), (3, false)] {
        let script = Script::new([
            document(BEGUN),
            part("\"one\""),
            part("\"two\""),
            Err(GONE),
            refused(404, "NoSuchUpload"),
            head(size),
            refused(404, "NoSuchUpload"),
        ]);
        assert_eq!(upload(&script, bytes).is_ok(), is_done);
    }
}

#[test]
fn an_upload_that_no_server_of_s3_begins_is_refused() {
    for body in ["", "hello", "<InitiateMultipartUploadResult/>"] {
        let script = Script::new([document(body)]);
        assert!(matches!(upload(&script, PART_BYTES + 3), Err(Error::Other(_))), "{body}");
    }
}

/// An answer with bytes of a whole of so many.
fn range(from: usize, bytes: usize, whole: usize, etag: &str) -> Result<Reply, Fault> {
    let range = format!("bytes {from}-{}/{whole}", (from + bytes).saturating_sub(1));
    let headers = [
        ("content-length", bytes.to_string()),
        ("content-range", range),
        ("content-type", "image/png".to_owned()),
        ("etag", etag.to_owned()),
    ];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Ok(Reply::new(206, &headers, &vec![7; bytes]))
}

fn download(script: &Script, max_bytes: u64) -> Result<usize, Error> {
    with_client(script, async |client, key| {
        let mut download = Download::open(client, key, max_bytes).await?;
        let mut bytes = 0;
        loop {
            match download.read(client).await?.len() {
                0 => break,
                piece => {
                    assert!(piece <= 1 << 20);
                    bytes += piece;
                }
            }
        }
        assert_eq!(download.metadata().size_bytes, bytes as u64);
        Ok(bytes)
    })
}

const MIB: usize = 1 << 20;

#[test]
fn a_small_blob_is_one_request() {
    let script = Script::new([range(0, 5, 5, "\"a\"")]);
    assert_eq!(download(&script, 5), Ok(5));
    assert_eq!(script.happened().sent[0].headers["range"], "bytes=0-1048575");
}

#[test]
fn a_large_blob_comes_in_pieces_of_one_object() {
    let cut = || Ok(Reply { body_fault: Some(GONE), ..range(MIB, MIB, 2 * MIB + 9, "\"a\"").unwrap() });
    let script = Script::new([
        range(0, MIB, 2 * MIB + 9, "\"a\""),
        cut(),
        range(MIB, MIB, 2 * MIB + 9, "\"a\""),
        range(2 * MIB, 9, 2 * MIB + 9, "\"a\""),
    ]);
    assert_eq!(download(&script, u64::MAX), Ok(2 * MIB + 9));
    let happened = script.happened();
    let last = &happened.sent[3].headers;
    assert_eq!((last["range"].as_str(), last["if-match"].as_str()), ("bytes=2097152-2097160", "\"a\""));
}

#[test]
fn a_blob_that_is_replaced_while_it_is_read_is_an_error() {
    for second in [
        refused(412, "PreconditionFailed"),
        refused(416, "InvalidRange"),
        range(MIB, 9, MIB + 9, "\"b\""),
        range(MIB, 9, MIB + 10, "\"a\""),
    ] {
        let script = Script::new([range(0, MIB, MIB + 9, "\"a\""), second]);
        assert!(matches!(download(&script, u64::MAX), Err(Error::Unavailable(_))));
    }
}

#[test]
fn a_blob_without_bytes_has_no_range() {
    let head = Reply::new(200, &[("content-length", "0"), ("content-type", "image/png")], b"");
    let script = Script::new([refused(416, "InvalidRange"), Ok(head)]);
    assert_eq!(download(&script, 0), Ok(0));
}

#[test]
fn a_server_that_knows_no_ranges_gives_the_whole() {
    let whole = Reply::new(200, &[("content-length", "3000000")], &vec![7; 3_000_000]);
    assert_eq!(download(&Script::new([Ok(whole.clone())]), u64::MAX), Ok(3_000_000));
    assert_eq!(download(&Script::new([Ok(whole)]), 2_999_999), Err(Error::TooLarge(2_999_999)));
}

#[test]
fn a_range_that_was_not_asked_for_is_no_answer_of_s3() {
    for answer in [range(1, 5, 6, "\"a\""), range(0, 7, 6, "\"a\""), Ok(Reply::new(206, &[], b"12345"))] {
        assert!(matches!(download(&Script::new([answer]), 100), Err(Error::Other(_))));
    }
}

#[test]
fn more_than_was_asked_for_is_not_read() {
    let said = |from: &str, length: &str| {
        let headers = [("content-length", length), ("content-range", from), ("etag", "\"a\"")];
        Ok(Reply::new(206, &headers, &vec![7; 3 * MIB]))
    };
    let script = Script::new([said("bytes 0-3145727/3145728", "3145728")]);
    assert!(matches!(download(&script, u64::MAX), Err(Error::Other(_))));
    for (range, length) in [
        ("bytes 1048576-/18446744073709551615", "3145728"),
        // A sum that is no number.
        ("bytes 1048576-/3145728", "18446744073709551615"),
    ] {
        let script = Script::new([range_of_first(), said(range, length)]);
        assert!(matches!(download(&script, u64::MAX), Err(Error::Other(_))), "{range}");
    }
}

fn range_of_first() -> Result<Reply, Fault> {
    range(0, MIB, 3 * MIB, "\"a\"")
}

#[test]
fn what_is_too_large_is_not_read() {
    let script = Script::new([range(0, MIB, MIB + 9, "\"a\"")]);
    assert_eq!(download(&script, MIB as u64), Err(Error::TooLarge(MIB as u64)));
}
