//! The command line: which command, with which options, and which exit code it ends with.

use std::{
    fmt::Display,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
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
    app::{self, AppError},
    config::{
        ConfigError, DatabaseOptions, DefaultTenantOptions, DemoOptions, GroupOptions, LogOptions,
        ProviderOptions, ServerOptions, TraceOptions,
    },
    graphql, telemetry,
};

/// Bad configuration, and a database that can never do.
const EXIT_MISCONFIGURED: u8 = 2;

/// A GraphQL gateway for multi-tenant portals: the token says who, the database says what.
#[derive(Parser, Debug)]
#[command(name = "tenantry", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Everything on loopback with nothing else installed: an embedded database and an issuer under
    /// `.tenantry/`, demo data, playground and introspection on.
    Dev(DevArgs),
    /// Production: needs a database, an issuer and an audience.
    Serve(ServeArgs),
    /// Prints the schema, or compares a file with it.
    Schema(SchemaArgs),
    /// Makes indexes, the default tenant and its subscription, and ends. Does nothing twice.
    Seed(SeedArgs),
    /// Examines what `serve` would need with these options (configuration, database, discovery and
    /// keys), changes nothing, and says how to mend each fault: exit 0, or 1.
    Check(ServeArgs),
    /// Asks the admin bind whether the gateway is ready: exit 0, or 1.
    Health(HealthArgs),
}

#[derive(Args, Debug)]
struct DevArgs {
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    groups: GroupOptions,
    #[command(flatten)]
    tenant: DefaultTenantOptions,
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
    provider: ProviderOptions,
    #[command(flatten)]
    groups: GroupOptions,
    #[command(flatten)]
    tenant: DefaultTenantOptions,
    #[command(flatten)]
    log: LogOptions,
    #[command(flatten)]
    traces: TraceOptions,
}

impl ServeArgs {
    fn validate(self) -> Result<app::ServeConfig, ConfigError> {
        Ok(app::ServeConfig {
            server: self.server.validate(false)?,
            database: self.database.validate()?,
            provider: self.provider.validate()?,
            groups: self.groups.validate()?,
            tenant: self.tenant.validate()?,
        })
    }
}

#[derive(Args, Debug)]
struct SchemaArgs {
    /// Exit 1, with the difference, where this file is not the schema.
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
    tenant: DefaultTenantOptions,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Args, Debug)]
struct HealthArgs {
    /// Where the gateway serves health: an IP address and a port.
    #[arg(long, env = "TENANTRY_ADMIN_BIND", default_value = "127.0.0.1:9090")]
    admin_bind: String,
}

/// Why a command ends without success: one line, and the exit code.
struct CliError(u8, String);

impl CliError {
    fn unusable(why: impl Display) -> Self {
        Self(EXIT_MISCONFIGURED, why.to_string())
    }

    fn failed(why: impl Display) -> Self {
        Self(1, why.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::unusable(error)
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        if error.is_unusable() { Self::unusable(error) } else { Self::failed(error) }
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    let matches = command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError(code, why)) => {
            eprintln!("tenantry: {why}");
            ExitCode::from(code)
        }
    }
}

/// The command line: every option, for which an empty variable is an unset one.
#[must_use]
pub fn command() -> clap::Command {
    let unset = |arg: clap::Arg| {
        let empty = arg.get_env().and_then(std::env::var_os).is_some_and(|held| held.is_empty());
        if empty { arg.env(Resettable::<OsStr>::Reset) } else { arg }
    };
    Cli::command().mut_subcommands(|command| command.mut_args(unset))
}

fn dispatch(command: Command) -> Result<(), CliError> {
    match command {
        Command::Dev(args) => {
            let _telemetry = init_telemetry(&args.log, Some(&args.traces))?;
            let server = args.server.validate(true)?.require_loopback()?;
            Ok(app::dev(server, args.groups.validate()?, args.tenant.validate()?)?)
        }
        Command::Serve(args) => {
            let _telemetry = init_telemetry(&args.log, Some(&args.traces))?;
            Ok(app::serve(args.validate()?)?)
        }
        Command::Schema(args) => schema(args.check),
        Command::Seed(args) => {
            let _telemetry = init_telemetry(&args.log, None)?;
            let demo = args.demo.validate()?;
            Ok(app::seed(args.database.validate()?, args.tenant.validate()?, demo)?)
        }
        Command::Check(args) => {
            let _telemetry = init_telemetry(&args.log, None)?;
            Ok(app::check(args.validate()?)?)
        }
        Command::Health(args) => health(ServerOptions::admin_address(&args.admin_bind)?),
    }
}

/// Logs and traces from now on; what is not sent yet is, when the answer is dropped.
fn init_telemetry(
    logs: &LogOptions,
    traces: Option<&TraceOptions>,
) -> Result<telemetry::TelemetryGuard, CliError> {
    telemetry::init(logs.validate(traces)?).map_err(CliError::unusable)
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
        "{name} is not the schema: write it anew with `tenantry schema > {name}`"
    )))
}

/// Readiness by a request written by hand: an HTTP client and a runtime would be most of what a
/// container's check costs.
fn health(admin: SocketAddr) -> Result<(), CliError> {
    const LIMIT: Duration = Duration::from_secs(5);
    let mut address = admin;
    if address.ip().is_unspecified() {
        address.set_ip(if admin.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer =
        ask().map_err(|error| CliError::failed(format!("no answer at {address}: {error}")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(CliError::failed(body.trim())) }
}
