//! Lists: what they hold, in which order, and where a page of them begins and ends.
//!
//! Pages are found by keyset: the sort key and the identifier of the last element, never a count
//! of elements to skip, so inserts and deletes elsewhere move nothing.

use super::{
    id::{ObjectId, TenantId, UserId},
    string_enum,
    subscription::TenantSubscriptionStatus,
    tenant::{Plan, TenantStatus},
    time::Timestamp,
    user::TenantRole,
};

string_enum! {
    /// Which way a list runs.
    pub enum Direction {
        /// The least first.
        Asc = "asc",
        /// The greatest first.
        Desc = "desc",
    }
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// By what a list is ordered; equal ones by identifier, the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order<F> {
    /// The field.
    pub field: F,
    /// The way.
    pub direction: Direction,
}

string_enum! {
    /// What tenants can be ordered by.
    pub enum TenantOrderField {
        /// When it was made.
        CreatedAt = "created_at",
        /// When it was changed last.
        UpdatedAt = "updated_at",
        /// The name, without regard to case.
        Name = "name",
        /// The slug.
        Slug = "slug",
    }
}

string_enum! {
    /// What users can be ordered by.
    pub enum UserOrderField {
        /// When the user was made.
        CreatedAt = "created_at",
        /// When the user was changed last.
        UpdatedAt = "updated_at",
        /// The name, without regard to case.
        Name = "name",
    }
}

string_enum! {
    /// What subscriptions can be ordered by.
    pub enum SubscriptionOrderField {
        /// When it was made.
        CreatedAt = "created_at",
        /// When it was changed last.
        UpdatedAt = "updated_at",
        /// When its period ends; one without an end comes before all others.
        CurrentPeriodEnd = "current_period_end",
    }
}

/// A place in a list: an element's sort key and identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The sort key.
    pub key: SortKey,
    /// The identifier.
    pub id: ObjectId,
}

/// A sort key; the absent one comes before all others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// The field has no value; also the key of a list that is ordered by identifier alone.
    Null,
    /// A moment.
    Time(Timestamp),
    /// Text as it is stored; the store compares names without regard to case.
    Text(String),
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// How many elements at most: 0 to 100.
    pub size: usize,
    /// Whether they are the first or the last between the bounds.
    pub edge: PageEdge,
    /// Only what comes after it in the list's order.
    pub after: Option<Position>,
    /// Only what comes before it in the list's order.
    pub before: Option<Position>,
}

/// Which end of a list a page is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageEdge {
    /// The first elements.
    First,
    /// The last elements, still in the list's order.
    Last,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The elements, in the list's order.
    pub items: Vec<Item<T>>,
    /// Whether there is more after the last one.
    pub has_next: bool,
    /// Whether there is more before the first one.
    pub has_previous: bool,
}

/// An element and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<T> {
    /// Where it is in the list.
    pub position: Position,
    /// What it is, or that the stored document cannot be read.
    pub node: Decoded<T>,
}

impl<T> Page<T> {
    /// A page of a list that is empty.
    #[must_use]
    pub const fn empty() -> Self {
        Self { items: Vec::new(), has_next: false, has_previous: false }
    }

    /// The same page of something made of its elements.
    #[must_use]
    pub fn map<U>(self, make: impl Fn(T) -> U) -> Page<U> {
        let items = self
            .items
            .into_iter()
            .map(|item| Item { position: item.position, node: item.node.map(&make) });
        Page { items: items.collect(), has_next: self.has_next, has_previous: self.has_previous }
    }

    /// Makes the page from what a store read: up to `size + 1` elements from the window's end on,
    /// so in reverse for [`End::Back`]. The one too many says whether there are more.
    #[must_use]
    pub fn from_lookahead(window: &PageRequest, mut read: Vec<Item<T>>) -> Self {
        let more = read.len() > window.size;
        read.truncate(window.size);
        match window.edge {
            PageEdge::First => Self {
                items: read,
                has_next: more || window.before.is_some(),
                has_previous: window.after.is_some(),
            },
            PageEdge::Last => {
                read.reverse();
                Self {
                    items: read,
                    has_next: window.before.is_some(),
                    has_previous: more || window.after.is_some(),
                }
            }
        }
    }
}

/// A stored document that is not what it should be. The store has logged what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableDocument {
    /// The document's identifier.
    pub id: ObjectId,
    /// For a subscription, the tenant that it belongs to, where at least that could be read.
    pub tenant: Option<TenantId>,
}

/// What was found: a document, or one that cannot be read.
pub type Decoded<T> = Result<T, UnreadableDocument>;

/// Which tenants a list may hold at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantScope {
    /// Every tenant's.
    Everything,
    /// These tenants' only.
    Tenants(Vec<TenantId>),
}

/// Which tenants are asked for; an empty list, and `None`, filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// One of these.
    pub status: Vec<TenantStatus>,
    /// One of these.
    pub plan: Vec<Plan>,
    /// The slug, the name or a domain starts with it, without regard to case. Not empty.
    pub search: Option<String>,
    /// Has this domain, in ASCII form and lower case.
    pub domain: Option<String>,
}

/// Which users are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// The name or the e-mail address starts with it, without regard to case. Not empty.
    pub search: Option<String>,
    /// Is a platform admin, or is none.
    pub platform_admin: Option<bool>,
    /// Is disabled, or is not.
    pub disabled: Option<bool>,
    /// Is a member of it.
    pub tenant: Option<TenantId>,
}

/// Which subscriptions are asked for; an empty list, and `None`, filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionFilter {
    /// One of these.
    pub status: Vec<TenantSubscriptionStatus>,
    /// One of these.
    pub plan: Vec<Plan>,
    /// Belongs to it.
    pub tenant: Option<TenantId>,
}

/// Which events are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Touched it.
    pub tenant: Option<TenantId>,
    /// Done by this user.
    pub actor: Option<UserId>,
    /// This action exactly.
    pub action: Option<String>,
    /// Then or later.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// What can be listed, and how: the parts of a list that do not depend on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<F, O> {
    /// Which elements may be shown at all.
    pub scope: TenantScope,
    /// Which of them are asked for.
    pub filter: F,
    /// In which order.
    pub order: Order<O>,
}

/// A list of tenants.
pub type TenantListing = Listing<TenantFilter, TenantOrderField>;
/// A list of users; its scope is always [`Scope::Everything`].
pub type UserListing = Listing<UserFilter, UserOrderField>;
/// A list of subscriptions.
pub type SubscriptionListing = Listing<SubscriptionFilter, SubscriptionOrderField>;

/// A list of events, newest first; narrowed to one tenant's by its filter.
pub type AuditListing = AuditFilter;

/// A list of a tenant's members, in the order of their users' identifiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct MemberFilter {
    /// Has exactly this role there.
    pub role: Option<TenantRole>,
}
