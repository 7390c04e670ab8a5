//! Options of logs and traces.

use clap::Args;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::error::ConfigError;

/// Options of logs.
#[derive(Args, Clone, Debug)]
pub struct LogOptions {
    /// Filter of log lines in the syntax of `tracing`, e.g. `info` or `tenantry=debug`. The lines
    /// about requests have the target `tenantry::request`.
    #[arg(long, env = "TENANTRY_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
    /// Format of log lines: `pretty` for reading, `json` for one JSON object per line.
    #[arg(long, env = "TENANTRY_LOG_FORMAT", default_value = "pretty", value_name = "FORMAT")]
    pub log_format: String,
}

/// Standard variables of OpenTelemetry that the help lists after the options.
///
/// They have no documented flags, because the library of OpenTelemetry reads most of them from the
/// environment itself.
const OTEL_HELP: &str = "\
OpenTelemetry variables (environment only; they apply if traces are exported):
  OTEL_SDK_DISABLED                    `true` disables the export of traces
  OTEL_TRACES_EXPORTER                 Exporter: `otlp` or `none`
  OTEL_TRACES_SAMPLER                  Sampler: always_on, always_off or traceidratio, each also
                                       with the prefix `parentbased_`
  OTEL_TRACES_SAMPLER_ARG              Share of traces for traceidratio, from 0 to 1
  OTEL_BSP_MAX_QUEUE_SIZE              Maximum number of queued spans, from 1 to 1000000
  OTEL_EXPORTER_OTLP_PROTOCOL          Only `http/protobuf` is supported
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL   The same, for traces only
  OTEL_EXPORTER_OTLP_COMPRESSION       Only `none` is supported
Further standard variables, such as OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_TIMEOUT, have their usual meaning.";

/// Options of traces, with the standard variables of OpenTelemetry.
#[derive(Args, Clone, Debug)]
#[command(after_help = OTEL_HELP)]
pub struct TraceOptions {
    /// Base URL of the collector that receives traces over OTLP/HTTP. The gateway appends
    /// `/v1/traces`. By default, no traces are exported.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Complete URL of the collector that receives traces. It overrides the base URL, and nothing is
    /// appended to it.
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

/// The configuration of logs and traces.
pub struct TelemetryConfig {
    /// The filter of log lines.
    pub filter: EnvFilter,
    /// The format of log lines.
    pub format: LogFormat,
    /// The export of traces, or `None` if traces are not exported.
    pub traces: Option<OtlpConfig>,
}

/// The destination of traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpConfig {
    /// The URL that receives traces over OTLP/HTTP with Protocol Buffers.
    pub endpoint: Url,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A format for reading.
    Pretty,
    /// One JSON object per line.
    Json,
}

impl LogOptions {
    /// Validates the options of logs, and those of traces if given.
    ///
    /// # Errors
    ///
    /// Returns the error of the first invalid option.
    pub fn validate(&self, traces: Option<&TraceOptions>) -> Result<TelemetryConfig, ConfigError> {
        Ok(TelemetryConfig {
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
                let expected = "`pretty` or `json`";
                Err(ConfigError::invalid("TENANTRY_LOG_FORMAT", "format", other, expected))
            }
        }
    }

    fn filter(&self) -> Result<EnvFilter, ConfigError> {
        EnvFilter::try_new(&self.log).map_err(|_| {
            let expected = "a filter in the syntax of `tracing`, e.g. info or tenantry=debug";
            ConfigError::invalid("TENANTRY_LOG", "filter", &self.log, expected)
        })
    }
}

impl TraceOptions {
    fn validate(&self) -> Result<Option<OtlpConfig>, ConfigError> {
        let equals = |value: &Option<String>, word| {
            value.as_deref().is_some_and(|value: &str| value.eq_ignore_ascii_case(word))
        };
        if equals(&self.otel_disabled, "true") || equals(&self.traces_exporter, "none") {
            return Ok(None);
        }
        let endpoint = match (&self.otlp_traces_endpoint, &self.otlp_endpoint) {
            (Some(url), _) => collector_url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url, "")?,
            (None, Some(url)) => collector_url("OTEL_EXPORTER_OTLP_ENDPOINT", url, "v1/traces")?,
            (None, None) => return Ok(None),
        };
        self.check_otel_variables()?;
        self.check_protocol()?;
        Ok(Some(OtlpConfig { endpoint }))
    }

    /// Rejects protocols other than `http/protobuf`. The variable for traces overrides the general one.
    fn check_protocol(&self) -> Result<(), ConfigError> {
        for (variable, value) in [
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", &self.otlp_traces_protocol),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", &self.otlp_protocol),
        ] {
            match value.as_deref() {
                None => {}
                Some("http/protobuf") => break,
                Some(other) => {
                    let expected = "`http/protobuf`, the only supported protocol, which collectors \
                                    usually accept at port 4318";
                    return Err(ConfigError::invalid(variable, "protocol", other, expected));
                }
            }
        }
        Ok(())
    }

    /// Rejects values that the library of OpenTelemetry, which reads these variables itself, would
    /// ignore or fail on.
    fn check_otel_variables(&self) -> Result<(), ConfigError> {
        let check = |variable,
                     value_kind,
                     value: &Option<String>,
                     is_valid: &dyn Fn(&str) -> bool,
                     expected| {
            match value.as_deref().filter(|value| !is_valid(value)) {
                Some(value) => Err(ConfigError::invalid(variable, value_kind, value, expected)),
                None => Ok(()),
            }
        };
        let is_ratio = |value: &str| value.parse().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio));
        let is_queue_size = |value: &str| value.parse().is_ok_and(|n| (1..=1_000_000).contains(&n));
        let is_sampler = |value: &str| {
            let base = value.strip_prefix("parentbased_").unwrap_or(value);
            matches!(base, "always_on" | "always_off" | "traceidratio")
        };
        let expected = "`otlp` or `none`";
        let is_exporter = |value: &str| value == "otlp";
        check("OTEL_TRACES_EXPORTER", "exporter", &self.traces_exporter, &is_exporter, expected)?;
        let expected = "always_on, always_off or traceidratio, or one of these with the prefix \
                        `parentbased_`";
        check("OTEL_TRACES_SAMPLER", "sampler", &self.traces_sampler, &is_sampler, expected)?;
        let expected = "a number from 0 to 1, e.g. 0.1";
        check("OTEL_TRACES_SAMPLER_ARG", "ratio", &self.traces_sampler_arg, &is_ratio, expected)?;
        let expected = "a whole number from 1 to 1000000, e.g. 2048";
        let queue_size = &self.bsp_max_queue_size;
        check("OTEL_BSP_MAX_QUEUE_SIZE", "number", queue_size, &is_queue_size, expected)?;
        let expected = "`none`, because spans are sent without compression";
        let is_none = |value: &str| value == "none";
        let compression = &self.otlp_compression;
        check("OTEL_EXPORTER_OTLP_COMPRESSION", "compression", compression, &is_none, expected)
    }
}

/// Parses the URL of a collector and appends the path.
fn collector_url(variable: &'static str, value: &str, path: &str) -> Result<Url, ConfigError> {
    let expected = "an http or https URL without a user, a password and a query, e.g. \
                    http://collector:4318; secrets belong in OTEL_EXPORTER_OTLP_HEADERS";
    if value.contains(['@', '?']) {
        return Err(ConfigError::invalid_secret(variable, "URL", expected));
    }
    let error = || ConfigError::invalid(variable, "URL", value, expected);
    let mut url = Url::parse(value).map_err(|_| error())?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(error());
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

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn endpoint(options: &TraceOptions) -> Option<String> {
        options.validate().expect("valid").map(|traces| traces.endpoint.into())
    }

    #[test]
    fn standard_variables_select_the_endpoint_of_traces() {
        assert_eq!(endpoint(&options()), None);
        let base = TraceOptions { otlp_endpoint: text("http://collector:4318"), ..options() };
        assert_eq!(endpoint(&base), text("http://collector:4318/v1/traces"));
        let with_path = TraceOptions { otlp_endpoint: text("https://c/otlp/"), ..options() };
        assert_eq!(endpoint(&with_path), text("https://c/otlp/v1/traces"));
        let for_traces =
            TraceOptions { otlp_traces_endpoint: text("http://t:1/x"), ..base.clone() };
        assert_eq!(endpoint(&for_traces), text("http://t:1/x"));
        let disabled = TraceOptions { otel_disabled: text("TRUE"), ..base.clone() };
        assert_eq!(endpoint(&disabled), None);
        let no_exporter = TraceOptions { traces_exporter: text("none"), ..base.clone() };
        assert_eq!(endpoint(&no_exporter), None);
        let two_protocols = TraceOptions {
            otlp_protocol: text("grpc"),
            otlp_traces_protocol: text("http/protobuf"),
            ..base.clone()
        };
        assert!(endpoint(&two_protocols).is_some());
        let all_variables = TraceOptions {
            traces_exporter: text("otlp"),
            traces_sampler: text("parentbased_traceidratio"),
            traces_sampler_arg: text("0.25"),
            bsp_max_queue_size: text("4096"),
            otlp_compression: text("none"),
            ..base
        };
        assert!(endpoint(&all_variables).is_some());
    }

    #[test]
    fn unsupported_values_are_errors_of_their_variable() {
        let base = TraceOptions { otlp_endpoint: text("http://collector:4318"), ..options() };
        for (invalid, variable) in [
            (TraceOptions { otlp_protocol: text("grpc"), ..base.clone() }, "OTLP_PROTOCOL"),
            (TraceOptions { otlp_endpoint: text("collector:4318"), ..options() }, "OTLP_ENDPOINT"),
            (TraceOptions { otlp_endpoint: text("ftp://c"), ..options() }, "OTLP_ENDPOINT"),
            (TraceOptions { traces_exporter: text("console"), ..base.clone() }, "TRACES_EXPORTER"),
            (TraceOptions { traces_sampler: text("foo"), ..base.clone() }, "TRACES_SAMPLER"),
            (TraceOptions { traces_sampler_arg: text("7"), ..base.clone() }, "SAMPLER_ARG"),
            (TraceOptions { bsp_max_queue_size: text("0"), ..base.clone() }, "QUEUE_SIZE"),
            (TraceOptions { otlp_compression: text("gzip"), ..base.clone() }, "COMPRESSION"),
        ] {
            let error = invalid.validate().expect_err("invalid").to_string();
            assert!(error.starts_with("OTEL_") && error.contains(variable), "{error}");
        }
    }

    #[test]
    fn endpoint_with_a_secret_is_rejected_without_showing_it() {
        for secret in ["http://ada:hunter2@c", "ada:hunter2@c:4318", "http://c/?key=hunter2"] {
            let secret = TraceOptions { otlp_endpoint: text(secret), ..options() };
            let error = secret.validate().expect_err("a secret").to_string();
            assert!(!error.contains("hunter2") && error.contains("HEADERS"), "{error}");
        }
    }
}
