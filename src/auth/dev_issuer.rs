//! Implements the built-in issuer of `tenantry dev`.
//!
//! It has one key, which is kept in a file so that tokens stay valid across restarts. Every client
//! on this machine can get a token. `tenantry serve` never uses this issuer.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::jwk::KeySet;

/// The name of the key file in the issuer's folder.
const KEY_FILE: &str = "dev-issuer.pk8";
/// The lifetime of the issued tokens.
const TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The reason why the built-in issuer cannot be opened or cannot issue a token.
#[derive(Debug, thiserror::Error)]
pub enum DevIssuerError {
    /// The key file can be neither read nor created.
    #[error("the key file {path} of the built-in issuer cannot be read or created: {cause}")]
    Io {
        /// The path of the key file.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The file exists, but does not contain a valid key.
    #[error("{0} is not a key of the built-in issuer: remove the file to create a new key")]
    InvalidKeyFile(PathBuf),
    /// The system's random number generator failed.
    #[error("the system's random number generator failed")]
    Rng,
    /// The token cannot be signed.
    #[error("the built-in issuer cannot sign a token: {0}")]
    Sign(jsonwebtoken::errors::Error),
}

/// The claims of a token that differ between demo identities.
#[derive(Clone, Debug)]
pub struct DevClaims {
    /// The claim `sub`.
    pub subject: String,
    /// The claim `email`.
    pub email: String,
    /// The claim `name`.
    pub name: String,
    /// The claim `groups`.
    pub groups: Vec<String>,
}

/// An issuer with one ES256 key.
///
/// It signs any claims, so it must be used only by `tenantry dev`.
pub struct DevIssuer {
    issuer: String,
    audience: String,
    key: EncodingKey,
    /// The public key.
    jwk: Jwk,
}

impl DevIssuer {
    /// Opens the issuer whose key is in this folder. A missing folder or key is created.
    pub fn open(dir: &Path, issuer_url: String, audience: String) -> Result<Self, DevIssuerError> {
        let path = dir.join(KEY_FILE);
        let io_error = |cause| DevIssuerError::Io { path: path.clone(), cause };
        let pkcs8 = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let generated = generate_key()?;
                write_key_if_absent(dir, &path, generated.as_ref()).map_err(io_error)?;
                // Another process may have created the key first. Then that key is used.
                fs::read(&path).map_err(io_error)?
            }
            result => result.map_err(io_error)?,
        };
        let key = EncodingKey::from_ec_der(&pkcs8);
        let jwk = public_jwk(&key).map_err(|_| DevIssuerError::InvalidKeyFile(path))?;
        Ok(Self { issuer: issuer_url, audience, key, jwk })
    }

    /// Returns the key set (RFC 7517 section 5).
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: vec![self.jwk.clone()] }
    }

    /// Returns the key set for verifying this issuer's tokens.
    #[must_use]
    pub fn key_set(&self) -> KeySet {
        KeySet::from_jwks(&json!(self.jwks())).unwrap_or_default()
    }

    /// Returns the discovery document (OIDC Discovery section 3).
    ///
    /// It names no endpoints other than `jwks_uri`, because there are none.
    #[must_use]
    pub fn discovery(&self) -> Value {
        let issuer = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{issuer}/jwks.json"),
            // There is no token endpoint. `/dev/identities` returns tokens.
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported":
                ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "email", "name", "groups"],
        })
    }

    /// Issues an access token (RFC 9068 section 2) that expires after an hour.
    ///
    /// # Errors
    ///
    /// Returns [`DevIssuerError::Rng`] or [`DevIssuerError::Sign`] if the system's random number
    /// generator failed.
    pub fn token(&self, claims: &DevClaims, now: Timestamp) -> Result<String, DevIssuerError> {
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: self.jwk.common.key_id.clone(),
            ..Header::new(Algorithm::ES256)
        };
        let payload = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": claims.subject,
            "client_id": "tenantry-dev",
            "jti": hex::encode(random_bytes()?),
            "iat": now.seconds(),
            "exp": now.saturating_add(TOKEN_LIFETIME).seconds(),
            "email": claims.email,
            "name": claims.name,
            "groups": claims.groups,
        });
        encode(&header, &payload, &self.key).map_err(DevIssuerError::Sign)
    }
}

fn random_bytes() -> Result<[u8; 16], DevIssuerError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| DevIssuerError::Rng)?;
    Ok(bytes)
}

fn generate_key() -> Result<impl AsRef<[u8]>, DevIssuerError> {
    let rng = SystemRandom::new();
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng)
        .map_err(|_| DevIssuerError::Rng)
}

/// Writes a key file atomically, unless the file already exists.
fn write_key_if_absent(dir: &Path, path: &Path, pkcs8: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let suffix = random_bytes().map_err(io::Error::other)?;
    let temporary = dir.join(format!("{KEY_FILE}.{}", hex::encode(suffix)));
    // Unlike a rename, a hard link fails if the file exists.
    let result =
        write_private_file(&temporary, pkcs8).and_then(|()| fs::hard_link(&temporary, path));
    // The temporary file is no longer needed. If its removal fails, it is harmless.
    let _ = fs::remove_file(&temporary);
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

fn write_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Returns the public key as a JWK whose `kid` is its thumbprint (RFC 7638).
fn public_jwk(key: &EncodingKey) -> jsonwebtoken::errors::Result<Jwk> {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256)?;
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256)?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(jwk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> Result<DevIssuer, DevIssuerError> {
        DevIssuer::open(dir, "http://127.0.0.1:8080/dev/oidc".to_owned(), "tenantry".to_owned())
    }

    fn kid(issuer: &DevIssuer) -> String {
        issuer.jwk.common.key_id.clone().expect("a thumbprint")
    }

    #[test]
    fn concurrent_starts_share_one_key() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("created/if/missing");
        let kids: Vec<String> = std::thread::scope(|scope| {
            let start = || open(&folder).map(|issuer| kid(&issuer));
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts
                .into_iter()
                .map(|start| start.join().expect("no panic").expect("opened"))
                .collect()
        });
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
        assert_eq!(kid(&open(&folder).expect("opened")), kids[0]);
        let files: Vec<_> = fs::read_dir(&folder).expect("a folder").collect();
        assert_eq!(files.len(), 1, "no temporary file remains");
    }

    #[cfg(unix)]
    #[test]
    fn key_file_is_readable_only_by_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        open(dir.path()).expect("opened");
        let metadata = fs::metadata(dir.path().join(KEY_FILE)).expect("a file");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn invalid_key_file_is_named_and_not_overwritten() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(KEY_FILE);
        for content in ["", "nonsense"] {
            fs::write(&path, content).expect("written");
            let Err(error) = open(dir.path()) else { panic!("{content:?} was accepted") };
            let text = error.to_string();
            assert!(text.contains(KEY_FILE) && text.contains("remove the file"), "{text}");
            assert_eq!(fs::read_to_string(&path).expect("a file"), content);
        }
    }

    #[test]
    fn key_set_and_discovery_document_describe_the_issuer() {
        let dir = tempfile::tempdir().expect("a folder");
        let issuer = open(dir.path()).expect("opened");
        assert_eq!(issuer.key_set().len(), 1);
        let jwks = json!(issuer.jwks());
        let mut members: Vec<_> =
            jwks["keys"][0].as_object().expect("a key").keys().cloned().collect();
        members.sort();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        let discovery = issuer.discovery();
        assert_eq!(discovery["issuer"], "http://127.0.0.1:8080/dev/oidc");
        assert_eq!(discovery["jwks_uri"], "http://127.0.0.1:8080/dev/oidc/jwks.json");
    }
}
