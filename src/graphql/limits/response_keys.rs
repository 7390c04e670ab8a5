//! Response keys, counted as the document would run: fragments merged, and fields of one key taken
//! together (GraphQL, October 2021, section 6.3.2). Only for documents whose cost is known to be
//! small; what merges the same parts is looked at once.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{Field, Selection, SelectionSet};

use super::{OperationContext, RequestError, check_limit};

/// How many selections may be looked at. A document of the usual limits has a few thousand.
const STEPS: u64 = 100_000;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResponseKeyCounts {
    /// The most response keys that one field has in one selection set.
    pub(super) aliases: u64,
    /// The response keys of the root, less those of `__typename`.
    pub(super) root_fields: u64,
}

/// Counts the response keys of an operation; stops at the first place with more than `most`.
pub(super) fn of(
    asked: OperationContext<'_>,
    most: u64,
) -> Result<ResponseKeyCounts, RequestError> {
    let mut walk = Walk { asked, seen: HashSet::new(), steps: 0 };
    let mut keys = ResponseKeyCounts::default();
    let mut waiting = vec![vec![&asked.operation.selection_set.node]];
    let mut index = true;
    while let Some(sets) = waiting.pop() {
        let fields = walk.collect(&sets)?;
        let mut by_name: HashMap<&str, u64> = HashMap::new();
        for same in fields.values() {
            if let Some(first) = same.first() {
                *by_name.entry(first.name.node.as_str()).or_default() += 1;
            }
        }
        keys.aliases = by_name.values().copied().max().unwrap_or(0).max(keys.aliases);
        if index {
            let typename = by_name.get("__typename").copied().unwrap_or(0);
            keys.root_fields = (fields.len() as u64).saturating_sub(typename);
            index = false;
        }
        if keys.aliases > most {
            return Ok(keys);
        }
        for same in fields.into_values() {
            let below: Vec<&SelectionSet> = same.iter().map(|f| &f.selection_set.node).collect();
            let known: Vec<usize> =
                below.iter().map(|set| std::ptr::from_ref(*set) as usize).collect();
            let any = below.iter().any(|set| !set.items.is_empty());
            if any && walk.seen.insert(known) {
                waiting.push(below);
            }
        }
    }
    Ok(keys)
}

struct Walk<'a> {
    asked: OperationContext<'a>,
    /// The groups of selection sets that were looked at, by where they lie.
    seen: HashSet<Vec<usize>>,
    steps: u64,
}

impl<'a> Walk<'a> {
    /// The fields of several selection sets of one object, by response key.
    fn collect(
        &mut self,
        sets: &[&'a SelectionSet],
    ) -> Result<HashMap<&'a str, Vec<&'a Field>>, RequestError> {
        let mut fields: HashMap<&str, Vec<&Field>> = HashMap::new();
        let mut spread = HashSet::new();
        let mut waiting: Vec<&SelectionSet> = sets.to_vec();
        while let Some(set) = waiting.pop() {
            for selection in &set.items {
                self.steps += 1;
                check_limit("complexity", self.steps, STEPS)?;
                if self.asked.is_skipped(selection.node.directives()) {
                    continue;
                }
                match &selection.node {
                    Selection::Field(field) => {
                        let key = field.node.response_key().node.as_str();
                        fields.entry(key).or_default().push(&field.node);
                    }
                    Selection::InlineFragment(inline) => {
                        waiting.push(&inline.node.selection_set.node);
                    }
                    Selection::FragmentSpread(spread_of) => {
                        let name = spread_of.node.fragment_name.node.as_str();
                        if let Some(fragment) = self.asked.fragments.get(name)
                            && spread.insert(name)
                        {
                            waiting.push(&fragment.node.selection_set.node);
                        }
                    }
                }
            }
        }
        Ok(fields)
    }
}
