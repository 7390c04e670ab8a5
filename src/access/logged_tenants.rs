//! The tenants of a request that its log line names.

use std::sync::{Mutex, PoisonError};

use crate::domain::id::TenantId;

/// The maximum number of tenants in a log line. It keeps the line of a long list short.
pub const MAX_LOGGED_TENANTS: usize = 10;

/// The first tenants that a request has read or changed, without duplicates.
#[derive(Default)]
pub(super) struct LoggedTenants(Mutex<Vec<TenantId>>);

impl LoggedTenants {
    pub(super) fn add(&self, tenants: impl IntoIterator<Item = TenantId>) {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tenant in tenants {
            if logged.len() == MAX_LOGGED_TENANTS {
                return;
            }
            if !logged.contains(&tenant) {
                logged.push(tenant);
            }
        }
    }

    pub(super) fn list(&self) -> Vec<TenantId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
