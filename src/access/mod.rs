//! The boundary to data: loads the viewer, asks [`policy`](crate::policy), then reads or commits.
//!
//! All requests share one [`Access`]. Each request has its own [`Session`], which loads the viewer
//! once. Every later decision about the viewer's rights uses the loaded user, without a store read.
//!
//! Hidden resources are omitted here. The layers above cannot tell them from absent ones, so they
//! cannot reveal them by mistake.
//!
//! [`Session`] has the reads by key and the lists. [`Session::execute`] executes a [`Command`], which
//! is the only way to write. [`live`] has the listeners of live operations. This file only declares and exports. The other files import each other
//! without cycles.

mod actor_cache;
mod audit_log;
mod caller;
mod commit_slot;
mod error;
mod event_permits;
mod heartbeats;
mod idempotency;
mod idempotent_run;
mod invitation_token;
mod invitations;
mod invitee;
mod live;
mod logged_tenants;
mod provision;
mod read;
mod secrets;
mod session;
mod state;
mod tenant_queue;
mod viewer;
mod write;

pub use crate::domain::input_error::InputError;
pub use audit_log::AuditScope;
pub use caller::Caller;
pub use commit_slot::{ExecutionPermit, MAX_CONCURRENT_COMMITS};
pub use error::AccessError;
pub use event_permits::{EventPermit, EventPermits};
pub use idempotency::ClaimOutcome;
pub use idempotent_run::digest;
pub use invitee::InvitationPreview;
pub use live::{Listener, LiveChange, LiveEvent, LiveNotice, LiveTopic};
pub use logged_tenants::MAX_LOGGED_TENANTS;
pub use read::ResultsByKey;
pub use secrets::Secrets;
pub use session::Session;
pub use state::{Access, AccessConfig, InvitationSettings};
pub use viewer::Viewer;
pub use write::{
    AddMember, Command, CommandAction, CommandOutput, CreateSubscription, CreateTenant, CreateUser,
    DeleteSubscription, DeleteTenant, DeleteUser, InvitationWithTenant, InviteMember,
    IssuedInvitation, MembershipChange, RemoveMember, ResendInvitation, RevokeInvitation,
    SubscriptionWithTenant, UpdateMember, UpdateSubscription, UpdateTenant, UpdateUser,
};
