//! The issuer of `tenantry dev`: one key in a file, and tokens for whoever is on this machine.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::jwk::KeySet;

/// The file of the key, in the issuer's folder.
const KEY_FILE: &str = "dev-issuer.pk8";
/// How long its tokens are good.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Why there is no issuer.
#[derive(Debug, thiserror::Error)]
pub enum DevIssuerError {
    /// The key's file can be neither read nor made.
    #[error("the key of the built-in issuer cannot be kept in {path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is there, and no key.
    #[error("{0} holds no key of the built-in issuer: remove the file, and a new one is made")]
    InvalidKeyFile(PathBuf),
    /// No key could be made.
    #[error("the system gives no random numbers")]
    Rng,
}

/// Whom a token is for.
#[derive(Clone, Debug)]
pub struct DevClaims {
    /// `sub`
    pub subject: String,
    /// `email`
    pub email: String,
    /// `name`
    pub name: String,
    /// `groups`
    pub groups: Vec<String>,
}

/// An issuer with an ES256 key. It signs whatever it is asked to: never outside of `tenantry dev`.
pub struct DevIssuer {
    issuer: String,
    audience: String,
    key: EcdsaKeyPair,
    kid: String,
}

impl DevIssuer {
    /// The issuer whose key is in that folder; folder and key are made where there are none.
    pub fn open(dir: &Path, issuer_url: String, audience: String) -> Result<Self, DevIssuerError> {
        let path = dir.join(KEY_FILE);
        let failed = |cause| DevIssuerError::Io { path: path.clone(), cause };
        let pkcs8 = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = generate()?;
                write_key_if_absent(dir, &path, made.as_ref()).map_err(failed)?;
                // Another start may have been first: its key is the one.
                fs::read(&path).map_err(failed)?
            }
            read => read.map_err(failed)?,
        };
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
            .map_err(|_| DevIssuerError::InvalidKeyFile(path))?;
        let kid = thumbprint(&key);
        Ok(Self { issuer: issuer_url, audience, key, kid })
    }

    /// The key set (RFC 7517 section 5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let (x, y) = point(&self.key);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "x": x, "y": y,
            "kid": self.kid, "use": "sig", "alg": "ES256",
        }]})
    }

    /// The key set, to verify with.
    #[must_use]
    pub fn key_set(&self) -> KeySet {
        KeySet::from_jwks(&self.jwks()).unwrap_or_default()
    }

    /// The discovery document (OIDC Discovery section 3), without the endpoints that are not there.
    #[must_use]
    pub fn discovery(&self) -> Value {
        let issuer = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{issuer}/jwks.json"),
            // There is no endpoint to ask for a token: `/dev/identities` gives them.
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported":
                ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "email", "name", "groups"],
        })
    }

    /// An access token (RFC 9068 section 2) that is good for an hour.
    /// Fails only where the system gives no random numbers.
    pub fn token(&self, claims: &DevClaims, now: Timestamp) -> Result<String, DevIssuerError> {
        let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": self.kid});
        let payload = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": claims.subject,
            "client_id": "tenantry-dev",
            "jti": hex::encode(random()?),
            "iat": now.seconds(),
            "exp": now.saturating_add(LIFETIME).seconds(),
            "email": claims.email,
            "name": claims.name,
            "groups": claims.groups,
        });
        let encode = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.map_err(|_| DevIssuerError::Rng)?);
        Ok(format!("{message}.{signature}"))
    }
}

fn random() -> Result<[u8; 16], DevIssuerError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| DevIssuerError::Rng)?;
    Ok(random)
}

fn generate() -> Result<impl AsRef<[u8]>, DevIssuerError> {
    let random = SystemRandom::new();
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(|_| DevIssuerError::Rng)
}

/// Puts a key in its place, whole or not at all, unless another is there first.
fn write_key_if_absent(dir: &Path, path: &Path, pkcs8: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let random = random().map_err(io::Error::other)?;
    let draft = dir.join(format!("{KEY_FILE}.{}", hex::encode(random)));
    let kept = write_private(&draft, pkcs8).and_then(|()| fs::hard_link(&draft, path));
    // The draft goes whatever came of it; one that stays behind does no harm.
    let _ = fs::remove_file(&draft);
    match kept {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        kept => kept,
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The coordinates of the public key, in base64url.
fn point(key: &EcdsaKeyPair) -> (String, String) {
    // Uncompressed (SEC 1 section 2.3.3): 4, x, y.
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
}

/// RFC 7638 section 3: the members in this order, without spaces.
fn thumbprint(key: &EcdsaKeyPair) -> String {
    let (x, y) = point(key);
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> Result<DevIssuer, DevIssuerError> {
        DevIssuer::open(dir, "http://127.0.0.1:8080/dev/oidc".to_owned(), "tenantry".to_owned())
    }

    #[test]
    fn one_key_is_kept_however_many_start_at_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("made/as/needed");
        let kids: Vec<String> = std::thread::scope(|scope| {
            let start = || open(&folder).map(|issuer| issuer.kid);
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|s| s.join().expect("ended").expect("opened")).collect()
        });
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
        assert_eq!(open(&folder).expect("opened").kid, kids[0]);
        let files: Vec<_> = fs::read_dir(&folder).expect("there").collect();
        assert_eq!(files.len(), 1, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        open(dir.path()).expect("opened");
        let metadata = fs::metadata(dir.path().join(KEY_FILE)).expect("there");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_named_and_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(KEY_FILE);
        for content in ["", "nonsense"] {
            fs::write(&path, content).expect("written");
            let Err(error) = open(dir.path()) else { panic!("{content:?} is no key") };
            let text = error.to_string();
            assert!(text.contains(KEY_FILE) && text.contains("remove the file"), "{text}");
            assert_eq!(fs::read_to_string(&path).expect("there"), content);
        }
    }

    #[test]
    fn documents_say_what_there_is() {
        let dir = tempfile::tempdir().expect("a folder");
        let issuer = open(dir.path()).expect("opened");
        assert_eq!(issuer.key_set().len(), 1);
        assert_eq!(issuer.jwks()["keys"][0]["kid"], json!(issuer.kid));
        assert!(issuer.jwks()["keys"][0].get("d").is_none());
        let discovery = issuer.discovery();
        assert_eq!(discovery["issuer"], "http://127.0.0.1:8080/dev/oidc");
        assert_eq!(discovery["jwks_uri"], "http://127.0.0.1:8080/dev/oidc/jwks.json");
    }
}
