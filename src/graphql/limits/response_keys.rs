//! Counts the response keys of an operation.
//!
//! The count follows execution: fragments are merged, and fields with the same response key are
//! collected together (GraphQL, October 2021, section 6.3.2). It is used only for operations whose
//! cost is known to be small. Each group of merged selection sets is visited once.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{Field, Selection, SelectionSet};

use super::{exceeded::check_limit, operation::OperationContext};
use crate::graphql::error::RequestError;

/// The maximum number of selections to visit. A document within the default limits has a few
/// thousand.
const MAX_VISITED_SELECTIONS: u64 = 100_000;

/// The response keys that count towards a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResponseKeyCounts {
    /// The highest number of response keys of one field in one selection set.
    pub(super) aliases: u64,
    /// The number of response keys of the root, without those of `__typename`.
    pub(super) root_fields: u64,
}

/// Counts the response keys of an operation.
///
/// Counting stops at the first selection set in which a field has more than `max_aliases` keys.
pub(super) fn count(
    context: OperationContext<'_>,
    max_aliases: u64,
) -> Result<ResponseKeyCounts, RequestError> {
    let mut collector = FieldCollector { context, visited: HashSet::new(), selections: 0 };
    let mut counts = ResponseKeyCounts::default();
    let mut pending = vec![vec![&context.operation.selection_set.node]];
    let mut is_root = true;
    while let Some(sets) = pending.pop() {
        let fields = collector.collect_fields(&sets)?;
        let mut keys_by_name: HashMap<&str, u64> = HashMap::new();
        for merged in fields.values() {
            if let Some(first) = merged.first() {
                *keys_by_name.entry(first.name.node.as_str()).or_default() += 1;
            }
        }
        counts.aliases = keys_by_name.values().copied().max().unwrap_or(0).max(counts.aliases);
        if is_root {
            let typename = keys_by_name.get("__typename").copied().unwrap_or(0);
            counts.root_fields = (fields.len() as u64).saturating_sub(typename);
            is_root = false;
        }
        if counts.aliases > max_aliases {
            return Ok(counts);
        }
        for merged in fields.into_values() {
            let children: Vec<&SelectionSet> =
                merged.iter().map(|field| &field.selection_set.node).collect();
            let addresses: Vec<usize> =
                children.iter().map(|set| std::ptr::from_ref(*set) as usize).collect();
            let has_selections = children.iter().any(|set| !set.items.is_empty());
            if has_selections && collector.visited.insert(addresses) {
                pending.push(children);
            }
        }
    }
    Ok(counts)
}

struct FieldCollector<'a> {
    context: OperationContext<'a>,
    /// The groups of selection sets that were visited, by the addresses of the sets.
    visited: HashSet<Vec<usize>>,
    /// The number of selections that were visited.
    selections: u64,
}

impl<'a> FieldCollector<'a> {
    /// Returns the fields of several selection sets of one object, by response key.
    ///
    /// This is CollectFields() of the specification.
    fn collect_fields(
        &mut self,
        sets: &[&'a SelectionSet],
    ) -> Result<HashMap<&'a str, Vec<&'a Field>>, RequestError> {
        let mut fields: HashMap<&str, Vec<&Field>> = HashMap::new();
        let mut visited_fragments = HashSet::new();
        let mut pending: Vec<&SelectionSet> = sets.to_vec();
        while let Some(set) = pending.pop() {
            for selection in &set.items {
                self.selections += 1;
                check_limit("complexity", self.selections, MAX_VISITED_SELECTIONS)?;
                if self.context.is_skipped(selection.node.directives()) {
                    continue;
                }
                match &selection.node {
                    Selection::Field(field) => {
                        let key = field.node.response_key().node.as_str();
                        fields.entry(key).or_default().push(&field.node);
                    }
                    Selection::InlineFragment(inline) => {
                        pending.push(&inline.node.selection_set.node);
                    }
                    Selection::FragmentSpread(spread) => {
                        let name = spread.node.fragment_name.node.as_str();
                        if let Some(fragment) = self.context.fragments.get(name)
                            && visited_fragments.insert(name)
                        {
                            pending.push(&fragment.node.selection_set.node);
                        }
                    }
                }
            }
        }
        Ok(fields)
    }
}
