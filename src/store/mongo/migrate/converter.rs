//! Converts a document of any of the three collections.

use mongodb::bson::RawDocument;

use super::{
    fields::{Conversion, OldFields},
    subscription::{self, SubscriptionContext},
    tenant::{self, TenantContext},
    user::{self, UserContext},
};
use crate::domain::migration::{MigrationOptions, OldCollection};

/// The parts of the database that decide about a document.
pub(super) enum Context<'c> {
    Tenants(&'c TenantContext),
    Users(UserContext<'c>),
    Subscriptions(SubscriptionContext<'c>),
}

/// Converts the documents of one collection.
pub(super) struct Converter<'c> {
    pub(super) fields: &'c OldFields,
    pub(super) context: Context<'c>,
    /// `true` to remove the old fields of a converted document.
    pub(super) finish: bool,
}

impl<'c> Converter<'c> {
    pub(super) fn new(
        fields: &'c OldFields,
        context: Context<'c>,
        options: &MigrationOptions,
    ) -> Self {
        Self { fields, context, finish: options.finish }
    }

    pub(super) const fn collection(&self) -> OldCollection {
        match self.context {
            Context::Tenants(_) => OldCollection::Tenants,
            Context::Users(_) => OldCollection::Users,
            Context::Subscriptions(_) => OldCollection::Subscriptions,
        }
    }

    /// Returns the changes of a document, and the reason if it is left as it is.
    pub(super) fn convert<'a>(&self, raw: &'a RawDocument) -> (Conversion<'a>, Option<String>) {
        let fields = self.fields;
        let converted = match &self.context {
            Context::Tenants(context) => tenant::convert(raw, fields, context),
            Context::Users(context) => user::convert(raw, fields, context),
            Context::Subscriptions(context) => subscription::convert(raw, fields, context),
        };
        match (converted, &self.context) {
            (Ok(mut conversion), _) => {
                if self.finish {
                    conversion.remove_old_fields(fields);
                }
                (conversion, None)
            }
            (Err(reason), Context::Tenants(context)) => {
                (tenant::adjust(raw, fields, context), Some(reason))
            }
            (Err(reason), Context::Users(_)) => (Conversion::new(raw), Some(reason)),
            (Err(reason), Context::Subscriptions(context)) => {
                (subscription::adjust(raw, context), Some(reason))
            }
        }
    }
}
