//! Defines the sort orders of lists.

use async_graphql::InputObject;

use crate::{
    domain::list::{Direction, Order},
    graphql::enums::{
        OrderDirection, TenantOrderField, TenantSubscriptionOrderField, UserOrderField,
    },
};

macro_rules! order_input {
    ($(#[$meta:meta])* $name:ident, $field:ident) => {
        $(#[$meta])*
        #[derive(InputObject)]
        pub(in crate::graphql) struct $name {
            /// The field by which the list is sorted.
            field: $field,
            /// The direction in which the list is sorted.
            direction: OrderDirection,
        }

        impl $name {
            /// Returns the requested order. The default is newest first.
            pub(in crate::graphql) fn or_default_order<F: From<$field>>(
                order: Option<Self>,
            ) -> Order<F> {
                match order {
                    Some(order) => Order { field: order.field.into(), direction: order.direction.into() },
                    None => Order { field: $field::CreatedAt.into(), direction: Direction::Desc },
                }
            }
        }
    };
}

order_input! {
    /// The sort order of a list of tenants. Tenants with equal values are sorted by identifier.
    TenantOrder, TenantOrderField
}
order_input! {
    /// The sort order of a list of users. Users with equal values are sorted by identifier.
    UserOrder, UserOrderField
}
order_input! {
    /// The sort order of a list of subscriptions. Subscriptions with equal values are sorted by
    /// identifier.
    TenantSubscriptionOrder, TenantSubscriptionOrderField
}
