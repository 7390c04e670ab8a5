//! Finds values that occur twice but must be unique, with eight bytes of memory for each value.
//!
//! A first pass over the file collects hashes. Only if two of them are equal, a second pass compares the
//! values themselves.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::domain::{
    invitation::{Invitation, InvitationStatus},
    record::Record,
};

/// A value that must be unique among the records of a file, and the name of its field.
type UniqueValue = (&'static str, String);

/// Returns the values of a record that no other record may have.
fn unique_values(record: &Record) -> Vec<UniqueValue> {
    match record {
        Record::Tenant(tenant) => {
            let mut values = vec![("slug", tenant.slug.clone())];
            values.extend(tenant.domains.iter().map(|domain| ("domains", domain.clone())));
            let integrations = tenant.integrations.as_ref();
            let group = integrations.and_then(|integrations| integrations.authentik_group.clone());
            values.extend(group.map(|group| ("integrations.authentikGroup", group)));
            values
        }
        Record::User(user) => {
            let identity = &user.identity;
            vec![("subject", format!("{} of {}", identity.subject, identity.issuer))]
        }
        Record::Subscription(subscription) if !subscription.status.is_ended() => {
            vec![("live subscription of", subscription.tenant_id.to_string())]
        }
        Record::Invitation(invitation) if invitation.status == InvitationStatus::Pending => {
            let Invitation { email, tenant_id, .. } = invitation;
            vec![("pending invitation of", format!("{email} to {tenant_id}"))]
        }
        Record::Subscription(_)
        | Record::Invitation(_)
        | Record::AuditEvent(_)
        | Record::Tombstone(_) => Vec::new(),
    }
}

fn hash(value: &UniqueValue) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Collects the hashes of all unique values.
#[derive(Default)]
pub(super) struct UniqueHashes(Vec<u64>);

impl UniqueHashes {
    pub(super) fn add(&mut self, record: &Record) {
        self.0.extend(unique_values(record).iter().map(hash));
    }

    /// Returns a search for the repeated values, or `None` if there are none.
    pub(super) fn repeated(mut self) -> Option<RepeatedValues> {
        self.0.sort_unstable();
        let repeated = self.0.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let hashes: HashSet<u64> = repeated.collect();
        (!hashes.is_empty()).then(|| RepeatedValues { hashes, lines: HashMap::new() })
    }
}

/// Searches for repeated values among those whose hashes are equal.
pub(super) struct RepeatedValues {
    hashes: HashSet<u64>,
    lines: HashMap<UniqueValue, u64>,
}

impl RepeatedValues {
    /// Returns a message if the record of this line repeats a value of an earlier one.
    pub(super) fn find(&mut self, line: u64, record: &Record) -> Option<String> {
        let mut values = unique_values(record);
        values.retain(|value| self.hashes.contains(&hash(value)));
        values.into_iter().find_map(|value| {
            let (field, text) = value.clone();
            let earlier = self.lines.insert(value, line)?;
            let text: String = text.chars().take(100).collect();
            Some(format!("the {field} {text:?} is also in line {earlier}"))
        })
    }
}
