//! Checks the directive `@guard` of the schema against the table.
//!
//! The other tests prove each row of the table by the answers of the gateway. So a field must have
//! the directive exactly if a row of it has the outcome `FORBIDDEN`, and the requirement of the
//! directive must be the least one of its rows.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::{Schema, schema::ExtendedType};
use tenantry::{graphql, policy::Requirement};

use super::table::{self, Caller, Outcome, Request, Row};
use crate::support::generated_docs;

/// Guarded fields and mutations by coordinate, each with its requirement.
type Guards = BTreeMap<String, Requirement>;

/// Returns the requirement that only this caller and those after it meet.
///
/// A caller without a role in the tenant can only meet a requirement about itself.
fn requirement_of(least: Caller) -> Requirement {
    match least {
        Caller::Anonymous | Caller::Unprovisioned | Caller::Disabled => panic!("not a viewer"),
        Caller::Outsider => Requirement::Own,
        Caller::Member => Requirement::TenantMember,
        Caller::Admin => Requirement::TenantAdmin,
        Caller::Owner => Requirement::TenantOwner,
        Caller::PlatformAdmin => Requirement::PlatformAdmin,
    }
}

impl Row {
    fn forbids(&self, caller: Caller) -> bool {
        matches!(self.expects(caller), Outcome::Error("FORBIDDEN") | Outcome::NullWithForbidden)
    }

    /// Returns the requirement of the row: that of the first caller after those with `FORBIDDEN`,
    /// or else of the first allowed caller. No caller meets it if the row is forbidden for all.
    fn requirement(&self) -> Option<Requirement> {
        let after_forbidden = Caller::ALL.iter().rposition(|caller| self.forbids(*caller));
        let least = match after_forbidden {
            Some(last) => Caller::ALL.get(last + 1),
            None => Caller::ALL.iter().find(|caller| {
                **caller as usize >= table::WITHOUT_VIEWER.len()
                    && self.expects(**caller) == Outcome::Allowed
            }),
        };
        least.map(|caller| requirement_of(*caller))
    }
}

/// Returns the requirements of all rows of each coordinate with a forbidden outcome.
fn requirements_of_rows() -> BTreeMap<String, BTreeSet<Requirement>> {
    let mut requirements: BTreeMap<String, BTreeSet<Requirement>> = BTreeMap::new();
    let mut guarded = BTreeSet::new();
    for row in table::rows() {
        let covers = match row.request {
            Request::Read { .. } | Request::Live { .. } => row.covers(),
            // The fields of a payload are not guarded. The mutation is.
            Request::Write { .. } => row.covers().into_iter().take(1).collect(),
        };
        for coordinate in covers {
            if Caller::ALL.into_iter().any(|caller| row.forbids(caller)) {
                guarded.insert(coordinate.clone());
            }
            requirements.entry(coordinate).or_default().extend(row.requirement());
        }
    }
    requirements.retain(|coordinate, _| guarded.contains(coordinate));
    requirements
}

/// Returns the guards in a schema.
fn guards(sdl: &str) -> Guards {
    let schema = Schema::parse_and_validate(sdl, "schema.graphql").expect("a valid schema");
    let mut guards = Guards::new();
    for (type_name, definition) in &schema.types {
        let fields = match definition {
            ExtendedType::Object(object) => &object.fields,
            ExtendedType::Interface(interface) => &interface.fields,
            _ => continue,
        };
        for (field_name, field) in fields {
            let directives: Vec<_> = field.directives.get_all("guard").collect();
            let [directive] = directives[..] else {
                assert!(directives.is_empty(), "{type_name}.{field_name} has two guards");
                continue;
            };
            let requires = directive.specified_argument_by_name("requires").expect("an argument");
            let name = requires.as_enum().expect("an enum value");
            let requirement = Requirement::parse(name).expect("a requirement of the policy");
            guards.insert(format!("{type_name}.{field_name}"), requirement);
        }
    }
    guards
}

/// Returns a message for each coordinate whose guard in the schema is not that of the table.
fn guard_errors(sdl: &str) -> Vec<String> {
    let (actual, expected) = (guards(sdl), requirements_of_rows());
    let coordinates: BTreeSet<&String> = actual.keys().chain(expected.keys()).collect();
    let errors = coordinates.into_iter().filter_map(|coordinate| {
        let expected = expected.get(coordinate).and_then(BTreeSet::first);
        let show = |requirement: Option<&Requirement>| requirement.map_or("none", |r| r.as_str());
        let (actual, expected) = (show(actual.get(coordinate)), show(expected));
        (actual != expected).then(|| format!("{coordinate} has {actual}, not {expected}"))
    });
    errors.collect()
}

#[test]
fn guards_in_the_schema_match_the_matrix() {
    let errors = guard_errors(&graphql::sdl());
    assert!(errors.is_empty(), "see tests/it/authorization_matrix/: {errors:#?}");
}

#[test]
fn guard_check_reports_missing_and_wrong_directives() {
    let sdl = graphql::sdl();
    let with = |from: &str, to: &str| {
        assert_eq!(sdl.matches(from).count(), 1, "{from}");
        guard_errors(&sdl.replace(from, to))
    };
    assert_eq!(
        with("billingInfo: BillingInfo @guard(requires: TENANT_ADMIN)", "billingInfo: BillingInfo"),
        ["Tenant.billingInfo has none, not TENANT_ADMIN"]
    );
    assert_eq!(
        with(
            "  subject: String @guard(requires: SELF)",
            "  subject: String @guard(requires: TENANT_MEMBER)"
        ),
        ["User.subject has TENANT_MEMBER, not SELF"]
    );
    assert_eq!(
        with("): UserConnection! @guard(requires: PLATFORM_ADMIN)", "): UserConnection!"),
        ["Query.users has none, not PLATFORM_ADMIN"]
    );
    assert_eq!(
        with("  myMembership: Membership\n", "  myMembership: Membership @guard(requires: SELF)\n"),
        ["Tenant.myMembership has SELF, not none"]
    );
    assert_eq!(
        with(
            "): UpdateTenantPayload! @guard(requires: TENANT_ADMIN)",
            "): UpdateTenantPayload! @guard(requires: TENANT_OWNER)"
        ),
        ["Mutation.updateTenant has TENANT_OWNER, not TENANT_ADMIN"]
    );
}

/// Returns the guards as Markdown, as `docs/AUTHORIZATION.md` prints them.
fn render() -> String {
    let rows = requirements_of_rows();
    let cell = |requirement: Requirement| format!("`{}`", requirement.as_str());
    let mut lines =
        vec![["field or mutation", "requires", "with some inputs"].map(str::to_owned).to_vec()];
    let mut guards: Vec<_> = guards(&graphql::sdl()).into_iter().collect();
    guards.sort_by_key(|(coordinate, requirement)| (*requirement, coordinate.clone()));
    for (coordinate, requirement) in guards {
        let further = rows[&coordinate].iter().filter(|_| coordinate.starts_with("Mutation."));
        let further: Vec<String> =
            further.filter(|r| **r > requirement).map(|r| cell(*r)).collect();
        lines.push(vec![format!("`{coordinate}`"), cell(requirement), further.join(" or ")]);
    }
    format!("\n{}\n", generated_docs::markdown_table(&lines))
}

#[test]
fn documented_guards_match_the_schema() {
    generated_docs::assert_block("docs/AUTHORIZATION.md", "the table of guards", &render());
}
