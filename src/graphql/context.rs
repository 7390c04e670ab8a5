//! Gives resolvers the session and the loaders of their request.

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
    access::{AccessError, Command, InvitationPreview, MembershipChange, Session, Viewer},
    domain::{id::TenantId, list::Decoded, tenant::Tenant, user::User},
    metrics::Metrics,
};

/// The result of a nullable field: no value, a value, or an error that leaves `null` at the field.
pub(super) type Nullable<T> = Option<Result<T, AccessError>>;

/// The state of one request.
///
/// The root fields of a mutation execute serially. Each gets its own context, with its own viewer
/// and its own loaders, so that it sees the changes of the fields before it.
pub(super) struct RequestContext {
    /// The context of a query, or of the first root field of a mutation.
    first: RootFieldContext,
    batches: BatchExecutor,
    metrics: Metrics,
    /// The number of root fields of a mutation that have started.
    root_fields: AtomicU32,
    /// The output of each command of a mutation, by response key.
    outputs: Mutex<HashMap<Name, Box<dyn Any + Send>>>,
    /// `true` if the query selects `me`, which creates and updates the viewer's user.
    syncs: OnceLock<bool>,
}

/// The state of a query or of one root field of a mutation.
struct RootFieldContext {
    session: Arc<Session>,
    loaders: Loaders,
    /// The context that replaced this one.
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
        let (root_fields, outputs) = (AtomicU32::new(0), Mutex::default());
        Self { first, batches, metrics, root_fields, outputs, syncs: OnceLock::new() }
    }

    /// Returns the context of the root field that is executing.
    fn current(&self) -> &RootFieldContext {
        let mut current = &self.first;
        while let Some(next) = current.next.get() {
            current = next;
        }
        current
    }

    /// Returns the output of the command with this response key, if it was executed before.
    ///
    /// `async-graphql` executes each selection of a field and merges only the responses. A command
    /// must be executed once, however often its field is selected.
    fn cached_output<T: Clone + 'static>(&self, key: &Name) -> Option<T> {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.get(key)?.downcast_ref().cloned()
    }

    fn cache_output<T: Clone + Send + 'static>(&self, key: Name, output: &T) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.insert(key, Box::new(output.clone()));
    }

    /// Gives each root field of a mutation after the first one a context of its own.
    fn begin_mutation(&self) {
        let index = self.root_fields.fetch_add(1, Ordering::Relaxed);
        if index > 0 {
            self.begin_root_field(self.current().session.for_root_field(index));
        }
    }

    /// Replaces the current context by a new one with empty loaders.
    fn begin_root_field(&self, session: Session) {
        let next = Box::new(RootFieldContext::new(Arc::new(session), &self.batches, &self.metrics));
        // Only the executing root field replaces the context, so `next` is never set already.
        drop(self.current().next.set(next));
    }
}

/// Gives a resolver the session, the loaders and the commands of its request.
pub(super) trait ContextExt {
    /// Returns the session of the current root field.
    fn session(&self) -> &Session;
    /// Executes the command of a mutation's root field.
    ///
    /// The field gets a new context: its viewer is loaded again and its loaders are empty. If a
    /// field with the same response key has executed before, its output is returned instead.
    async fn execute<C: Command>(&self, command: C) -> Result<C::Output, AccessError>;
    /// Accepts the invitation with this token. The rest of the root field has the user of the
    /// membership as its viewer.
    ///
    /// The field gets a new context, as for [`execute`](Self::execute), but its viewer need not exist.
    async fn accept_invitation(&self, token: &str) -> Result<MembershipChange, AccessError>;
    /// Returns the invitation with this token, if the caller could accept it.
    async fn preview_invitation(
        &self,
        token: &str,
    ) -> Result<Option<InvitationPreview>, AccessError>;
    /// Applies a change of this user to the rest of the root field, if the user is the viewer.
    fn refresh_viewer(&self, user: &User);
    /// Returns the viewer. The first root field that calls it loads the viewer.
    async fn viewer(&self) -> Result<Arc<Viewer>, AccessError>;
    /// Looks up the value of one key in a batch with the other keys of the same level.
    async fn load<K, T>(&self, key: K) -> Result<Option<Arc<T>>, AccessError>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        T: Send + Sync + 'static,
        SessionLoader: Loader<K, Value = Decoded<Arc<T>>, Error = AccessError>;
    /// Returns the loaders of the current root field.
    fn loaders(&self) -> &Loaders;
    /// Returns tenants by identifier. Missing and hidden tenants have no entry.
    async fn load_tenants(
        &self,
        ids: Vec<TenantId>,
    ) -> Result<HashMap<TenantId, Decoded<Arc<Tenant>>>, AccessError>;
    /// Adds an error to a field whose value is not `null`, because a part of it is not available.
    fn add_access_error(&self, error: AccessError);
}

impl ContextExt for Context<'_> {
    fn session(&self) -> &Session {
        &self.data_unchecked::<RequestContext>().current().session
    }

    async fn execute<C: Command>(&self, command: C) -> Result<C::Output, AccessError> {
        let request = self.data_unchecked::<RequestContext>();
        let key = &self.item.node.response_key().node;
        if let Some(output) = request.cached_output(key) {
            return Ok(output);
        }
        request.begin_mutation();
        self.session().viewer(false).await?;
        let output = self.session().execute(&command).await?;
        request.cache_output(key.clone(), &output);
        Ok(output)
    }

    async fn accept_invitation(&self, token: &str) -> Result<MembershipChange, AccessError> {
        let request = self.data_unchecked::<RequestContext>();
        let key = &self.item.node.response_key().node;
        if let Some(output) = request.cached_output(key) {
            return Ok(output);
        }
        request.begin_mutation();
        let output = self.session().accept_invitation(token).await?;
        request.cache_output(key.clone(), &output);
        request.begin_root_field(self.session().with_viewer(output.user.clone()));
        Ok(output)
    }

    async fn preview_invitation(
        &self,
        token: &str,
    ) -> Result<Option<InvitationPreview>, AccessError> {
        let request = self.data_unchecked::<RequestContext>();
        // If the query selects `me`, its user must exist first.
        if *request.syncs.get_or_init(|| selects_me(self)) {
            self.viewer().await?;
        }
        self.session().preview_invitation(token).await
    }

    fn refresh_viewer(&self, user: &User) {
        let session = self.session();
        if session.loaded_viewer().is_ok_and(|viewer| viewer.user().id == user.id) {
            self.data_unchecked::<RequestContext>()
                .begin_root_field(session.with_viewer(user.clone()));
        }
    }

    async fn viewer(&self) -> Result<Arc<Viewer>, AccessError> {
        let request = self.data_unchecked::<RequestContext>();
        let syncs = *request.syncs.get_or_init(|| selects_me(self));
        request.current().session.viewer(syncs).await
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
        &self.data_unchecked::<RequestContext>().current().loaders
    }

    async fn load_tenants(
        &self,
        ids: Vec<TenantId>,
    ) -> Result<HashMap<TenantId, Decoded<Arc<Tenant>>>, AccessError> {
        self.loaders().load_many(ids).await
    }

    fn add_access_error(&self, error: AccessError) {
        let error = async_graphql::Error::from(error).into_server_error(self.item.pos);
        self.add_error(self.set_error_path(error));
    }
}

/// Returns `true` if the executing operation is a query that selects `me` at its root.
///
/// `async-graphql` has already applied `@skip` and `@include`, and has validated the document. So
/// all fragments exist and have no cycles.
fn selects_me(ctx: &Context<'_>) -> bool {
    let (operation, fragments) = (&ctx.query_env.operation.node, &ctx.query_env.fragments);
    operation.ty == OperationType::Query && is_me_selected(&operation.selection_set.node, fragments)
}

fn is_me_selected(
    selection_set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> bool {
    selection_set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => field.node.name.node == "me",
        Selection::InlineFragment(inline) => {
            is_me_selected(&inline.node.selection_set.node, fragments)
        }
        Selection::FragmentSpread(spread) => fragments
            .get(&spread.node.fragment_name.node)
            .is_some_and(|fragment| is_me_selected(&fragment.node.selection_set.node, fragments)),
    })
}

/// Converts the result of a resolver body that uses `?` into the value of a nullable field.
pub(super) fn nullable<T>(result: Result<Option<T>, AccessError>) -> Nullable<T> {
    result.transpose()
}
