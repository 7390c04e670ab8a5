//! Lists: filters become conditions, a window becomes a range of the index that has the order.

use rusqlite::{Connection, Row, params_from_iter, types::Value};

use super::rows::{self, Parameter, blobs};
use crate::domain::{
    id::ObjectId,
    list::{
        AuditListing, Decoded, Direction, Item, Page, PageEdge, PageRequest, Position, SortKey,
        SubscriptionListing, SubscriptionOrderField, TenantListing, TenantOrderField, TenantScope,
        UserListing, UserOrderField,
    },
    text,
    time::Timestamp,
};

/// What stands for a key that is absent: before every moment there is.
const ABSENT: i64 = i64::MIN;

/// A condition of a list.
struct Condition {
    sql: String,
    /// Whether it may choose the index. Many elements have the same status: a page that looked them
    /// up by it would have to sort them all, so it goes by the list's order and leaves out the rest.
    selective: bool,
}

/// A list before anybody said which page of it.
pub(super) struct List {
    columns: &'static str,
    from: &'static str,
    /// The columns of the index that has the order: the sort key and the identifier.
    key: &'static str,
    id: &'static str,
    direction: Direction,
    conditions: Vec<Condition>,
    parameters: Vec<Parameter>,
    /// A key that is text is compared by its folded form, and given to clients as it is stored.
    stored_key: Option<&'static str>,
}

impl List {
    fn new(
        columns: &'static str,
        from: &'static str,
        (key, id): (&'static str, &'static str),
        direction: Direction,
    ) -> Self {
        let (conditions, parameters) = (Vec::new(), Vec::new());
        Self { columns, from, key, id, direction, conditions, parameters, stored_key: None }
    }

    /// Adds a condition in which each `?` stands for one of the parameters.
    fn filter(
        &mut self,
        condition: impl Into<String>,
        parameters: impl IntoIterator<Item = Parameter>,
    ) {
        self.conditions.push(Condition { sql: condition.into(), selective: true });
        self.parameters.extend(parameters);
    }

    /// Adds a condition on a column, with which it begins, that many elements meet.
    fn filter_unselective(
        &mut self,
        condition: impl Into<String>,
        parameters: impl IntoIterator<Item = Parameter>,
    ) {
        self.conditions.push(Condition { sql: condition.into(), selective: false });
        self.parameters.extend(parameters);
    }

    fn filter_in(&mut self, column: &str, words: Vec<&'static str>) {
        if !words.is_empty() {
            let places = vec!["?"; words.len()].join(", ");
            let parameters = words.into_iter().map(Parameter::text);
            self.filter_unselective(format!("{column} IN ({places})"), parameters);
        }
    }

    /// The statement of a page and its parameters.
    pub(super) fn page_query(mut self, window: &PageRequest) -> (String, Vec<Parameter>) {
        let direction = match window.edge {
            PageEdge::First => self.direction,
            PageEdge::Last => self.direction.reversed(),
        };
        let (after, before) = match self.direction {
            Direction::Asc => (">", "<"),
            Direction::Desc => ("<", ">"),
        };
        for (bound, operator) in [(&window.after, after), (&window.before, before)] {
            if let Some(position) = bound {
                let condition = format!("({}, {}) {operator} (?, ?)", self.key, self.id);
                self.filter(condition, [self.bound(position), id(position.id)]);
            }
        }
        let stored = self.stored_key.unwrap_or(self.key);
        let way = direction.as_str();
        let sql = format!(
            "SELECT {}, {stored} AS sort_key FROM {} {} ORDER BY {} {way}, {} {way} LIMIT ?",
            self.columns,
            self.from,
            self.conditions(true),
            self.key,
            self.id
        );
        self.parameters.push(Parameter::integer(window.size as i64 + 1));
        (sql, self.parameters)
    }

    fn bound(&self, position: &Position) -> Parameter {
        match (&position.key, self.stored_key) {
            (SortKey::Text(key), _) => Parameter::text(text::case_fold(key)),
            (SortKey::Time(at), _) => Parameter::integer(at.millis()),
            (SortKey::Null, None) => Parameter::integer(ABSENT),
            (SortKey::Null, Some(_)) => Parameter::text(""),
        }
    }

    /// The conditions, where `of_page` with a `+` that keeps the planner from an index.
    fn conditions(&self, of_page: bool) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        let sql = self.conditions.iter().map(|condition| {
            let sign = if of_page && !condition.selective { "+" } else { "" };
            format!("{sign}{}", condition.sql)
        });
        format!("WHERE {}", sql.collect::<Vec<_>>().join(" AND "))
    }

    /// The page itself.
    pub(super) fn page<T>(
        self,
        db: &Connection,
        window: &PageRequest,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Decoded<T>>,
    ) -> rusqlite::Result<Page<T>> {
        let (sql, parameters) = self.page_query(window);
        let mut statement = db.prepare_cached(&sql)?;
        let bound = params_from_iter(parameters.into_iter().map(Parameter::bound));
        let items = statement
            .query_map(bound, |row| Ok(Item { position: position(row)?, node: read(row)? }))?;
        Ok(Page::from_lookahead(window, items.collect::<Result<_, _>>()?))
    }

    /// The statement of the count and its parameters.
    pub(super) fn count_query(self) -> (String, Vec<Parameter>) {
        (format!("SELECT count(*) FROM {} {}", self.from, self.conditions(false)), self.parameters)
    }

    /// How many elements the whole list has.
    pub(super) fn count(self, db: &Connection) -> rusqlite::Result<u64> {
        let (sql, parameters) = self.count_query();
        let bound = params_from_iter(parameters.into_iter().map(Parameter::bound));
        db.prepare_cached(&sql)?
            .query_row(bound, |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
    }
}

fn id(id: ObjectId) -> Parameter {
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

/// Tenants.
pub(super) fn tenants(listing: &TenantListing) -> List {
    let (key, stored_key) = match listing.order.field {
        TenantOrderField::CreatedAt => ("t.created_at", None),
        TenantOrderField::UpdatedAt => ("t.updated_at", None),
        TenantOrderField::Name => ("t.name_fold", Some("t.name")),
        TenantOrderField::Slug => ("t.slug_fold", Some("t.slug")),
    };
    let columns = rows::tenant::COLUMNS;
    let mut list = List::new(columns, "tenants t", (key, "t.id"), listing.order.direction);
    list.stored_key = stored_key;
    if let TenantScope::Tenants(ids) = &listing.scope {
        list.filter("t.id IN rarray(?)", [blobs(ids)]);
    }
    let filter = &listing.filter;
    list.filter_in("t.status", filter.status.iter().map(|s| s.as_str()).collect());
    list.filter_in("t.plan", filter.plan.iter().map(|p| p.as_str()).collect());
    if let Some(search) = &filter.search {
        list.filter(
            "t.id IN (SELECT id FROM tenants WHERE slug_fold >= ? AND slug_fold < ? \
             UNION SELECT id FROM tenants WHERE name_fold >= ? AND name_fold < ? \
             UNION SELECT tenant_id FROM tenant_domains WHERE domain_fold >= ? AND domain_fold < ?)",
            [prefix(search), prefix(search), prefix(search)].into_iter().flatten(),
        );
    }
    if let Some(domain) = &filter.domain {
        let condition = "t.id = (SELECT tenant_id FROM tenant_domains WHERE domain = ?)";
        list.filter(condition, [Parameter::text(domain)]);
    }
    list
}

/// Users.
pub(super) fn users(listing: &UserListing) -> List {
    let (key, stored_key) = match listing.order.field {
        UserOrderField::CreatedAt => ("u.created_at", None),
        UserOrderField::UpdatedAt => ("u.updated_at", None),
        UserOrderField::Name => ("u.name_fold", Some("u.name")),
    };
    let columns = rows::user::COLUMNS;
    let mut list = List::new(columns, "users u", (key, "u.id"), listing.order.direction);
    list.stored_key = stored_key;
    let filter = &listing.filter;
    if let Some(search) = &filter.search {
        list.filter(
            "u.id IN (SELECT id FROM users WHERE name_fold >= ? AND name_fold < ? \
             UNION SELECT id FROM users WHERE email_fold >= ? AND email_fold < ?)",
            [prefix(search), prefix(search)].into_iter().flatten(),
        );
    }
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

/// Subscriptions.
pub(super) fn subscriptions(listing: &SubscriptionListing) -> List {
    let key = match listing.order.field {
        SubscriptionOrderField::CreatedAt => "s.created_at",
        SubscriptionOrderField::UpdatedAt => "s.updated_at",
        SubscriptionOrderField::CurrentPeriodEnd => "s.period_key",
    };
    let columns = rows::subscription::COLUMNS;
    let mut list = List::new(columns, "subscriptions s", (key, "s.id"), listing.order.direction);
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

/// Events, newest first. One tenant's are a range of a table of their own.
pub(super) fn audit_events(listing: &AuditListing) -> List {
    let columns = rows::audit::COLUMNS;
    let (from, key) = match listing.tenant {
        None => ("audit_events e", ("e.at", "e.id")),
        Some(_) => (
            "audit_event_tenants x CROSS JOIN audit_events e ON e.id = x.event_id",
            ("x.at", "x.event_id"),
        ),
    };
    let at = key.0;
    let mut list = List::new(columns, from, key, Direction::Desc);
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

/// The bounds of everything that starts with that text, folded.
fn prefix(search: &str) -> [Parameter; 2] {
    let from = text::case_fold(search);
    let to = format!("{from}{}", char::MAX);
    [Parameter::text(from), Parameter::text(to)]
}
