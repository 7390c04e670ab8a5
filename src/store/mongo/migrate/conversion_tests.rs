//! Tests of the conversion of single documents.

use std::collections::HashSet;

use mongodb::bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId as Oid};

use super::{
    converter::{Context, Converter},
    fields::OldFields,
    subscription::{LiveSubscriptions, SubscriptionContext},
    tenant::{TenantContext, TenantSurvey},
    user::UserContext,
};
use crate::domain::{
    id::ObjectId,
    migration::{FieldMapping, MigrationOptions, OldCollection, report::FindingKind},
};

fn oid(n: u8) -> Oid {
    Oid::from_bytes([n; 12])
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).expect("a document")
}

/// The result of a conversion: fields to set and to remove, kinds of remarks, and the reason if the
/// document is left as it is.
type Converted = (Document, Vec<String>, Vec<FindingKind>, Option<String>);

fn convert(
    document: &Document,
    fields: &OldFields,
    context: Context<'_>,
    finish: bool,
) -> Converted {
    let options = MigrationOptions { finish, ..MigrationOptions::default() };
    let raw = raw(document);
    let (conversion, left) = Converter::new(fields, context, &options).convert(&raw);
    let findings = conversion.findings.iter().map(|(kind, _)| *kind).collect();
    (conversion.set.clone(), conversion.unset.clone(), findings, left)
}

/// Converts a user of a database with the tenants 1 and 2.
fn user(document: &Document, finish: bool) -> Converted {
    let fields = OldFields::new(OldCollection::Users, &[]);
    let tenants = HashSet::from([ObjectId([1; 12]), ObjectId([2; 12])]);
    let duplicates = HashSet::from([ObjectId([99; 12])]);
    let context = UserContext { tenants: &tenants, duplicates: &duplicates };
    convert(document, &fields, Context::Users(context), finish)
}

#[test]
fn user_gets_memberships_and_sources() {
    let created = DateTime::from_millis(1_700_000_000_000);
    let old = doc! {
        "_id": oid(9), "authentikSubjectId": "ada", "tenantIds": [oid(2), oid(1), oid(2), oid(7)],
        "email": "ada@example.org", "name": "Ada", "role": "Admin", "platformAdmin": true, "__v": 3,
        "createdAt": created, "updatedAt": created,
    };
    let membership =
        |n| doc! { "tenantId": oid(n), "role": "admin", "source": "group", "since": created };
    let expected = doc! {
        "subject": "ada", "platformAdminSource": "group",
        "memberships": [membership(2), membership(1)],
    };
    let (set, unset, findings, left) = user(&old, false);
    assert_eq!((set.clone(), left), (expected, None));
    assert!(unset.is_empty());
    assert_eq!(findings, [FindingKind::AbsentTenant]);
    let mut converted = old.clone();
    converted.extend(set);
    assert_eq!(
        user(&converted, false),
        (doc! {}, vec![], vec![], None),
        "a second run changes nothing"
    );
    let (set, unset, ..) = user(&converted, true);
    assert_eq!(set, doc! {});
    assert_eq!(unset, ["authentikSubjectId", "tenantIds", "role", "__v"]);
    assert_eq!(user(&old, true).1, unset, "one run can do both");
}

#[test]
fn rights_that_the_gateway_gave_stay() {
    let current = doc! {
        "_id": oid(9), "subject": "ada", "issuer": "i", "name": "Ada", "platformAdmin": true,
        "memberships": [{ "tenantId": oid(1), "role": "owner", "source": "direct" }],
        "tenantIds": [oid(2)], "role": "member",
    };
    assert_eq!(user(&current, false), (doc! {}, vec![], vec![], None));
}

#[test]
fn user_that_cannot_be_converted_is_left_with_a_reason() {
    for (document, expected) in [
        (doc! { "_id": "text", "authentikSubjectId": "a" }, "_id: expected an ObjectId"),
        (doc! { "_id": oid(9), "name": "A" }, "authentikSubjectId: expected a string of 1 to 255"),
        (
            doc! { "_id": oid(9), "authentikSubjectId": "x".repeat(256) },
            "authentikSubjectId: expected",
        ),
        (
            doc! { "_id": oid(99), "authentikSubjectId": "a" },
            "authentikSubjectId: an older user has",
        ),
        (doc! { "_id": oid(9), "authentikSubjectId": "a", "name": [1] }, "name: expected a string"),
        (
            doc! { "_id": oid(9), "authentikSubjectId": "a", "platformAdmin": "maybe" },
            "platformAdmin: expected",
        ),
        (
            doc! { "_id": oid(9), "authentikSubjectId": "a", "createdAt": "soon" },
            "createdAt: expected a date",
        ),
        (
            doc! { "_id": oid(9), "subject": "a", "name": "A", "version": "one" },
            "version: expected a 32-bit",
        ),
    ] {
        let (set, unset, _, left) = user(&document, true);
        assert!(set.is_empty() && unset.is_empty(), "{document}");
        assert!(left.as_ref().is_some_and(|reason| reason.starts_with(expected)), "{left:?}");
    }
}

/// Converts all tenants of a database.
fn tenants(documents: &[Document], finish: bool) -> Vec<Converted> {
    let fields = OldFields::new(OldCollection::Tenants, &[]);
    let mut survey = TenantSurvey::default();
    for document in documents {
        survey.add(&raw(document), &fields);
    }
    let (context, _) = survey.finish();
    let converted = documents.iter();
    converted
        .map(|document| convert(document, &fields, Context::Tenants(&context), finish))
        .collect()
}

#[test]
fn tenant_gets_integrations_and_a_unique_slug() {
    let documents = [
        doc! { "_id": oid(1), "slug": "Acme", "name": "A", "authentikGroup": "g", "ocisSpaceId": "o" },
        doc! { "_id": oid(2), "slug": "acme", "authentikGroupId": "g", "domains": ["B.example"] },
        doc! { "_id": oid(3), "slug": "x", "name": "X", "domains": ["b.example", "Bücher.example"] },
    ];
    let converted = tenants(&documents, true);
    let (set, unset, ..) = &converted[0];
    let integrations = doc! { "authentikGroup": "g", "ocisSpace": "o" };
    assert_eq!(*set, doc! { "slug": "acme", "integrations": integrations });
    assert_eq!(*unset, ["authentikGroup", "ocisSpaceId"]);
    let (set, unset, findings, _) = &converted[1];
    assert_eq!(*set, doc! { "slug": "acme-2", "name": "acme-2", "domains": ["b.example"] });
    assert!(unset.is_empty(), "a group that was not taken over stays: {unset:?}");
    let expected = [
        FindingKind::SlugChanged,
        FindingKind::NameDerived,
        FindingKind::DomainChanged,
        FindingKind::DuplicateGroup,
    ];
    assert_eq!(*findings, expected);
    let (set, ..) = &converted[2];
    let domains = doc! { "domains": ["xn--bcher-kva.example"], "legacyDomains": ["b.example"] };
    assert_eq!(*set, domains);
}

#[test]
fn tenant_that_is_left_changes_only_where_an_index_forbids() {
    let documents = [
        doc! { "_id": oid(1), "slug": "a", "name": "A", "status": "trial", "plan": "FREE", "domains": ["a.example"] },
        doc! { "_id": oid(2), "slug": "a", "name": "A", "status": "trial", "domains": ["a.example", "c.example"] },
        doc! { "_id": oid(3), "slug": "b", "name": "B", "domains": "a.example" },
    ];
    let converted = tenants(&documents, true);
    assert_eq!(converted[0].0, doc! {});
    assert_eq!(converted[0].3.as_deref(), Some("status: unknown value \"trial\""));
    let expected = doc! { "slug": "a-2", "domains": ["c.example"], "legacyDomains": ["a.example"] };
    assert_eq!(converted[1].0, expected);
    assert!(converted[1].3.is_some());
    assert_eq!(
        converted[2].0,
        doc! { "domains": Bson::Array(vec![]), "legacyDomains": ["a.example"] }
    );
    let none = TenantContext::default();
    assert!(!none.gives_up_a_value(ObjectId([1; 12])));
}

#[test]
fn newest_live_subscription_of_a_tenant_stays() {
    let fields = OldFields::new(OldCollection::Subscriptions, &[]);
    let tenants = HashSet::from([ObjectId([1; 12])]);
    let at = |n: i64| DateTime::from_millis(1_700_000_000_000 + n);
    let documents = [
        doc! { "_id": oid(11), "tenantId": oid(1), "plan": "free", "status": "Active", "createdAt": at(1) },
        doc! { "_id": oid(12), "tenantId": oid(1).to_hex(), "plan": "free", "status": "trialing", "createdAt": at(2), "stripePriceId": "p" },
        doc! { "_id": oid(13), "tenantId": oid(1), "plan": "gold", "status": "active", "createdAt": at(3) },
        doc! { "_id": oid(14), "tenantId": oid(1), "plan": "free", "status": "canceled", "createdAt": at(4) },
        doc! { "_id": oid(15), "tenantId": oid(8), "plan": "free", "status": "active", "createdAt": at(5) },
    ];
    let mut live = LiveSubscriptions::default();
    for document in &documents {
        live.add(&raw(document), &fields, &tenants);
    }
    let converted = documents.each_ref().map(|document| {
        let context = SubscriptionContext { tenants: &tenants, superseded: &live.superseded };
        convert(document, &fields, Context::Subscriptions(context), false)
    });
    assert_eq!(converted[0].0, doc! { "status": "canceled" });
    assert_eq!(converted[0].2, [FindingKind::SubscriptionCanceled]);
    assert_eq!(converted[1].0, doc! { "tenantId": oid(1), "stripe": { "priceId": "p" } });
    assert_eq!(converted[2].0, doc! { "status": "canceled" }, "the gateway cannot read it");
    assert_eq!(converted[2].3.as_deref(), Some("plan: unknown value \"gold\""));
    assert_eq!(converted[3].0, doc! {});
    assert_eq!(converted[4].0, doc! {});
    assert!(converted[4].3.as_ref().is_some_and(|reason| reason.contains("does not exist")));
}

#[test]
fn mapped_fields_are_read_and_removed() {
    let mapping = |stored: &str, name| FieldMapping {
        collection: OldCollection::Users,
        stored: stored.to_owned(),
        name,
    };
    let mappings = [
        mapping("sso.sub", "authentikSubjectId"),
        mapping("mail", "email"),
        mapping("name", "name"),
        mapping("disabled", "role"),
    ];
    let fields = OldFields::new(OldCollection::Users, &mappings);
    let (tenants, duplicates) = (HashSet::new(), HashSet::new());
    let context = UserContext { tenants: &tenants, duplicates: &duplicates };
    let old = doc! { "_id": oid(9), "sso": { "sub": "ada", "x": 1 }, "mail": "a@example.org", "name": "Ada", "disabled": false };
    let (set, unset, _, left) = convert(&old, &fields, Context::Users(context), true);
    assert_eq!((set, left), (doc! { "subject": "ada", "email": "a@example.org" }, None));
    assert_eq!(unset, ["sso.sub", "mail"], "fields of the gateway stay");
}
