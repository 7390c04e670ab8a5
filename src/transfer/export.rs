//! Writes the records of a store to a file.

use std::io::{self, Write};

use tokio::sync::mpsc;

use super::{
    error::TransferError,
    line::{header, to_line},
    scope::{normalize, restrict},
};
use crate::{
    domain::{
        id::TenantId,
        list::Decoded,
        record::{Record, TransferScope},
    },
    store::Store,
};

/// The number of records that wait to be written.
const CHANNEL_CAPACITY: usize = 16;

/// The numbers of records of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// The records that were written.
    pub written: u64,
    /// The stored documents that cannot be read, and are not part of the file.
    pub unreadable: u64,
    /// The memberships, subscriptions and invitations of tenants that do not exist, which are omitted.
    pub dangling: u64,
}

/// Writes an export.
pub struct Exporter<W> {
    out: W,
    scope: TransferScope,
    counts: ExportCounts,
    /// The identifiers of all tenants, in ascending order.
    tenants: Vec<TenantId>,
    last: Option<String>,
}

impl<W: Write> Exporter<W> {
    /// Creates an export to `out`.
    pub const fn new(out: W, scope: TransferScope) -> Self {
        let counts = ExportCounts { written: 0, unreadable: 0, dangling: 0 };
        Self { out, scope, counts, tenants: Vec::new(), last: None }
    }

    /// Writes all records of the scope, and calls `progress` with their number.
    ///
    /// # Errors
    ///
    /// Returns an error if the store or the file fails, or if a user has no issuer.
    pub async fn run(
        mut self,
        store: &dyn Store,
        mut progress: impl FnMut(u64),
    ) -> Result<(ExportCounts, W), TransferError> {
        self.write_line(&header(self.scope).map_err(io::Error::from)?)?;
        let (sender, mut receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let read = store.export(self.scope, sender);
        // If writing fails, the receiver is dropped, which ends the reading.
        let write = async move {
            while let Some(record) = receiver.recv().await {
                self.write(record)?;
                progress(self.counts.written);
            }
            Ok::<_, TransferError>(self)
        };
        let (written, read) = tokio::join!(write, read);
        let mut this = written?;
        read?;
        this.out.flush().map_err(|error| write_error(&error))?;
        Ok((this.counts, this.out))
    }

    fn write(&mut self, record: Decoded<Record>) -> Result<(), TransferError> {
        let Ok(record) = record else {
            self.counts.unreadable += 1;
            return Ok(());
        };
        let restricted = match self.scope {
            TransferScope::Everything => Some(record),
            TransferScope::Tenant(tenant) => restrict(record, tenant),
        };
        let Some(record) = restricted else { return Ok(()) };
        if let Record::Tenant(tenant) = &record {
            self.tenants.push(tenant.id);
        }
        self.counts.dangling += self.dangling(&record);
        let exists = |tenant| self.tenants.binary_search(&tenant).is_ok();
        let Some(record) = normalize(record, exists) else { return Ok(()) };
        if let Record::User(user) = &record
            && user.identity.issuer.is_empty()
        {
            let text = format!(
                "the user {} names no issuer: set TENANTRY_OIDC_ISSUER to the issuer of such users",
                user.id
            );
            return Err(TransferError::new(text));
        }
        let line = to_line(&record).map_err(io::Error::from)?;
        // Two tombstones of an identity may be equal.
        if self.last.as_ref() == Some(&line) {
            return Ok(());
        }
        self.write_line(&line)?;
        self.counts.written += 1;
        self.last = matches!(record, Record::Tombstone(_)).then_some(line);
        Ok(())
    }

    fn write_line(&mut self, line: &str) -> Result<(), TransferError> {
        writeln!(self.out, "{line}").map_err(|error| write_error(&error))
    }

    /// Returns the number of parts of a record that belong to tenants that do not exist.
    fn dangling(&self, record: &Record) -> u64 {
        let is_absent = |tenant: TenantId| self.tenants.binary_search(&tenant).is_err();
        match record {
            Record::User(user) => {
                let absent = user.memberships.iter().filter(|m| is_absent(m.tenant_id));
                absent.count() as u64
            }
            Record::Subscription(subscription) => is_absent(subscription.tenant_id).into(),
            Record::Invitation(invitation) => is_absent(invitation.tenant_id).into(),
            _ => 0,
        }
    }
}

fn write_error(error: &io::Error) -> TransferError {
    TransferError::new(format!("the export cannot be written: {error}"))
}
