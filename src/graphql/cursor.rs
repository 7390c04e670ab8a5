//! Cursors: a place in one list in one order, opaque to clients.
//!
//! Nothing in one is secret or trusted: it holds what its reader has seen (a sort key and an
//! identifier), and a forged one only begins a page elsewhere in a list that is scoped anyway.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::domain::{
    id::{ObjectId, TenantId},
    list::{
        Direction, Order, Position, SortKey, SubscriptionOrderField, TenantOrderField,
        UserOrderField,
    },
    time::Timestamp,
};

/// Which list, in which order: a cursor of one means nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CursorKind {
    /// Tenants.
    Tenants(Order<TenantOrderField>),
    /// Users.
    Users(Order<UserOrderField>),
    /// Subscriptions.
    Subscriptions(Order<SubscriptionOrderField>),
    /// The whole history.
    AuditLog,
    /// One tenant's history.
    TenantAuditLog(TenantId),
    /// One tenant's members.
    Members(TenantId),
}

impl CursorKind {
    /// What a cursor of this list begins with: the list, the order, and whose it is.
    fn prefix(self) -> Vec<u8> {
        let ordered =
            |list: u8, field: u8, direction: Direction| vec![list, field, direction as u8];
        let owned = |list: u8, tenant: TenantId| [&[list], &tenant.raw.0[..]].concat();
        match self {
            Self::Tenants(order) => ordered(1, order.field as u8, order.direction),
            Self::Users(order) => ordered(2, order.field as u8, order.direction),
            Self::Subscriptions(order) => ordered(3, order.field as u8, order.direction),
            Self::AuditLog => vec![4],
            Self::TenantAuditLog(tenant) => owned(5, tenant),
            Self::Members(tenant) => owned(6, tenant),
        }
    }

    /// Whether this list can have such a sort key.
    const fn fits(self, key: &SortKey) -> bool {
        let text = matches!(
            self,
            Self::Tenants(Order { field: TenantOrderField::Name | TenantOrderField::Slug, .. })
                | Self::Users(Order { field: UserOrderField::Name, .. })
        );
        match key {
            SortKey::Null => true,
            SortKey::Text(_) => text,
            SortKey::Time(_) => !text && !matches!(self, Self::Members(_)),
        }
    }
}

/// Writes a cursor.
pub(super) fn encode(list: CursorKind, position: &Position) -> String {
    let mut bytes = list.prefix();
    bytes.extend(position.id.0);
    match &position.key {
        SortKey::Null => bytes.push(0),
        SortKey::Time(at) => {
            bytes.push(1);
            bytes.extend(at.millis().to_be_bytes());
        }
        SortKey::Text(text) => {
            bytes.push(2);
            bytes.extend(text.as_bytes());
        }
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor of that list; `None` where it is malformed or of another.
pub(super) fn decode(list: CursorKind, cursor: &str) -> Option<Position> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let rest = bytes.strip_prefix(&list.prefix()[..])?;
    let (id, rest) = rest.split_first_chunk()?;
    let (kind, rest) = rest.split_first()?;
    let key = match kind {
        0 if rest.is_empty() => SortKey::Null,
        1 => SortKey::Time(Timestamp::from_millis(i64::from_be_bytes(rest.try_into().ok()?))?),
        2 => SortKey::Text(std::str::from_utf8(rest).ok()?.to_owned()),
        _ => return None,
    };
    list.fits(&key).then_some(Position { key, id: ObjectId(*id) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants(field: TenantOrderField, direction: Direction) -> CursorKind {
        CursorKind::Tenants(Order { field, direction })
    }

    #[test]
    fn a_cursor_belongs_to_its_list_and_order() {
        let at = Timestamp::from_millis(1_767_225_600_007).expect("in range");
        let position = Position { key: SortKey::Time(at), id: ObjectId([7; 12]) };
        let list = tenants(TenantOrderField::CreatedAt, Direction::Desc);
        let cursor = encode(list, &position);
        assert_eq!(decode(list, &cursor), Some(position));
        let one = TenantId::new(ObjectId([1; 12]));
        for other in [
            tenants(TenantOrderField::CreatedAt, Direction::Asc),
            tenants(TenantOrderField::UpdatedAt, Direction::Desc),
            tenants(TenantOrderField::Name, Direction::Desc),
            CursorKind::AuditLog,
            CursorKind::TenantAuditLog(one),
            CursorKind::Members(one),
        ] {
            assert_eq!(decode(other, &cursor), None, "{other:?}");
        }
    }

    #[test]
    fn what_is_not_a_cursor_is_refused() {
        let list = tenants(TenantOrderField::Name, Direction::Asc);
        let position = Position { key: SortKey::Text("Ä".into()), id: ObjectId([7; 12]) };
        let cursor = encode(list, &position);
        assert_eq!(decode(list, &cursor), Some(position));
        let broken_text =
            URL_SAFE_NO_PAD.encode([&list.prefix()[..], &[7; 12], &[2, 0xff]].concat());
        let wrong_key =
            URL_SAFE_NO_PAD.encode([&list.prefix()[..], &[7; 12], &[1], &[0; 8]].concat());
        for bad in ["", "x", "====", &cursor[..cursor.len() - 4], &broken_text, &wrong_key] {
            assert_eq!(decode(list, bad), None, "{bad:?}");
        }
    }
}
