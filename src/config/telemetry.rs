//! Options of logs and traces.

use clap::Args;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::ConfigError;

/// Options of logging.
#[derive(Args, Clone, Debug)]
pub struct LogOptions {
    /// What to log: a filter as `tracing` has it, such as `info` or `tenantry=debug`. The lines about
    /// requests are `tenantry::request`.
    #[arg(long, env = "TENANTRY_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
    /// How to log: `pretty` for people, `json` for machines.
    #[arg(long, env = "TENANTRY_LOG_FORMAT", default_value = "pretty", value_name = "FORMAT")]
    pub log_format: String,
}

/// Options of traces, by the variables of OpenTelemetry.
#[derive(Args, Clone, Debug)]
pub struct TraceOptions {
    /// Where traces go: a collector's base URL for OTLP over HTTP, to which `/v1/traces` is added;
    /// nowhere by default. The other `OTEL_…` variables are OpenTelemetry's.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// The same for traces alone, with nothing added.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value_name = "URL")]
    pub otlp_traces_endpoint: Option<String>,
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", hide = true)]
    otlp_protocol: Option<String>,
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", hide = true)]
    otlp_traces_protocol: Option<String>,
    #[arg(long, env = "OTEL_TRACES_EXPORTER", hide = true)]
    traces_exporter: Option<String>,
    #[arg(long, env = "OTEL_SDK_DISABLED", hide = true)]
    otel_disabled: Option<String>,
    #[arg(long, env = "OTEL_TRACES_SAMPLER", hide = true)]
    traces_sampler: Option<String>,
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", hide = true)]
    traces_sampler_arg: Option<String>,
    #[arg(long, env = "OTEL_BSP_MAX_QUEUE_SIZE", hide = true)]
    bsp_max_queue_size: Option<String>,
    #[arg(long, env = "OTEL_EXPORTER_OTLP_COMPRESSION", hide = true)]
    otlp_compression: Option<String>,
}

/// What to tell of what happens, and where.
pub struct Telemetry {
    /// Which lines are logged.
    pub filter: EnvFilter,
    /// In which form.
    pub format: LogFormat,
    /// Where traces go; nowhere where this is `None`.
    pub traces: Option<OtlpConfig>,
}

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpConfig {
    /// The collector's address for traces: OTLP over HTTP, in protobuf.
    pub endpoint: Url,
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl LogOptions {
    /// Validates, with or without traces.
    pub fn validate(&self, traces: Option<&TraceOptions>) -> Result<Telemetry, ConfigError> {
        Ok(Telemetry {
            filter: self.filter()?,
            format: self.format()?,
            traces: traces.map(TraceOptions::validate).transpose()?.flatten(),
        })
    }

    fn format(&self) -> Result<LogFormat, ConfigError> {
        match self.log_format.as_str() {
            "pretty" => Ok(LogFormat::Pretty),
            "json" => Ok(LogFormat::Json),
            other => {
                Err(ConfigError::new("TENANTRY_LOG_FORMAT", other, "expected `pretty` or `json`"))
            }
        }
    }

    fn filter(&self) -> Result<EnvFilter, ConfigError> {
        EnvFilter::try_new(&self.log).map_err(|_| {
            let expected = "expected a filter such as `info` or `tenantry=debug`";
            ConfigError::new("TENANTRY_LOG", &self.log, expected)
        })
    }
}

impl TraceOptions {
    fn validate(&self) -> Result<Option<OtlpConfig>, ConfigError> {
        let is = |held: &Option<String>, word| {
            held.as_deref().is_some_and(|held: &str| held.eq_ignore_ascii_case(word))
        };
        if is(&self.otel_disabled, "true") || is(&self.traces_exporter, "none") {
            return Ok(None);
        }
        let endpoint = match (&self.otlp_traces_endpoint, &self.otlp_endpoint) {
            (Some(held), _) => collector("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", held, "")?,
            (None, Some(held)) => collector("OTEL_EXPORTER_OTLP_ENDPOINT", held, "v1/traces")?,
            (None, None) => return Ok(None),
        };
        self.check_otel_variables()?;
        for (variable, held) in [
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", &self.otlp_traces_protocol),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", &self.otlp_protocol),
        ] {
            match held.as_deref() {
                None => {}
                // What is said of traces alone goes before what is said of everything.
                Some("http/protobuf") => break,
                Some(other) => {
                    let expected = "expected `http/protobuf`, the one that is spoken here \
                                    (collectors take it at port 4318)";
                    return Err(ConfigError::new(variable, other, expected));
                }
            }
        }
        Ok(Some(OtlpConfig { endpoint }))
    }

    /// What OpenTelemetry's library takes as it is, and would pass over or stumble on.
    fn check_otel_variables(&self) -> Result<(), ConfigError> {
        let check =
            |variable, held: &Option<String>, good: &dyn Fn(&str) -> bool, expected| match held
                .as_deref()
                .filter(|held| !good(held))
            {
                Some(held) => Err(ConfigError::new(variable, held, expected)),
                None => Ok(()),
            };
        let ratio = |held: &str| held.parse().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio));
        let spans = |held: &str| held.parse().is_ok_and(|n| (1..=1_000_000).contains(&n));
        let sampler = |held: &str| {
            let base = held.strip_prefix("parentbased_").unwrap_or(held);
            matches!(base, "always_on" | "always_off" | "traceidratio")
        };
        let exporter = "expected `otlp` or `none`";
        check("OTEL_TRACES_EXPORTER", &self.traces_exporter, &|held| held == "otlp", exporter)?;
        let samplers = "expected always_on, always_off or traceidratio, or one of these after \
                        `parentbased_`";
        check("OTEL_TRACES_SAMPLER", &self.traces_sampler, &sampler, samplers)?;
        let share = "expected a share of 0 to 1, such as 0.1";
        check("OTEL_TRACES_SAMPLER_ARG", &self.traces_sampler_arg, &ratio, share)?;
        let queue = "expected a number of spans from 1 to 1000000, such as 2048";
        check("OTEL_BSP_MAX_QUEUE_SIZE", &self.bsp_max_queue_size, &spans, queue)?;
        let compression = "expected `none`: spans are sent as they are";
        let none = |held: &str| held == "none";
        check("OTEL_EXPORTER_OTLP_COMPRESSION", &self.otlp_compression, &none, compression)
    }
}

/// A collector's address, with what belongs after it.
fn collector(variable: &'static str, held: &str, path: &str) -> Result<Url, ConfigError> {
    let form = "expected a URL such as http://collector:4318, without a user, a password or a query: \
                what is secret goes in OTEL_EXPORTER_OTLP_HEADERS";
    if held.contains(['@', '?']) {
        return Err(ConfigError::without_value(variable, form));
    }
    let wrong = || ConfigError::new(variable, held, form);
    let mut url = Url::parse(held).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(wrong());
    }
    if !path.is_empty() {
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> TraceOptions {
        TraceOptions {
            otlp_endpoint: None,
            otlp_traces_endpoint: None,
            otlp_protocol: None,
            otlp_traces_protocol: None,
            traces_exporter: None,
            otel_disabled: None,
            traces_sampler: None,
            traces_sampler_arg: None,
            bsp_max_queue_size: None,
            otlp_compression: None,
        }
    }

    fn endpoint(options: &TraceOptions) -> Option<String> {
        options.validate().expect("valid").map(|traces| traces.endpoint.into())
    }

    #[test]
    fn traces_go_where_the_variables_of_opentelemetry_say() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(endpoint(&options()), None);
        let base = TraceOptions { otlp_endpoint: text("http://collector:4318"), ..options() };
        assert_eq!(endpoint(&base), text("http://collector:4318/v1/traces"));
        let below = TraceOptions { otlp_endpoint: text("https://c/otlp/"), ..options() };
        assert_eq!(endpoint(&below), text("https://c/otlp/v1/traces"));
        let own = TraceOptions { otlp_traces_endpoint: text("http://t:1/x"), ..base.clone() };
        assert_eq!(endpoint(&own), text("http://t:1/x"));
        let off = TraceOptions { otel_disabled: text("TRUE"), ..base.clone() };
        assert_eq!(endpoint(&off), None);
        let none = TraceOptions { traces_exporter: text("none"), ..base.clone() };
        assert_eq!(endpoint(&none), None);
        let both = TraceOptions {
            otlp_protocol: text("grpc"),
            otlp_traces_protocol: text("http/protobuf"),
            ..base.clone()
        };
        assert!(endpoint(&both).is_some());
        for (wrong, variable) in [
            (TraceOptions { otlp_protocol: text("grpc"), ..base.clone() }, "OTLP_PROTOCOL"),
            (TraceOptions { otlp_endpoint: text("collector:4318"), ..options() }, "OTLP_ENDPOINT"),
            (TraceOptions { otlp_endpoint: text("ftp://c"), ..options() }, "OTLP_ENDPOINT"),
            (TraceOptions { traces_exporter: text("console"), ..base.clone() }, "TRACES_EXPORTER"),
            (TraceOptions { traces_sampler: text("foo"), ..base.clone() }, "TRACES_SAMPLER"),
            (TraceOptions { traces_sampler_arg: text("7"), ..base.clone() }, "SAMPLER_ARG"),
            (TraceOptions { bsp_max_queue_size: text("0"), ..base.clone() }, "QUEUE_SIZE"),
            (TraceOptions { otlp_compression: text("gzip"), ..base.clone() }, "COMPRESSION"),
        ] {
            let error = wrong.validate().expect_err("invalid").to_string();
            assert!(error.starts_with("OTEL_") && error.contains(variable), "{error}");
        }
        for secret in ["http://ada:hunter2@c", "ada:hunter2@c:4318", "http://c/?key=hunter2"] {
            let secret = TraceOptions { otlp_endpoint: text(secret), ..options() };
            let error = secret.validate().expect_err("a secret").to_string();
            assert!(!error.contains("hunter2") && error.contains("HEADERS"), "{error}");
        }
        let rare = TraceOptions {
            traces_exporter: text("otlp"),
            traces_sampler: text("parentbased_traceidratio"),
            traces_sampler_arg: text("0.25"),
            bsp_max_queue_size: text("4096"),
            otlp_compression: text("none"),
            ..base.clone()
        };
        assert!(endpoint(&rare).is_some());
    }
}
