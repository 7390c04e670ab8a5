//! Options of the OpenID Connect provider.

use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::{error::ConfigError, parse};

const ISSUER: &str = "TENANTRY_OIDC_ISSUER";
const AUDIENCE: &str = "TENANTRY_OIDC_AUDIENCE";
const JWKS_URL: &str = "TENANTRY_OIDC_JWKS_URL";

/// Options of the OpenID Connect provider.
#[derive(Args, Clone, Debug)]
pub struct OidcOptions {
    /// Issuer of the tokens, exactly as in their `iss` claim. It is an https URL, or http with a
    /// loopback host. Separate several issuers with commas. Users who were stored without an issuer
    /// belong to the first one.
    #[arg(long, env = "TENANTRY_OIDC_ISSUER", value_name = "URLS")]
    pub oidc_issuer: Option<String>,
    /// Accepted audiences (`aud` claim), separated by commas. A token must contain one of them. For
    /// several issuers, give one group for all, or one group per issuer in the same order, separated
    /// by `;`.
    #[arg(long, env = "TENANTRY_OIDC_AUDIENCE", value_name = "AUDIENCES")]
    pub oidc_audience: Option<String>,
    /// URL of the issuer's key set (JWKS). By default, discovery supplies it. For several issuers,
    /// give one URL per issuer in the same order, separated by `;`. Leave an entry empty to use
    /// discovery.
    #[arg(long, env = "TENANTRY_OIDC_JWKS_URL", value_name = "URLS")]
    pub oidc_jwks_url: Option<String>,
    /// File of CA certificates (PEM) to trust for discovery and keys, in addition to the system's.
    #[arg(long, env = "TENANTRY_OIDC_CA_FILE", value_name = "FILE")]
    pub oidc_ca_file: Option<String>,
    /// Name of the claim that contains the groups of a user.
    #[arg(
        long,
        env = "TENANTRY_OIDC_GROUPS_CLAIM",
        default_value = "groups",
        value_name = "CLAIM"
    )]
    pub oidc_groups_claim: String,
}

/// The option that names the issuer of users who were stored without one.
#[derive(Args, Clone, Debug)]
pub struct DefaultIssuerOptions {
    /// Issuers of the gateway's tokens, as for `serve`. Only the first one matters. It is the issuer of
    /// users who were stored in MongoDB without one, as by a migration.
    #[arg(long, env = "TENANTRY_OIDC_ISSUER", value_name = "URLS")]
    pub oidc_issuer: Option<String>,
}

impl DefaultIssuerOptions {
    /// Returns the first issuer, or an empty string if none is given.
    ///
    /// # Errors
    ///
    /// Returns an error if a value is invalid.
    pub fn validate(self) -> Result<String, ConfigError> {
        match self.oidc_issuer {
            None => Ok(String::new()),
            value => Ok(parse_issuers(value)?.into_iter().next().unwrap_or_default()),
        }
    }
}

/// The issuers whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcConfig {
    /// The issuers, at least one. Users who were stored without an issuer belong to the first.
    pub issuers: Vec<IssuerConfig>,
    /// The file of CA certificates to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The claim that contains the groups.
    pub groups_claim: String,
}

/// The settings of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerConfig {
    /// The issuer, exactly as in the `iss` claim of its tokens.
    pub url: String,
    /// The accepted audiences. A token must contain one of them.
    pub audiences: Vec<String>,
    /// The URL of the key set, or `None` to use discovery.
    pub jwks_url: Option<Url>,
}

impl OidcConfig {
    /// Returns the issuer of users who were stored without one.
    #[must_use]
    pub fn default_issuer(&self) -> &str {
        self.issuers.first().map_or("", |first| &first.url)
    }
}

impl OidcOptions {
    /// Validates issuers, audiences and key URLs.
    ///
    /// # Errors
    ///
    /// Returns an error if the issuer or the audience is missing, if a value is invalid, or if the
    /// lists have different lengths.
    pub fn validate(self) -> Result<OidcConfig, ConfigError> {
        let urls = parse_issuers(self.oidc_issuer)?;
        let audiences = parse_audiences(self.oidc_audience, urls.len())?;
        let jwks_urls = parse_jwks_urls(self.oidc_jwks_url, urls.len())?;
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

fn parse_issuers(value: Option<String>) -> Result<Vec<String>, ConfigError> {
    let expected = "the URL of the issuer, e.g. https://id.example.org/";
    let value = parse::required(ISSUER, value, expected)?;
    let issuers: Vec<String> = value.split(',').map(|url| url.trim().to_owned()).collect();
    for (index, issuer) in issuers.iter().enumerate() {
        let url = parse::provider_url(ISSUER, issuer)?;
        if url.query().is_some() || url.fragment().is_some() {
            let expected = "a URL without `?` and `#`, e.g. https://id.example.org/";
            return Err(ConfigError::invalid(ISSUER, "URL", issuer, expected));
        }
        if issuers[..index].contains(issuer) {
            return Err(ConfigError::invalid(ISSUER, "list", &value, "each issuer only once"));
        }
    }
    Ok(issuers)
}

/// Returns the audiences of each issuer, in the order of the issuers.
fn parse_audiences(
    value: Option<String>,
    issuer_count: usize,
) -> Result<Vec<Vec<String>>, ConfigError> {
    let value = parse::required(AUDIENCE, value, "the client ID, e.g. portal")?;
    let parse_group = |group: &str| -> Vec<String> {
        let audiences = group.split(',').map(str::trim).filter(|audience| !audience.is_empty());
        audiences.map(str::to_owned).collect()
    };
    let mut groups: Vec<_> = value.split(';').map(parse_group).collect();
    if groups.iter().any(Vec::is_empty) {
        let expected = "an audience, or several separated by commas, e.g. portal,admin";
        return Err(ConfigError::invalid(AUDIENCE, "list", &value, expected));
    }
    if let [all] = &groups[..] {
        groups = vec![all.clone(); issuer_count];
    }
    if groups.len() != issuer_count {
        let expected = format!(
            "one group of audiences for all issuers, or {issuer_count} groups separated by `;`, one \
             for each issuer"
        );
        return Err(ConfigError::invalid(AUDIENCE, "list", &value, expected));
    }
    Ok(groups)
}

/// Returns the key URL of each issuer, in the order of the issuers.
fn parse_jwks_urls(
    value: Option<String>,
    issuer_count: usize,
) -> Result<Vec<Option<Url>>, ConfigError> {
    let Some(value) = value else { return Ok(vec![None; issuer_count]) };
    let parse_url = |url: &str| {
        let url = url.trim();
        (!url.is_empty()).then(|| parse::provider_url(JWKS_URL, url)).transpose()
    };
    let urls = value.split(';').map(parse_url).collect::<Result<Vec<_>, _>>()?;
    if urls.len() != issuer_count {
        let expected = format!(
            "{issuer_count} URLs separated by `;`, one for each issuer, empty for an issuer that uses \
             discovery"
        );
        return Err(ConfigError::invalid(JWKS_URL, "list", &value, expected));
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(
        issuer: &str,
        audience: &str,
        jwks_url: Option<&str>,
    ) -> Result<OidcConfig, ConfigError> {
        OidcOptions {
            oidc_issuer: Some(issuer.to_owned()),
            oidc_audience: Some(audience.to_owned()),
            oidc_jwks_url: jwks_url.map(str::to_owned),
            oidc_ca_file: None,
            oidc_groups_claim: "groups".to_owned(),
        }
        .validate()
    }

    #[test]
    fn each_issuer_has_its_own_audiences_and_keys() {
        let [one, two] = ["https://one.example/", "https://two.example"];
        let both = format!("{one}, {two}");
        let parse = |audience, jwks_url| {
            let issuers = validate(&both, audience, jwks_url).expect("valid").issuers;
            let issuer =
                |i: IssuerConfig| (i.url, i.audiences.join("+"), i.jwks_url.map(String::from));
            issuers.into_iter().map(issuer).collect::<Vec<_>>()
        };
        let expected = |a: &str, b: &str, keys: Option<&str>| {
            let keys = keys.map(str::to_owned);
            vec![(one.to_owned(), a.to_owned(), None), (two.to_owned(), b.to_owned(), keys)]
        };
        assert_eq!(parse("a, b", None), expected("a+b", "a+b", None));
        assert_eq!(parse("a;b, c", None), expected("a", "b+c", None));
        let keys = "https://two.example/keys";
        assert_eq!(parse("a", Some(&format!(";{keys}"))), expected("a", "a", Some(keys)));
        assert_eq!(validate(&both, "a", None).expect("valid").default_issuer(), one);
    }

    #[test]
    fn invalid_lists_are_errors_of_their_variable() {
        let [one, two] = ["https://one.example/", "https://two.example"];
        let both = format!("{one}, {two}");
        let keys = "https://two.example/keys";
        for (issuer, audience, jwks_url, variable) in [
            (&*both, "a;b;c", None, AUDIENCE),
            (&*both, "a;", None, AUDIENCE),
            (one, "a;b", None, AUDIENCE),
            (&*both, "a", Some(keys), JWKS_URL),
            (&*both, "a", Some("x;y"), JWKS_URL),
            (&*format!("{one},{one}"), "a", None, ISSUER),
            (&*format!("{one},"), "a", None, ISSUER),
            ("https://one.example/?a", "a", None, ISSUER),
        ] {
            let error = validate(issuer, audience, jwks_url).expect_err("invalid").to_string();
            assert!(error.starts_with(variable) && !error.contains('\n'), "{error}");
        }
    }
}
