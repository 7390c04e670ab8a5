//! A collection whose documents arrive as raw BSON and whose commands are instrumented.

use std::ops::Deref;

use mongodb::{
    Collection,
    action::Find,
    bson::{Document, RawDocumentBuf, doc},
};

use crate::store::instrumentation::{Command, CommandMetrics};

/// A collection of raw BSON documents. `documents` decodes each of them in one pass, without a
/// copy.
pub(super) struct RawCollection {
    collection: Collection<RawDocumentBuf>,
    command_metrics: CommandMetrics,
}

impl RawCollection {
    pub(super) fn new(
        collection: Collection<RawDocumentBuf>,
        command_metrics: CommandMetrics,
    ) -> Self {
        Self { collection, command_metrics }
    }

    /// Finds documents without their search keys, which no decoder uses.
    ///
    /// The keys are up to a third of a tenant or a user. The server's reply is copied several times.
    pub(super) fn find_without_search_keys(&self, filter: Document) -> Find<'_, RawDocumentBuf> {
        self.collection.find(filter).projection(without_search_keys())
    }

    /// Returns a command that concerns this collection.
    pub(super) fn command(&self, name: &'static str) -> Command<'_> {
        self.command_metrics.command(name, self.collection.name())
    }
}

/// Returns the projection that removes the search keys of a tenant or a user.
pub(super) fn without_search_keys() -> Document {
    doc! { "search": 0 }
}

/// Returns the projection that removes also the parts of a tenant that most queries do not select.
pub(super) fn without_tenant_details() -> Document {
    doc! { "search": 0, "domains": 0, "billingInfo": 0, "integrations": 0 }
}

impl Deref for RawCollection {
    type Target = Collection<RawDocumentBuf>;

    fn deref(&self) -> &Self::Target {
        &self.collection
    }
}
