//! Lists: their filters and orders, and the pages of a list.
//!
//! Pages use keyset pagination. A page begins after a [`Position`], the sort key and identifier of
//! an element, and never skips a number of elements. So inserts and deletes elsewhere in the list
//! do not shift a page.

use super::{
    id::{ObjectId, TenantId, UserId},
    invitation::InvitationStatus,
    string_enum,
    subscription::TenantSubscriptionStatus,
    tenant::{Plan, TenantStatus},
    time::Timestamp,
    user::TenantRole,
};

string_enum! {
    /// The direction of an order.
    pub enum Direction {
        /// The smallest element first.
        Asc = "asc",
        /// The greatest element first.
        Desc = "desc",
    }
}

impl Direction {
    /// Returns the opposite direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// The order of a list. Elements with equal fields are in the order of their identifiers, in the
/// same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order<F> {
    /// The field to order by.
    pub field: F,
    /// The direction of the order.
    pub direction: Direction,
}

/// The order of a list that can be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListOrder<F> {
    /// The list is in the order of a field.
    Field(Order<F>),
    /// The list is in ascending order of the smallest search key that matches. Only a list with a
    /// search has this order.
    MatchedKey,
}

impl<F> ListOrder<F> {
    /// Returns the order of a list for which a client requests `order`.
    ///
    /// Without a request, a search is in the order of the matched key, and any other list in the
    /// `default` order.
    #[must_use]
    pub fn resolve(order: Option<Order<F>>, is_search: bool, default: Order<F>) -> Self {
        match order {
            None if is_search => Self::MatchedKey,
            order => Self::Field(order.unwrap_or(default)),
        }
    }
}

impl<F> ListOrder<F> {
    /// Returns the order by a field, or newest first by `created_at` if there is none.
    #[must_use]
    pub fn field_or(self, created_at: F) -> Order<F> {
        match self {
            Self::Field(order) => order,
            Self::MatchedKey => Order { field: created_at, direction: Direction::Desc },
        }
    }
}

impl<F> From<Order<F>> for ListOrder<F> {
    fn from(order: Order<F>) -> Self {
        Self::Field(order)
    }
}

string_enum! {
    /// A field to order tenants by.
    pub enum TenantOrderField {
        /// The time of the tenant's creation.
        CreatedAt = "created_at",
        /// The time of the tenant's latest change.
        UpdatedAt = "updated_at",
        /// The tenant's name, without regard to case.
        Name = "name",
        /// The tenant's slug.
        Slug = "slug",
    }
}

string_enum! {
    /// A field to order users by.
    pub enum UserOrderField {
        /// The time of the user's creation.
        CreatedAt = "created_at",
        /// The time of the user's latest change.
        UpdatedAt = "updated_at",
        /// The user's name, without regard to case.
        Name = "name",
    }
}

string_enum! {
    /// A field to order subscriptions by.
    pub enum SubscriptionOrderField {
        /// The time of the subscription's creation.
        CreatedAt = "created_at",
        /// The time of the subscription's latest change.
        UpdatedAt = "updated_at",
        /// The end of the subscription's period. A missing end counts as earlier than all others.
        CurrentPeriodEnd = "current_period_end",
    }
}

/// The position of an element in a list: its sort key and its identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The element's value of the field that the list is ordered by.
    pub key: SortKey,
    /// The element's identifier.
    pub id: ObjectId,
}

/// The value of the field that a list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// No value, which is smaller than all values. Lists that are ordered by identifier alone have
    /// this key for all elements.
    Null,
    /// The value of a timestamp.
    Time(Timestamp),
    /// The value of a text as it is stored, or a search key. The store compares names without regard
    /// to case.
    Text(String),
}

/// A request for one page of a list.
///
/// It follows the Relay connection arguments: `first` or `last` becomes `size` and `edge`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// The maximum number of elements, from 0 to 100.
    pub size: usize,
    /// The end of the list, or of the range between `after` and `before`, that the page begins at.
    pub edge: PageEdge,
    /// The lower bound: the page has only elements after this position in the list's order.
    pub after: Option<Position>,
    /// The upper bound: the page has only elements before this position in the list's order.
    pub before: Option<Position>,
}

/// The end of a list that a page is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageEdge {
    /// The page has the first elements.
    First,
    /// The page has the last elements. They are still in the list's order.
    Last,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The elements, in the list's order.
    pub items: Vec<Item<T>>,
    /// `true` if the list has more elements after the last one of this page.
    pub has_next: bool,
    /// `true` if the list has more elements before the first one of this page.
    pub has_previous: bool,
}

/// One element of a page with its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<T> {
    /// The position of the element in the list.
    pub position: Position,
    /// The element. An unreadable document keeps its position and does not fail the page.
    pub node: Decoded<T>,
}

impl<T> Page<T> {
    /// Creates a page without elements.
    #[must_use]
    pub const fn empty() -> Self {
        Self { items: Vec::new(), has_next: false, has_previous: false }
    }

    /// Converts each element of the page with `convert`.
    #[must_use]
    pub fn map<U>(self, convert: impl Fn(T) -> U) -> Page<U> {
        let items = self
            .items
            .into_iter()
            .map(|item| Item { position: item.position, node: item.node.map(&convert) });
        Page { items: items.collect(), has_next: self.has_next, has_previous: self.has_previous }
    }

    /// Creates the page from up to `size + 1` elements that a store has read.
    ///
    /// `items` begin at the edge of the request, so they are in reverse order for
    /// [`PageEdge::Last`]. The extra element only shows that the list has more elements.
    #[must_use]
    pub fn from_lookahead(request: &PageRequest, mut items: Vec<Item<T>>) -> Self {
        let has_more = items.len() > request.size;
        items.truncate(request.size);
        match request.edge {
            PageEdge::First => Self {
                items,
                has_next: has_more || request.before.is_some(),
                has_previous: request.after.is_some(),
            },
            PageEdge::Last => {
                items.reverse();
                Self {
                    items,
                    has_next: request.before.is_some(),
                    has_previous: has_more || request.after.is_some(),
                }
            }
        }
    }
}

/// A stored document that could not be decoded. The store has already logged the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableDocument {
    /// The identifier of the document.
    pub id: ObjectId,
    /// The tenant of an unreadable subscription or invitation, if that field was readable.
    pub tenant: Option<TenantId>,
}

/// A document that was found in the database: decoded, or unreadable.
///
/// An unreadable document is a value of its own because it is neither absent nor a failure of the
/// whole lookup. A client sees an error in its place.
pub type Decoded<T> = Result<T, UnreadableDocument>;

/// The tenants whose data a list may contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantScope {
    /// The data of all tenants.
    Everything,
    /// The data of these tenants only.
    Tenants(Vec<TenantId>),
}

/// A filter on tenants. Empty lists and `None` do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// The tenant has one of these statuses.
    pub status: Vec<TenantStatus>,
    /// The tenant has one of these plans.
    pub plan: Vec<Plan>,
    /// A search key of the tenant starts with this text, see [`search`](super::search). It has a
    /// visible character.
    pub search: Option<String>,
    /// The tenant has this domain, in ASCII form and lower case.
    pub domain: Option<String>,
}

/// A filter on users. `None` does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// A search key of the user starts with this text, see [`search`](super::search). It has a
    /// visible character.
    pub search: Option<String>,
    /// The user is a platform admin, or is not.
    pub platform_admin: Option<bool>,
    /// The user is disabled, or is not.
    pub disabled: Option<bool>,
    /// The user is a member of this tenant.
    pub tenant: Option<TenantId>,
}

/// A filter on subscriptions. Empty lists and `None` do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionFilter {
    /// The subscription has one of these statuses.
    pub status: Vec<TenantSubscriptionStatus>,
    /// The subscription has one of these plans.
    pub plan: Vec<Plan>,
    /// The subscription belongs to this tenant.
    pub tenant: Option<TenantId>,
}

/// A filter on audit events. `None` does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The event concerns this tenant.
    pub tenant: Option<TenantId>,
    /// The event's actor is this user.
    pub actor: Option<UserId>,
    /// The event has exactly this action.
    pub action: Option<String>,
    /// The event happened at this time or later.
    pub since: Option<Timestamp>,
    /// The event happened before this time.
    pub until: Option<Timestamp>,
}

/// The parts of a list query that are the same for all its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<F, O> {
    /// The tenants whose data the list may contain.
    pub scope: TenantScope,
    /// The filter on the elements.
    pub filter: F,
    /// The order of the elements.
    pub order: O,
}

/// A list of tenants.
pub type TenantListing = Listing<TenantFilter, ListOrder<TenantOrderField>>;
/// A list of users. Its scope is always [`TenantScope::Everything`].
pub type UserListing = Listing<UserFilter, ListOrder<UserOrderField>>;
/// A list of subscriptions.
pub type SubscriptionListing = Listing<SubscriptionFilter, Order<SubscriptionOrderField>>;

/// A list of audit events, newest first. Without a tenant in the filter, it is the platform's audit
/// log.
pub type AuditListing = AuditFilter;

/// A list of a tenant's invitations, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InvitationListing {
    /// The tenant of the invitations.
    pub tenant: TenantId,
    /// The invitation has one of these statuses. An empty list does not filter.
    pub status: Vec<InvitationStatus>,
    /// The current time, which decides about the status.
    pub now: Timestamp,
}

/// A filter on a tenant's members, which are in the order of their users' identifiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct MemberFilter {
    /// The member has exactly this role in the tenant.
    pub role: Option<TenantRole>,
}
