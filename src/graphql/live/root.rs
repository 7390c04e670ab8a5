//! Defines the root type of subscriptions, and resolves its fields for one event.

use std::{borrow::Cow, pin::Pin};

use async_graphql::{
    Context, ID, Object, OutputType, Response, SubscriptionType, registry::Registry,
};
use futures_util::Stream;

use crate::{
    access::{AccessError, LiveChange},
    domain::id::{SubscriptionId, TenantId},
    graphql::{
        context::{ContextExt, Nullable},
        enums::ChangeKind,
        executor::object,
        objects::{SubscriptionObject, TenantObject, UserObject},
        scalar::id,
    },
};

/// The root type of subscriptions.
pub(in crate::graphql) struct Subscription;

/// The subscriptions of the API. A live operation has exactly one of these fields. Each event is
/// authorized again, with the rights that the viewer has at that moment. The operation ends with an
/// error if the viewer loses the right to it.
///
/// Each response has a cursor in `extensions.cursor`. After a lost connection, a client sends the
/// latest cursor as `since`, and misses no event.
#[Object(name = "Subscription")]
impl Subscription {
    /// The viewer, after each change of the viewer's user: of its profile, its rights or its
    /// memberships.
    async fn me_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            name = "since",
            desc = "A cursor of this field. The operation starts with the changes after it. If omitted, it starts with the next change."
        )]
        _since: Option<String>,
    ) -> Result<UserObject, AccessError> {
        Ok(UserObject(ctx.session().loaded_viewer()?.user().clone()))
    }

    /// A tenant, after each change of it, and after each change of its members: a user joins, leaves
    /// or gets another role. The operation ends after the deletion of the tenant. Changes of its
    /// subscriptions are not events of this field.
    async fn tenant_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "id", desc = "The identifier of the tenant (`ten_…`).")] _id: ID,
        #[graphql(
            name = "since",
            desc = "A cursor of this field. The operation starts with the changes after it. If omitted, it starts with the next change."
        )]
        _since: Option<String>,
    ) -> Result<TenantChange, AccessError> {
        tenant_change(ctx)
    }

    /// The tenants that are visible to the viewer, after each change of one of them or of its
    /// members. A tenant that the viewer can no longer see has no further events.
    async fn tenants_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            name = "since",
            desc = "A cursor of this field. The operation starts with the changes after it. If omitted, it starts with the next change."
        )]
        _since: Option<String>,
    ) -> Result<TenantChange, AccessError> {
        tenant_change(ctx)
    }

    /// The subscriptions of a tenant, both live and ended ones, after each change of one of them.
    /// The operation ends after the deletion of the tenant.
    async fn subscription_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "tenantId", desc = "The identifier of the tenant (`ten_…`).")]
        _tenant_id: ID,
        #[graphql(
            name = "since",
            desc = "A cursor of this field. The operation starts with the changes after it. If omitted, it starts with the next change."
        )]
        _since: Option<String>,
    ) -> Result<TenantSubscriptionChange, AccessError> {
        match change(ctx) {
            LiveChange::Subscription { kind, id, subscription } => {
                let subscription = subscription.as_ref().map(|decoded| match decoded {
                    Ok((subscription, tenant)) => {
                        Ok(SubscriptionObject::new(subscription.clone(), tenant.clone()))
                    }
                    Err(unreadable) => Err((*unreadable).into()),
                });
                Ok(TenantSubscriptionChange { kind: (*kind).into(), id: *id, subscription })
            }
            _ => Err(AccessError::Internal),
        }
    }
}

/// Returns the event for which the operation executes.
fn change<'a>(ctx: &Context<'a>) -> &'a LiveChange {
    ctx.data_unchecked::<LiveChange>()
}

fn tenant_change(ctx: &Context<'_>) -> Result<TenantChange, AccessError> {
    match change(ctx) {
        LiveChange::Tenant { kind, id, tenant } => {
            let tenant = tenant.as_ref().map(|decoded| match decoded {
                Ok(tenant) => Ok(TenantObject(tenant.clone())),
                Err(unreadable) => Err((*unreadable).into()),
            });
            Ok(TenantChange { kind: (*kind).into(), id: *id, tenant })
        }
        _ => Err(AccessError::Internal),
    }
}

/// Declares the root type in the schema that clients see. [`operation`](super::operation) executes
/// live operations, so the schema never creates a stream of its own.
impl SubscriptionType for Subscription {
    fn type_name() -> Cow<'static, str> {
        <Self as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Self as OutputType>::create_type_info(registry)
    }

    fn create_field_stream<'a>(
        &'a self,
        _: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        None
    }
}

/// A change of a tenant. Changes that follow each other quickly may be merged into one.
struct TenantChange {
    kind: ChangeKind,
    id: TenantId,
    tenant: Nullable<TenantObject>,
}

object! {
    /// A change of a tenant. Changes that follow each other quickly may be merged into one.
    [] TenantChange, "TenantChange", [] {
        /// The kind of the change. Merged changes have the kind of the newest one, but `CREATED` if the
        /// first one created the tenant.
        "kind": ChangeKind = each |change, _| change.kind;

        /// The identifier of the tenant.
        "tenantId": ID = each |change, _| id(change.id);

        /// The current state of the tenant. Null if it was deleted.
        "tenant": Nullable<TenantObject> = each |change, _| change.tenant.clone();
    }
}

/// A change of a tenant's subscription.
struct TenantSubscriptionChange {
    kind: ChangeKind,
    id: SubscriptionId,
    subscription: Nullable<SubscriptionObject>,
}

object! {
    /// A change of a tenant's subscription. Changes that follow each other quickly may be merged into
    /// one.
    [] TenantSubscriptionChange, "TenantSubscriptionChange", [] {
        /// The kind of the change. Merged changes have the kind of the newest one, but `CREATED` if the
        /// first one created the subscription.
        "kind": ChangeKind = each |change, _| change.kind;

        /// The identifier of the subscription.
        "subscriptionId": ID = each |change, _| id(change.id);

        /// The current state of the subscription. Null if it was deleted.
        "subscription": Nullable<SubscriptionObject> = each |change, _| change.subscription.clone();
    }
}
