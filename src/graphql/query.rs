//! The queries. Each reads its identifiers, then finds the actor, then the rest of its input: the
//! order in which the contract has its errors.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    Nullable,
    audit::AuditEventObject,
    connection::{Connection, CountQuery, PAGE_MAX, PageArguments},
    context::{ContextExt, nullable},
    cursor::CursorKind,
    error::collect_input_errors,
    input::{
        AuditFilterInput, TenantFilter, TenantOrder, TenantSubscriptionFilter,
        TenantSubscriptionOrder, UserFilter, UserOrder,
    },
    node::{self, Node},
    scalar::{parse_id, parse_node_id},
    subscription::SubscriptionObject,
    tenant::TenantObject,
    user::UserObject,
};
use crate::{
    access::{AccessError, AuditScope, InputError},
    domain::{
        id::{NodeId, SubscriptionId, UserId},
        subscription::TenantSubscription,
    },
    policy::PlatformAction,
};

/// The root of all queries.
pub(super) struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// Who asks. Makes the user at the first time, and brings it up to date with the token's profile and groups.
    async fn me(&self, ctx: &Context<'_>) -> Result<UserObject, AccessError> {
        Ok(UserObject(ctx.viewer().await?.user().clone()))
    }

    /// Anything by its identifier; null where it does not exist for the viewer.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifier, of any kind.")] id: ID,
    ) -> Nullable<Node> {
        nullable(find_node(ctx, &id).await)
    }

    /// Several things by their identifiers, in their order; null for each that does not exist for the viewer.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifiers, of any kinds; at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Nullable<Node>>, AccessError> {
        let parsed = parse_node_ids(&ids)?;
        ctx.viewer().await?;
        if parsed.len() > PAGE_MAX {
            let message = format!("must be at most {PAGE_MAX}");
            return Err(AccessError::BadInput(vec![InputError {
                path: "ids".to_owned(),
                message,
            }]));
        }
        let found = parsed.into_iter().map(|id| async move { nullable(node::find(ctx, id).await) });
        Ok(futures_util::future::join_all(found).await)
    }

    /// A tenant by its slug; null where it does not exist for the viewer.
    async fn tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The slug.")] slug: String,
    ) -> Nullable<TenantObject> {
        nullable(find_tenant(ctx, &slug).await)
    }

    /// A user: oneself, who shares a tenant with the viewer, or anybody for a platform admin; else null.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifier: `usr_…`.")] id: ID,
    ) -> Nullable<UserObject> {
        nullable(find_user(ctx, &id).await)
    }

    /// A subscription of a tenant that the viewer sees; else null.
    async fn subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifier: `sub_…`.")] id: ID,
    ) -> Nullable<SubscriptionObject> {
        nullable(find_subscription(ctx, &id).await)
    }

    /// The tenants that the viewer sees: the viewer's own, or all for a platform admin.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 0 to 100; 20 where neither is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which tenants.")] filter: Option<TenantFilter>,
        #[graphql(desc = "In which order; newest first where none is given.")] order_by: Option<
            TenantOrder,
        >,
    ) -> Result<Connection<TenantObject>, AccessError> {
        ctx.viewer().await?;
        let order = TenantOrder::or_default_order(order_by);
        let list = CursorKind::Tenants(order);
        let arguments = PageArguments { first, after, last, before };
        let (window, filter) = collect_input_errors(|faults| {
            let window = arguments.window(list, faults);
            (window, filter.unwrap_or_default().into_domain(faults))
        })?;
        let page = ctx.session().tenant_page(&filter, order, &window).await?;
        Ok(Connection::new(list, CountQuery::Tenants(filter), page, |t| {
            Ok(TenantObject(Arc::new(t)))
        }))
    }

    /// All users. For platform admins.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 0 to 100; 20 where neither is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which users.")] filter: Option<UserFilter>,
        #[graphql(desc = "In which order; newest first where none is given.")] order_by: Option<
            UserOrder,
        >,
    ) -> Result<Connection<UserObject>, AccessError> {
        let filter = filter.unwrap_or_default().into_domain()?;
        ctx.viewer().await?.authorize_platform(PlatformAction::ListUsers)?;
        let order = UserOrder::or_default_order(order_by);
        let list = CursorKind::Users(order);
        let arguments = PageArguments { first, after, last, before };
        let window = collect_input_errors(|faults| arguments.window(list, faults))?;
        let page = ctx.session().user_page(&filter, order, &window).await?;
        Ok(Connection::new(list, CountQuery::Users(filter), page, |u| Ok(UserObject(Arc::new(u)))))
    }

    /// The subscriptions, over or not, of the tenants that the viewer sees.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn subscriptions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 0 to 100; 20 where neither is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which subscriptions.")] filter: Option<TenantSubscriptionFilter>,
        #[graphql(desc = "In which order; newest first where none is given.")] order_by: Option<
            TenantSubscriptionOrder,
        >,
    ) -> Result<Connection<SubscriptionObject>, AccessError> {
        let filter = filter.unwrap_or_default().into_domain()?;
        ctx.viewer().await?;
        let order = TenantSubscriptionOrder::or_default_order(order_by);
        let list = CursorKind::Subscriptions(order);
        let arguments = PageArguments { first, after, last, before };
        let window = collect_input_errors(|faults| arguments.window(list, faults))?;
        let mut page = ctx.session().subscription_page(&filter, order, &window).await?;
        let shown = page.items.iter().flat_map(|item| &item.node);
        let tenants = ctx.load_tenants(shown.map(|s| s.tenant_id).collect()).await?;
        // What outlived its tenant is not shown: the page is shorter for it.
        let tenant_of = |s: &TenantSubscription| tenants.get(&s.tenant_id);
        page.items.retain(|item| item.node.as_ref().map_or(true, |s| tenant_of(s).is_some()));
        let total = CountQuery::Subscriptions(filter);
        Ok(Connection::new(list, total, page, |subscription| match tenant_of(&subscription) {
            Some(Ok(tenant)) => Ok(SubscriptionObject::of(Arc::new(subscription), tenant.clone())),
            _ => Err(AccessError::Internal),
        }))
    }

    /// What happened on the whole platform, newest first. For platform admins.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 0 to 100; 20 where neither is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which events.")] filter: Option<AuditFilterInput>,
    ) -> Result<Connection<AuditEventObject>, AccessError> {
        let filter = filter.unwrap_or_default().into_domain()?;
        ctx.viewer().await?.authorize_platform(PlatformAction::ReadAuditLog)?;
        let arguments = PageArguments { first, after, last, before };
        let window = collect_input_errors(|faults| arguments.window(CursorKind::AuditLog, faults))?;
        let page = ctx.session().audit_page(AuditScope::Platform, &filter, &window).await?;
        let total = CountQuery::AuditEvents(AuditScope::Platform, filter);
        Ok(Connection::new(CursorKind::AuditLog, total, page, |event| {
            Ok(AuditEventObject::new(Arc::new(event), None))
        }))
    }
}

/// How many malformed identifiers are told of: a short list of many would have a long answer.
const MAX_REPORTED_IDS: usize = 50;

/// Reads identifiers of any kind; every malformed one is a fault of its own.
fn parse_node_ids(ids: &[ID]) -> Result<Vec<NodeId>, AccessError> {
    collect_input_errors(|faults| {
        let parsed = ids.iter().enumerate().filter_map(|(index, id)| {
            parse_node_id(&format!("ids.{index}"), id).map_err(|fault| faults.push(fault)).ok()
        });
        let parsed = parsed.collect();
        faults.truncate(MAX_REPORTED_IDS);
        parsed
    })
}

async fn find_node(ctx: &Context<'_>, id: &str) -> Result<Option<Node>, AccessError> {
    let id = parse_node_id("id", id).map_err(|fault| AccessError::BadInput(vec![fault]))?;
    ctx.viewer().await?;
    node::find(ctx, id).await
}

async fn find_tenant(ctx: &Context<'_>, slug: &str) -> Result<Option<TenantObject>, AccessError> {
    ctx.viewer().await?;
    let found = ctx.session().tenant_by_slug(slug).await?.transpose()?;
    Ok(found.map(TenantObject))
}

async fn find_user(ctx: &Context<'_>, id: &str) -> Result<Option<UserObject>, AccessError> {
    let id: UserId = parse_id("id", id)?;
    ctx.viewer().await?;
    Ok(ctx.load(id).await?.map(UserObject))
}

async fn find_subscription(
    ctx: &Context<'_>,
    id: &str,
) -> Result<Option<SubscriptionObject>, AccessError> {
    let id: SubscriptionId = parse_id("id", id)?;
    ctx.viewer().await?;
    node::subscription(ctx, id).await
}
