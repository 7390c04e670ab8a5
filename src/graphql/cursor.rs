//! Encodes and decodes cursors: positions in one list in one order, opaque to clients.
//!
//! A cursor is neither secret nor trusted. It contains a sort key and an identifier, both of which
//! its reader has already seen. A forged cursor only starts a page at another position of a list,
//! and the list is restricted to visible elements in any case.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::domain::{
    id::{ObjectId, TenantId},
    list::{
        Direction, ListOrder, Order, Position, SortKey, SubscriptionOrderField, TenantOrderField,
        UserOrderField,
    },
    time::Timestamp,
};

/// The list and the order that a cursor belongs to. It is invalid in any other list or order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CursorKind {
    /// The list of tenants, in this order.
    Tenants(ListOrder<TenantOrderField>),
    /// The list of users, in this order.
    Users(ListOrder<UserOrderField>),
    /// The list of subscriptions, in this order.
    Subscriptions(Order<SubscriptionOrderField>),
    /// The audit log of the platform.
    AuditLog,
    /// The audit log of this tenant.
    TenantAuditLog(TenantId),
    /// The members of this tenant.
    Members(TenantId),
    /// The invitations of this tenant.
    Invitations(TenantId),
}

impl CursorKind {
    /// Returns the first bytes of each cursor of this list: the list, its order and its tenant.
    fn prefix(self) -> Vec<u8> {
        let order_prefix =
            |list: u8, field: u8, direction: Direction| vec![list, field, direction as u8];
        let tenant_prefix = |list: u8, tenant: TenantId| [&[list], &tenant.raw.0[..]].concat();
        match self {
            Self::Tenants(ListOrder::Field(order)) => {
                order_prefix(1, order.field as u8, order.direction)
            }
            Self::Users(ListOrder::Field(order)) => {
                order_prefix(2, order.field as u8, order.direction)
            }
            Self::Tenants(ListOrder::MatchedKey) => vec![7],
            Self::Users(ListOrder::MatchedKey) => vec![8],
            Self::Subscriptions(order) => order_prefix(3, order.field as u8, order.direction),
            Self::AuditLog => vec![4],
            Self::TenantAuditLog(tenant) => tenant_prefix(5, tenant),
            Self::Members(tenant) => tenant_prefix(6, tenant),
            Self::Invitations(tenant) => tenant_prefix(9, tenant),
        }
    }

    /// Returns `true` if a position in this list can have this sort key.
    const fn accepts(self, key: &SortKey) -> bool {
        let is_search = matches!(
            self,
            Self::Tenants(ListOrder::MatchedKey) | Self::Users(ListOrder::MatchedKey)
        );
        let is_text = is_search
            || matches!(
                self,
                Self::Tenants(ListOrder::Field(Order {
                    field: TenantOrderField::Name | TenantOrderField::Slug,
                    ..
                })) | Self::Users(ListOrder::Field(Order { field: UserOrderField::Name, .. }))
            );
        match key {
            SortKey::Null => !is_search,
            SortKey::Text(_) => is_text,
            SortKey::Time(_) => !is_text && !matches!(self, Self::Members(_)),
        }
    }
}

/// Encodes a position as a cursor of this list.
pub(super) fn encode(cursor_kind: CursorKind, position: &Position) -> String {
    let mut bytes = cursor_kind.prefix();
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

/// Decodes a cursor of this list. Returns `None` if it is malformed or belongs to another list.
pub(super) fn decode(cursor_kind: CursorKind, cursor: &str) -> Option<Position> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let rest = bytes.strip_prefix(&cursor_kind.prefix()[..])?;
    let (id, rest) = rest.split_first_chunk()?;
    let (key_kind, rest) = rest.split_first()?;
    let key = match key_kind {
        0 if rest.is_empty() => SortKey::Null,
        1 => SortKey::Time(Timestamp::from_millis(i64::from_be_bytes(rest.try_into().ok()?))?),
        2 => SortKey::Text(std::str::from_utf8(rest).ok()?.to_owned()),
        _ => return None,
    };
    cursor_kind.accepts(&key).then_some(Position { key, id: ObjectId(*id) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants(field: TenantOrderField, direction: Direction) -> CursorKind {
        CursorKind::Tenants(ListOrder::Field(Order { field, direction }))
    }

    #[test]
    fn cursor_is_valid_only_in_its_list_and_order() {
        let at = Timestamp::from_millis(1_767_225_600_007).expect("in range");
        let position = Position { key: SortKey::Time(at), id: ObjectId([7; 12]) };
        let list = tenants(TenantOrderField::CreatedAt, Direction::Desc);
        let cursor = encode(list, &position);
        assert_eq!(decode(list, &cursor), Some(position));
        let tenant = TenantId::new(ObjectId([1; 12]));
        for other in [
            tenants(TenantOrderField::CreatedAt, Direction::Asc),
            tenants(TenantOrderField::UpdatedAt, Direction::Desc),
            tenants(TenantOrderField::Name, Direction::Desc),
            CursorKind::Tenants(ListOrder::MatchedKey),
            CursorKind::AuditLog,
            CursorKind::TenantAuditLog(tenant),
            CursorKind::Members(tenant),
            CursorKind::Invitations(tenant),
        ] {
            assert_eq!(decode(other, &cursor), None, "{other:?}");
        }
    }

    #[test]
    fn malformed_cursor_is_rejected() {
        let list = tenants(TenantOrderField::Name, Direction::Asc);
        let position = Position { key: SortKey::Text("Ä".into()), id: ObjectId([7; 12]) };
        let cursor = encode(list, &position);
        assert_eq!(decode(list, &cursor), Some(position));
        let invalid_utf8 =
            URL_SAFE_NO_PAD.encode([&list.prefix()[..], &[7; 12], &[2, 0xff]].concat());
        let wrong_key_kind =
            URL_SAFE_NO_PAD.encode([&list.prefix()[..], &[7; 12], &[1], &[0; 8]].concat());
        for invalid in
            ["", "x", "====", &cursor[..cursor.len() - 4], &invalid_utf8, &wrong_key_kind]
        {
            assert_eq!(decode(list, invalid), None, "{invalid:?}");
        }
    }
}
