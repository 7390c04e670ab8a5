//! What resolvers find in their context: the request's session and its look-ups.

use std::{
    any::Any,
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use async_graphql::{
    Context, Name, Positioned,
    dataloader::Loader,
    parser::types::{FragmentDefinition, OperationType, Selection, SelectionSet},
};

use super::{
    batch::BatchExecutor,
    loaders::{Loaders, SessionLoader, loaders},
};
use crate::{
    access::{AccessError, Command, Session, Viewer},
    domain::{id::TenantId, list::Decoded, tenant::Tenant, user::User},
    metrics::Metrics,
    policy::TenantAction,
};

/// The result of a nullable field: no value, a value, or an error that leaves `null` at the field.
pub(super) type Nullable<T> = Option<Result<T, AccessError>>;

/// One request's data. A mutation's root fields run one after the other, and what one has changed
/// counts for the next: each has a turn of its own, with its own actor and its own look-ups.
pub(super) struct RequestContext {
    first: RootFieldContext,
    batches: BatchExecutor,
    metrics: Metrics,
    mutations: AtomicU32,
    /// What each response key of a mutation has come to.
    outcomes: Mutex<HashMap<Name, Box<dyn Any + Send>>>,
    syncs: OnceLock<bool>,
}

/// What a query, or one root field of a mutation, stands in.
struct RootFieldContext {
    session: Arc<Session>,
    loaders: Loaders,
    next: OnceLock<Box<RootFieldContext>>,
}

impl RootFieldContext {
    fn new(session: Arc<Session>, batches: &BatchExecutor, metrics: &Metrics) -> Self {
        let loaders = loaders(session.clone(), batches.clone(), metrics.clone());
        Self { session, loaders, next: OnceLock::new() }
    }
}

impl RequestContext {
    pub(super) fn new(session: Arc<Session>, batches: BatchExecutor, metrics: Metrics) -> Self {
        let first = RootFieldContext::new(session, &batches, &metrics);
        let (mutations, outcomes) = (AtomicU32::new(0), Mutex::default());
        Self { first, batches, metrics, mutations, outcomes, syncs: OnceLock::new() }
    }

    fn turn(&self) -> &RootFieldContext {
        let mut turn = &self.first;
        while let Some(next) = turn.next.get() {
            turn = next;
        }
        turn
    }

    /// What a field of that response key has done already. The engine runs each selection of a
    /// field, and only merges the answers; a mutation is done once however often it is selected.
    fn outcome<T: Clone + 'static>(&self, key: &Name) -> Option<T> {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.get(key)?.downcast_ref().cloned()
    }

    fn cache_output<T: Clone + Send + 'static>(&self, key: Name, outcome: &T) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.insert(key, Box::new(outcome.clone()));
    }

    fn begin_root_field(&self, session: Session) {
        let next = Box::new(RootFieldContext::new(Arc::new(session), &self.batches, &self.metrics));
        // Only the root field that runs takes a turn, so nobody else has taken this one.
        drop(self.turn().next.set(next));
    }
}

/// Shorthands for resolvers.
pub(super) trait ContextExt {
    /// The request's session.
    fn session(&self) -> &Session;
    /// What a root field of a mutation does: the actor is found, and nothing is remembered of what
    /// fields before it have looked up. Where a field of the same response key has done it, that is
    /// what it did.
    async fn execute<C: Command>(&self, command: C) -> Result<C::Outcome, AccessError>;
    /// What follows for the rest of the field from a change of this user, who may be the actor.
    fn refresh_viewer(&self, user: &User);
    /// The actor, for root fields: found by the first that asks.
    async fn viewer(&self) -> Result<Arc<Viewer>, AccessError>;
    /// Refuses what the actor may not do to a tenant that it sees; for nested fields, without a read.
    fn authorize(&self, tenant: TenantId, action: TenantAction) -> Result<(), AccessError>;
    /// Looks one thing up, together with everything that the same level asks for.
    async fn load<K, T>(&self, key: K) -> Result<Option<Arc<T>>, AccessError>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        T: Send + Sync + 'static,
        SessionLoader: Loader<K, Value = Decoded<Arc<T>>, Error = AccessError>;
    /// The look-ups themselves.
    fn loaders(&self) -> &Loaders;
    /// Tenants by identifier, without those that are not there or not visible.
    async fn load_tenants(
        &self,
        ids: Vec<TenantId>,
    ) -> Result<HashMap<TenantId, Decoded<Arc<Tenant>>>, AccessError>;
    /// An error beside an answer that is not `null`: a part of it could not be shown.
    fn add_access_error(&self, refusal: AccessError);
}

impl ContextExt for Context<'_> {
    fn session(&self) -> &Session {
        &self.data_unchecked::<RequestContext>().turn().session
    }

    async fn execute<C: Command>(&self, command: C) -> Result<C::Outcome, AccessError> {
        let scope = self.data_unchecked::<RequestContext>();
        let key = &self.item.node.response_key().node;
        if let Some(outcome) = scope.outcome(key) {
            return Ok(outcome);
        }
        let ordinal = scope.mutations.fetch_add(1, Ordering::Relaxed);
        if ordinal > 0 {
            scope.begin_root_field(self.session().for_root_field(ordinal));
        }
        self.session().viewer(false).await?;
        let outcome = self.session().execute(&command).await?;
        scope.cache_output(key.clone(), &outcome);
        Ok(outcome)
    }

    fn refresh_viewer(&self, user: &User) {
        let session = self.session();
        if session.loaded_viewer().is_ok_and(|viewer| viewer.user().id == user.id) {
            self.data_unchecked::<RequestContext>()
                .begin_root_field(session.with_viewer(user.clone()));
        }
    }

    async fn viewer(&self) -> Result<Arc<Viewer>, AccessError> {
        let scope = self.data_unchecked::<RequestContext>();
        let syncs = *scope.syncs.get_or_init(|| selects_me(self));
        scope.turn().session.viewer(syncs).await
    }

    fn authorize(&self, tenant: TenantId, action: TenantAction) -> Result<(), AccessError> {
        self.session().loaded_viewer()?.authorize(tenant, action)
    }

    async fn load<K, T>(&self, key: K) -> Result<Option<Arc<T>>, AccessError>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        T: Send + Sync + 'static,
        SessionLoader: Loader<K, Value = Decoded<Arc<T>>, Error = AccessError>,
    {
        Ok(self.loaders().load_one(key).await?.transpose()?)
    }

    fn loaders(&self) -> &Loaders {
        &self.data_unchecked::<RequestContext>().turn().loaders
    }

    async fn load_tenants(
        &self,
        ids: Vec<TenantId>,
    ) -> Result<HashMap<TenantId, Decoded<Arc<Tenant>>>, AccessError> {
        self.loaders().load_many(ids).await
    }

    fn add_access_error(&self, refusal: AccessError) {
        let error = async_graphql::Error::from(refusal).into_server_error(self.item.pos);
        self.add_error(self.set_error_path(error));
    }
}

/// Whether the operation that runs selects `me` at its root, once `@skip` and `@include` are done
/// with. The engine has checked the document before: fragments exist and do not go in circles.
fn selects_me(ctx: &Context<'_>) -> bool {
    let env = ctx.query_env;
    env.operation.node.ty == OperationType::Query
        && any_field_is_me(&env.operation.node.selection_set.node, &env.fragments)
}

fn any_field_is_me(
    set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => field.node.name.node == "me",
        Selection::InlineFragment(inline) => {
            any_field_is_me(&inline.node.selection_set.node, fragments)
        }
        Selection::FragmentSpread(spread) => fragments
            .get(&spread.node.fragment_name.node)
            .is_some_and(|f| any_field_is_me(&f.node.selection_set.node, fragments)),
    })
}

/// Answers a field that may be null, from a body that uses `?`.
pub(super) fn nullable<T>(answer: Result<Option<T>, AccessError>) -> Nullable<T> {
    answer.transpose()
}
