//! Options as text become one validated configuration, or one line that says which is wrong.
//!
//! Options are text until here, so that a bad one is told the same way whether it came as a flag
//! or from the environment: the variable, what it holds, what would be right.

mod telemetry;
mod traffic;

use std::{fmt, net::SocketAddr, path::PathBuf};

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::domain::{
    limits::Limits, sync::GroupMapping, tenant::Plan, text, trusted_documents::TrustedDocumentsMode,
};

pub use telemetry::{LogFormat, LogOptions, OtlpConfig, Telemetry, TraceOptions};
pub use traffic::{CorsOrigins, RateLimit, TrafficConfig, TrafficOptions};

/// Options of everything that serves.
#[derive(Args, Clone, Debug)]
pub struct ServerOptions {
    /// Where to serve GraphQL: an IP address and a port.
    #[arg(long, env = "TENANTRY_BIND", default_value = "127.0.0.1:8080")]
    pub bind: String,
    /// Where to serve health, readiness and metrics: an IP address and a port.
    #[arg(long, env = "TENANTRY_ADMIN_BIND", default_value = "127.0.0.1:9090")]
    pub admin_bind: String,
    /// Whether to serve GraphiQL at `/`. On in `dev`, off in `serve`.
    #[arg(long, env = "TENANTRY_PLAYGROUND", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub playground: Option<String>,
    /// Whether the schema may be asked for. On in `dev`, off in `serve`.
    #[arg(long, env = "TENANTRY_INTROSPECTION", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub introspection: Option<String>,
    /// How long the body of a request may be, in bytes.
    #[arg(long, env = "TENANTRY_MAX_BODY_BYTES", default_value = "262144", value_name = "BYTES")]
    pub max_body_bytes: String,
    /// What a document may ask for.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// A list of trusted documents (JSON), as GraphQL Code Generator, Relay or Apollo write it.
    #[arg(long, env = "TENANTRY_TRUSTED_DOCUMENTS_FILE", value_name = "FILE")]
    pub trusted_documents_file: Option<String>,
    /// The treatment of documents that are not trusted: `off` runs them, `report` runs and logs
    /// them, `enforce` rejects them.
    #[arg(
        long,
        env = "TENANTRY_TRUSTED_DOCUMENTS_MODE",
        default_value = "off",
        value_name = "MODE"
    )]
    pub trusted_documents_mode: String,
    /// What holds traffic in bounds.
    #[command(flatten)]
    pub traffic: TrafficOptions,
}

/// Options of what a document may ask for.
#[derive(Args, Clone, Debug)]
pub struct LimitOptions {
    /// How many lexical tokens a document may have.
    #[arg(long, env = "TENANTRY_MAX_DOCUMENT_TOKENS", default_value = "2000", value_name = "N")]
    pub max_document_tokens: String,
    /// How many directives it may have.
    #[arg(long, env = "TENANTRY_MAX_DIRECTIVES", default_value = "50", value_name = "N")]
    pub max_directives: String,
    /// How deep its fields may lie; a root field is at 1.
    #[arg(long, env = "TENANTRY_MAX_DEPTH", default_value = "12", value_name = "N")]
    pub max_depth: String,
    /// What it may cost: a field 1, a connection its children by its page size, a list by 20.
    #[arg(long, env = "TENANTRY_MAX_COMPLEXITY", default_value = "5000", value_name = "N")]
    pub max_complexity: String,
    /// How many response keys one field may have in one selection set.
    #[arg(long, env = "TENANTRY_MAX_ALIASES", default_value = "30", value_name = "N")]
    pub max_aliases: String,
    /// How many root fields it may have.
    #[arg(long, env = "TENANTRY_MAX_ROOT_FIELDS", default_value = "20", value_name = "N")]
    pub max_root_fields: String,
}

impl LimitOptions {
    /// Validates.
    pub fn validate(&self) -> Result<Limits, ConfigError> {
        Ok(Limits {
            depth: limit("TENANTRY_MAX_DEPTH", &self.max_depth)?,
            complexity: limit("TENANTRY_MAX_COMPLEXITY", &self.max_complexity)?,
            aliases: limit("TENANTRY_MAX_ALIASES", &self.max_aliases)?,
            root_fields: limit("TENANTRY_MAX_ROOT_FIELDS", &self.max_root_fields)?,
            tokens: limit("TENANTRY_MAX_DOCUMENT_TOKENS", &self.max_document_tokens)?,
            directives: limit("TENANTRY_MAX_DIRECTIVES", &self.max_directives)?,
        })
    }
}

/// Options of the database.
#[derive(Args, Clone, Debug)]
pub struct DatabaseOptions {
    /// Where data is kept: mongodb://…/db, mongodb+srv://…/db, sqlite://path or sqlite::memory:
    #[arg(long, env = "TENANTRY_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
}

/// Options of the demo data.
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// Makes the first N of a million demo tenants too, with users and subscriptions: the same ones
    /// on every machine. What was made before is left as it is now.
    #[arg(long, env = "TENANTRY_DEMO_TENANTS", value_name = "N")]
    pub demo: Option<String>,
}

impl DemoOptions {
    /// Validates.
    pub fn validate(&self) -> Result<Option<u32>, ConfigError> {
        let Some(held) = &self.demo else { return Ok(None) };
        let number = held.parse().ok().filter(|number| (1..=1_000_000).contains(number));
        let expected = "expected a whole number from 1 to 1000000";
        number.map(Some).ok_or_else(|| ConfigError::new("TENANTRY_DEMO_TENANTS", held, expected))
    }
}

/// Options of the identity provider.
#[derive(Args, Clone, Debug)]
pub struct ProviderOptions {
    /// The issuer of tokens, exactly as they name it (`iss`); https, or http on a loopback host.
    /// Several with commas between; users that were stored without an issuer are the first one's.
    #[arg(long, env = "TENANTRY_OIDC_ISSUER", value_name = "URLS")]
    pub oidc_issuer: Option<String>,
    /// The audience of tokens; several with commas between, any of which will do. For several
    /// issuers: one group for all of them, or one for each in their order, with `;` between.
    #[arg(long, env = "TENANTRY_OIDC_AUDIENCE", value_name = "AUDIENCES")]
    pub oidc_audience: Option<String>,
    /// Where the issuer's keys are; by discovery where this is not set. For several issuers: one for
    /// each in their order, with `;` between, where an empty one is by discovery.
    #[arg(long, env = "TENANTRY_OIDC_JWKS_URL", value_name = "URLS")]
    pub oidc_jwks_url: Option<String>,
    /// A bundle of certificates (PEM) to trust besides the system's, for discovery and keys.
    #[arg(long, env = "TENANTRY_OIDC_CA_FILE", value_name = "FILE")]
    pub oidc_ca_file: Option<String>,
    /// The claim that has the groups.
    #[arg(
        long,
        env = "TENANTRY_OIDC_GROUPS_CLAIM",
        default_value = "groups",
        value_name = "CLAIM"
    )]
    pub oidc_groups_claim: String,
}

/// Options of what groups mean.
#[derive(Args, Clone, Debug)]
pub struct GroupOptions {
    /// The group of those who run the platform.
    #[arg(
        long,
        env = "TENANTRY_PLATFORM_ADMIN_GROUP",
        default_value = "platform-admins",
        value_name = "GROUP"
    )]
    pub platform_admin_group: String,
    /// What tenants' groups begin with: <prefix><slug>, <prefix><slug>:admin, <prefix><slug>:owner.
    #[arg(
        long,
        env = "TENANTRY_TENANT_GROUP_PREFIX",
        default_value = "tenant:",
        value_name = "PREFIX"
    )]
    pub tenant_group_prefix: String,
}

/// Options of the tenant that is always there.
#[derive(Args, Clone, Debug)]
pub struct DefaultTenantOptions {
    /// The slug of the tenant that is always there.
    #[arg(
        long,
        env = "TENANTRY_DEFAULT_TENANT_SLUG",
        default_value = "dezky",
        value_name = "SLUG"
    )]
    pub default_tenant_slug: String,
    /// Its name when it is made.
    #[arg(
        long,
        env = "TENANTRY_DEFAULT_TENANT_NAME",
        default_value = "Dezky",
        value_name = "NAME"
    )]
    pub default_tenant_name: String,
    /// Its plan when it is made: free, starter, business or enterprise.
    #[arg(long, env = "TENANTRY_DEFAULT_TENANT_PLAN", default_value = "free", value_name = "PLAN")]
    pub default_tenant_plan: String,
}

/// A variable that does not hold what it should. `Display` is one line, without a secret.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    variable: &'static str,
    value: Option<String>,
    expected: String,
}

impl ConfigError {
    fn new(variable: &'static str, held: &str, expected: impl Into<String>) -> Self {
        // One line: what came from outside is quoted with its control characters escaped.
        Self { variable, value: Some(format!("{held:?}")), expected: expected.into() }
    }

    /// For what is not set, and for what is secret and wrong.
    fn without_value(variable: &'static str, expected: impl Into<String>) -> Self {
        Self { variable, value: None, expected: expected.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(held) => write!(f, "{} holds {held}: {}", self.variable, self.expected),
            None => write!(f, "{}: {}", self.variable, self.expected),
        }
    }
}

impl std::error::Error for ConfigError {}

/// How to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where to serve GraphQL.
    pub bind: SocketAddr,
    /// Where to serve health and readiness.
    pub admin_bind: SocketAddr,
    /// Whether to serve GraphiQL.
    pub playground: bool,
    /// Whether the schema may be asked for.
    pub introspection: bool,
    /// How long a body may be, in bytes.
    pub max_body_bytes: usize,
    /// What a document may ask for.
    pub limits: Limits,
    /// What holds traffic in bounds.
    pub traffic: TrafficConfig,
    /// The list of trusted documents.
    pub trusted_documents_file: Option<PathBuf>,
    /// The treatment of documents that are not on that list.
    pub trusted_documents_mode: TrustedDocumentsMode,
}

impl ServerOptions {
    /// Validates; what is not said about playground and introspection is `by_default`.
    pub fn validate(&self, by_default: bool) -> Result<ServerConfig, ConfigError> {
        let bytes: Option<usize> = self.max_body_bytes.parse().ok();
        Ok(ServerConfig {
            bind: address("TENANTRY_BIND", &self.bind)?,
            admin_bind: address("TENANTRY_ADMIN_BIND", &self.admin_bind)?,
            playground: boolean("TENANTRY_PLAYGROUND", self.playground.as_deref(), by_default)?,
            introspection: boolean(
                "TENANTRY_INTROSPECTION",
                self.introspection.as_deref(),
                by_default,
            )?,
            max_body_bytes: bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
                let expected = "expected a number of bytes such as 262144";
                ConfigError::new("TENANTRY_MAX_BODY_BYTES", &self.max_body_bytes, expected)
            })?,
            limits: self.limits.validate()?,
            trusted_documents_file: self.trusted_documents_file.as_deref().map(PathBuf::from),
            trusted_documents_mode: self.trusted_documents_mode()?,
            traffic: self.traffic.validate()?,
        })
    }
}

impl ServerOptions {
    fn trusted_documents_mode(&self) -> Result<TrustedDocumentsMode, ConfigError> {
        let variable = "TENANTRY_TRUSTED_DOCUMENTS_MODE";
        let given = self.trusted_documents_mode.as_str();
        let mode = TrustedDocumentsMode::parse(given).ok_or_else(|| {
            ConfigError::new(variable, given, "expected `off`, `report` or `enforce`")
        })?;
        if mode != TrustedDocumentsMode::Off && self.trusted_documents_file.is_none() {
            let expected =
                "needs TENANTRY_TRUSTED_DOCUMENTS_FILE: without it no document is trusted";
            return Err(ConfigError::new(variable, given, expected));
        }
        Ok(mode)
    }
}

impl ServerConfig {
    /// Refuses an address that another machine could reach: `dev` hands out tokens to whoever asks.
    pub fn require_loopback(self) -> Result<Self, ConfigError> {
        let both = [("TENANTRY_BIND", self.bind), ("TENANTRY_ADMIN_BIND", self.admin_bind)];
        match both.iter().find(|(_, address)| !address.ip().is_loopback()) {
            None => Ok(self),
            Some((variable, address)) => Err(ConfigError::new(
                variable,
                &address.to_string(),
                "expected a loopback address such as 127.0.0.1:8080, because `dev` gives tokens to everybody who asks",
            )),
        }
    }
}

/// Where data is kept.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// A MongoDB replica set or sharded cluster; the URL may have a password in it.
    Mongo(SecretString),
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A SQLite database that ends with the process.
    SqliteInMemory,
}

impl DatabaseOptions {
    /// Validates.
    pub fn validate(self) -> Result<DatabaseConfig, ConfigError> {
        const EXPECTED: &str =
            "expected mongodb://host/db, mongodb+srv://host/db, sqlite://path or sqlite::memory:";
        let variable = "TENANTRY_DATABASE_URL";
        let Some(url) = self.database_url else {
            return Err(ConfigError::without_value(variable, format!("not set; {EXPECTED}")));
        };
        if url == "sqlite::memory:" {
            Ok(DatabaseConfig::SqliteInMemory)
        } else if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            Ok(DatabaseConfig::Sqlite(PathBuf::from(path)))
        } else if url.starts_with("mongodb://") || url.starts_with("mongodb+srv://") {
            Ok(DatabaseConfig::Mongo(SecretString::from(url)))
        } else {
            // Even a wrong one may have a password in it, so what it holds is not shown.
            Err(ConfigError::without_value(
                variable,
                format!("not of a form known here; {EXPECTED}"),
            ))
        }
    }
}

impl DatabaseConfig {
    /// What may be shown of it.
    #[must_use]
    pub fn redacted(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("SQLite at {}", path.display()),
            Self::SqliteInMemory => "SQLite in memory".to_owned(),
            Self::Mongo(url) => {
                let rest = url.expose_secret().split_once("://").map_or("", |(_, rest)| rest);
                let hosts = rest.split(['/', '?']).next().unwrap_or("");
                let hosts = hosts.rsplit_once('@').map_or(hosts, |(_, hosts)| hosts);
                format!("MongoDB at {hosts}")
            }
        }
    }
}

/// Whose tokens count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcConfig {
    /// The issuers, at least one. The first is that of users who were stored without one.
    pub issuers: Vec<IssuerConfig>,
    /// Certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The claim that has the groups.
    pub groups_claim: String,
}

impl OidcConfig {
    /// The issuer of users who were stored without one.
    #[must_use]
    pub fn default_issuer(&self) -> &str {
        self.issuers.first().map_or("", |first| &first.url)
    }
}

/// One of those whose tokens count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerConfig {
    /// The issuer, exactly as its tokens name it.
    pub url: String,
    /// The audiences, any of which will do.
    pub audiences: Vec<String>,
    /// Where the keys are, where discovery is not to say.
    pub jwks_url: Option<Url>,
}

impl ProviderOptions {
    /// Validates.
    pub fn validate(self) -> Result<OidcConfig, ConfigError> {
        let urls = issuers(self.oidc_issuer)?;
        let audiences = audiences(self.oidc_audience, urls.len())?;
        let jwks_urls = jwks_urls(self.oidc_jwks_url, urls.len())?;
        let issuers = urls.into_iter().zip(audiences).zip(jwks_urls);
        let issuers =
            issuers.map(|((url, audiences), jwks_url)| IssuerConfig { url, audiences, jwks_url });
        Ok(OidcConfig {
            issuers: issuers.collect(),
            ca_file: self.oidc_ca_file.map(PathBuf::from),
            groups_claim: self.oidc_groups_claim,
        })
    }
}

fn issuers(held: Option<String>) -> Result<Vec<String>, ConfigError> {
    const VARIABLE: &str = "TENANTRY_OIDC_ISSUER";
    let held = required(VARIABLE, held, "the issuer's URL")?;
    let issuers: Vec<String> = held.split(',').map(|url| url.trim().to_owned()).collect();
    for (place, issuer) in issuers.iter().enumerate() {
        let url = provider_url(VARIABLE, issuer)?;
        if url.query().is_some() || url.fragment().is_some() {
            let expected = "expected a URL without `?` and `#`, as issuers are";
            return Err(ConfigError::new(VARIABLE, issuer, expected));
        }
        if issuers[..place].contains(issuer) {
            return Err(ConfigError::new(VARIABLE, &held, "expected each issuer once"));
        }
    }
    Ok(issuers)
}

/// The audiences of each of so many issuers.
fn audiences(held: Option<String>, issuers: usize) -> Result<Vec<Vec<String>>, ConfigError> {
    const VARIABLE: &str = "TENANTRY_OIDC_AUDIENCE";
    let held = required(VARIABLE, held, "the client's identifier")?;
    let group = |group: &str| -> Vec<String> {
        let audiences = group.split(',').map(str::trim).filter(|audience| !audience.is_empty());
        audiences.map(str::to_owned).collect()
    };
    let mut groups: Vec<_> = held.split(';').map(group).collect();
    if groups.iter().any(Vec::is_empty) {
        let expected = "expected an audience, or several with commas between";
        return Err(ConfigError::new(VARIABLE, &held, expected));
    }
    if let [all] = &groups[..] {
        groups = vec![all.clone(); issuers];
    }
    if groups.len() != issuers {
        let expected = format!(
            "expected one group of audiences for all issuers, or {issuers} with `;` between: one \
             for each issuer"
        );
        return Err(ConfigError::new(VARIABLE, &held, expected));
    }
    Ok(groups)
}

/// Where the keys of each of so many issuers are.
fn jwks_urls(held: Option<String>, issuers: usize) -> Result<Vec<Option<Url>>, ConfigError> {
    const VARIABLE: &str = "TENANTRY_OIDC_JWKS_URL";
    let Some(held) = held else { return Ok(vec![None; issuers]) };
    let url = |url: &str| {
        let url = url.trim();
        (!url.is_empty()).then(|| provider_url(VARIABLE, url)).transpose()
    };
    let urls = held.split(';').map(url).collect::<Result<Vec<_>, _>>()?;
    if urls.len() != issuers {
        let expected = format!(
            "expected {issuers} with `;` between: one for each issuer, empty where discovery is to \
             say"
        );
        return Err(ConfigError::new(VARIABLE, &held, expected));
    }
    Ok(urls)
}

impl GroupOptions {
    /// Validates.
    pub fn validate(self) -> Result<GroupMapping, ConfigError> {
        Ok(GroupMapping {
            platform_admins: self.platform_admin_group,
            tenant_prefix: self.tenant_group_prefix,
        })
    }
}

/// The tenant that is always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultTenant {
    /// Its slug.
    pub slug: String,
    /// Its name when it is made.
    pub name: String,
    /// Its plan when it is made.
    pub plan: Plan,
}

impl DefaultTenantOptions {
    /// Validates.
    pub fn validate(self) -> Result<DefaultTenant, ConfigError> {
        let Self { default_tenant_slug: slug, default_tenant_name, default_tenant_plan } = self;
        if !text::is_slug(&slug) {
            let expected = "expected 2 to 63 of a-z, 0-9 and -, which is not at the ends";
            return Err(ConfigError::new("TENANTRY_DEFAULT_TENANT_SLUG", &slug, expected));
        }
        let name = text::parse_name(&default_tenant_name).ok_or_else(|| {
            let expected = "expected a name of 1 to 200 characters";
            ConfigError::new("TENANTRY_DEFAULT_TENANT_NAME", &default_tenant_name, expected)
        })?;
        let plan = Plan::parse(&default_tenant_plan.to_lowercase()).ok_or_else(|| {
            let expected = "expected free, starter, business or enterprise";
            ConfigError::new("TENANTRY_DEFAULT_TENANT_PLAN", &default_tenant_plan, expected)
        })?;
        Ok(DefaultTenant { slug, name, plan })
    }
}

impl ServerOptions {
    /// Validates nothing but the admin's address: all that `health` asks for.
    pub fn admin_address(admin_bind: &str) -> Result<SocketAddr, ConfigError> {
        address("TENANTRY_ADMIN_BIND", admin_bind)
    }
}

fn address(variable: &'static str, held: &str) -> Result<SocketAddr, ConfigError> {
    held.parse().map_err(|_| {
        let expected = "expected an IP address and a port such as 127.0.0.1:8080";
        ConfigError::new(variable, held, expected)
    })
}

fn limit(variable: &'static str, held: &str) -> Result<u64, ConfigError> {
    let number = held.parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.ok_or_else(|| {
        ConfigError::new(variable, held, "expected a whole number from 1 to 1000000000")
    })
}

fn boolean(
    variable: &'static str,
    held: Option<&str>,
    by_default: bool,
) -> Result<bool, ConfigError> {
    match held {
        None => Ok(by_default),
        Some("true" | "1" | "yes" | "on") => Ok(true),
        Some("false" | "0" | "no" | "off") => Ok(false),
        Some(other) => Err(ConfigError::new(variable, other, "expected `true` or `false`")),
    }
}

fn required(
    variable: &'static str,
    held: Option<String>,
    what: &str,
) -> Result<String, ConfigError> {
    held.ok_or_else(|| ConfigError::without_value(variable, format!("not set; expected {what}")))
}

/// A URL of the provider: https, or http where it cannot leave this machine.
fn provider_url(variable: &'static str, held: &str) -> Result<Url, ConfigError> {
    let wrong = |expected: &str| ConfigError::new(variable, held, expected);
    let url =
        Url::parse(held).map_err(|_| wrong("expected a URL such as https://id.example.org/"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::without_value(
            variable,
            "expected a URL without a user and password",
        ));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(wrong("expected a URL with a host")),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(wrong("expected https; http is for a loopback host only")),
        _ => Err(wrong("expected https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(url: &str) -> Result<DatabaseConfig, ConfigError> {
        DatabaseOptions { database_url: Some(url.to_owned()) }.validate()
    }

    #[test]
    fn a_database_url_is_never_shown_whole() {
        let good = database("mongodb://ada:hunter2@db1,db2/portal?replicaSet=rs0").expect("valid");
        assert_eq!(good.redacted(), "MongoDB at db1,db2");
        assert!(!format!("{good:?}").contains("hunter2"));
        let bad = database("postgres://ada:hunter2@db/portal").expect_err("unknown scheme");
        assert!(!bad.to_string().contains("hunter2"), "{bad}");
    }

    #[test]
    fn provider_urls_are_https_or_stay_here() {
        for good in
            ["https://id.example.org/o/portal/", "http://127.0.0.1:9000/x", "http://localhost:1"]
        {
            assert!(provider_url("V", good).is_ok(), "{good}");
        }
        for bad in ["http://id.example.org/", "ftp://x/", "x", "", "https://u:p@id.example.org/"] {
            let error = provider_url("V", bad).expect_err(bad).to_string();
            assert!(error.starts_with("V") && !error.contains('\n'), "{error}");
        }
    }

    fn provider(
        issuer: &str,
        audience: &str,
        jwks: Option<&str>,
    ) -> Result<OidcConfig, ConfigError> {
        ProviderOptions {
            oidc_issuer: Some(issuer.to_owned()),
            oidc_audience: Some(audience.to_owned()),
            oidc_jwks_url: jwks.map(str::to_owned),
            oidc_ca_file: None,
            oidc_groups_claim: "groups".to_owned(),
        }
        .validate()
    }

    #[test]
    fn issuers_have_audiences_and_keys_of_their_own() {
        let [one, two] = ["https://one.example/", "https://two.example"];
        let both = format!("{one}, {two}");
        let read = |audience, jwks| {
            let issuers = provider(&both, audience, jwks).expect("valid").issuers;
            let issuer =
                |i: IssuerConfig| (i.url, i.audiences.join("+"), i.jwks_url.map(String::from));
            issuers.into_iter().map(issuer).collect::<Vec<_>>()
        };
        let of = |a: &str, b: &str, keys: Option<&str>| {
            let keys = keys.map(str::to_owned);
            vec![(one.to_owned(), a.to_owned(), None), (two.to_owned(), b.to_owned(), keys)]
        };
        assert_eq!(read("a, b", None), of("a+b", "a+b", None));
        assert_eq!(read("a;b, c", None), of("a", "b+c", None));
        let keys = "https://two.example/keys";
        assert_eq!(read("a", Some(&format!(";{keys}"))), of("a", "a", Some(keys)));
        assert_eq!(provider(&both, "a", None).expect("valid").default_issuer(), one);
        for (issuer, audience, jwks, variable) in [
            (&*both, "a;b;c", None, "TENANTRY_OIDC_AUDIENCE"),
            (&*both, "a;", None, "TENANTRY_OIDC_AUDIENCE"),
            (one, "a;b", None, "TENANTRY_OIDC_AUDIENCE"),
            (&*both, "a", Some(keys), "TENANTRY_OIDC_JWKS_URL"),
            (&*both, "a", Some("x;y"), "TENANTRY_OIDC_JWKS_URL"),
            (&*format!("{one},{one}"), "a", None, "TENANTRY_OIDC_ISSUER"),
            (&*format!("{one},"), "a", None, "TENANTRY_OIDC_ISSUER"),
            ("https://one.example/?a", "a", None, "TENANTRY_OIDC_ISSUER"),
        ] {
            let error = provider(issuer, audience, jwks).expect_err("invalid").to_string();
            assert!(error.starts_with(variable) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn an_error_is_one_line() {
        let error = address("TENANTRY_BIND", "1\n2").expect_err("no address").to_string();
        assert_eq!(
            error,
            r#"TENANTRY_BIND holds "1\n2": expected an IP address and a port such as 127.0.0.1:8080"#
        );
    }
}
