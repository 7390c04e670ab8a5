//! Guards: the actions that fields require of the viewer, and the directive that shows them.
//!
//! A guarded field names its action once, as a constant. The attribute
//! `#[requires(requirement(ACTION))]` of [`object!`](super::executor::object), or for a root field
//! `#[graphql(directive = guard::apply(requirement(ACTION)))]`, puts the requirement into the schema,
//! and the field passes the same constant to [`Guarded::authorize`]. A mutation takes the constant
//! from its [`Command`](crate::access::Command), whose session authorizes the viewer. So the policy
//! makes both the decision and the requirement.
//!
//! The attribute `guard` of `async-graphql` is not used. It decides before the resolver has parsed
//! identifiers, and an error of it on a nullable field leaves `null` at the parent.

use async_graphql::TypeDirective;

use super::enums::Requirement;
use crate::{
    access::{AccessError, Session},
    domain::{subscription::TenantSubscription, tenant::Tenant, user::User},
    policy::{Action, TenantAction, UserAction},
};

/// Marks a field or mutation that only some viewers of its object may use. For other viewers it fails
/// with the code `FORBIDDEN`. A mutation shows the requirement of all its inputs. If some of them
/// require more, the description of the mutation says so.
#[TypeDirective(location = "FieldDefinition")]
pub(super) fn guard(requires: Requirement) {}

/// Returns the requirement of an action, for the directive.
pub(super) fn requirement(action: impl Action) -> Requirement {
    action.requirement().into()
}

/// An object on which the viewer may do actions of type `A`. The viewer can see the object.
pub(super) trait Guarded<A> {
    /// Checks whether the viewer may do the action on the object. Reads nothing.
    ///
    /// # Errors
    ///
    /// Returns [`AccessError::Forbidden`] if the policy does not allow the action.
    fn authorize(&self, session: &Session, action: A) -> Result<(), AccessError>;
}

impl Guarded<TenantAction> for Tenant {
    fn authorize(&self, session: &Session, action: TenantAction) -> Result<(), AccessError> {
        session.loaded_viewer()?.authorize(self.id, action)
    }
}

impl Guarded<TenantAction> for TenantSubscription {
    fn authorize(&self, session: &Session, action: TenantAction) -> Result<(), AccessError> {
        session.loaded_viewer()?.authorize(self.tenant_id, action)
    }
}

impl Guarded<UserAction> for User {
    fn authorize(&self, session: &Session, action: UserAction) -> Result<(), AccessError> {
        session.loaded_viewer()?.authorize_user(self, action)
    }
}
