//! A collection whose documents arrive as raw BSON and whose commands are instrumented.

use std::ops::Deref;

use mongodb::{Collection, bson::RawDocumentBuf};

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

    /// Returns a command that concerns this collection.
    pub(super) fn command(&self, name: &'static str) -> Command<'_> {
        self.command_metrics.command(name, self.collection.name())
    }
}

impl Deref for RawCollection {
    type Target = Collection<RawDocumentBuf>;

    fn deref(&self) -> &Self::Target {
        &self.collection
    }
}
