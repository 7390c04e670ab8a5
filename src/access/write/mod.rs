//! Writes: the commands, one for each mutation, and their execution.
//!
//! A [`Command`] looks up its target and makes its checks in the order that `docs/API.md`
//! documents. Then a pure rule of [`domain::edit`](crate::domain::edit) computes the changes.
//! [`Session::execute`] commits them, all or none. If another commit was faster, the command
//! decides again.
//!
//! [`Session::execute`]: super::Session::execute

mod acceptance;
mod command;
mod invitation;
mod lookup;
mod member;
mod output;
mod subscription;
mod tenant;
mod user;

pub use crate::domain::edit::subscription::SubscriptionWithTenant;
pub use command::{Command, CommandAction};
pub use invitation::{
    InvitationWithTenant, InviteMember, IssuedInvitation, ResendInvitation, RevokeInvitation,
};
pub(super) use member::authorize_role;
pub use member::{AddMember, MembershipChange, RemoveMember, UpdateMember};
pub use output::CommandOutput;
pub use subscription::{CreateSubscription, DeleteSubscription, UpdateSubscription};
pub use tenant::{CreateTenant, DeleteTenant, UpdateTenant};
pub use user::{CreateUser, DeleteUser, UpdateUser};
