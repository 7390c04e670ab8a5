//! The takeover of a database that the former Node service wrote: its fields and the report.
//!
//! [`slugs`] assigns slugs. The store converts the documents.

pub mod report;
pub mod slugs;

/// The collections of the former service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OldCollection {
    /// The collection of tenants.
    Tenants,
    /// The collection of users.
    Users,
    /// The collection of subscriptions.
    Subscriptions,
}

impl OldCollection {
    /// All collections, in the order in which they are converted.
    pub const ALL: [Self; 3] = [Self::Tenants, Self::Users, Self::Subscriptions];

    /// Returns the name of the collection.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Users => "users",
            Self::Subscriptions => "subscriptions",
        }
    }

    /// Returns the collection with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.as_str() == name)
    }

    /// Returns the names of the fields that the migration reads.
    #[must_use]
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Tenants => &[
                "slug",
                "name",
                "status",
                "plan",
                "domains",
                "billingInfo",
                "authentikGroup",
                "ocisSpace",
                "stalwartDomain",
                "createdAt",
                "updatedAt",
            ],
            Self::Users => &[
                "authentikSubjectId",
                "tenantIds",
                "email",
                "name",
                "role",
                "platformAdmin",
                "createdAt",
                "updatedAt",
            ],
            Self::Subscriptions => &[
                "tenantId",
                "plan",
                "status",
                "stripeCustomerId",
                "stripeSubscriptionId",
                "stripePriceId",
                "currentPeriodStart",
                "currentPeriodEnd",
                "cancelAtPeriodEnd",
                "createdAt",
                "updatedAt",
            ],
        }
    }
}

/// A field of the database that stands for one of the known names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMapping {
    /// The collection that has the field.
    pub collection: OldCollection,
    /// The path of the field in the database.
    pub stored: String,
    /// The name that it stands for, one of [`OldCollection::fields`].
    pub name: &'static str,
}

/// The options of a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationOptions {
    /// `true` to report only, and to change nothing.
    pub dry_run: bool,
    /// `true` to remove the old fields.
    pub finish: bool,
    /// The fields with other names than those of [`OldCollection::fields`].
    pub mappings: Vec<FieldMapping>,
}
