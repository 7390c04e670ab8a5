//! Statements of lists with a search.
//!
//! In the order of the matched key, a page is merged from one range of keys per class
//! ([`SearchKey::class`]), each of which is in order. So no match is sorted, and no key is read that
//! is not the smallest match of its element. A list of few elements (a viewer's own tenants, the
//! users of a tenant) is found by its elements instead, and their matching keys are sorted.
//!
//! [`SearchKey::class`]: crate::domain::search::SearchKey::class

use super::{
    lists::{ListQuery, id_parameter},
    rows::Parameter,
    searches::Search,
};
use crate::domain::{
    list::{Direction, PageEdge, PageRequest, SortKey},
    search::MAX_SORTED_MATCHES,
};

impl ListQuery {
    /// Returns the statement of a page in the order of the matched key.
    pub(super) fn matched_page_statement(
        &self,
        search: &Search,
        page: &PageRequest,
    ) -> (String, Vec<Parameter>) {
        let direction = match page.edge {
            PageEdge::First => Direction::Asc,
            PageEdge::Last => Direction::Desc,
        };
        let owner = search.owner;
        let (mut condition, mut parameters) = search.matches();
        for (bound, operator) in [(&page.after, ">"), (&page.before, "<")] {
            let Some(position) = bound else { continue };
            let SortKey::Text(key) = &position.key else { continue };
            condition.push_str(&format!(" AND (s.key, s.{owner}) {operator} (?, ?)"));
            parameters.extend([Parameter::text(key), id_parameter(position.id)]);
        }
        let columns = format!("{}, s.key AS sort_key, s.{owner} AS sort_id", self.columns);
        let is_narrow = self.finds_few();
        let classes: Vec<_> = if is_narrow {
            vec![search.in_classes()]
        } else {
            search.prefix.classes().map(|class| format!("s.class = {class}")).collect()
        };
        let select = |class: &String| {
            let from = self.joined(search, is_narrow);
            let and = self.and_conditions(true);
            format!("SELECT {columns} FROM {from} WHERE {class} AND {condition}{and}")
        };
        let selects: Vec<_> = classes.iter().map(select).collect();
        let mut all = Vec::new();
        for _ in &selects {
            all.extend(parameters.iter().cloned());
            all.extend(self.parameters.iter().cloned());
        }
        all.push(Parameter::integer(page.size as i64 + 1));
        let direction = direction.as_str();
        let selects = selects.join(" UNION ALL ");
        let order = format!("ORDER BY sort_key {direction}, sort_id {direction}");
        (format!("{selects} {order} LIMIT ?"), all)
    }

    /// Returns the statement that counts the matches, up to one more than a store sorts if
    /// `is_bounded` is true.
    pub(super) fn match_count_statement(
        &self,
        search: &Search,
        is_bounded: bool,
    ) -> (String, Vec<Parameter>) {
        let from = if self.has_conditions() {
            self.joined(search, self.finds_few())
        } else {
            format!("{} s", search.table)
        };
        let (condition, mut parameters) = search.matches();
        parameters.extend(self.parameters.iter().cloned());
        let (classes, and) = (search.in_classes(), self.and_conditions(true));
        let matches = format!("FROM {from} WHERE {classes} AND {condition}{and}");
        if !is_bounded {
            return (format!("SELECT count(*) {matches}"), parameters);
        }
        parameters.push(Parameter::integer(MAX_SORTED_MATCHES as i64 + 1));
        (format!("SELECT count(*) FROM (SELECT 1 {matches} LIMIT ?)"), parameters)
    }

    /// Returns the join of the elements and their keys. The planner keeps its order.
    fn joined(&self, search: &Search, elements_first: bool) -> String {
        let (keys, elements) = (format!("{} s", search.table), self.from);
        let (first, second) = if elements_first { (elements, &*keys) } else { (&*keys, elements) };
        format!("{first} CROSS JOIN {second} ON {} = s.{}", self.id, search.owner)
    }
}
