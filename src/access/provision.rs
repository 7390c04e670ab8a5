//! `me`: makes the caller's user, or brings it up to date with the token.

use std::collections::{BTreeMap, HashSet};

use super::{AccessError, Caller, Session, refuse_disabled};
use crate::{
    domain::{
        change::UniqueField,
        id::TenantId,
        sync::{self, GroupGrants, ParsedGroups, SyncContext, SyncResult},
        tenant::Tenant,
        user::User,
    },
    store::{CommitError, TenantKeys},
};

/// How often a sync is decided anew because somebody else wrote in between. Each loser means that
/// another one won, so this many in a row are a storm on one user and worth a pause of the client.
const ATTEMPTS: usize = 16;

impl Session {
    /// The caller's user as the token makes it. Writes only what differs.
    pub(super) async fn provision(&self, caller: &Caller) -> Result<User, AccessError> {
        for _ in 0..ATTEMPTS {
            let SyncResult { user, changes, joined } = self.plan_sync(caller).await?;
            if changes.is_empty() {
                return Ok(user);
            }
            match self.access.store.commit(&changes).await {
                Ok(()) => {
                    self.record_writes(&changes);
                    return self.drop_deleted_tenants(user, &joined).await;
                }
                // Another request was quicker: look again at what it left.
                Err(CommitError::Stale | CommitError::Conflict(UniqueField::Subject)) => {}
                Err(CommitError::Failed(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(%error, "a sync cannot be in anybody's way");
                    return Err(AccessError::Internal);
                }
            }
        }
        tracing::warn!("a sync lost against others {ATTEMPTS} times in a row");
        Err(AccessError::Unavailable)
    }

    async fn plan_sync(&self, caller: &Caller) -> Result<SyncResult, AccessError> {
        let Caller { identity, profile } = caller;
        let stored = refuse_disabled(self.stored_user(identity).await?)?;
        let tombstone = match &stored {
            Some(user) => {
                self.reject_token_of_deleted_user(caller, user).await?;
                None
            }
            None => self.counted_store()?.tombstone(identity).await?,
        };
        if tombstone.as_ref().is_some_and(|t| !sync::issued_after_deletion(profile, t)) {
            return Err(AccessError::NotProvisioned);
        }
        let granted = self.resolve_group_grants(caller, stored.as_ref()).await?;
        let occasion = self.sync_context();
        Ok(match stored {
            Some(user) => sync::update(&user, profile, granted.as_ref(), &occasion),
            None => {
                let tombstone = tombstone.as_ref();
                sync::create(identity.clone(), profile, granted.as_ref(), tombstone, &occasion)
            }
        })
    }

    fn sync_context(&self) -> SyncContext {
        let clock = &self.access.clock;
        SyncContext {
            user_id: clock.object_id(),
            event_id: clock.object_id(),
            now: clock.now(),
            request_id: Some(self.request.id.clone()),
        }
    }

    /// A tenant may have been deleted after its groups were looked up and before the place in it was
    /// committed. The deletion ends the places that it finds once it is done; whoever comes later
    /// finds here that the tenant is gone.
    async fn drop_deleted_tenants(
        &self,
        user: User,
        joined: &[TenantId],
    ) -> Result<User, AccessError> {
        if joined.is_empty() {
            return Ok(user);
        }
        let found = self.counted_store()?.tenants(TenantKeys::Ids(joined)).await?;
        let there: HashSet<TenantId> = found
            .iter()
            .map(|found| found.as_ref().map_or_else(|broken| TenantId::new(broken.id), |t| t.id))
            .collect();
        let gone: Vec<TenantId> =
            joined.iter().copied().filter(|tenant| !there.contains(tenant)).collect();
        let mut stored = Some(user);
        for _ in 0..ATTEMPTS {
            let Some(user) = stored else { return Err(AccessError::NotProvisioned) };
            let SyncResult { user, changes, .. } =
                sync::remove_memberships(&user, &gone, &self.sync_context());
            if changes.is_empty() {
                return Ok(user);
            }
            match self.access.store.commit(&changes).await {
                Ok(()) => return Ok(user),
                Err(CommitError::Failed(error)) => return Err(error.into()),
                Err(_) => stored = self.stored_user(&user.identity).await?,
            }
        }
        Err(AccessError::Unavailable)
    }

    /// What the token's groups give, where they count at all.
    async fn resolve_group_grants(
        &self,
        caller: &Caller,
        stored: Option<&User>,
    ) -> Result<Option<GroupGrants>, AccessError> {
        let profile = &caller.profile;
        let watermark = stored.and_then(|user| user.groups_as_of);
        let (Some(groups), Some(issued_at), true) =
            (&profile.groups, profile.issued_at, sync::should_apply_groups(profile, watermark))
        else {
            return Ok(None);
        };
        let named = ParsedGroups::read(groups, &self.access.rules.groups);
        let roles = if named.groups.is_empty() {
            BTreeMap::new()
        } else {
            named.roles(&self.tenants_of_groups(&named).await?, issued_at)
        };
        Ok(Some(GroupGrants { platform_admin: named.platform_admin, roles }))
    }

    async fn tenants_of_groups(&self, named: &ParsedGroups) -> Result<Vec<Tenant>, AccessError> {
        let slugs: Vec<String> = named.by_slug.keys().cloned().collect();
        let keys = TenantKeys::SlugsOrGroups(&slugs, &named.groups);
        let found = self.counted_store()?.tenants(keys).await?;
        // A tenant that cannot be read fails the sync: taking it for absent would take rights away.
        Ok(found.into_iter().collect::<Result<_, _>>()?)
    }
}
