//! Translates listings into statements, and reads pages and counts of them.
//!
//! A filter becomes a condition. The bounds of a page become a range of the index that has the
//! order of the list. Four lists may sort matches of another index: a viewer's own tenants, the
//! subscriptions of given tenants, the users of a tenant, and at most [`MAX_SORTED_MATCHES`] matches
//! of a search in the order of a field. `query_plan_tests.rs` fails on any other sort.
//! `matched_pages` has the statements of a search.

use rusqlite::{Connection, Row, params_from_iter, types::Value};

use super::{
    rows::{self, Parameter, blobs},
    searches::Search,
};
use crate::{
    domain::{
        id::ObjectId,
        invitation::InvitationStatus,
        list::{
            AuditListing, Decoded, Direction, InvitationListing, Item, ListOrder, Order, Page,
            PageEdge, PageRequest, Position, SortKey, SubscriptionListing, SubscriptionOrderField,
            TenantListing, TenantOrderField, TenantScope, UserListing, UserOrderField,
        },
        search::{MAX_SORTED_MATCHES, SearchPrefix},
        text,
        time::Timestamp,
    },
    store::StoreError,
};

/// The sort key of an absent timestamp. It is before every timestamp.
const ABSENT_TIME: i64 = i64::MIN;

/// A condition on the elements of a list.
struct Condition {
    sql: String,
    /// True if the planner may choose an index for this condition. False for a condition that many
    /// elements meet, such as a status. An index of statuses does not have the order of the list,
    /// so all elements of a status would be sorted. Instead, the page reads the index that has the
    /// order, and skips elements of another status.
    selective: bool,
}

/// The query of a list, without a page.
pub(super) struct ListQuery {
    pub(super) columns: &'static str,
    pub(super) from: &'static str,
    /// The sort key, the first column of the index that has the order.
    key: &'static str,
    /// The identifier, the second column of that index.
    pub(super) id: &'static str,
    direction: Direction,
    conditions: Vec<Condition>,
    pub(super) parameters: Vec<Parameter>,
    /// The column with the unfolded key, if the key is text. Text is compared by its folded form,
    /// but a position has it as it is stored.
    stored_key: Option<&'static str>,
    search: Option<Search>,
}

impl ListQuery {
    fn new(
        columns: &'static str,
        from: &'static str,
        (key, id): (&'static str, &'static str),
        direction: Direction,
    ) -> Self {
        let (conditions, parameters, stored_key, search) = Default::default();
        Self { columns, from, key, id, direction, conditions, parameters, stored_key, search }
    }

    /// Adds a condition with a `?` for each of the parameters.
    fn filter(
        &mut self,
        condition: impl Into<String>,
        parameters: impl IntoIterator<Item = Parameter>,
    ) {
        self.conditions.push(Condition { sql: condition.into(), selective: true });
        self.parameters.extend(parameters);
    }

    /// Adds a condition that many elements meet. It must begin with the column.
    fn filter_unselective(
        &mut self,
        condition: impl Into<String>,
        parameters: impl IntoIterator<Item = Parameter>,
    ) {
        self.conditions.push(Condition { sql: condition.into(), selective: false });
        self.parameters.extend(parameters);
    }

    /// Requires one of these values, or any value if the list is empty.
    fn filter_in(&mut self, column: &str, values: Vec<&'static str>) {
        if !values.is_empty() {
            let placeholders = vec!["?"; values.len()].join(", ");
            let parameters = values.into_iter().map(Parameter::text);
            self.filter_unselective(format!("{column} IN ({placeholders})"), parameters);
        }
    }

    /// Returns the statement of a page and its parameters.
    pub(super) fn page_statement(mut self, page: &PageRequest) -> (String, Vec<Parameter>) {
        if let Some(search) = self.search.take() {
            if search.is_order {
                return self.matched_page_statement(&search, page);
            }
            let (condition, parameters) = search.has_match(self.id);
            self.filter(condition, parameters);
        }
        let direction = match page.edge {
            PageEdge::First => self.direction,
            PageEdge::Last => self.direction.reversed(),
        };
        let (after, before) = match self.direction {
            Direction::Asc => (">", "<"),
            Direction::Desc => ("<", ">"),
        };
        for (bound, operator) in [(&page.after, after), (&page.before, before)] {
            if let Some(position) = bound {
                let condition = format!("({}, {}) {operator} (?, ?)", self.key, self.id);
                self.filter(condition, [self.key_parameter(position), id_parameter(position.id)]);
            }
        }
        let stored_key = self.stored_key.unwrap_or(self.key);
        let direction = direction.as_str();
        let sql = format!(
            "SELECT {}, {stored_key} AS sort_key FROM {} {} \
             ORDER BY {} {direction}, {} {direction} LIMIT ?",
            self.columns,
            self.from,
            self.where_clause(true),
            self.key,
            self.id
        );
        self.parameters.push(Parameter::integer(page.size as i64 + 1));
        (sql, self.parameters)
    }

    fn key_parameter(&self, position: &Position) -> Parameter {
        match (&position.key, self.stored_key) {
            (SortKey::Text(key), _) => Parameter::text(text::case_fold(key)),
            (SortKey::Time(at), _) => Parameter::integer(at.millis()),
            (SortKey::Null, None) => Parameter::integer(ABSENT_TIME),
            (SortKey::Null, Some(_)) => Parameter::text(""),
        }
    }

    /// Returns the conditions as a clause.
    fn where_clause(&self, is_page: bool) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        format!("WHERE {}", self.joined_conditions(is_page))
    }

    /// Returns the conditions as a continuation of a clause.
    pub(super) fn and_conditions(&self, is_page: bool) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        format!(" AND {}", self.joined_conditions(is_page))
    }

    /// Returns the conditions. For a page, an unselective condition has a `+`, which keeps the
    /// planner from using an index for it.
    fn joined_conditions(&self, is_page: bool) -> String {
        let sql = self.conditions.iter().map(|condition| {
            let sign = if is_page && !condition.selective { "+" } else { "" };
            format!("{sign}{}", condition.sql)
        });
        sql.collect::<Vec<_>>().join(" AND ")
    }

    pub(super) fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Returns whether an index finds the elements of the list, apart from its search.
    pub(super) fn finds_few(&self) -> bool {
        self.conditions.iter().any(|condition| condition.selective)
    }

    /// Reads a page.
    pub(super) fn read_page<T>(
        self,
        db: &Connection,
        page: &PageRequest,
        decode: impl Fn(&Row<'_>) -> rusqlite::Result<Decoded<T>>,
    ) -> rusqlite::Result<Result<Page<T>, StoreError>> {
        if let Some(search) = self.search.as_ref().filter(|search| !search.is_order) {
            let matches = read_count(db, self.match_count_statement(search, true))?;
            if matches > MAX_SORTED_MATCHES as u64 {
                return Ok(Err(StoreError::TooManyMatches));
            }
        }
        let (sql, parameters) = self.page_statement(page);
        let mut statement = db.prepare_cached(&sql)?;
        let parameters = params_from_iter(parameters.into_iter().map(Parameter::into_sql));
        let items = statement.query_map(parameters, |row| {
            Ok(Item { position: position(row)?, node: decode(row)? })
        })?;
        Ok(Ok(Page::from_lookahead(page, items.collect::<Result<_, _>>()?)))
    }

    /// Returns the statement of the count and its parameters.
    pub(super) fn count_statement(self) -> (String, Vec<Parameter>) {
        match &self.search {
            Some(search) => self.match_count_statement(search, false),
            None => (
                format!("SELECT count(*) FROM {} {}", self.from, self.where_clause(false)),
                self.parameters,
            ),
        }
    }

    /// Returns the number of elements of the whole list.
    pub(super) fn count(self, db: &Connection) -> rusqlite::Result<u64> {
        read_count(db, self.count_statement())
    }
}

fn read_count(
    db: &Connection,
    (sql, parameters): (String, Vec<Parameter>),
) -> rusqlite::Result<u64> {
    let parameters = params_from_iter(parameters.into_iter().map(Parameter::into_sql));
    db.prepare_cached(&sql)?
        .query_row(parameters, |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
}

pub(super) fn id_parameter(id: ObjectId) -> Parameter {
    Parameter::One(Value::Blob(id.0.to_vec()))
}

fn position(row: &Row<'_>) -> rusqlite::Result<Position> {
    let key = match row.get::<_, Value>("sort_key")? {
        Value::Integer(millis) => {
            Timestamp::from_millis(millis).map_or(SortKey::Null, SortKey::Time)
        }
        Value::Text(text) => SortKey::Text(text),
        _ => SortKey::Null,
    };
    Ok(Position { key, id: ObjectId(row.get("id")?) })
}

/// Returns the query of a list of tenants.
pub(super) fn tenants(listing: &TenantListing) -> ListQuery {
    let Order { field, direction } = listing.order.field_or(TenantOrderField::CreatedAt);
    let (key, stored_key) = match field {
        TenantOrderField::CreatedAt => ("t.created_at", None),
        TenantOrderField::UpdatedAt => ("t.updated_at", None),
        TenantOrderField::Name => ("t.name_fold", Some("t.name")),
        TenantOrderField::Slug => ("t.slug_fold", Some("t.slug")),
    };
    let columns = rows::tenant::COLUMNS;
    let mut list = ListQuery::new(columns, "tenants t", (key, "t.id"), direction);
    list.stored_key = stored_key;
    list.search = listing.filter.search.as_ref().map(|text| Search {
        table: "tenant_search_keys",
        owner: "tenant_id",
        prefix: SearchPrefix::new(text),
        is_order: listing.order == ListOrder::MatchedKey,
    });
    if let TenantScope::Tenants(ids) = &listing.scope {
        list.filter("t.id IN rarray(?)", [blobs(ids)]);
    }
    let filter = &listing.filter;
    list.filter_in("t.status", filter.status.iter().map(|s| s.as_str()).collect());
    list.filter_in("t.plan", filter.plan.iter().map(|p| p.as_str()).collect());
    if let Some(domain) = &filter.domain {
        let condition = "t.id = (SELECT tenant_id FROM tenant_domains WHERE domain = ?)";
        list.filter(condition, [Parameter::text(domain)]);
    }
    list
}

/// Returns the query of a list of users.
pub(super) fn users(listing: &UserListing) -> ListQuery {
    let Order { field, direction } = listing.order.field_or(UserOrderField::CreatedAt);
    let (key, stored_key) = match field {
        UserOrderField::CreatedAt => ("u.created_at", None),
        UserOrderField::UpdatedAt => ("u.updated_at", None),
        UserOrderField::Name => ("u.name_fold", Some("u.name")),
    };
    let columns = rows::user::COLUMNS;
    let mut list = ListQuery::new(columns, "users u", (key, "u.id"), direction);
    list.stored_key = stored_key;
    let filter = &listing.filter;
    list.search = filter.search.as_ref().map(|text| Search {
        table: "user_search_keys",
        owner: "user_id",
        prefix: SearchPrefix::new(text),
        is_order: listing.order == ListOrder::MatchedKey,
    });
    if let Some(admin) = filter.platform_admin {
        list.filter_unselective(
            if admin { "u.platform_admin IS NOT NULL" } else { "u.platform_admin IS NULL" },
            [],
        );
    }
    if let Some(disabled) = filter.disabled {
        list.filter_unselective("u.disabled = ?", [Parameter::integer(disabled.into())]);
    }
    if let Some(tenant) = filter.tenant {
        let condition = "u.id IN (SELECT user_id FROM memberships WHERE tenant_id = ?)";
        list.filter(condition, [Parameter::id(tenant)]);
    }
    list
}

/// Returns the query of a list of subscriptions.
pub(super) fn subscriptions(listing: &SubscriptionListing) -> ListQuery {
    let key = match listing.order.field {
        SubscriptionOrderField::CreatedAt => "s.created_at",
        SubscriptionOrderField::UpdatedAt => "s.updated_at",
        SubscriptionOrderField::CurrentPeriodEnd => "s.period_key",
    };
    let columns = rows::subscription::COLUMNS;
    let mut list =
        ListQuery::new(columns, "subscriptions s", (key, "s.id"), listing.order.direction);
    if let TenantScope::Tenants(ids) = &listing.scope {
        list.filter("s.tenant_id IN rarray(?)", [blobs(ids)]);
    }
    let filter = &listing.filter;
    list.filter_in("s.status", filter.status.iter().map(|s| s.as_str()).collect());
    list.filter_in("s.plan", filter.plan.iter().map(|p| p.as_str()).collect());
    if let Some(tenant) = filter.tenant {
        list.filter("s.tenant_id = ?", [Parameter::id(tenant)]);
    }
    list
}

/// Returns the query of a list of invitations, newest first.
pub(super) fn invitations(listing: &InvitationListing) -> ListQuery {
    let columns = rows::invitation::COLUMNS;
    let key = ("i.created_at", "i.id");
    let mut list = ListQuery::new(columns, "invitations i", key, Direction::Desc);
    list.filter("i.tenant_id = ?", [Parameter::id(listing.tenant)]);
    if !listing.status.is_empty() {
        let conditions = listing.status.iter().map(|status| match status {
            InvitationStatus::Pending => PENDING,
            InvitationStatus::Expired => {
                "i.status = 'expired' OR (i.status = 'pending' AND i.expires_at <= ?)"
            }
            InvitationStatus::Accepted => "i.status = 'accepted'",
            InvitationStatus::Revoked => "i.status = 'revoked'",
        });
        let conditions: Vec<_> = conditions.collect();
        let now = Parameter::integer(listing.now.millis());
        let parameters = conditions.iter().filter(|sql| sql.contains('?')).map(|_| now.clone());
        list.filter_unselective(format!("({})", conditions.join(" OR ")), parameters);
    }
    list
}

/// The condition for an invitation that is pending at a time.
pub(super) const PENDING: &str = "i.status = 'pending' AND i.expires_at > ?";

/// Returns the query of a list of audit events, newest first. The events of one tenant are a range
/// of a table of their own.
pub(super) fn audit_events(listing: &AuditListing) -> ListQuery {
    let columns = rows::audit::COLUMNS;
    let (from, key) = match listing.tenant {
        None => ("audit_events e", ("e.at", "e.id")),
        Some(_) => (
            "audit_event_tenants x CROSS JOIN audit_events e ON e.id = x.event_id",
            ("x.at", "x.event_id"),
        ),
    };
    let at = key.0;
    let mut list = ListQuery::new(columns, from, key, Direction::Desc);
    if let Some(tenant) = listing.tenant {
        list.filter("x.tenant_id = ?", [Parameter::id(tenant)]);
    }
    if let Some(actor) = listing.actor {
        list.filter("e.actor = ?", [Parameter::id(actor)]);
    }
    if let Some(action) = &listing.action {
        list.filter("e.action = ?", [Parameter::text(action)]);
    }
    if let Some(since) = listing.since {
        list.filter(format!("{at} >= ?"), [Parameter::integer(since.millis())]);
    }
    if let Some(until) = listing.until {
        list.filter(format!("{at} < ?"), [Parameter::integer(until.millis())]);
    }
    list
}
