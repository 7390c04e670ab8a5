//! Resolves the query root fields.
//!
//! Each resolver first parses identifiers, then loads the viewer, and then validates the rest of
//! its input. This is the documented order of errors.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    connection::{Connection, CountQuery, PAGE_MAX, PageArguments},
    context::{ContextExt, Nullable, nullable},
    cursor::CursorKind,
    error::collect_input_errors,
    guard::{guard, requirement},
    input::{
        AuditFilterInput, TenantFilter, TenantOrder, TenantSubscriptionFilter,
        TenantSubscriptionOrder, UserFilter, UserOrder,
    },
    invitation::InvitationPreview,
    node::{self, Node},
    objects::{AuditEventObject, SubscriptionObject, TenantObject, UserObject},
    scalar::{parse_id, parse_node_id},
};
use crate::{
    access::{AccessError, AuditScope, InputError},
    domain::{
        id::{NodeId, SubscriptionId, UserId},
        subscription::TenantSubscription,
    },
    policy::PlatformAction,
};

/// The action that `Query.users` requires.
const LIST_USERS: PlatformAction = PlatformAction::ListUsers;
/// The action that `Query.auditLog` requires.
const READ_AUDIT_LOG: PlatformAction = PlatformAction::ReadAuditLog;

/// The root type of queries.
pub(super) struct Query;

/// The queries of the API. The viewer is the user whom the token of the request identifies.
#[Object]
impl Query {
    /// The viewer: the user whom the token of the request identifies. The field creates the user at
    /// the first sign-in. It also applies the name, the e-mail address and the groups of the token.
    async fn me(&self, ctx: &Context<'_>) -> Result<UserObject, AccessError> {
        Ok(UserObject(ctx.viewer().await?.user().clone()))
    }

    /// The object with the given identifier. Null if it does not exist or is hidden from the
    /// viewer.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The identifier of a tenant, a user, a subscription, an audit event or an invitation."
        )]
        id: ID,
    ) -> Nullable<Node> {
        nullable(find_node(ctx, &id).await)
    }

    /// The objects with the given identifiers, in the same order. Null stands for each object that
    /// does not exist or is hidden from the viewer.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The identifiers of tenants, users, subscriptions, audit events and invitations: at most 100."
        )]
        ids: Vec<ID>,
    ) -> Result<Vec<Nullable<Node>>, AccessError> {
        let ids = parse_node_ids(&ids)?;
        ctx.viewer().await?;
        if ids.len() > PAGE_MAX {
            let message = format!("must have at most {PAGE_MAX} elements");
            return Err(AccessError::BadInput(vec![InputError::at("ids", message)]));
        }
        let nodes = ids.into_iter().map(|id| async move { nullable(node::find(ctx, id).await) });
        Ok(futures_util::future::join_all(nodes).await)
    }

    /// The tenant with the given slug. Null if it does not exist or is hidden from the viewer.
    async fn tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The slug of the tenant, for example `acme`.")] slug: String,
    ) -> Nullable<TenantObject> {
        nullable(find_tenant(ctx, &slug).await)
    }

    /// The user with the given identifier. Null if the user does not exist or is hidden from the
    /// viewer. Visible users are the viewer and the users who share a tenant with the viewer. A
    /// platform admin can see all users.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifier of the user (`usr_…`).")] id: ID,
    ) -> Nullable<UserObject> {
        nullable(find_user(ctx, &id).await)
    }

    /// The subscription with the given identifier. Null if it does not exist or its tenant is
    /// hidden from the viewer.
    async fn subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifier of the subscription (`sub_…`).")] id: ID,
    ) -> Nullable<SubscriptionObject> {
        nullable(find_subscription(ctx, &id).await)
    }

    /// The invitation with the given token. Null unless the subject of the request's token could
    /// accept it now. The subject needs no user yet.
    async fn invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The token of the invitation, from the link that the invited person has received."
        )]
        token: String,
    ) -> Nullable<InvitationPreview> {
        nullable(ctx.preview_invitation(&token).await.map(|found| found.map(Into::into)))
    }

    /// The tenants that are visible to the viewer: those of which the viewer is a member, or all
    /// tenants for a platform admin.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements after it.")]
        after: Option<String>,
        #[graphql(
            desc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements before it.")]
        before: Option<String>,
        #[graphql(desc = "Restricts the list to tenants that match.")] filter: Option<TenantFilter>,
        #[graphql(
            desc = "The sort order of the list. If omitted, a search is sorted by the text that matches, and any other list has the newest elements first."
        )]
        order_by: Option<TenantOrder>,
    ) -> Result<Connection<TenantObject>, AccessError> {
        ctx.viewer().await?;
        let arguments = PageArguments { first, after, last, before };
        let (order, request, filter) = collect_input_errors(|errors| {
            let mut filter_errors = Vec::new();
            let filter = filter.unwrap_or_default().into_domain(&mut filter_errors);
            let order = TenantOrder::or_default(order_by, filter.search.is_some());
            let request = arguments.page_request(CursorKind::Tenants(order), errors);
            errors.append(&mut filter_errors);
            (order, request, filter)
        })?;
        let cursor_kind = CursorKind::Tenants(order);
        let page = ctx.session().tenant_page(&filter, order, &request).await?;
        Ok(Connection::new(cursor_kind, CountQuery::Tenants(filter), page, |tenant| {
            Ok(TenantObject(Arc::new(tenant)))
        }))
    }

    /// All users. Only platform admins may list them. Other viewers get a `FORBIDDEN` error.
    #[graphql(directive = guard::apply(requirement(LIST_USERS)))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements after it.")]
        after: Option<String>,
        #[graphql(
            desc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements before it.")]
        before: Option<String>,
        #[graphql(desc = "Restricts the list to users that match.")] filter: Option<UserFilter>,
        #[graphql(
            desc = "The sort order of the list. If omitted, a search is sorted by the text that matches, and any other list has the newest elements first."
        )]
        order_by: Option<UserOrder>,
    ) -> Result<Connection<UserObject>, AccessError> {
        let filter = filter.unwrap_or_default().into_domain()?;
        ctx.viewer().await?.authorize_platform(LIST_USERS)?;
        let order = UserOrder::or_default(order_by, filter.search.is_some());
        let cursor_kind = CursorKind::Users(order);
        let arguments = PageArguments { first, after, last, before };
        let request = collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let page = ctx.session().user_page(&filter, order, &request).await?;
        Ok(Connection::new(cursor_kind, CountQuery::Users(filter), page, |user| {
            Ok(UserObject(Arc::new(user)))
        }))
    }

    /// The subscriptions of all tenants that are visible to the viewer, both live and ended ones.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn subscriptions(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements after it.")]
        after: Option<String>,
        #[graphql(
            desc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements before it.")]
        before: Option<String>,
        #[graphql(desc = "Restricts the list to subscriptions that match.")] filter: Option<
            TenantSubscriptionFilter,
        >,
        #[graphql(
            desc = "The sort order of the list. If omitted, the newest elements come first."
        )]
        order_by: Option<TenantSubscriptionOrder>,
    ) -> Result<Connection<SubscriptionObject>, AccessError> {
        let filter = filter.unwrap_or_default().into_domain()?;
        ctx.viewer().await?;
        let order = TenantSubscriptionOrder::or_newest_first(order_by);
        let cursor_kind = CursorKind::Subscriptions(order);
        let arguments = PageArguments { first, after, last, before };
        let request = collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let mut page = ctx.session().subscription_page(&filter, order, &request).await?;
        let readable = page.items.iter().flat_map(|item| &item.node);
        let tenants = ctx.load_tenants(readable.map(|s| s.tenant_id).collect()).await?;
        // A subscription whose tenant was deleted is hidden, so the page gets shorter.
        let tenant_of = |s: &TenantSubscription| tenants.get(&s.tenant_id);
        page.items.retain(|item| item.node.as_ref().map_or(true, |s| tenant_of(s).is_some()));
        let total = CountQuery::Subscriptions(filter);
        Ok(Connection::new(cursor_kind, total, page, |subscription| {
            match tenant_of(&subscription) {
                Some(Ok(tenant)) => {
                    Ok(SubscriptionObject::new(Arc::new(subscription), tenant.clone()))
                }
                _ => Err(AccessError::Internal),
            }
        }))
    }

    /// The audit events of the whole platform, newest first. Only platform admins may read them.
    /// Other viewers get a `FORBIDDEN` error.
    #[graphql(directive = guard::apply(requirement(READ_AUDIT_LOG)))]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements after it.")]
        after: Option<String>,
        #[graphql(
            desc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements before it.")]
        before: Option<String>,
        #[graphql(desc = "Restricts the list to audit events that match.")] filter: Option<
            AuditFilterInput,
        >,
    ) -> Result<Connection<AuditEventObject>, AccessError> {
        let filter = filter.unwrap_or_default().into_domain()?;
        ctx.viewer().await?.authorize_platform(READ_AUDIT_LOG)?;
        let arguments = PageArguments { first, after, last, before };
        let cursor_kind = CursorKind::AuditLog;
        let request = collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let page = ctx.session().audit_page(AuditScope::Platform, &filter, &request).await?;
        let total = CountQuery::AuditEvents(AuditScope::Platform, filter);
        Ok(Connection::new(cursor_kind, total, page, |event| {
            Ok(AuditEventObject::new(Arc::new(event), None))
        }))
    }
}

/// The maximum number of malformed identifiers that are reported. Without it, a short list of many
/// identifiers would cause a long response.
const MAX_REPORTED_IDS: usize = 50;

/// Parses identifiers of any type. Each malformed one is an input error of its own.
fn parse_node_ids(ids: &[ID]) -> Result<Vec<NodeId>, AccessError> {
    collect_input_errors(|errors| {
        let parsed = ids.iter().enumerate().filter_map(|(index, id)| {
            parse_node_id(&format!("ids.{index}"), id).map_err(|error| errors.push(error)).ok()
        });
        let parsed = parsed.collect();
        errors.truncate(MAX_REPORTED_IDS);
        parsed
    })
}

async fn find_node(ctx: &Context<'_>, id: &str) -> Result<Option<Node>, AccessError> {
    let id = parse_node_id("id", id).map_err(|error| AccessError::BadInput(vec![error]))?;
    ctx.viewer().await?;
    node::find(ctx, id).await
}

async fn find_tenant(ctx: &Context<'_>, slug: &str) -> Result<Option<TenantObject>, AccessError> {
    ctx.viewer().await?;
    let tenant = ctx.session().tenant_by_slug(slug).await?.transpose()?;
    Ok(tenant.map(TenantObject))
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
    node::find_subscription(ctx, id).await
}
