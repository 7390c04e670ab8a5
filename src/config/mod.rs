//! Validates command-line options into typed configuration.
//!
//! Each file has one group of options: the `…Options` that clap fills in, and the configuration that
//! `validate` makes of them. An option is text until then, so that a flag and an environment variable
//! give the same error: one line with the variable, its value and the expected value. No error shows a
//! secret. The shared parsers are in `parse`.

mod actor_cache;
mod database;
mod default_tenant;
mod error;
mod groups;
mod invitations;
mod limits;
mod mail;
mod migration;
mod oidc;
mod parse;
mod server;
mod telemetry;
mod traffic;

pub use actor_cache::ActorCacheOptions;
pub use database::{DatabaseConfig, DatabaseOptions};
pub use default_tenant::{DefaultTenant, DefaultTenantOptions, DemoOptions};
pub use error::ConfigError;
pub use groups::GroupOptions;
pub use invitations::{InvitationConfig, InvitationOptions};
pub use limits::LimitOptions;
pub use mail::{MailConfig, MailOptions, MailSender, SmtpConfig, SmtpLogin, SmtpTls};
pub use migration::{MigrateOptions, ReportFormat};
pub use oidc::{DefaultIssuerOptions, IssuerConfig, OidcConfig, OidcOptions};
pub use server::{ServerConfig, ServerOptions};
pub use telemetry::{LogFormat, LogOptions, OtlpConfig, TelemetryConfig, TraceOptions};
pub use traffic::{RateLimit, TrafficConfig, TrafficOptions};
