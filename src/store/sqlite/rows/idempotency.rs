//! Converts the completed mutations of an idempotent request, which are stored as JSON.

use serde::{Deserialize, Serialize};

use crate::domain::{id::NodeId, idempotency::CompletedMutation};

#[derive(Serialize, Deserialize)]
struct StepJson {
    ordinal: u32,
    ids: Vec<String>,
}

/// Parses completed mutations, or returns `None` if the JSON has an unknown structure.
pub(in super::super) fn parse_steps(json: &str) -> Option<Vec<CompletedMutation>> {
    let steps: Vec<StepJson> = serde_json::from_str(json).ok()?;
    let step = |step: StepJson| {
        let ids = step.ids.iter().map(|id| NodeId::parse(id)).collect::<Option<_>>()?;
        Some(CompletedMutation { root_field_index: step.ordinal, ids })
    };
    steps.into_iter().map(step).collect()
}

/// Serializes a completed mutation.
pub(in super::super) fn step_json(step: &CompletedMutation) -> rusqlite::Result<String> {
    let ids = step.ids.iter().map(ToString::to_string).collect();
    super::to_json(&StepJson { ordinal: step.root_field_index, ids })
}
