//! The sync of `me`: creates the caller's user, or updates it from the token.

use std::collections::{BTreeMap, HashSet};

use super::{caller::Caller, error::AccessError, session::Session};
use crate::{
    domain::{
        change::UniqueField,
        id::{TenantId, UserId},
        sync::{self, GroupGrants, ParsedGroups, SyncResult},
        tenant::Tenant,
        user::User,
    },
    store::{CommitError, TenantKeys},
};

/// The maximum number of attempts to commit a sync. Each stale attempt means that another request
/// has committed. After this many, the client is asked to retry later.
const MAX_ATTEMPTS: usize = 16;

impl Session {
    /// Returns the caller's user after the sync with the token. Commits only if something differs.
    pub(super) async fn provision(&self, caller: &Caller) -> Result<User, AccessError> {
        for _ in 0..MAX_ATTEMPTS {
            let SyncResult { user, changes, joined } = self.plan_sync(caller).await?;
            if changes.is_empty() {
                return Ok(user);
            }
            let (slot, _) = self.acquire_commit_slot(&changes).await?;
            let changes = changes.into();
            match self.commit(&changes, &slot).await {
                Ok(()) => {
                    self.record_writes(&changes);
                    return self.remove_deleted_tenants(user, &joined).await;
                }
                // Another request has committed in between, so the sync is planned again.
                Err(CommitError::Stale | CommitError::Conflict(UniqueField::Subject)) => {}
                Err(CommitError::Failed(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(%error, "a sync failed with an unexpected commit error");
                    return Err(AccessError::Internal);
                }
            }
        }
        tracing::warn!("a sync was stale {MAX_ATTEMPTS} times in a row");
        Err(AccessError::Unavailable)
    }

    /// Returns whether a sync of this user with the token would change nothing.
    pub(super) async fn is_synced(
        &self,
        caller: &Caller,
        user: &User,
    ) -> Result<bool, AccessError> {
        let grants = self.resolve_group_grants(caller, Some(user)).await?;
        let sync = sync::update(user.clone(), &caller.profile, None, &self.audit_context());
        Ok(grants.is_none() && sync.changes.is_empty())
    }

    async fn plan_sync(&self, caller: &Caller) -> Result<SyncResult, AccessError> {
        let Caller { identity, profile } = caller;
        let (stored, tombstone) = self.user_and_tombstone(caller).await?;
        let grants = self.resolve_group_grants(caller, stored.as_ref()).await?;
        let grants = grants.as_ref();
        Ok(match stored {
            Some(user) => sync::update(user, profile, grants, &self.audit_context()),
            None => {
                let (id, identity) = (self.access.clock.object_id(), identity.clone());
                let (tombstone, context) = (tombstone.as_ref(), self.audit_context());
                sync::create(UserId::new(id), identity, profile, grants, tombstone, &context)
            }
        })
    }

    /// Removes memberships in tenants that were deleted during the sync.
    ///
    /// A tenant may be deleted after the lookup of the token's groups and before the commit of the
    /// membership. The deletion removes only memberships that are already committed. If the
    /// membership is committed later, this method no longer finds the tenant.
    async fn remove_deleted_tenants(
        &self,
        user: User,
        joined: &[TenantId],
    ) -> Result<User, AccessError> {
        if joined.is_empty() {
            return Ok(user);
        }
        let tenants = self.counted_store()?.tenants(TenantKeys::Ids(joined)).await?;
        let existing: HashSet<TenantId> = tenants
            .iter()
            .map(|tenant| match tenant {
                Ok(tenant) => tenant.id,
                Err(unreadable) => TenantId::new(unreadable.id),
            })
            .collect();
        let deleted: Vec<TenantId> =
            joined.iter().copied().filter(|tenant| !existing.contains(tenant)).collect();
        let mut stored = Some(user);
        for _ in 0..MAX_ATTEMPTS {
            let Some(user) = stored else { return Err(AccessError::NotProvisioned) };
            let SyncResult { user, changes, .. } =
                sync::remove_memberships(&user, &deleted, &self.audit_context());
            if changes.is_empty() {
                return Ok(user);
            }
            let (slot, _) = self.acquire_commit_slot(&changes).await?;
            match self.commit(&changes.into(), &slot).await {
                Ok(()) => return Ok(user),
                Err(CommitError::Failed(error)) => return Err(error.into()),
                Err(_) => stored = self.stored_user(&user.identity).await?,
            }
        }
        Err(AccessError::Unavailable)
    }

    /// Returns the rights that the token's groups grant, or `None` if its groups are not applied.
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
        let parsed = ParsedGroups::parse(groups, &self.access.config.groups);
        let roles = if parsed.groups.is_empty() {
            BTreeMap::new()
        } else {
            parsed.roles(&self.tenants_of_groups(&parsed).await?, issued_at)
        };
        Ok(Some(GroupGrants { platform_admin: parsed.platform_admin, roles }))
    }

    async fn tenants_of_groups(&self, parsed: &ParsedGroups) -> Result<Vec<Tenant>, AccessError> {
        let slugs: Vec<String> = parsed.by_slug.keys().cloned().collect();
        let keys = TenantKeys::SlugsOrGroups(&slugs, &parsed.groups);
        let tenants = self.counted_store()?.tenants(keys).await?;
        // An unreadable tenant fails the sync. If it counted as absent, the sync would remove the
        // user's rights in it.
        Ok(tenants.into_iter().collect::<Result<_, _>>()?)
    }
}
