//! Finds cycles in the graph of imports.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Graph;

/// Returns each group of files that import each other, directly or through others.
pub(super) fn find(graph: &Graph) -> Vec<String> {
    let reachable: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|file| (file.as_str(), reachable_from(graph, file))).collect();
    let mut cycles = BTreeSet::new();
    for (file, targets) in &reachable {
        if targets.contains(file) {
            let group = targets.iter().filter(|target| reachable[*target].contains(file));
            cycles.insert(group.copied().collect::<Vec<_>>().join(" <-> "));
        }
    }
    cycles.into_iter().collect()
}

fn reachable_from<'a>(graph: &'a Graph, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = graph[file].iter().map(String::as_str).collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(graph.get(file).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}

#[test]
fn cycles_are_found_and_chains_are_not() {
    let edges = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["b", "d"]), ("d", vec![])];
    let graph: Graph = edges
        .into_iter()
        .map(|(file, to)| (file.to_owned(), to.into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(find(&graph), ["b <-> c"]);
}
