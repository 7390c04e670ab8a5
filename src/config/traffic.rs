//! Options of what holds traffic in bounds.

use clap::Args;
use url::Url;

use super::ConfigError;

/// Options of what holds traffic in bounds.
#[derive(Args, Clone, Debug)]
pub struct TrafficOptions {
    /// Origins of pages that may ask, with commas between, or `*` for all; none by default.
    #[arg(long, env = "TENANTRY_CORS_ORIGINS", value_name = "ORIGINS")]
    pub cors_origins: Option<String>,
}

/// What holds traffic in bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The pages of other origins that may ask.
    pub cors_origins: CorsOrigins,
}

/// The origins whose pages may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every origin.
    Any,
    /// These, each as browsers write it. None is our own alone.
    These(Vec<String>),
}

impl TrafficOptions {
    /// Validates.
    pub fn validate(&self) -> Result<Traffic, ConfigError> {
        Ok(Traffic { cors_origins: cors_origins(self.cors_origins.as_deref())? })
    }
}

fn cors_origins(held: Option<&str>) -> Result<CorsOrigins, ConfigError> {
    let Some(held) = held else { return Ok(CorsOrigins::These(Vec::new())) };
    if held.trim() == "*" {
        return Ok(CorsOrigins::Any);
    }
    let origins: Vec<String> = held.split(',').map(|origin| origin.trim().to_owned()).collect();
    if origins.iter().all(|origin| is_origin(origin)) {
        return Ok(CorsOrigins::These(origins));
    }
    let expected = "expected `*`, or origins such as https://portal.example.org with commas \
                    between: lower case, without a path or a port that is the scheme's own";
    Err(ConfigError::new("TENANTRY_CORS_ORIGINS", held, expected))
}

/// Whether a browser would write it so: the header is compared with it to the letter.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        let these = |origins: &[&str]| {
            Ok(CorsOrigins::These(origins.iter().map(|&origin| origin.to_owned()).collect()))
        };
        assert_eq!(cors_origins(None), these(&[]));
        assert_eq!(cors_origins(Some("*")), Ok(CorsOrigins::Any));
        let [one, two] = ["https://portal.example.org", "http://localhost:3000"];
        assert_eq!(cors_origins(Some(one)), these(&[one]));
        assert_eq!(cors_origins(Some(&format!("{one}, {two}"))), these(&[one, two]));
        for bad in [
            "https://portal.example.org/",
            "https://Portal.example.org",
            "https://portal.example.org:443",
            "https://ada@portal.example.org",
            "portal.example.org",
            "https://*.example.org",
            "null",
            "file:///x",
            "*, https://portal.example.org",
            "https://portal.example.org,",
        ] {
            let error = cors_origins(Some(bad)).expect_err(bad).to_string();
            assert!(error.starts_with("TENANTRY_CORS_ORIGINS holds"), "{error}");
        }
    }
}
