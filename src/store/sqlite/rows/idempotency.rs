//! What a request did, as JSON.

use serde::{Deserialize, Serialize};

use crate::domain::{id::NodeId, idempotency::CompletedMutation};

#[derive(Serialize, Deserialize)]
struct StepJson {
    ordinal: u32,
    ids: Vec<String>,
}

/// Reads steps; `None` where they are not of the form known here.
pub(in super::super) fn steps(json: &str) -> Option<Vec<CompletedMutation>> {
    let steps: Vec<StepJson> = serde_json::from_str(json).ok()?;
    let step = |step: StepJson| {
        let ids = step.ids.iter().map(|id| NodeId::parse(id)).collect::<Option<_>>()?;
        Some(CompletedMutation { root_field_index: step.ordinal, ids })
    };
    steps.into_iter().map(step).collect()
}

/// Writes a step.
pub(in super::super) fn step_json(step: &CompletedMutation) -> rusqlite::Result<String> {
    let ids = step.ids.iter().map(ToString::to_string).collect();
    super::to_json(&StepJson { ordinal: step.root_field_index, ids })
}
