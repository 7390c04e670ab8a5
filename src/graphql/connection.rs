//! Relay's connections, and the arguments of their pages.

use std::borrow::Cow;

use async_graphql::{Context, Object, OutputType, SimpleObject, TypeName};

use super::{
    Nullable,
    context::ContextExt,
    cursor::{self, CursorKind},
    loaders::MemberCountKey,
};
use crate::{
    access::{AccessError, AuditScope, InputError},
    domain::{
        id::TenantId,
        list::{
            AuditFilter, MemberFilter, Page, PageEdge, PageRequest, Position, SubscriptionFilter,
            TenantFilter, UserFilter,
        },
    },
};

/// How many elements a page has where nobody says.
pub(super) const PAGE_DEFAULT: usize = 20;
/// How many elements a page has at most, and how many identifiers `nodes` takes.
pub(super) const PAGE_MAX: usize = 100;

/// A page of a list.
pub(super) struct Connection<N> {
    list: CursorKind,
    edges: Vec<Edge<N>>,
    has_next: bool,
    has_previous: bool,
    total: CountQuery,
}

/// An element of a list, and its place there.
pub(super) struct Edge<N> {
    list: CursorKind,
    position: Position,
    node: Result<N, AccessError>,
}

/// What `totalCount` counts, where it is asked for.
pub(super) enum CountQuery {
    /// Tenants.
    Tenants(TenantFilter),
    /// Users.
    Users(UserFilter),
    /// Subscriptions.
    Subscriptions(SubscriptionFilter),
    /// Events.
    AuditEvents(AuditScope, AuditFilter),
    /// One tenant's members.
    Members(TenantId, MemberFilter),
}

/// Where a page is in its list.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// Whether there is more after this page.
    has_next_page: bool,
    /// Whether there is more before this page.
    has_previous_page: bool,
    /// The cursor of the first element; null on an empty page.
    start_cursor: Option<String>,
    /// The cursor of the last element; null on an empty page.
    end_cursor: Option<String>,
}

impl<N> Connection<N> {
    /// A page as a connection; `show` makes an object of an element.
    pub(super) fn new<T>(
        list: CursorKind,
        total: CountQuery,
        page: Page<T>,
        show: impl Fn(T) -> Result<N, AccessError>,
    ) -> Self {
        let Page { items, has_next, has_previous } = page;
        let edges = items.into_iter().map(|item| Edge {
            list,
            position: item.position,
            node: item.node.map_err(AccessError::from).and_then(&show),
        });
        Self { list, edges: edges.collect(), has_next, has_previous, total }
    }
}

/// A connection's elements are objects with a name.
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

/// A page of a list.
#[Object(name_type)]
impl<N: OutputType> Connection<N> {
    /// The page's elements with their cursors.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The page's elements; null, with an error beside it, for one whose stored document cannot be read.
    async fn nodes(&self) -> Vec<Nullable<&N>> {
        self.edges.iter().map(Edge::shown).collect()
    }

    /// Where the page is in its list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |edge: Option<&Edge<N>>| edge.map(|e| cursor::encode(self.list, &e.position));
        PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: cursor(self.edges.first()),
            end_cursor: cursor(self.edges.last()),
        }
    }

    /// How many elements the whole list has; counted only where it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, AccessError> {
        let session = ctx.session();
        let count = match &self.total {
            CountQuery::Tenants(filter) => session.count_tenants(filter).await?,
            CountQuery::Users(filter) => session.count_users(filter).await?,
            CountQuery::Subscriptions(filter) => session.count_subscriptions(filter).await?,
            CountQuery::AuditEvents(of, filter) => session.count_audit_events(*of, filter).await?,
            CountQuery::Members(tenant, filter) => {
                let key = MemberCountKey { tenant: *tenant, filter: filter.clone() };
                ctx.loaders().load_one(key).await?.unwrap_or(0)
            }
        };
        // GraphQL's Int ends at 2^31 - 1.
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// An element of a list, and its place there.
#[Object(name_type)]
impl<N: OutputType> Edge<N> {
    /// The element's place, for `after` and `before`.
    async fn cursor(&self) -> String {
        cursor::encode(self.list, &self.position)
    }

    /// The element; null, with an error beside it, where its stored document cannot be read.
    async fn node(&self) -> Nullable<&N> {
        self.shown()
    }
}

impl<N> Edge<N> {
    fn shown(&self) -> Nullable<&N> {
        Some(self.node.as_ref().map_err(Clone::clone))
    }
}

/// A page's arguments as they came.
pub(super) struct PageArguments {
    /// How many from the front.
    pub(super) first: Option<i32>,
    /// Only after this cursor.
    pub(super) after: Option<String>,
    /// How many from the back.
    pub(super) last: Option<i32>,
    /// Only before this cursor.
    pub(super) before: Option<String>,
}

impl PageArguments {
    /// Which part of that list they ask for; what is wrong with them goes to `faults`.
    pub(super) fn window(&self, list: CursorKind, faults: &mut Vec<InputError>) -> PageRequest {
        if self.first.is_some() && self.last.is_some() {
            let message = "give `first` or `last`, not both".to_owned();
            faults.push(InputError { path: "last".to_owned(), message });
        }
        // Who gives nothing but `before` wants what comes right before it.
        let back = self.last.is_some()
            || (self.first.is_none() && self.before.is_some() && self.after.is_none());
        let (path, size) = if back { ("last", self.last) } else { ("first", self.first) };
        PageRequest {
            size: page_size(path, size, faults),
            edge: if back { PageEdge::Last } else { PageEdge::First },
            after: position("after", list, self.after.as_deref(), faults),
            before: position("before", list, self.before.as_deref(), faults),
        }
    }
}

fn page_size(path: &str, size: Option<i32>, faults: &mut Vec<InputError>) -> usize {
    match size.map(usize::try_from) {
        None => PAGE_DEFAULT,
        Some(Ok(size)) if size <= PAGE_MAX => size,
        Some(_) => {
            let message = format!("must be from 0 to {PAGE_MAX}");
            faults.push(InputError { path: path.to_owned(), message });
            0
        }
    }
}

fn position(
    path: &str,
    list: CursorKind,
    cursor: Option<&str>,
    faults: &mut Vec<InputError>,
) -> Option<Position> {
    let position = cursor::decode(list, cursor?);
    if position.is_none() {
        let message = "must be a cursor of this list in this order".to_owned();
        faults.push(InputError { path: path.to_owned(), message });
    }
    position
}
