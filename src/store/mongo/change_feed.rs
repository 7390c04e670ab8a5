//! The change feed: one change stream over the database.
//!
//! A change stream reports the identifier of a changed document, but not the state before a deletion.
//! The tenant of a deleted subscription comes from the audit event of the same transaction. The tenants
//! of changed memberships come from audit events, too.

use std::time::Duration;

use async_trait::async_trait;
use mongodb::{
    Collection,
    bson::{Binary, Bson, Document, RawDocument, RawDocumentBuf, doc, spec::BinarySubtype},
    change_stream::{ChangeStream, event::ResumeToken},
    error::Error,
    options::ReturnDocument,
};
use tokio::time::Instant;

use super::{
    connect::MongoStore,
    deletions::DELETED_TENANT,
    documents::object_id,
    errors::{COMMAND_TIMEOUT, DUPLICATE_KEY, code, read_error, timeout_error},
};
use crate::{
    domain::{
        audit::MEMBERSHIP_ACTIONS,
        id::{ObjectId, SubscriptionId, TenantId, UserId},
        live::{ChangeKind, ChangedEntity, FeedEvent, FeedPosition},
    },
    store::{ChangeFeed, StoreError, WatchError},
};

/// The time that the server waits for a change before it returns an empty batch.
const MAX_AWAIT_TIME: Duration = Duration::from_millis(500);
/// The fields of a tenant or a user that no live operation reports.
const HIDDEN_FIELDS: [&str; 5] = ["holds", "lastSeenAt", "groupsAsOf", "search", DELETED_TENANT];
/// The collection of keys that all instances share.
const SECRETS: &str = "secrets";

/// The server's codes for a position whose changes are no longer known, or that it does not accept.
const HISTORY_LOST_CODES: [i32; 7] = [
    136,   // CappedPositionLost
    222,   // CloseChangeStream
    260,   // InvalidResumeToken
    280,   // ChangeStreamFatalError
    286,   // ChangeStreamHistoryLost
    50811, // a malformed resume token
    50795, // a resume token that is too short
];

impl MongoStore {
    /// Opens a change stream after a position or from now on.
    pub(super) async fn open_feed(
        &self,
        after: Option<&FeedPosition>,
    ) -> Result<MongoFeed, WatchError> {
        let after = after.map(to_token).transpose()?;
        let watch = self.database.watch().pipeline(self.feed_pipeline());
        let watch = watch.max_await_time(MAX_AWAIT_TIME).resume_after(after.clone());
        let opened = async {
            let watch = tokio::time::timeout(COMMAND_TIMEOUT, watch.into_future()).await;
            watch.map_err(|_| WatchError::Failed(timeout_error()))?.map_err(|e| watch_error(&e))
        };
        let stream = self.command("aggregate").instrument(opened).await?.with_type();
        let token = stream.resume_token().or(after);
        let position = token.as_ref().and_then(to_position);
        let position = position.ok_or_else(|| {
            let text = "the server returned no resume token for the change stream".to_owned();
            WatchError::Failed(StoreError::Internal(text))
        })?;
        let names = CollectionNames {
            tenants: self.tenants.name().to_owned(),
            users: self.users.name().to_owned(),
            subscriptions: self.subscriptions.name().to_owned(),
            audit_events: self.audit_events.name().to_owned(),
        };
        Ok(MongoFeed { stream, names, position, held: Vec::new(), transaction: None })
    }

    /// Selects the changes of entities, and reduces them to their identifiers and the names of their
    /// changed fields. No values are sent.
    fn feed_pipeline(&self) -> [Document; 2] {
        let entities = [self.tenants.name(), self.users.name(), self.subscriptions.name()];
        let writes = ["insert", "update", "replace", "delete"];
        let named = ["subscription.delete"].into_iter().chain(MEMBERSHIP_ACTIONS);
        let whole_collections = ["drop", "rename", "dropDatabase", "invalidate"];
        let matches = doc! { "$or": [
            { "ns.coll": { "$in": entities }, "operationType": { "$in": writes } },
            { "ns.coll": { "$in": entities }, "operationType": { "$in": whole_collections } },
            { "operationType": { "$in": ["dropDatabase", "invalidate"] } },
            {
                "ns.coll": self.audit_events.name(),
                "operationType": "insert",
                "fullDocument.action": { "$in": named.collect::<Vec<_>>() },
                "fullDocument.tenantIds.0": { "$exists": true },
            },
        ] };
        let names = doc! { "$objectToArray": "$updateDescription.updatedFields" };
        let project = doc! {
            "operationType": 1,
            "ns": 1,
            "documentKey._id": 1,
            "lsid": "$lsid.id",
            "txnNumber": 1,
            "updated": { "$map": { "input": names, "in": "$$this.k" } },
            "removed": "$updateDescription.removedFields",
            "tenantId": "$fullDocument.tenantId",
            "action": "$fullDocument.action",
            "tenantIds": "$fullDocument.tenantIds",
            "target": "$fullDocument.target.id",
            DELETED_TENANT: format!("$updateDescription.updatedFields.{DELETED_TENANT}"),
        };
        [doc! { "$match": matches }, doc! { "$project": project }]
    }

    /// Returns the stored key of cursors. Stores `candidate` if there is none.
    pub(super) async fn stored_cursor_key(
        &self,
        candidate: [u8; 32],
    ) -> Result<[u8; 32], StoreError> {
        let secrets: Collection<Document> = self.database.collection(SECRETS);
        let value = Binary { subtype: BinarySubtype::Generic, bytes: candidate.to_vec() };
        let find = || {
            let update = doc! { "$setOnInsert": { "value": value.clone() } };
            let find = secrets.find_one_and_update(doc! { "_id": "liveCursor" }, update);
            find.upsert(true).return_document(ReturnDocument::After)
        };
        let command = self.command_metrics.command("findAndModify", SECRETS);
        let mut stored = find().await;
        // Of two instances that start at the same time, one finds the key of the other.
        if stored.as_ref().is_err_and(|error| code(error) == Some(DUPLICATE_KEY)) {
            stored = command.instrument(find().into_future()).await;
        }
        let stored = stored.map_err(|error| read_error(&error))?;
        let key = stored.as_ref().and_then(|document| document.get_binary_generic("value").ok());
        key.and_then(|key| key.as_slice().try_into().ok()).ok_or_else(|| {
            StoreError::Internal(format!("the key liveCursor in {SECRETS} cannot be read"))
        })
    }
}

struct CollectionNames {
    tenants: String,
    users: String,
    subscriptions: String,
    audit_events: String,
}

/// The session and the number of a transaction.
type TransactionId = (Vec<u8>, i64);

/// An open change stream.
pub(super) struct MongoFeed {
    stream: ChangeStream<RawDocumentBuf>,
    names: CollectionNames,
    position: FeedPosition,
    /// Events of the current transaction, from a deleted subscription on. They wait for the audit
    /// event, which names the tenant.
    held: Vec<FeedEvent>,
    transaction: Option<Transaction>,
}

/// The transaction of the latest event.
struct Transaction {
    id: TransactionId,
    /// The tenant that the transaction deletes.
    deleted_tenant: Option<TenantId>,
}

#[async_trait]
impl ChangeFeed for MongoFeed {
    async fn next(&mut self) -> Result<Vec<FeedEvent>, WatchError> {
        let deadline = Instant::now() + MAX_AWAIT_TIME;
        loop {
            // The server responds after `MAX_AWAIT_TIME`, unless the connection is broken.
            let next = tokio::time::timeout(COMMAND_TIMEOUT, self.stream.next_if_any()).await;
            let next = next.map_err(|_| WatchError::Failed(timeout_error()))?;
            let events = match next.map_err(|error| watch_error(&error))? {
                Some(change) => self.read(&change)?,
                None if !self.stream.is_alive() => return Err(WatchError::HistoryLost),
                None => std::mem::take(&mut self.held),
            };
            if self.held.is_empty()
                && let Some(position) = self.stream.resume_token().as_ref().and_then(to_position)
            {
                self.position = position;
            }
            if !events.is_empty() || Instant::now() >= deadline {
                return Ok(events);
            }
        }
    }

    fn position(&self) -> FeedPosition {
        self.position.clone()
    }
}

impl MongoFeed {
    /// Returns the events that a change completes.
    fn read(&mut self, change: &RawDocument) -> Result<Vec<FeedEvent>, WatchError> {
        let mut events = Vec::new();
        let transaction = transaction_id(change);
        if self.transaction.as_ref().map(|current| &current.id) != transaction.as_ref() {
            events.append(&mut self.held);
            self.transaction = transaction.map(|id| Transaction { id, deleted_tenant: None });
        }
        let kind = match change.get_str("operationType") {
            Ok("insert") => ChangeKind::Created,
            Ok("update" | "replace") => ChangeKind::Updated,
            Ok("delete") => ChangeKind::Deleted,
            // A collection or the whole database was dropped or renamed.
            _ => return Err(WatchError::HistoryLost),
        };
        let collection = change.get_document("ns").and_then(|ns| ns.get_str("coll"));
        let collection = collection.unwrap_or_default();
        if collection == self.names.audit_events {
            events.append(&mut match change.get_str("action") {
                Ok(action) if MEMBERSHIP_ACTIONS.contains(&action) => self.member_events(change),
                _ => self.name_tenant(change),
            });
        } else if let Some(entity) = self.entity(collection, change)
            && let Some(position) = change.get_document("_id").ok().and_then(position_of)
            && !(kind == ChangeKind::Updated && is_hidden(change))
        {
            let former = self.former_member(entity, kind, change);
            let entities =
                [Some((entity, kind)), former.map(|entity| (entity, ChangeKind::Deleted))];
            for (entity, kind) in entities.into_iter().flatten() {
                let event = FeedEvent { position: position.clone(), entity, kind };
                if self.waits_for_tenant(&event) {
                    self.held.push(event);
                } else {
                    events.push(event);
                }
            }
        }
        Ok(events)
    }

    /// Returns the changed entity, or `None` if its identifier is not an `ObjectId`.
    fn entity(&mut self, collection: &str, change: &RawDocument) -> Option<ChangedEntity> {
        let id = object_id(change.get_document("documentKey").ok()?, "_id")?;
        if collection == self.names.tenants {
            let tenant = TenantId::new(id);
            let is_deleted = matches!(change.get_str("operationType"), Ok("delete"));
            if let Some(transaction) = self.transaction.as_mut().filter(|_| is_deleted) {
                transaction.deleted_tenant = Some(tenant);
            }
            Some(ChangedEntity::Tenant(tenant))
        } else if collection == self.names.users {
            Some(ChangedEntity::User(UserId::new(id)))
        } else if collection == self.names.subscriptions {
            let named = object_id(change, "tenantId").map(TenantId::new);
            let deleted = || self.transaction.as_ref()?.deleted_tenant;
            Some(ChangedEntity::Subscription(SubscriptionId::new(id), named.or_else(deleted)))
        } else {
            None
        }
    }

    /// Returns the membership in a deleted tenant that a change proves.
    ///
    /// A gateway deletes a tenant in a transaction, and marks its members when it removes their
    /// memberships. After a manual edit, the memberships remain.
    fn former_member(
        &self,
        entity: ChangedEntity,
        kind: ChangeKind,
        change: &RawDocument,
    ) -> Option<ChangedEntity> {
        match entity {
            ChangedEntity::User(user) => {
                let tenant = TenantId::new(object_id(change, DELETED_TENANT)?);
                Some(ChangedEntity::FormerMember(Some(user), tenant))
            }
            ChangedEntity::Tenant(tenant) => {
                let is_manual = kind == ChangeKind::Deleted && self.transaction.is_none();
                is_manual.then_some(ChangedEntity::FormerMember(None, tenant))
            }
            _ => None,
        }
    }

    /// Returns whether an event is of a transaction whose audit event may still name a tenant.
    fn waits_for_tenant(&self, event: &FeedEvent) -> bool {
        let is_incomplete = event.kind == ChangeKind::Deleted
            && matches!(event.entity, ChangedEntity::Subscription(_, None));
        self.transaction.is_some() && (is_incomplete || !self.held.is_empty())
    }

    /// Returns an event of each tenant in which a membership has changed.
    ///
    /// Only the last of them has the position of the change. A listener that resumes after another one
    /// receives some of them again, and misses none.
    fn member_events(&self, audit_event: &RawDocument) -> Vec<FeedEvent> {
        let tenants = audit_event.get_array("tenantIds").into_iter().flatten().flatten();
        let event = |tenant: ObjectId| FeedEvent {
            position: self.position.clone(),
            entity: ChangedEntity::Tenant(TenantId::new(tenant)),
            kind: ChangeKind::Updated,
        };
        let tenants = tenants.filter_map(|tenant| Some(ObjectId(tenant.as_object_id()?.bytes())));
        let mut events: Vec<_> = tenants.map(event).collect();
        let position = audit_event.get_document("_id").ok().and_then(position_of);
        if let (Some(last), Some(position)) = (events.last_mut(), position) {
            last.position = position;
        }
        events
    }

    /// Returns the waiting events, with the tenant that the audit event of their transaction names.
    fn name_tenant(&mut self, audit_event: &RawDocument) -> Vec<FeedEvent> {
        let target = object_id(audit_event, "target").map(SubscriptionId::new);
        let tenants = audit_event.get_array("tenantIds").ok();
        let tenant = tenants.and_then(|tenants| tenants.get_object_id(0).ok());
        let mut events = std::mem::take(&mut self.held);
        for event in &mut events {
            if let ChangedEntity::Subscription(id, named @ None) = &mut event.entity
                && Some(*id) == target
            {
                *named = tenant.map(|tenant| TenantId::new(ObjectId(tenant.bytes())));
            }
        }
        events
    }
}

/// Returns whether an update changes nothing that a live operation reports.
fn is_hidden(change: &RawDocument) -> bool {
    let names = |key| change.get_array(key).into_iter().flatten();
    let changed: Vec<_> = names("updated").chain(names("removed")).flatten().collect();
    !changed.is_empty()
        && changed
            .iter()
            .filter_map(|name| name.as_str()?.split('.').next())
            .all(|name| HIDDEN_FIELDS.contains(&name))
}

fn transaction_id(change: &RawDocument) -> Option<TransactionId> {
    let session = change.get_binary("lsid").ok()?.bytes.to_vec();
    Some((session, change.get_i64("txnNumber").ok()?))
}

/// Returns the position of a resume token. Tokens are hexadecimal digits that compare in the order of
/// the changes.
fn position_of(token: &RawDocument) -> Option<FeedPosition> {
    Some(FeedPosition(hex::decode(token.get_str("_data").ok()?).ok()?.into()))
}

fn to_position(token: &ResumeToken) -> Option<FeedPosition> {
    let token = mongodb::bson::serialize_to_bson(token).ok()?;
    let token = RawDocumentBuf::try_from(token.as_document()?).ok()?;
    position_of(&token)
}

fn to_token(position: &FeedPosition) -> Result<ResumeToken, WatchError> {
    let token = doc! { "_data": hex::encode_upper(&position.0) };
    mongodb::bson::deserialize_from_bson(Bson::Document(token)).map_err(|_| WatchError::HistoryLost)
}

pub(super) fn watch_error(error: &Error) -> WatchError {
    let is_lost = code(error).is_some_and(|code| HISTORY_LOST_CODES.contains(&code))
        || error.contains_label("NonResumableChangeStreamError");
    if is_lost { WatchError::HistoryLost } else { WatchError::Failed(read_error(error)) }
}
