//! What resolvers find in their context: the request's session and its look-ups.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, OnceLock},
};

use async_graphql::{
    Context, Name, Positioned,
    dataloader::Loader,
    parser::types::{FragmentDefinition, OperationType, Selection, SelectionSet},
};

use super::{
    Nullable,
    batch::Batches,
    loaders::{Loaders, Reads, loaders},
};
use crate::{
    access::{Refusal, Session, Viewer},
    domain::{id::TenantId, list::Found, tenant::Tenant},
    policy::TenantAction,
};

/// One request's data.
pub(super) struct Scope {
    session: Arc<Session>,
    loaders: Loaders,
    syncs: OnceLock<bool>,
}

impl Scope {
    pub(super) fn new(session: Arc<Session>, batches: Batches) -> Self {
        let loaders = loaders(session.clone(), batches);
        Self { session, loaders, syncs: OnceLock::new() }
    }
}

/// Shorthands for resolvers.
pub(super) trait ContextExt {
    /// The request's session.
    fn session(&self) -> &Session;
    /// The actor, for root fields: found by the first that asks.
    async fn viewer(&self) -> Result<Arc<Viewer>, Refusal>;
    /// Refuses what the actor may not do to a tenant that it sees; for nested fields, without a read.
    fn may(&self, tenant: TenantId, action: TenantAction) -> Result<(), Refusal>;
    /// Looks one thing up, together with everything that the same level asks for.
    async fn load<K, T>(&self, key: K) -> Result<Option<Arc<T>>, Refusal>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        T: Send + Sync + 'static,
        Reads: Loader<K, Value = Found<Arc<T>>, Error = Refusal>;
    /// The look-ups themselves.
    fn loaders(&self) -> &Loaders;
    /// Tenants by identifier, without those that are not there or not visible.
    async fn load_tenants(
        &self,
        ids: Vec<TenantId>,
    ) -> Result<HashMap<TenantId, Found<Arc<Tenant>>>, Refusal>;
    /// An error beside an answer that is not `null`: a part of it could not be shown.
    fn also(&self, refusal: Refusal);
}

impl ContextExt for Context<'_> {
    fn session(&self) -> &Session {
        &self.data_unchecked::<Scope>().session
    }

    async fn viewer(&self) -> Result<Arc<Viewer>, Refusal> {
        let scope = self.data_unchecked::<Scope>();
        let syncs = *scope.syncs.get_or_init(|| asks_for_me(self));
        scope.session.viewer(syncs).await
    }

    fn may(&self, tenant: TenantId, action: TenantAction) -> Result<(), Refusal> {
        self.session().known_viewer()?.may(tenant, action)
    }

    async fn load<K, T>(&self, key: K) -> Result<Option<Arc<T>>, Refusal>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        T: Send + Sync + 'static,
        Reads: Loader<K, Value = Found<Arc<T>>, Error = Refusal>,
    {
        Ok(self.loaders().load_one(key).await?.transpose()?)
    }

    fn loaders(&self) -> &Loaders {
        &self.data_unchecked::<Scope>().loaders
    }

    async fn load_tenants(
        &self,
        ids: Vec<TenantId>,
    ) -> Result<HashMap<TenantId, Found<Arc<Tenant>>>, Refusal> {
        self.loaders().load_many(ids).await
    }

    fn also(&self, refusal: Refusal) {
        let error = async_graphql::Error::from(refusal).into_server_error(self.item.pos);
        self.add_error(self.set_error_path(error));
    }
}

/// Whether the operation that runs selects `me` at its root, once `@skip` and `@include` are done
/// with. The engine has checked the document before: fragments exist and do not go in circles.
fn asks_for_me(ctx: &Context<'_>) -> bool {
    let env = ctx.query_env;
    env.operation.node.ty == OperationType::Query
        && selects_me(&env.operation.node.selection_set.node, &env.fragments)
}

fn selects_me(
    set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => field.node.name.node == "me",
        Selection::InlineFragment(inline) => selects_me(&inline.node.selection_set.node, fragments),
        Selection::FragmentSpread(spread) => fragments
            .get(&spread.node.fragment_name.node)
            .is_some_and(|f| selects_me(&f.node.selection_set.node, fragments)),
    })
}

/// Answers a field that may be null, from a body that uses `?`.
pub(super) fn nullable<T>(answer: Result<Option<T>, Refusal>) -> Nullable<T> {
    answer.transpose()
}
