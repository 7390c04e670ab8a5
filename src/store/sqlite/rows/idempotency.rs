//! What a request did, as JSON.

use serde::{Deserialize, Serialize};

use crate::domain::{id::NodeId, request::Step};

#[derive(Serialize, Deserialize)]
struct StepJson {
    ordinal: u32,
    ids: Vec<String>,
}

/// Reads steps; `None` where they are not of the form known here.
pub(in super::super) fn steps(json: &str) -> Option<Vec<Step>> {
    let steps: Vec<StepJson> = serde_json::from_str(json).ok()?;
    let step = |step: StepJson| {
        let ids = step.ids.iter().map(|id| NodeId::parse(id)).collect::<Option<_>>()?;
        Some(Step { ordinal: step.ordinal, ids })
    };
    steps.into_iter().map(step).collect()
}

/// Writes a step.
pub(in super::super) fn step_json(step: &Step) -> rusqlite::Result<String> {
    let ids = step.ids.iter().map(ToString::to_string).collect();
    super::to_json(&StepJson { ordinal: step.ordinal, ids })
}
