//! Implements Relay's cursor connections and their pagination arguments.

use std::borrow::Cow;

use async_graphql::{Context, Object, OutputType, SimpleObject, TypeName};

use super::{
    context::{ContextExt, Nullable},
    cursor::{self, CursorKind},
    loaders::MemberCountKey,
};
use crate::{
    access::{AccessError, AuditScope, InputError},
    domain::{
        id::TenantId,
        invitation::InvitationStatus,
        list::{
            AuditFilter, MemberFilter, Page, PageEdge, PageRequest, Position, SubscriptionFilter,
            TenantFilter, UserFilter,
        },
    },
};

/// The page size if the document does not state one.
pub(super) const PAGE_DEFAULT: usize = 20;
/// The largest page size, and the maximum number of identifiers for `nodes`.
pub(super) const PAGE_MAX: usize = 100;

/// A page of a list.
pub(super) struct Connection<N> {
    cursor_kind: CursorKind,
    edges: Vec<Edge<N>>,
    has_next: bool,
    has_previous: bool,
    total: CountQuery,
}

/// An element of a list and its position.
pub(super) struct Edge<N> {
    cursor_kind: CursorKind,
    position: Position,
    node: Result<N, AccessError>,
}

/// The query that counts the elements for `totalCount`. It runs only if the field is selected.
pub(super) enum CountQuery {
    /// Counts the visible tenants that match.
    Tenants(TenantFilter),
    /// Counts the users that match.
    Users(UserFilter),
    /// Counts the visible subscriptions that match.
    Subscriptions(SubscriptionFilter),
    /// Counts the audit events of the scope that match.
    AuditEvents(AuditScope, AuditFilter),
    /// Counts the members of the tenant that match.
    Members(TenantId, MemberFilter),
    /// Counts the invitations of the tenant that have one of these statuses.
    Invitations(TenantId, Vec<InvitationStatus>),
}

/// The cursors at the ends of a page, and whether the list has elements before and after the page.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// True if the list has more elements after this page.
    has_next_page: bool,
    /// True if the list has more elements before this page.
    has_previous_page: bool,
    /// The cursor of the first element of the page. Null if the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the last element of the page. Null if the page is empty.
    end_cursor: Option<String>,
}

impl<N> Connection<N> {
    /// Creates a connection from a page. `to_node` turns an element into its object.
    pub(super) fn new<T>(
        cursor_kind: CursorKind,
        total: CountQuery,
        page: Page<T>,
        to_node: impl Fn(T) -> Result<N, AccessError>,
    ) -> Self {
        let Page { items, has_next, has_previous } = page;
        let edges = items.into_iter().map(|item| Edge {
            cursor_kind,
            position: item.position,
            node: item.node.map_err(AccessError::from).and_then(&to_node),
        });
        Self { cursor_kind, edges: edges.collect(), has_next, has_previous, total }
    }
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// A page of a list, as Relay's cursor connections specification defines it.
#[Object(name_type)]
impl<N: OutputType> Connection<N> {
    /// The elements of the page, each with its cursor.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The elements of the page. An element whose stored document cannot be read is null, with an
    /// `INTERNAL` error.
    async fn nodes(&self) -> Vec<Nullable<&N>> {
        self.edges.iter().map(Edge::nullable_node).collect()
    }

    /// The cursors at the ends of the page, and whether the list has elements before and after it.
    async fn page_info(&self) -> PageInfo {
        let cursor =
            |edge: Option<&Edge<N>>| edge.map(|e| cursor::encode(self.cursor_kind, &e.position));
        PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: cursor(self.edges.first()),
            end_cursor: cursor(self.edges.last()),
        }
    }

    /// The number of elements in the whole list, after filters. Selecting it costs at least
    /// one more database read.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, AccessError> {
        let session = ctx.session();
        let count = match &self.total {
            CountQuery::Tenants(filter) => session.count_tenants(filter).await?,
            CountQuery::Users(filter) => session.count_users(filter).await?,
            CountQuery::Subscriptions(filter) => session.count_subscriptions(filter).await?,
            CountQuery::AuditEvents(scope, filter) => {
                session.count_audit_events(*scope, filter).await?
            }
            CountQuery::Invitations(tenant, status) => {
                session.count_invitations(*tenant, status).await?
            }
            CountQuery::Members(tenant, filter) => {
                let key = MemberCountKey { tenant: *tenant, filter: filter.clone() };
                ctx.loaders().load_one(key).await?.unwrap_or(0)
            }
        };
        // GraphQL's `Int` has 32 bits.
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// An element of a list with its cursor.
#[Object(name_type)]
impl<N: OutputType> Edge<N> {
    /// The opaque cursor of the element, for the arguments `after` and `before`.
    async fn cursor(&self) -> String {
        cursor::encode(self.cursor_kind, &self.position)
    }

    /// The element itself. Null, with an `INTERNAL` error, if its stored document cannot be read.
    async fn node(&self) -> Nullable<&N> {
        self.nullable_node()
    }
}

impl<N> Edge<N> {
    fn nullable_node(&self) -> Nullable<&N> {
        Some(self.node.as_ref().map_err(Clone::clone))
    }
}

/// The pagination arguments of a field, not validated yet.
pub(super) struct PageArguments {
    /// The page size, counted from the start of the list.
    pub(super) first: Option<i32>,
    /// The cursor after which the page starts.
    pub(super) after: Option<String>,
    /// The page size, counted from the end of the list.
    pub(super) last: Option<i32>,
    /// The cursor before which the page ends.
    pub(super) before: Option<String>,
}

impl PageArguments {
    /// Returns the page that the arguments request, and adds their input errors to `errors`.
    pub(super) fn page_request(
        &self,
        cursor_kind: CursorKind,
        errors: &mut Vec<InputError>,
    ) -> PageRequest {
        if self.first.is_some() && self.last.is_some() {
            errors.push(InputError::at("last", "must not be combined with `first`"));
        }
        // `before` alone requests the elements directly before the cursor.
        let from_end = self.last.is_some()
            || (self.first.is_none() && self.before.is_some() && self.after.is_none());
        let first = page_size("first", self.first, errors);
        let last = page_size("last", self.last, errors);
        PageRequest {
            size: if from_end { last } else { first }.unwrap_or(PAGE_DEFAULT),
            edge: if from_end { PageEdge::Last } else { PageEdge::First },
            after: position("after", cursor_kind, self.after.as_deref(), errors),
            before: position("before", cursor_kind, self.before.as_deref(), errors),
        }
    }
}

/// Parses a page size, which is `None` if it is absent or invalid.
fn page_size(path: &str, size: Option<i32>, errors: &mut Vec<InputError>) -> Option<usize> {
    let parsed = usize::try_from(size?).ok().filter(|size| *size <= PAGE_MAX);
    if parsed.is_none() {
        errors.push(InputError::at(path, format!("must be from 0 to {PAGE_MAX}")));
    }
    parsed
}

fn position(
    path: &str,
    cursor_kind: CursorKind,
    cursor: Option<&str>,
    errors: &mut Vec<InputError>,
) -> Option<Position> {
    let position = cursor::decode(cursor_kind, cursor?);
    if position.is_none() {
        errors.push(InputError::at(path, "must be a cursor of this list in the same order"));
    }
    position
}
