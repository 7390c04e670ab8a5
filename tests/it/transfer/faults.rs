//! Files with a fault, which is named by its line.

use std::io::{Seek, Write};

use proptest::prelude::*;
use tenantry::transfer::validate;

use super::{Workplace, rich_data, tenant_id};

/// Writes an export of everything and one of a tenant, and returns both.
async fn exports(place: &Workplace) -> (String, String) {
    let source = place.sqlite("a.db", &rich_data()).await;
    let all = place.succeed(&source, &["export"]);
    (all, place.succeed(&source, &["export", "--tenant", "acme"]))
}

/// Returns the error of a file that is imported into an absent database.
fn fault(place: &Workplace, content: impl AsRef<[u8]>) -> String {
    place.write("fault.ndjson", content);
    let error = place.fail("sqlite://absent.db", &["import", "fault.ndjson"]);
    assert!(!place.path().join("absent.db").exists(), "nothing is written");
    assert!(error.len() < 500, "{error}");
    error.strip_prefix("tenantry: fault.ndjson: ").expect("the name of the file").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_with_a_fault_is_named() {
    let place = Workplace::new();
    let (all, of_tenant) = exports(&place).await;
    let other = tenant_id(2).to_string();
    let line = |text: &str, n: usize| text.lines().nth(n - 1).expect("a line").to_owned();
    let replaced = |n: usize, new: &str| all.replace(&line(&all, n), new);
    let edited = |n: usize, from: &str, to: &str| {
        let old = line(&all, n);
        assert!(old.contains(from), "{old} has {from}");
        replaced(n, &old.replacen(from, to, 1))
    };
    let (deep, long) = ("[".repeat(100_000), "x".repeat(33 * 1024 * 1024));
    let fourth = line(&all, 4);
    let cases = [
        ("not JSON".to_owned(), "line 1: expected ident"),
        ("{\"type\": \"tenant\"}\n".to_owned(), "line 1: expected the header"),
        (edited(1, "\"version\":1", "\"version\":2"), "line 1: version 2 of the format"),
        (edited(1, "\"all\"", "\"most\""), "line 1: unknown variant `most`"),
        (replaced(4, ""), "line 4: EOF while parsing"),
        (replaced(4, "{}"), "line 4: missing field `type`"),
        (edited(4, "\"user\"", "\"secret\""), "line 4: unknown variant `secret`"),
        (edited(4, "\"disabled\":false,", ""), "line 4: missing field `disabled`"),
        (edited(4, "\"disabled\":false", "\"disabled\":0"), "line 4: invalid type"),
        (edited(4, "\"disabled\"", "\"admin\":true,\"disabled\""), "line 4: unknown field `admin`"),
        (edited(4, "\"owner\"", "\"king\""), "line 4: memberships.role: unknown value \"king\""),
        (edited(4, "usr_", "ten_"), "line 4: id: invalid identifier"),
        (edited(4, "T22", "T25"), "line 4: memberships.since: expected a time"),
        (edited(4, "\"version\":1", "\"version\":3000000000"), "line 4: invalid value"),
        (
            edited(4, &other, "ten_0123456789abcdef01234567"),
            "line 4: the tenant ten_0123456789abcdef01234567 is not in the file",
        ),
        (edited(4, &other, &tenant_id(1).to_string()), "line 4: two memberships in ten_"),
        (
            replaced(5, &format!("{fourth}\n{fourth}")),
            "line 5: the same identifier as the line before",
        ),
        (format!("{all}{fourth}\n"), "line 17: lines must be in the order"),
        (
            edited(5, "\"subject\":\"bob\"", "\"subject\":\"ada\""),
            "line 5: the subject \"ada of https://id.example.org/\" is also in line 4",
        ),
        (
            edited(3, "\"slug\":\"other\"", "\"slug\":\"acme\""),
            "line 3: the slug \"acme\" is also in line 2",
        ),
        (
            edited(3, "\"domains\":[]", "\"domains\":[\"a.acme.example\"]"),
            "line 3: the domains \"a.acme.example\" is also in line 2",
        ),
        (edited(7, "canceled", "active"), "line 8: the live subscription of"),
        (
            edited(7, &tenant_id(1).to_string(), "ten_0123456789abcdef01234567"),
            "line 7: the tenant",
        ),
        (edited(11, "\"a\":1.5", "\"\\u0000\":1.5"), "line 11: changes: a name with"),
        (
            replaced(4, &format!("{{\"type\":\"user\",\"id\":{deep}")),
            "line 4: recursion limit exceeded",
        ),
        (replaced(4, &format!("{{\"name\":\"{long}\"}}")), "line 4: longer than 32 MiB"),
        (edited(4, "\u{1f98a}", "\\ud800"), "line 4: "),
        (all[..all.len() - 40].to_owned(), "line 16: EOF while parsing"),
        (line(&of_tenant, 1), "the file ends without the tenant ten_"),
        (
            of_tenant.replacen(
                "\"disabled\"",
                "\"platformAdminSource\":\"direct\",\"disabled\"",
                1,
            ),
            "line 3: the export of a tenant has no platform admins",
        ),
        (format!("{of_tenant}{}\n", line(&all, 13)), "line 9: "),
        (format!("{of_tenant}{}\n", line(&all, 15)), "line 9: does not belong to ten_"),
    ];
    for (content, expected) in cases {
        let error = fault(&place, &content);
        assert!(error.starts_with(expected), "{error:?} instead of {expected:?}");
    }
    let mut invalid = all.clone().into_bytes();
    let fox = all.find('\u{1f98a}').expect("a fox");
    invalid[fox] = 0xff;
    assert!(fault(&place, &invalid).starts_with("line 4: not UTF-8"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes are accepted or rejected with the number of a line, without a panic.
    #[test]
    fn changed_bytes_are_accepted_or_rejected(
        position in 0_usize..700, byte in any::<u8>(), cut in 0_usize..700,
    ) {
        let export = include_str!("snapshots/it__transfer__round_trip__export.snap");
        let (_, export) = export.split_once("\n---\n").expect("a header");
        let mut bytes = export.as_bytes().to_vec();
        let length = bytes.len();
        bytes[position * 7 % length] = byte;
        bytes.truncate(length - cut % 3 * cut);
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&bytes).expect("written");
        file.rewind().expect("rewound");
        if let Err(error) = validate(file) {
            let text = error.to_string();
            prop_assert!(text.starts_with("line ") || text.contains("the file"), "{text}");
        }
    }
}
