//! Reads of audit events: by identifier, and as pages and counts of an audit log.

use super::{
    error::AccessError,
    read::{ResultsByKey, into_arc},
    session::Session,
};
use crate::{
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, TenantId},
        list::{AuditFilter, Decoded, Page, PageRequest},
    },
    policy::{PlatformAction, TenantAction},
};

/// The audit log to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditScope {
    /// The audit log of the whole platform, for platform admins.
    Platform,
    /// The audit log of one tenant, for its admins and owners.
    Tenant(TenantId),
}

impl Session {
    /// Looks up audit events by their identifiers.
    ///
    /// A platform admin sees every event. Other viewers see the events of existing tenants whose
    /// audit log they may read.
    pub async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<ResultsByKey<AuditEventId, AuditEvent>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let events = self.counted_store()?.audit_events(ids).await?;
        let readable =
            |tenant: &TenantId| viewer.authorize(*tenant, TenantAction::ReadAudit).is_ok();
        let mut tenants: Vec<TenantId> =
            events.iter().flatten().flat_map(|event| event.tenants.clone()).collect();
        tenants.retain(readable);
        let existing = match tenants.is_empty() || viewer.is_platform_admin() {
            true => ResultsByKey::new(),
            false => self.tenants(&tenants).await?,
        };
        let visible = |event: &Decoded<AuditEvent>| match event {
            _ if viewer.is_platform_admin() => true,
            Ok(event) => event.tenants.iter().any(|t| readable(t) && existing.contains_key(t)),
            Err(_) => false,
        };
        let by_id = events.into_iter().filter(visible).map(|event| {
            let id = match &event {
                Ok(event) => event.id,
                Err(unreadable) => AuditEventId::new(unreadable.id),
            };
            (id, into_arc(event))
        });
        Ok(by_id.collect())
    }

    /// Returns a page of an audit log, newest first.
    pub async fn audit_page(
        &self,
        scope: AuditScope,
        filter: &AuditFilter,
        request: &PageRequest,
    ) -> Result<Page<AuditEvent>, AccessError> {
        match self.restrict_filter(scope, filter).await? {
            Some(filter) => Ok(self.counted_store()?.audit_page(&filter, request).await?),
            None => Ok(Page::empty()),
        }
    }

    /// Counts the events of an audit log.
    pub async fn count_audit_events(
        &self,
        scope: AuditScope,
        filter: &AuditFilter,
    ) -> Result<u64, AccessError> {
        match self.restrict_filter(scope, filter).await? {
            Some(filter) => Ok(self.counted_store()?.count_audit_events(&filter).await?),
            None => Ok(0),
        }
    }

    /// Restricts a filter to the audit log's tenant. Returns `None` if it can match no event.
    ///
    /// This is the case if the filter names another tenant, or an actor whom the viewer cannot see.
    /// Events do not show such an actor, so a filter must not reveal that actor either.
    async fn restrict_filter(
        &self,
        scope: AuditScope,
        filter: &AuditFilter,
    ) -> Result<Option<AuditFilter>, AccessError> {
        let viewer = self.loaded_viewer()?;
        match scope {
            AuditScope::Platform => {
                viewer.authorize_platform(PlatformAction::ReadAuditLog)?;
                Ok(Some(filter.clone()))
            }
            AuditScope::Tenant(tenant) => {
                viewer.authorize(tenant, TenantAction::ReadAudit)?;
                let matches_tenant = filter.tenant.is_none_or(|filtered| filtered == tenant);
                let sees_actor = match filter.actor {
                    Some(actor) => self.users(&[actor]).await?.contains_key(&actor),
                    None => true,
                };
                let filter = AuditFilter { tenant: Some(tenant), ..filter.clone() };
                Ok((matches_tenant && sees_actor).then_some(filter))
            }
        }
    }
}
