//! Checks a whole file before anything is written.

use std::{cmp::Reverse, collections::HashSet, fs::File};

use super::{
    error::TransferError,
    line::{parse_header, parse_line},
    reader::LineReader,
    unique::UniqueHashes,
};
use crate::domain::{
    id::{ObjectId, TenantId},
    record::{Record, TransferScope},
    time::Timestamp,
};

/// A file that was checked.
pub struct ImportFile {
    pub(super) file: File,
    /// The scope of the export.
    pub scope: TransferScope,
    /// The number of its records.
    pub records: u64,
    /// The SHA-256 digest of its bytes.
    pub(super) digest: [u8; 32],
}

impl ImportFile {
    /// Calls `visit` with the number and the record of each line.
    pub(super) fn records(&self) -> Result<Records<'_>, TransferError> {
        let mut lines = LineReader::new(&self.file)?;
        lines.next()?;
        Ok(Records { lines })
    }
}

/// The records of a file, in their order.
pub(super) struct Records<'a> {
    lines: LineReader<'a>,
}

impl Records<'_> {
    pub(super) fn next(&mut self) -> Result<Option<(u64, Record)>, TransferError> {
        let Some((number, text)) = self.lines.next()? else { return Ok(None) };
        let record = parse_line(text).map_err(|reason| TransferError::at(number, reason))?;
        Ok(Some((number, record)))
    }
}

/// Reads a file to its end, and checks the form of each line, the order, references and unique values.
///
/// # Errors
///
/// Returns an error that names the first line with a fault.
pub fn validate(file: File) -> Result<ImportFile, TransferError> {
    let mut lines = LineReader::new(&file)?;
    let scope = match lines.next()? {
        None => return Err(TransferError::new("the file is empty; expected an export")),
        Some((number, text)) => {
            parse_header(text).map_err(|reason| TransferError::at(number, reason))?
        }
    };
    let (mut validator, mut hashes, mut records) =
        (Validator::new(scope), UniqueHashes::default(), 0);
    while let Some((number, text)) = lines.next()? {
        let fault = |reason| TransferError::at(number, reason);
        let record = parse_line(text).map_err(fault)?;
        validator.check(&record).map_err(fault)?;
        hashes.add(&record);
        records += 1;
    }
    validator.finish()?;
    let digest = lines.digest();
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    let checked = ImportFile { file, scope, records, digest: bytes };
    if let Some(mut repeated) = hashes.repeated() {
        let mut records = checked.records()?;
        while let Some((number, record)) = records.next()? {
            if let Some(reason) = repeated.find(number, &record) {
                return Err(TransferError::at(number, reason));
            }
        }
    }
    Ok(checked)
}

/// The position of a record in the order of a file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    Tenant(ObjectId),
    User(ObjectId),
    Subscription(ObjectId),
    Invitation(ObjectId),
    AuditEvent(ObjectId),
    Tombstone(String, String, Reverse<Timestamp>),
}

fn position(record: &Record) -> Position {
    match record {
        Record::Tenant(tenant) => Position::Tenant(tenant.id.raw),
        Record::User(user) => Position::User(user.id.raw),
        Record::Subscription(subscription) => Position::Subscription(subscription.id.raw),
        Record::Invitation(invitation) => Position::Invitation(invitation.id.raw),
        Record::AuditEvent(event) => Position::AuditEvent(event.id.raw),
        Record::Tombstone(tombstone) => {
            let identity = &tombstone.identity;
            let deleted_at = Reverse(tombstone.deleted_at);
            Position::Tombstone(identity.subject.clone(), identity.issuer.clone(), deleted_at)
        }
    }
}

/// Checks records one after another.
struct Validator {
    scope: TransferScope,
    last: Option<Position>,
    /// The identifiers of the tenants of the file, in ascending order.
    tenants: Vec<TenantId>,
}

impl Validator {
    const fn new(scope: TransferScope) -> Self {
        Self { scope, last: None, tenants: Vec::new() }
    }

    fn check(&mut self, record: &Record) -> Result<(), String> {
        let position = position(record);
        match &self.last {
            Some(last) if *last == position => {
                return Err("the same identifier as the line before".to_owned());
            }
            Some(last) if *last > position => {
                let order = "lines must be in the order tenant, user, subscription, invitation, \
                    auditEvent, tombstone, and by identifier within a type";
                return Err(order.to_owned());
            }
            _ => self.last = Some(position),
        }
        if let Record::Tenant(tenant) = record {
            self.tenants.push(tenant.id);
        }
        self.check_references(record)?;
        match self.scope {
            TransferScope::Everything => Ok(()),
            TransferScope::Tenant(tenant) => check_scope(record, tenant),
        }
    }

    /// Checks that the file has the tenants of memberships, subscriptions and invitations.
    ///
    /// Other references may lead to entities that are deleted.
    fn check_references(&self, record: &Record) -> Result<(), String> {
        let require = |tenant: TenantId| match self.tenants.binary_search(&tenant) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("the tenant {tenant} is not in the file")),
        };
        match record {
            Record::User(user) => {
                let mut seen = HashSet::new();
                for membership in &user.memberships {
                    require(membership.tenant_id)?;
                    if !seen.insert(membership.tenant_id) {
                        return Err(format!("two memberships in {}", membership.tenant_id));
                    }
                }
                if user.identity.subject.is_empty() || user.identity.issuer.is_empty() {
                    return Err("issuer and subject must not be empty".to_owned());
                }
                Ok(())
            }
            Record::Subscription(subscription) => require(subscription.tenant_id),
            Record::Invitation(invitation) => require(invitation.tenant_id),
            Record::AuditEvent(event) => {
                let mut seen = HashSet::new();
                match event.tenants.iter().find(|tenant| !seen.insert(**tenant)) {
                    Some(tenant) => Err(format!("tenantIds: {tenant} occurs twice")),
                    None => Ok(()),
                }
            }
            Record::Tenant(_) | Record::Tombstone(_) => Ok(()),
        }
    }

    fn finish(&self) -> Result<(), TransferError> {
        match self.scope {
            TransferScope::Tenant(tenant) if self.tenants.is_empty() => {
                Err(TransferError::new(format!("the file ends without the tenant {tenant}")))
            }
            _ => Ok(()),
        }
    }
}

/// Checks that a record belongs to the tenant of the file alone. So an import of a tenant cannot give
/// rights in another one or on the platform.
fn check_scope(record: &Record, tenant: TenantId) -> Result<(), String> {
    let is_own = match record {
        Record::Tenant(found) => found.id == tenant,
        Record::User(user) => {
            if user.platform_admin.is_some() {
                return Err("the export of a tenant has no platform admins".to_owned());
            }
            user.memberships.len() == 1
        }
        Record::Subscription(subscription) => subscription.tenant_id == tenant,
        Record::Invitation(invitation) => invitation.tenant_id == tenant,
        Record::AuditEvent(event) => event.tenants == [tenant],
        Record::Tombstone(_) => false,
    };
    if is_own { Ok(()) } else { Err(format!("does not belong to {tenant} alone")) }
}
