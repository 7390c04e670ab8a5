//! Which tenants a request was about: for the line that the log has of it.

use std::sync::{Mutex, PoisonError};

use crate::domain::id::TenantId;

/// How many are told; a list of all tenants is about too many to name.
pub const MAX_LOGGED_TENANTS: usize = 10;

/// The tenants that a request was shown by themselves, or has changed: the first few of them.
#[derive(Default)]
pub(super) struct LoggedTenants(Mutex<Vec<TenantId>>);

impl LoggedTenants {
    pub(super) fn note(&self, tenants: impl IntoIterator<Item = TenantId>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tenant in tenants {
            if noted.len() == MAX_LOGGED_TENANTS {
                return;
            }
            if !noted.contains(&tenant) {
                noted.push(tenant);
            }
        }
    }

    pub(super) fn list(&self) -> Vec<TenantId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
