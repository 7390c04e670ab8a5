//! Conditions of a search on the tables of search keys. `matched_pages` has the statements.

use super::rows::Parameter;
use crate::domain::search::SearchPrefix;

/// The search of a list, and the table that has the search keys of its elements.
pub(super) struct Search {
    pub(super) table: &'static str,
    /// The column of that table with the element's identifier.
    pub(super) owner: &'static str,
    pub(super) prefix: SearchPrefix,
    /// True if the list is in the order of the matched key.
    pub(super) is_order: bool,
}

impl Search {
    /// Returns the condition on a key `s` to be the smallest match of its element, apart from its
    /// class.
    pub(super) fn matches(&self) -> (String, Vec<Parameter>) {
        let mut sql = "s.key >= ?".to_owned();
        let mut parameters = vec![Parameter::text(self.prefix.as_str())];
        if let Some(upper) = self.prefix.upper_bound() {
            sql.push_str(" AND s.key < ?");
            parameters.push(Parameter::text(upper));
        }
        if self.prefix.exceeds_classes() {
            sql.push_str(" AND s.shared < ?");
            parameters.push(Parameter::integer(self.prefix.length() as i64));
        }
        (sql, parameters)
    }

    pub(super) fn in_classes(&self) -> String {
        let classes: Vec<_> = self.prefix.classes().map(|class| class.to_string()).collect();
        format!("s.class IN ({})", classes.join(", "))
    }

    /// Returns the condition on an identifier to be the one of an element that matches.
    pub(super) fn has_match(&self, id: &str) -> (String, Vec<Parameter>) {
        let (matches, parameters) = self.matches();
        let (table, owner) = (self.table, self.owner);
        let classes = self.in_classes();
        let sql =
            format!("{id} IN (SELECT s.{owner} FROM {table} s WHERE {classes} AND {matches})");
        (sql, parameters)
    }
}
