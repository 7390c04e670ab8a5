//! Requests that the scanner accepts or rejects, in all splits of their bytes.

use proptest::{collection::vec, prelude::*};

use super::request_scanner::{RejectedPart, Rejection, RequestScanner};

/// A request in parts, so that a test knows where its lines end.
#[derive(Clone, Debug)]
struct TestRequest {
    head: Vec<u8>,
    body: Vec<u8>,
}

fn request() -> impl Strategy<Value = TestRequest> {
    // Bodies have many line endings, because these could be taken for the end of a head.
    let data = || vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..40);
    let fields = "(x-[a-z]{1,8}: [ -~]{0,80}\r\n){0,4}";
    let fixed = (fields, data()).prop_map(|(fields, data)| TestRequest {
        head: format!("POST / HTTP/1.1\r\n{fields}Content-length:{}\r\n\r\n", data.len()).into(),
        body: data,
    });
    let chunked = (fields, vec(data(), 0..4)).prop_map(|(fields, chunks)| {
        let mut body = Vec::new();
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            body.extend(format!("{:x} ;a=b\r\n", chunk.len()).bytes());
            body.extend(chunk);
            body.extend(b"\r\n");
        }
        body.extend(format!("00\r\n{fields}\r\n").bytes());
        let head = format!("POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n{fields}\r\n");
        TestRequest { head: head.into(), body }
    });
    let empty = fields.prop_map(|fields| TestRequest {
        head: format!("\r\nGET /?a HTTP/1.1\r\n{fields}\r\n").into(),
        body: Vec::new(),
    });
    prop_oneof![fixed, chunked, empty]
}

/// Scans the bytes in pieces of the given lengths, which are used in turn.
fn scan_in_pieces(bytes: &[u8], lengths: &[usize]) -> (RequestScanner, Result<(), Rejection>) {
    let (mut scanner, mut start) = (RequestScanner::new(), 0);
    for length in lengths.iter().cycle() {
        let end = (start + length).min(bytes.len());
        if let Err(rejection) = scanner.scan(&bytes[start..end]) {
            let offset = start + rejection.offset;
            return (scanner, Err(Rejection { offset, ..rejection }));
        }
        start = end;
        if start == bytes.len() {
            break;
        }
    }
    (scanner, Ok(()))
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), vec(1_usize..50, 1..10), Just(vec![usize::MAX / 2])]
}

proptest! {
    #[test]
    fn valid_requests_are_accepted_in_all_splits(
        requests in vec(request(), 1..5),
        pieces in pieces(),
    ) {
        let mut bytes = Vec::new();
        for TestRequest { head, body } in &requests {
            bytes.extend(head);
            bytes.extend(body);
            let (scanner, result) = scan_in_pieces(&bytes, &pieces);
            prop_assert_eq!(result, Ok(()));
            prop_assert!(scanner.is_between_requests());
        }
    }

    #[test]
    fn bare_lf_in_any_head_is_rejected_in_all_splits(
        before in vec(request(), 0..3),
        last in request(),
        line in any::<prop::sample::Index>(),
        pieces in pieces(),
    ) {
        let endings: Vec<_> =
            last.head.windows(2).enumerate().filter(|(_, end)| *end == b"\r\n").collect();
        let cr = endings[line.index(endings.len())].0;
        let mut bytes: Vec<u8> =
            before.iter().flat_map(|request| [&request.head[..], &request.body]).flatten().copied().collect();
        let offset = bytes.len() + cr;
        bytes.extend(&last.head[..cr]);
        bytes.extend(&last.head[cr + 1..]);
        bytes.extend(&last.body);
        let rejection = Rejection { offset, part: RejectedPart::Head };
        prop_assert_eq!(scan_in_pieces(&bytes, &pieces).1, Err(rejection));
    }

    #[test]
    fn result_does_not_depend_on_the_split(
        bytes in vec(prop_oneof![
            Just(b"\r\n".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"Content-Length: 3\r\n".to_vec()),
            Just(b"transfer-encoding:chunked\r\n".to_vec()),
            vec(any::<u8>(), 0..6),
        ], 0..20),
        pieces in pieces(),
    ) {
        let bytes = bytes.concat();
        let (whole, result) = scan_in_pieces(&bytes, &[usize::MAX / 2]);
        let (split, split_result) = scan_in_pieces(&bytes, &pieces);
        prop_assert_eq!(result, split_result);
        let state = |scanner: &RequestScanner| (scanner.is_between_requests(), scanner.is_in_body());
        prop_assert_eq!(state(&whole), state(&split));
    }
}

#[test]
fn ambiguous_framing_is_rejected() {
    // More than the scanner keeps of a line.
    let padding = " ".repeat(64);
    for fields in [
        "content-length: 1\r\ncontent-length: 1",
        "content-length: 1\r\ntransfer-encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: identity",
        "content-length: +1",
        "content-length: 1, 1",
        "content-length:",
        "content-length",
        "content-length: 18446744073709551616",
        &format!("content-length:{padding}1"),
        &format!("transfer-encoding:{padding}chunked"),
    ] {
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n");
        let rejection = RequestScanner::new().scan(head.as_bytes()).expect_err(fields);
        assert_eq!(rejection.part, RejectedPart::Head, "{fields}");
    }
    for body in ["\n", "1\n", "g\r\n", "\r\n", "+1\r\n", "1\r\naa\r\n", "1\r\na\n", "0\r\nx: y\n"] {
        let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let bytes = format!("{head}{body}");
        let rejection = RequestScanner::new().scan(bytes.as_bytes()).expect_err(body);
        assert_eq!(rejection.part, RejectedPart::Body, "{body:?}");
        assert!(rejection.offset >= head.len());
    }
    let huge =
        format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{}\r\n", "0".repeat(65));
    assert!(RequestScanner::new().scan(huge.as_bytes()).is_err());
}
