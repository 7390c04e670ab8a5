//! Parses the command line, runs the command and chooses the exit code.
//!
//! No other module reads the environment.

use std::{
    fmt::Display,
    io::{self, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    builder::{OsStr, Resettable},
};
use similar::TextDiff;

use crate::{
    app::{self, AppError, AppErrorKind},
    config::{
        ActorCacheOptions, ConfigError, DatabaseOptions, DefaultIssuerOptions,
        DefaultTenantOptions, DemoOptions, GroupOptions, InvitationOptions, LogOptions,
        MailOptions, MigrateOptions, OidcOptions, ServerOptions, TraceOptions,
    },
    graphql, telemetry,
};

/// The exit code of an invalid configuration, and of a database that can never work.
const EXIT_MISCONFIGURED: u8 = 2;
/// The exit code of a command that failed for any other reason.
const EXIT_FAILED: u8 = 1;

/// A GraphQL gateway for multi-tenant portals. It authenticates users with OpenID Connect and
/// authorizes them with the memberships in your database.
#[derive(Parser, Debug)]
#[command(name = "tenantry", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a complete gateway on loopback, without other services. It uses an embedded database and a
    /// built-in issuer under `.tenantry/`, creates demo data, and enables playground and introspection.
    Dev(DevArgs),
    /// Run the gateway in production. It requires a database, an issuer and an audience.
    Serve(ServeArgs),
    /// Print the GraphQL schema, or compare a file with it.
    Schema(SchemaArgs),
    /// Create the indexes, the default tenant and its subscription, and exit. Existing data is not
    /// changed.
    Seed(SeedArgs),
    /// Check what `serve` needs with these options: configuration, database, discovery and keys.
    /// Changes nothing, and prints how to fix each error. The exit code is 0 if all checks pass.
    Check(ServeArgs),
    /// Take over the MongoDB database of the former Node service, in place. It deletes no document, and
    /// may be interrupted and repeated. Prints a report. The exit code is 1 if documents were left as
    /// they were, because they cannot be converted.
    Migrate(MigrateArgs),
    /// Write everything, or one tenant, as NDJSON, one document a line. The exit code is 1 if documents
    /// cannot be read and are missing.
    Export(ExportArgs),
    /// Read an export, check all of it, and then write it to a database. An export of everything needs
    /// an empty database. One of a tenant needs a database without that tenant.
    Import(ImportArgs),
    /// Ask the admin bind of a running gateway for its readiness. The exit code is 0 if it is ready,
    /// otherwise 1.
    Health(HealthArgs),
}

#[derive(Args, Debug)]
struct DevArgs {
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    groups: GroupOptions,
    #[command(flatten)]
    default_tenant: DefaultTenantOptions,
    #[command(flatten)]
    invitations: InvitationOptions,
    #[command(flatten)]
    log: LogOptions,
    #[command(flatten)]
    traces: TraceOptions,
}

#[derive(Args, Debug)]
struct ServeArgs {
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    actor_cache: ActorCacheOptions,
    #[command(flatten)]
    oidc: OidcOptions,
    #[command(flatten)]
    groups: GroupOptions,
    #[command(flatten)]
    default_tenant: DefaultTenantOptions,
    #[command(flatten)]
    invitations: InvitationOptions,
    #[command(flatten)]
    mail: MailOptions,
    #[command(flatten)]
    log: LogOptions,
    #[command(flatten)]
    traces: TraceOptions,
}

impl ServeArgs {
    fn validate(self) -> Result<app::ServeConfig, ConfigError> {
        let invitations = self.invitations.validate()?;
        let database = self.database.validate()?;
        Ok(app::ServeConfig {
            server: self.server.validate(false)?,
            actor_cache: self.actor_cache.validate(&database)?,
            database,
            oidc: self.oidc.validate()?,
            groups: self.groups.into_mapping(),
            default_tenant: self.default_tenant.validate()?,
            mail: self.mail.validate(invitations.url.is_some())?,
            invitations,
        })
    }
}

#[derive(Args, Debug)]
struct SchemaArgs {
    /// File to compare with the schema. If it differs, print the difference and exit with 1.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct SeedArgs {
    #[command(flatten)]
    demo: DemoOptions,
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    default_tenant: DefaultTenantOptions,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Args, Debug)]
struct MigrateArgs {
    #[command(flatten)]
    migrate: MigrateOptions,
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Args, Debug)]
struct ExportArgs {
    /// Slug of the tenant to export. By default, everything is exported.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// File to write. It is replaced when the export is complete. By default, the export is written to
    /// standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    issuer: DefaultIssuerOptions,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Args, Debug)]
struct ImportArgs {
    /// File to import, or `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    issuer: DefaultIssuerOptions,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Args, Debug)]
struct HealthArgs {
    /// Address at which the gateway serves its readiness: `<ip>:<port>`.
    #[arg(
        long,
        env = "TENANTRY_ADMIN_BIND",
        default_value = "127.0.0.1:9090",
        value_name = "ADDRESS"
    )]
    admin_bind: String,
}

/// The error of a command, with its exit code and a message of one line.
struct CliError {
    exit_code: u8,
    message: String,
}

impl CliError {
    fn misconfigured(message: impl Display) -> Self {
        Self { exit_code: EXIT_MISCONFIGURED, message: message.to_string() }
    }

    fn failed(message: impl Display) -> Self {
        Self { exit_code: EXIT_FAILED, message: message.to_string() }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::misconfigured(error)
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        match error.kind() {
            AppErrorKind::Misconfigured => Self::misconfigured(error),
            AppErrorKind::Failed => Self::failed(error),
        }
    }
}

/// Runs the command that the arguments name, and returns its exit code.
#[must_use]
pub fn run() -> ExitCode {
    let matches = command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError { exit_code, message }) => {
            eprintln!("tenantry: {message}");
            ExitCode::from(exit_code)
        }
    }
}

/// Returns the definition of the command line. An empty environment variable counts as unset.
#[must_use]
pub fn command() -> clap::Command {
    let ignore_empty = |arg: clap::Arg| {
        let is_empty =
            arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { arg.env(Resettable::<OsStr>::Reset) } else { arg }
    };
    Cli::command().mut_subcommands(|command| command.mut_args(ignore_empty))
}

fn dispatch(command: Command) -> Result<(), CliError> {
    match command {
        Command::Dev(args) => {
            let _telemetry = init_telemetry(&args.log, Some(&args.traces))?;
            let server = args.server.validate(true)?.require_loopback()?;
            let (groups, invitations) = (args.groups.into_mapping(), args.invitations.validate()?);
            Ok(app::dev(server, groups, args.default_tenant.validate()?, invitations)?)
        }
        Command::Serve(args) => {
            let _telemetry = init_telemetry(&args.log, Some(&args.traces))?;
            Ok(app::serve(args.validate()?)?)
        }
        Command::Schema(args) => schema(args.check),
        Command::Seed(args) => {
            let _telemetry = init_telemetry(&args.log, None)?;
            let demo_tenants = args.demo.validate()?;
            let database = args.database.validate()?;
            Ok(app::seed(database, args.default_tenant.validate()?, demo_tenants)?)
        }
        Command::Check(args) => {
            let _telemetry = init_telemetry(&args.log, None)?;
            Ok(app::check(args.validate()?)?)
        }
        Command::Migrate(args) => {
            let _telemetry = init_telemetry(&args.log, None)?;
            let options = args.migrate.validate()?;
            Ok(app::migrate(args.database.validate()?, options, args.migrate.format)?)
        }
        Command::Export(args) => {
            let _telemetry = init_telemetry(&args.log, None)?;
            let database = args.database.validate()?;
            Ok(app::export(database, args.issuer.validate()?, args.tenant, args.output)?)
        }
        Command::Import(args) => {
            let _telemetry = init_telemetry(&args.log, None)?;
            let database = args.database.validate()?;
            Ok(app::import(database, args.issuer.validate()?, &args.file)?)
        }
        Command::Health(args) => health(ServerOptions::admin_address(&args.admin_bind)?),
    }
}

/// Enables logs and traces. The returned guard sends the remaining spans when it is dropped.
fn init_telemetry(
    logs: &LogOptions,
    traces: Option<&TraceOptions>,
) -> Result<telemetry::TelemetryGuard, CliError> {
    telemetry::init(logs.validate(traces)?).map_err(CliError::misconfigured)
}

fn schema(check: Option<PathBuf>) -> Result<(), CliError> {
    let sdl = graphql::sdl();
    let Some(path) = check else {
        print!("{sdl}");
        return Ok(());
    };
    let file = std::fs::read_to_string(&path)
        .map_err(|error| CliError::failed(format!("{}: {error}", path.display())))?;
    if file == sdl {
        return Ok(());
    }
    let name = path.display().to_string();
    let diff = TextDiff::from_lines(file.as_str(), sdl.as_str());
    print!("{}", diff.unified_diff().header(&name, "the schema"));
    Err(CliError::failed(format!(
        "{name} differs from the schema; update it with `tenantry schema > {name}`"
    )))
}

/// Requests the readiness of a running gateway.
///
/// The request is written by hand, because an HTTP client and an async runtime would be most of the
/// cost of a container's health check.
fn health(admin: SocketAddr) -> Result<(), CliError> {
    let mut address = admin;
    if address.ip().is_unspecified() {
        address.set_ip(if admin.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    let response = request_readiness(address)
        .map_err(|error| CliError::failed(format!("no response from {address}: {error}")))?;
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    if head.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(CliError::failed(body.trim())) }
}

fn request_readiness(address: SocketAddr) -> io::Result<String> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    const MAX_RESPONSE_BYTES: u64 = 64 * 1024;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.take(MAX_RESPONSE_BYTES).read_to_string(&mut response)?;
    Ok(response)
}
