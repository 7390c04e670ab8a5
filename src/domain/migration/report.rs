//! The report of a migration.

use super::OldCollection;
use crate::domain::string_enum;

string_enum! {
    /// The kind of a remark about one document.
    pub enum FindingKind {
        /// The document cannot be converted and was left as it was.
        Left = "left",
        /// The slug was changed: folded to lower case, or numbered because another tenant has it.
        SlugChanged = "slugChanged",
        /// The name was missing and was derived from another field.
        NameDerived = "nameDerived",
        /// The role is unknown, and the user became a member.
        UnknownRole = "unknownRole",
        /// A tenant of the user does not exist, so there is no membership in it.
        AbsentTenant = "absentTenant",
        /// A domain was written in another form.
        DomainChanged = "domainChanged",
        /// A domain belongs to another tenant, and moved to `legacyDomains`.
        DuplicateDomain = "duplicateDomain",
        /// The group belongs to another tenant, and was not taken over.
        DuplicateGroup = "duplicateGroup",
        /// The subscription was live beside a newer one, and was canceled.
        SubscriptionCanceled = "subscriptionCanceled",
    }
}

impl FindingKind {
    /// Returns a heading for findings of this kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Left => "Left as they were, because a value cannot be converted",
            Self::SlugChanged => "Slugs changed",
            Self::NameDerived => "Missing names, taken from another field",
            Self::UnknownRole => "Unknown roles, now member",
            Self::AbsentTenant => "Users of tenants that do not exist, without a membership there",
            Self::DomainChanged => "Domains written in another form",
            Self::DuplicateDomain => "Domains of another tenant, moved to legacyDomains",
            Self::DuplicateGroup => "Groups of another tenant, not taken over",
            Self::SubscriptionCanceled => "Live subscriptions canceled beside a newer one",
        }
    }
}

/// A remark about one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The collection of the document.
    pub collection: OldCollection,
    /// The identifier of the document, in hexadecimal digits or as it is stored.
    pub id: String,
    /// The kind of the remark.
    pub kind: FindingKind,
    /// The field with its values, or the reason.
    pub detail: String,
}

/// The numbers of documents of one collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectionCounts {
    /// All documents of the collection.
    pub documents: u64,
    /// The documents that were converted.
    pub converted: u64,
    /// The documents whose old fields were removed.
    pub finished: u64,
    /// The documents that needed no change.
    pub unchanged: u64,
    /// The documents that cannot be converted and were left as they were.
    pub left: u64,
}

/// The result of a migration or of a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// The numbers of each collection, in the order of [`OldCollection::ALL`].
    pub counts: [CollectionCounts; 3],
    /// The dropped unique indexes of other programs: collection and name.
    pub dropped_indexes: Vec<(String, String)>,
    /// `true` if the run changed a document or an index, or would change one.
    pub changed: bool,
}

impl MigrationReport {
    /// Returns the counts of a collection.
    pub const fn counts_mut(&mut self, collection: OldCollection) -> &mut CollectionCounts {
        &mut self.counts[collection as usize]
    }

    /// Returns the number of documents that were left as they were.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.counts.iter().map(|counts| counts.left).sum()
    }
}

/// The state of a database, as the start of the gateway sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// A migration was interrupted.
    Running,
    /// The latest migration has ended, and left this number of documents as they were.
    Done {
        /// The number of documents.
        left: u64,
    },
}
