//! Options of the HTTP server.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{
    error::ConfigError,
    limits::LimitOptions,
    parse,
    traffic::{TrafficConfig, TrafficOptions},
};
use crate::domain::{limits::Limits, trusted_documents::TrustedDocumentsMode};

/// Options of the commands that serve requests.
#[derive(Args, Clone, Debug)]
pub struct ServerOptions {
    /// Address of the GraphQL endpoint: `<ip>:<port>`.
    #[arg(long, env = "TENANTRY_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub bind: String,
    /// Address of health, readiness and metrics: `<ip>:<port>`.
    #[arg(
        long,
        env = "TENANTRY_ADMIN_BIND",
        default_value = "127.0.0.1:9090",
        value_name = "ADDRESS"
    )]
    pub admin_bind: String,
    /// Serve the GraphiQL playground at `/`. On in `dev`, off in `serve`.
    #[arg(long, env = "TENANTRY_PLAYGROUND", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub playground: Option<String>,
    /// Enable GraphQL introspection. On in `dev`, off in `serve`.
    #[arg(long, env = "TENANTRY_INTROSPECTION", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub introspection: Option<String>,
    /// Maximum size of a request body in bytes.
    #[arg(long, env = "TENANTRY_MAX_BODY_BYTES", default_value = "262144", value_name = "BYTES")]
    pub max_body_bytes: String,
    /// Limits of GraphQL documents.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// File with the trusted documents (JSON), as GraphQL Code Generator, Relay or Apollo write it.
    #[arg(long, env = "TENANTRY_TRUSTED_DOCUMENTS_FILE", value_name = "FILE")]
    pub trusted_documents_file: Option<String>,
    /// Treatment of documents that are not trusted: `off` runs them, `report` runs and logs them,
    /// `enforce` rejects them.
    #[arg(
        long,
        env = "TENANTRY_TRUSTED_DOCUMENTS_MODE",
        default_value = "off",
        value_name = "MODE"
    )]
    pub trusted_documents_mode: String,
    /// Limits of traffic.
    #[command(flatten)]
    pub traffic: TrafficOptions,
}

/// The configuration of the HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The address of the GraphQL endpoint.
    pub bind: SocketAddr,
    /// The address of health, readiness and metrics.
    pub admin_bind: SocketAddr,
    /// Serves the GraphiQL playground.
    pub playground: bool,
    /// Enables GraphQL introspection.
    pub introspection: bool,
    /// The maximum size of a request body in bytes.
    pub max_body_bytes: usize,
    /// The limits of GraphQL documents.
    pub limits: Limits,
    /// The limits of traffic.
    pub traffic: TrafficConfig,
    /// The file with the trusted documents.
    pub trusted_documents_file: Option<PathBuf>,
    /// The treatment of documents that are not in that file.
    pub trusted_documents_mode: TrustedDocumentsMode,
}

impl ServerOptions {
    /// Validates the options. Playground and introspection are `enabled_by_default` if not set.
    ///
    /// # Errors
    ///
    /// Returns the error of the first invalid option.
    pub fn validate(&self, enabled_by_default: bool) -> Result<ServerConfig, ConfigError> {
        let parse_switch = |variable, value: &Option<String>| {
            parse::boolean(variable, value.as_deref(), enabled_by_default)
        };
        Ok(ServerConfig {
            bind: parse::address("TENANTRY_BIND", &self.bind)?,
            admin_bind: Self::admin_address(&self.admin_bind)?,
            playground: parse_switch("TENANTRY_PLAYGROUND", &self.playground)?,
            introspection: parse_switch("TENANTRY_INTROSPECTION", &self.introspection)?,
            max_body_bytes: self.max_body_bytes()?,
            limits: self.limits.validate()?,
            trusted_documents_file: self.trusted_documents_file.as_deref().map(PathBuf::from),
            trusted_documents_mode: self.trusted_documents_mode()?,
            traffic: self.traffic.validate()?,
        })
    }

    /// Validates only the address of the admin bind, which is all that `health` needs.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not an IP address with a port.
    pub fn admin_address(admin_bind: &str) -> Result<SocketAddr, ConfigError> {
        parse::address("TENANTRY_ADMIN_BIND", admin_bind)
    }

    fn max_body_bytes(&self) -> Result<usize, ConfigError> {
        let bytes: Option<usize> = self.max_body_bytes.parse().ok();
        bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
            let expected = "a number of bytes of at least 1, e.g. 262144";
            let variable = "TENANTRY_MAX_BODY_BYTES";
            ConfigError::invalid(variable, "size", &self.max_body_bytes, expected)
        })
    }

    fn trusted_documents_mode(&self) -> Result<TrustedDocumentsMode, ConfigError> {
        let value = self.trusted_documents_mode.as_str();
        let error = |expected| {
            ConfigError::invalid("TENANTRY_TRUSTED_DOCUMENTS_MODE", "mode", value, expected)
        };
        let mode = TrustedDocumentsMode::parse(value)
            .ok_or_else(|| error("`off`, `report` or `enforce`"))?;
        if mode != TrustedDocumentsMode::Off && self.trusted_documents_file.is_none() {
            return Err(error(
                "`off`, or a list of trusted documents in TENANTRY_TRUSTED_DOCUMENTS_FILE",
            ));
        }
        Ok(mode)
    }
}

impl ServerConfig {
    /// Requires that both addresses are loopback addresses.
    ///
    /// The reason is that `dev` gives a token to every client.
    ///
    /// # Errors
    ///
    /// Returns an error if another machine could reach one of the addresses.
    pub fn require_loopback(self) -> Result<Self, ConfigError> {
        let both = [("TENANTRY_BIND", self.bind), ("TENANTRY_ADMIN_BIND", self.admin_bind)];
        match both.iter().find(|(_, address)| !address.ip().is_loopback()) {
            None => Ok(self),
            Some((variable, address)) => Err(ConfigError::invalid(
                variable,
                "address",
                &address.to_string(),
                "a loopback address, because `dev` gives a token to every client, e.g. 127.0.0.1:8080",
            )),
        }
    }
}
