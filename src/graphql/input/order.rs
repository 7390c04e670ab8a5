//! Defines the sort orders of lists.

use async_graphql::InputObject;

use crate::{
    domain::list::{self, Direction, ListOrder, Order},
    graphql::enums::{
        OrderDirection, TenantOrderField, TenantSubscriptionOrderField, UserOrderField,
    },
};

macro_rules! order_input {
    ($(#[$meta:meta])* $name:ident, $field:ident, $domain:ident) => {
        $(#[$meta])*
        #[derive(InputObject)]
        pub(in crate::graphql) struct $name {
            /// The field by which the list is sorted.
            field: $field,
            /// The direction in which the list is sorted.
            direction: OrderDirection,
        }

        impl $name {
            fn into_domain(self) -> Order<list::$domain> {
                Order { field: self.field.into(), direction: self.direction.into() }
            }
        }
    };
}

/// Returns the default order of a list that is not searched.
const fn newest_first<F>(created_at: F) -> Order<F> {
    Order { field: created_at, direction: Direction::Desc }
}

order_input! {
    /// The sort order of a list of tenants. Tenants with equal values are sorted by identifier.
    TenantOrder, TenantOrderField, TenantOrderField
}
order_input! {
    /// The sort order of a list of users. Users with equal values are sorted by identifier.
    UserOrder, UserOrderField, UserOrderField
}
order_input! {
    /// The sort order of a list of subscriptions. Subscriptions with equal values are sorted by
    /// identifier.
    TenantSubscriptionOrder, TenantSubscriptionOrderField, SubscriptionOrderField
}

impl TenantOrder {
    /// Returns the requested order, or the default one.
    pub(in crate::graphql) fn or_default(
        order: Option<Self>,
        is_search: bool,
    ) -> ListOrder<list::TenantOrderField> {
        let default = newest_first(list::TenantOrderField::CreatedAt);
        ListOrder::resolve(order.map(Self::into_domain), is_search, default)
    }
}

impl UserOrder {
    /// Returns the requested order, or the default one.
    pub(in crate::graphql) fn or_default(
        order: Option<Self>,
        is_search: bool,
    ) -> ListOrder<list::UserOrderField> {
        let default = newest_first(list::UserOrderField::CreatedAt);
        ListOrder::resolve(order.map(Self::into_domain), is_search, default)
    }
}

impl TenantSubscriptionOrder {
    /// Returns the requested order. The default is newest first.
    pub(in crate::graphql) fn or_newest_first(
        order: Option<Self>,
    ) -> Order<list::SubscriptionOrderField> {
        order.map_or(newest_first(list::SubscriptionOrderField::CreatedAt), Self::into_domain)
    }
}
