//! Contains the table itself: only data, no code that runs it.
//!
//! A row is an operation with the outcome for each caller, in the terms of the API contract.
//! Placeholders in a row stand for objects of the case's own [`Fixture`](super::fixture::Fixture):
//!
//! - `$TENANT`, `$SLUG`, `$SUBSCRIPTION`, `$EVENT`: the tenant and its objects.
//! - `$MEMBER`, `$ADMIN`, `$OWNER`: a user with that role in the tenant.
//! - `$CALLER`: the user that sends the request.
//! - `$PEER`: a non-member that shares another tenant with the caller.
//! - `$STRANGER`: a user that shares no tenant with the caller.
//! - `$FOREIGN_EVENT`: an audit event of the tenant with the stranger as actor and target.
//! - `$HIDDEN`: a tenant that only platform admins can see.
//! - `$NO_TENANT`, `$NO_USER`, `$NO_SUBSCRIPTION`, `$NO_EVENT`: identifiers of nonexistent objects.
//! - `$INVITATION`, `$HIGH_INVITATION`: invitations of the tenant as MEMBER and as OWNER.
//! - `$TOKEN`: the token of `$INVITATION`. `$CALLER_TOKEN`: that of an invitation of the caller.
//! - `$NO_INVITATION`: the identifier of a nonexistent invitation.
//! - `$N`: a number that is unique to the case.

mod reads;
mod writes;

use Outcome::{Allowed, Error, NotApplicable, Null, NullWithForbidden, Omitted};

/// A kind of caller.
///
/// Each caller that has a role has it in the tenant of the request, and also owns another tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A caller without a token.
    Anonymous,
    /// A caller with a valid token, but without a user.
    Unprovisioned,
    /// A disabled user that is an owner of the tenant and a platform admin.
    Disabled,
    /// An owner of another tenant only.
    Outsider,
    /// A member of the tenant.
    Member,
    /// An admin of the tenant.
    Admin,
    /// An owner of the tenant.
    Owner,
    /// A platform admin that is not a member of any tenant.
    PlatformAdmin,
}

impl Caller {
    /// All callers, in the order of the table.
    pub(super) const ALL: [Self; 8] = [
        Self::Anonymous,
        Self::Unprovisioned,
        Self::Disabled,
        Self::Outsider,
        Self::Member,
        Self::Admin,
        Self::Owner,
        Self::PlatformAdmin,
    ];

    /// Returns the column header in the printed table.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Unprovisioned => "token without a user",
            Self::Disabled => "disabled user",
            Self::Outsider => "non-member",
            Self::Member => "MEMBER",
            Self::Admin => "ADMIN",
            Self::Owner => "OWNER",
            Self::PlatformAdmin => "platform admin",
        }
    }
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The value is returned, or the change is made.
    Allowed,
    /// The response is an error with this code, without data.
    Error(&'static str),
    /// The value is `null` without an error, as if the resource did not exist.
    Null,
    /// Only that field is `null`, with a `FORBIDDEN` error. Everything around it is returned.
    NullWithForbidden,
    /// The resource or the value is omitted from the result.
    Omitted,
    /// The resource itself is `null`, so that the field cannot be read.
    NotApplicable,
}

impl Outcome {
    /// Returns the cell of the printed table.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Allowed => "✓",
            Error(code) => code,
            Null => "null",
            NullWithForbidden => "null + FORBIDDEN",
            Omitted => "omitted",
            NotApplicable => "–",
        }
    }
}

/// The state of the tenant that an operation acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TenantKind {
    /// An ACTIVE tenant, which most rows use.
    Active,
    /// A PENDING tenant.
    Pending,
    /// A SUSPENDED tenant.
    Suspended,
    /// An ARCHIVED tenant.
    Archived,
    /// An ACTIVE tenant in which only the caller can be an owner: `$OWNER` does not exist.
    NoOtherOwner,
    /// The default tenant, which all cases of such rows share.
    Default,
}

/// A mutation and its effects.
#[derive(Debug)]
pub(super) struct Operation {
    /// The name of the mutation.
    pub(super) name: &'static str,
    /// The fields of its payload, each with the selection below it.
    pub(super) payload: &'static [(&'static str, &'static str)],
    /// The name of its action in the audit log.
    pub(super) action: &'static str,
    /// The change of the numbers of tenants, users and subscriptions.
    pub(super) counts: [i64; 3],
    /// True if only platform admins may run it. All other callers are rejected before any lookup.
    pub(super) platform_only: bool,
}

/// The request of a row.
#[derive(Debug)]
pub(super) enum Request {
    /// A query, or a field of a query.
    Read {
        /// The schema coordinates that the row covers. If the document contains `{0}`, it is sent
        /// once for each of them, with the field's name in its place.
        covers: &'static [&'static str],
        /// The selection of the query.
        document: &'static str,
        /// The JSON pointer of the value below `data`.
        pointer: &'static str,
        /// A text that the value contains if it is allowed, and does not contain if it is omitted.
        contains: &'static str,
    },
    /// A live operation, whose tenant, subscription and caller then change.
    Live {
        /// The schema coordinates that the row covers.
        covers: &'static [&'static str],
        /// The selection of the subscription.
        document: &'static str,
        /// The JSON pointer of the value below `data` of the first event.
        pointer: &'static str,
        /// A text that the value contains if it is allowed, and does not contain if it is omitted.
        contains: &'static str,
    },
    /// A mutation with its input.
    Write {
        /// The mutation to run.
        operation: Operation,
        /// Its input as JSON, in which a placeholder is part of a string.
        input: &'static str,
    },
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Row {
    /// The operation as the printed table describes it.
    pub(super) title: &'static str,
    /// The state of the tenant that it acts on.
    pub(super) tenant: TenantKind,
    /// The request to send.
    pub(super) request: Request,
    /// The outcome for each caller, in the order of [`Caller::ALL`].
    pub(super) expected: [Outcome; 8],
}

impl Row {
    /// Returns the coordinates of the schema that the row covers.
    pub(super) fn covers(&self) -> Vec<String> {
        match &self.request {
            Request::Read { covers, .. } | Request::Live { covers, .. } => {
                covers.iter().map(|&c| c.to_owned()).collect()
            }
            Request::Write { operation, .. } => {
                let name = operation.name;
                let payload = format!("{}{}Payload", name[..1].to_uppercase(), &name[1..]);
                let fields =
                    operation.payload.iter().map(|(field, _)| format!("{payload}.{field}"));
                std::iter::once(format!("Mutation.{name}")).chain(fields).collect()
            }
        }
    }

    /// Returns the expected outcome for a caller.
    pub(super) fn expects(&self, caller: Caller) -> Outcome {
        self.expected[caller as usize]
    }
}

/// A group of rows with a heading.
#[derive(Debug)]
pub(super) struct Section {
    /// The heading of the section.
    pub(super) title: &'static str,
    /// The rows of the section.
    pub(super) rows: Vec<Row>,
}

/// The outcomes for the callers without an enabled user, which do not become a viewer.
pub(super) const WITHOUT_VIEWER: [Outcome; 3] =
    [Error("UNAUTHENTICATED"), Error("USER_NOT_PROVISIONED"), Error("USER_DISABLED")];

const FORBIDDEN: Outcome = Error("FORBIDDEN");
const NOT_FOUND: Outcome = Error("NOT_FOUND");
const SUSPENDED: Outcome = Error("TENANT_SUSPENDED");
const CONFLICT: Outcome = Error("CONFLICT");

// Outcomes for non-member, MEMBER, ADMIN, OWNER and platform admin.
const ALL_VIEWERS: [Outcome; 5] = [Allowed; 5];
const MEMBERS_OR_NOT_FOUND: [Outcome; 5] = [NOT_FOUND, Allowed, Allowed, Allowed, Allowed];
const MEMBERS: [Outcome; 5] = [Null, Allowed, Allowed, Allowed, Allowed];
const LISTED_FOR_MEMBERS: [Outcome; 5] = [Omitted, Allowed, Allowed, Allowed, Allowed];
const FIELD_FOR_MEMBERS: [Outcome; 5] = [NotApplicable, Allowed, Allowed, Allowed, Allowed];
const FIELD_FOR_ADMINS: [Outcome; 5] =
    [NotApplicable, NullWithForbidden, Allowed, Allowed, Allowed];
const FIELD_FOR_PLATFORM_ADMINS: [Outcome; 5] =
    [NotApplicable, NullWithForbidden, NullWithForbidden, NullWithForbidden, Allowed];
const FIELD_OF_STRANGER: [Outcome; 5] =
    [NotApplicable, NotApplicable, NotApplicable, NotApplicable, Allowed];
const PLATFORM_ADMINS: [Outcome; 5] = [FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, Allowed];
const PLATFORM_ADMINS_NOT_FOUND: [Outcome; 5] =
    [FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, NOT_FOUND];
const FORBIDDEN_FOR_ALL: [Outcome; 5] = [FORBIDDEN; 5];
const ADMINS: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, Allowed, Allowed, Allowed];
const OWNERS: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, FORBIDDEN, Allowed, Allowed];
const PLATFORM_ADMINS_IN_TENANT: [Outcome; 5] =
    [NOT_FOUND, FORBIDDEN, FORBIDDEN, FORBIDDEN, Allowed];
const NOT_FOUND_FOR_ALL: [Outcome; 5] = [NOT_FOUND; 5];
const ADMINS_IF_SUSPENDED: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, SUSPENDED, SUSPENDED, Allowed];
const OWNERS_IF_SUSPENDED: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, FORBIDDEN, SUSPENDED, Allowed];

fn row(title: &'static str, request: Request, for_viewers: [Outcome; 5]) -> Row {
    let mut expected = [Allowed; 8];
    expected[..3].copy_from_slice(&WITHOUT_VIEWER);
    expected[3..].copy_from_slice(&for_viewers);
    Row { title, tenant: TenantKind::Active, request, expected }
}

fn read(
    title: &'static str,
    covers: &'static [&'static str],
    document: &'static str,
    pointer: &'static str,
    for_viewers: [Outcome; 5],
) -> Row {
    row(title, Request::Read { covers, document, pointer, contains: "" }, for_viewers)
}

/// Returns a row for a list, or for another value from which a part can be omitted.
fn list(
    title: &'static str,
    covers: &'static [&'static str],
    (document, pointer): (&'static str, &'static str),
    contains: &'static str,
    for_viewers: [Outcome; 5],
) -> Row {
    row(title, Request::Read { covers, document, pointer, contains }, for_viewers)
}

fn live(
    title: &'static str,
    covers: &'static [&'static str],
    (document, pointer): (&'static str, &'static str),
    contains: &'static str,
    for_viewers: [Outcome; 5],
) -> Row {
    row(title, Request::Live { covers, document, pointer, contains }, for_viewers)
}

fn write(
    title: &'static str,
    operation: Operation,
    input: &'static str,
    for_viewers: [Outcome; 5],
) -> Row {
    row(title, Request::Write { operation, input }, for_viewers)
}

impl Row {
    const fn in_tenant(mut self, tenant: TenantKind) -> Self {
        self.tenant = tenant;
        self
    }
}

/// Returns the whole table.
pub(super) fn sections() -> Vec<Section> {
    let section = |title, rows| Section { title, rows };
    vec![
        section("Queries", reads::queries()),
        section("Fields of a tenant", reads::tenant_fields()),
        section("Fields of a subscription", reads::subscription_fields()),
        section("Fields of a user", reads::user_fields()),
        section("Fields of an audit event", reads::event_fields()),
        section("Live operations", reads::live_operations()),
        section("Tenants", writes::tenants()),
        section("Users", writes::users()),
        section("Subscriptions", writes::subscriptions()),
        section("Members", writes::members()),
        section("Invitations", writes::invitations()),
        section("Suspended and archived tenants", writes::suspended()),
    ]
}

/// Returns the rows of all sections.
pub(super) fn rows() -> Vec<Row> {
    sections().into_iter().flat_map(|section| section.rows).collect()
}
