//! The table of accepted and rejected credentials, shared by the tests of every transport.
//!
//! A transport's test calls [`publish_keys`] and presents each case of [`all_cases`]. It compares
//! the result with the case's [`outcome`](CredentialCase::outcome).

use serde_json::{Value, json};
use tenantry::auth::token::{AuthError, TokenError};

use crate::support::issuer::{Kind, NOW, TestIssuer, TestKey, TokenBuilder};

/// The exact number of cases in the table. A case that is dropped by accident fails the tests.
pub(crate) const CASE_COUNT: usize = 159;

/// One credential and the expected result.
pub(crate) struct CredentialCase {
    /// The property that this case tests.
    pub(crate) name: &'static str,
    /// The values of the `Authorization` header, or of the transport's equivalent.
    pub(crate) credentials: Vec<String>,
    /// The expected result: `Ok` if the credential is accepted.
    pub(crate) outcome: Result<(), AuthError>,
}

/// Gives the issuer a key of each kind, and one RSA key that is restricted to RS384. A verifier
/// must fetch the keys again to accept tokens that they sign.
pub(crate) fn publish_keys(issuer: &TestIssuer) {
    issuer.set_keys(&[Kind::P256, Kind::Rsa, Kind::P384, Kind::Ed25519].map(TestKey::of));
    let mut rs384 = TestKey::of(Kind::Rsa).named("rs384").jwk();
    rs384["alg"] = json!("RS384");
    issuer.set_additional_jwks(&[rs384]);
}

/// Returns the whole table.
pub(crate) fn all_cases(issuer: &TestIssuer) -> Vec<CredentialCase> {
    let bearer = |token: &str| vec![format!("Bearer {token}")];
    let mut cases: Vec<CredentialCase> = accepted_tokens(issuer)
        .into_iter()
        .map(|(name, token)| CredentialCase {
            name,
            credentials: bearer(&token.sign()),
            outcome: Ok(()),
        })
        .collect();
    for rejected in [format_cases, header_cases, key_cases, claim_cases, timestamp_cases] {
        cases.extend(rejected(issuer).into_iter().map(|(error, name, token)| {
            let outcome = Err(AuthError::InvalidToken(error));
            CredentialCase { name, credentials: bearer(&token), outcome }
        }));
    }
    cases.extend(authorization_header_cases(issuer));
    cases
}

/// A token that is signed with the issuer's RSA key by the algorithm `alg`.
fn rsa(issuer: &TestIssuer, alg: &str) -> TokenBuilder {
    issuer.token().key(&TestKey::of(Kind::Rsa)).header("alg", json!(alg))
}

fn accepted_tokens(issuer: &TestIssuer) -> Vec<(&'static str, TokenBuilder)> {
    let valid = || issuer.token();
    let key = |kind| issuer.token().key(&TestKey::of(kind));
    vec![
        ("RS256", rsa(issuer, "RS256")),
        ("RS384", rsa(issuer, "RS384")),
        ("RS512", rsa(issuer, "RS512")),
        ("PS256", rsa(issuer, "PS256")),
        ("PS384", rsa(issuer, "PS384")),
        ("PS512", rsa(issuer, "PS512")),
        ("ES256", valid()),
        ("ES384", key(Kind::P384)),
        ("EdDSA", key(Kind::Ed25519)),
        ("Ed25519", key(Kind::Ed25519).header("alg", json!("Ed25519"))),
        (
            "the alg that the key is restricted to",
            rsa(issuer, "RS384").header("kid", json!("rs384")),
        ),
        ("no typ", valid().without_header("typ")),
        ("typ JWT", valid().header("typ", json!("JWT"))),
        ("typ jwt", valid().header("typ", json!("jwt"))),
        ("typ AT+JWT", valid().header("typ", json!("AT+JWT"))),
        ("typ application/at+jwt", valid().header("typ", json!("application/at+jwt"))),
        ("typ Application/AT+JWT", valid().header("typ", json!("Application/AT+JWT"))),
        ("jku is ignored", valid().header("jku", json!("https://evil.example/jwks"))),
        ("jwk is ignored", valid().header("jwk", TestKey::of(Kind::Rsa).public())),
        ("x5c is ignored", valid().header("x5c", json!(["MII"]))),
        ("several audiences", valid().claim("aud", json!(["a", "tenantry"]))),
        ("the second configured audience", valid().claim("aud", json!("other"))),
        ("expired within leeway", valid().expires_at(NOW - 59)),
        ("exp with a fraction", valid().claim("exp", json!(1_767_225_600.5))),
        ("exp as 1e10", valid().claim("exp", json!(1e10))),
        ("nbf in the past", valid().claim("nbf", json!(NOW - 1))),
        ("nbf within leeway", valid().claim("nbf", json!(NOW + 60))),
        ("iat within leeway", valid().issued_at(NOW + 60)),
        ("no iat", valid().without("iat")),
        ("a subject of 255 characters", valid().subject(&"ä".repeat(255))),
        (
            "unknown claims and header parameters",
            valid().claim("x", json!({"y": [1]})).header("z", json!(1)),
        ),
        ("almost 16 KiB", valid().claim("x", json!("x".repeat(11_900)))),
    ]
}

/// A rejected token: the expected error, the name of the case and the token.
type RejectedToken = (TokenError, &'static str, String);

/// Tokens that are not a JWS in compact serialization, or whose parts are not JSON objects.
fn format_cases(issuer: &TestIssuer) -> Vec<RejectedToken> {
    use TokenError::{Credential, Malformed, TooLong};
    let valid = issuer.token();
    let token = valid.sign();
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let prepend = |json: String, member: &str| json.replacen('{', &format!("{{{member},"), 1);
    let duplicate = |name: &str| prepend(valid.claims_json(), &format!(r#""{name}":"x""#));
    vec![
        (Credential, "an empty token", String::new()),
        (Malformed, "no dots", "abc".to_owned()),
        (Malformed, "only dots", "..".to_owned()),
        (Malformed, "two parts", message.to_owned()),
        (Malformed, "four parts", format!("{token}.{signature}")),
        (Malformed, "five parts", format!("{token}.a.b")),
        (Malformed, "a signature with base64 padding", format!("{token}==")),
        (Credential, "a space within the token", format!("{message}. {signature}")),
        (Malformed, "an empty header", format!(".{token}")),
        (Malformed, "a signature in standard base64", valid.clone().raw_signature("ab+/").sign()),
        (
            Malformed,
            "a signature with non-zero trailing bits",
            valid.clone().raw_signature("AB").sign(),
        ),
        (Malformed, "a header that is not JSON", valid.clone().raw_header("{").sign()),
        (Malformed, "a header that is an array", valid.clone().raw_header("[]").sign()),
        (
            Malformed,
            "a duplicate alg",
            valid.clone().raw_header(&prepend(valid.header_json(), r#""alg":"none""#)).sign(),
        ),
        (Malformed, "a kid that is a number", valid.clone().header("kid", json!(1)).sign()),
        (Malformed, "a kid that is null", valid.clone().header("kid", Value::Null).sign()),
        (Malformed, "claims that are not JSON", valid.clone().raw_claims("ada").sign()),
        (Malformed, "claims that are a string", valid.clone().raw_claims("\"ada\"").sign()),
        (Malformed, "claims followed by a second object", valid.clone().raw_claims("{} {}").sign()),
        (Malformed, "a duplicate sub", valid.clone().raw_claims(&duplicate("sub")).sign()),
        (Malformed, "a duplicate iss", valid.clone().raw_claims(&duplicate("iss")).sign()),
        (Malformed, "claims that are an array", valid.clone().raw_claims("[]").sign()),
        (Malformed, "empty claims", valid.clone().raw_claims("").sign()),
        (Malformed, "a duplicate unknown claim", {
            let claims = duplicate("x").replacen('{', r#"{"x":1,"#, 1);
            valid.clone().raw_claims(&claims).sign()
        }),
        (TooLong, "a token of 17 KiB", valid.clone().claim("x", json!("x".repeat(12_700))).sign()),
        (TooLong, "17 KiB that are not a token", "x".repeat(17 * 1024)),
    ]
}

/// Tokens whose JOSE header is rejected.
fn header_cases(issuer: &TestIssuer) -> Vec<RejectedToken> {
    use TokenError::{Algorithm, UnexpectedTyp, UnsupportedCrit};
    let header = |name: &str, value: Value| issuer.token().header(name, value).sign();
    let none = issuer.token().header("alg", json!("none"));
    vec![
        (Algorithm, "no alg", issuer.token().without_header("alg").sign()),
        (Algorithm, "alg none", none.sign()),
        (Algorithm, "alg none without a signature", none.clone().raw_signature("").sign()),
        (Algorithm, "alg None", header("alg", json!("None"))),
        (Algorithm, "HS256 with the public key as secret", rsa(issuer, "HS256").sign()),
        (Algorithm, "alg HS512", header("alg", json!("HS512"))),
        (Algorithm, "alg ES512", header("alg", json!("ES512"))),
        (Algorithm, "alg ES256K", header("alg", json!("ES256K"))),
        (Algorithm, "alg RSA-OAEP", header("alg", json!("RSA-OAEP"))),
        (Algorithm, "alg ed25519", header("alg", json!("ed25519"))),
        (Algorithm, "alg Ed448", header("alg", json!("Ed448"))),
        (Algorithm, "alg es256", header("alg", json!("es256"))),
        (Algorithm, "an alg that is an array", header("alg", json!(["ES256"]))),
        (UnsupportedCrit, "a crit with exp", header("crit", json!(["exp"]))),
        (UnsupportedCrit, "an empty crit", header("crit", json!([]))),
        (UnsupportedCrit, "a crit that is null", header("crit", Value::Null)),
        (
            UnsupportedCrit,
            "b64 with crit",
            issuer.token().header("b64", json!(false)).header("crit", json!(["b64"])).sign(),
        ),
        (UnexpectedTyp, "typ application/jwt", header("typ", json!("application/jwt"))),
        (UnexpectedTyp, "an ID token's typ", header("typ", json!("id_token"))),
        (UnexpectedTyp, "a logout token's typ", header("typ", json!("logout+jwt"))),
        (UnexpectedTyp, "an empty typ", header("typ", json!(""))),
        (UnexpectedTyp, "a typ that is null", header("typ", Value::Null)),
        (UnexpectedTyp, "a typ that is a number", header("typ", json!(1))),
    ]
}

/// Tokens without a usable key, or whose signature does not verify.
fn key_cases(issuer: &TestIssuer) -> Vec<RejectedToken> {
    use TokenError::{AmbiguousKey, KeyAlgorithmMismatch, Signature, UnknownKey};
    let valid = || issuer.token();
    let attacker = TestKey::fresh(Kind::P256, "attacker");
    let kid = |kid: &str| valid().header("kid", json!(kid));
    let embedded = valid().key(&attacker).header("jwk", attacker.jwk());
    let linked = valid().key(&attacker).header("jku", json!("http://127.0.0.1:1/jwks"));
    let token = valid().sign();
    let (message, _) = token.rsplit_once('.').expect("three parts");
    vec![
        (
            AmbiguousKey,
            "no kid although the issuer has several keys",
            valid().without_header("kid").sign(),
        ),
        (UnknownKey, "an unknown kid", kid("unknown").sign()),
        (UnknownKey, "an empty kid", kid("").sign()),
        (UnknownKey, "a known kid in upper case", kid("P256").sign()),
        (UnknownKey, "another key as jwk", embedded.sign()),
        (UnknownKey, "another key by jku", linked.sign()),
        (
            Signature,
            "another key as jwk with a known kid",
            embedded.header("kid", json!("p256")).sign(),
        ),
        (Signature, "another key with a known kid", valid().signed_by(&attacker).sign()),
        (Signature, "an empty signature", valid().raw_signature("").sign()),
        (Signature, "the signature of another token", {
            let other = valid().subject("mallory").sign();
            format!("{message}.{}", other.rsplit_once('.').expect("three parts").1)
        }),
        (Signature, "a short signature", valid().raw_signature("AAAA").sign()),
        (Signature, "a signature of zeros", valid().raw_signature(&"A".repeat(86)).sign()),
        (Signature, "PS256 signed as RS256", {
            let signed = rsa(issuer, "PS256").sign();
            let signature = signed.rsplit_once('.').expect("three parts").1;
            rsa(issuer, "RS256").raw_signature(signature).sign()
        }),
        (
            KeyAlgorithmMismatch,
            "RS256 with an EC key",
            valid().header("alg", json!("RS256")).sign(),
        ),
        (
            KeyAlgorithmMismatch,
            "ES384 with a P-256 key",
            valid().header("alg", json!("ES384")).sign(),
        ),
        (
            KeyAlgorithmMismatch,
            "ES256 with a P-384 key",
            valid().key(&TestKey::of(Kind::P384)).header("alg", json!("ES256")).sign(),
        ),
        (Signature, "a signature in DER encoding", {
            // ECDSA signatures outside of JOSE are an ASN.1 SEQUENCE of two INTEGERs.
            valid().raw_signature("MAYCAQECAQE").sign()
        }),
        (
            KeyAlgorithmMismatch,
            "EdDSA with an EC key",
            valid().header("alg", json!("EdDSA")).sign(),
        ),
        (
            KeyAlgorithmMismatch,
            "Ed25519 with an EC key",
            valid().header("alg", json!("Ed25519")).sign(),
        ),
        (KeyAlgorithmMismatch, "ES256 with an RSA key", rsa(issuer, "ES256").sign()),
        (
            KeyAlgorithmMismatch,
            "an alg other than the key's",
            rsa(issuer, "RS256").header("kid", json!("rs384")).sign(),
        ),
    ]
}

/// Tokens whose issuer, audience or subject is rejected.
fn claim_cases(issuer: &TestIssuer) -> Vec<RejectedToken> {
    use TokenError::{Audience, Issuer, Subject};
    let claim = |name: &str, value: Value| issuer.token().claim(name, value).sign();
    let without = |name| issuer.token().without(name).sign();
    let url = issuer.url();
    vec![
        (Issuer, "no iss", without("iss")),
        (Issuer, "another iss", claim("iss", json!("https://evil.example"))),
        (Issuer, "iss with an additional slash", claim("iss", json!(format!("{url}/")))),
        (Issuer, "iss in upper case", claim("iss", json!(url.to_uppercase()))),
        (Issuer, "iss in an array", claim("iss", json!([url]))),
        (Issuer, "iss that is null", claim("iss", Value::Null)),
        (Issuer, "an empty iss", claim("iss", json!(""))),
        (Issuer, "iss with a leading space", claim("iss", json!(format!(" {url}")))),
        (Audience, "no aud", without("aud")),
        (Audience, "another aud", claim("aud", json!("another-audience"))),
        (Audience, "a prefix of the audience", claim("aud", json!("tenant"))),
        (Audience, "only other audiences", claim("aud", json!(["a", "b"]))),
        (Audience, "an empty aud array", claim("aud", json!([]))),
        (Audience, "aud that is a number", claim("aud", json!(5))),
        (Audience, "a number in the aud array", claim("aud", json!(["tenantry", 5]))),
        (Audience, "an array in the aud array", claim("aud", json!([["tenantry"]]))),
        (Audience, "aud that is an object", claim("aud", json!({"tenantry": true}))),
        (Subject, "no sub", without("sub")),
        (Subject, "an empty sub", claim("sub", json!(""))),
        (Subject, "sub that is a number", claim("sub", json!(7))),
        (Subject, "sub that is null", claim("sub", Value::Null)),
        (Subject, "sub in an array", claim("sub", json!(["ada"]))),
        (Subject, "a sub of 256 characters", claim("sub", json!("ä".repeat(256)))),
    ]
}

/// Tokens whose `exp`, `nbf` or `iat` is rejected.
fn timestamp_cases(issuer: &TestIssuer) -> Vec<RejectedToken> {
    use TokenError::{Expired, InvalidTimestamp, IssuedInFuture, MissingExp, NotYetValid};
    let claim = |name: &str, value: Value| issuer.token().claim(name, value).sign();
    vec![
        (MissingExp, "no exp", issuer.token().without("exp").sign()),
        (InvalidTimestamp, "exp that is a string", claim("exp", json!((NOW + 60).to_string()))),
        (InvalidTimestamp, "exp that is null", claim("exp", Value::Null)),
        (InvalidTimestamp, "exp in an array", claim("exp", json!([NOW + 60]))),
        (InvalidTimestamp, "exp of 1e18", claim("exp", json!(1e18))),
        (InvalidTimestamp, "exp of 10^18", claim("exp", json!(1_000_000_000_000_000_000_i64))),
        (InvalidTimestamp, "exp in milliseconds", claim("exp", json!(NOW * 1000))),
        (InvalidTimestamp, "exp before 1970", claim("exp", json!(-1))),
        (InvalidTimestamp, "nbf that is a string", claim("nbf", json!("0"))),
        (InvalidTimestamp, "nbf that is null", claim("nbf", Value::Null)),
        (InvalidTimestamp, "iat that is a string", claim("iat", json!("0"))),
        (InvalidTimestamp, "iat that is true", claim("iat", json!(true))),
        (InvalidTimestamp, "iat of 1e18", claim("iat", json!(1e18))),
        (Expired, "expired", claim("exp", json!(NOW - 3600))),
        (Expired, "expired by the whole leeway", claim("exp", json!(NOW - 60))),
        (Expired, "expired in 1970", claim("exp", json!(0))),
        (NotYetValid, "nbf in the future", claim("nbf", json!(NOW + 61))),
        (
            NotYetValid,
            "nbf in the future by a fraction of a second",
            claim("nbf", json!(1_767_225_660.5)),
        ),
        (IssuedInFuture, "iat in the future", claim("iat", json!(NOW + 61))),
        (IssuedInFuture, "iat in the year 9000", claim("iat", json!(221_845_392_000_i64))),
    ]
}

/// `Authorization` headers that are rejected before a token is parsed.
fn authorization_header_cases(issuer: &TestIssuer) -> Vec<CredentialCase> {
    let token = issuer.token().sign();
    let rejected = |name, credentials: &[&str], error| {
        let credentials = credentials.iter().map(|value| (*value).to_owned()).collect();
        CredentialCase { name, credentials, outcome: Err(error) }
    };
    let malformed = |name, value: &str| {
        rejected(name, &[value], AuthError::InvalidToken(TokenError::Credential))
    };
    let bearer = format!("Bearer {token}");
    vec![
        malformed("no scheme", &token),
        malformed("an empty value", ""),
        malformed("only the scheme", "Bearer"),
        malformed("another scheme", "Basic YWRhOmh1bnRlcjI="),
        malformed("the DPoP scheme", &format!("DPoP {token}")),
        malformed("a tab after the scheme", &format!("Bearer\t{token}")),
        malformed("a word after the token", &format!("{bearer} x")),
        malformed("two credentials in one value", &format!("{bearer}, {bearer}")),
        malformed("a quoted token", &format!("Bearer \"{token}\"")),
        malformed("the token as a parameter", &format!("Bearer token={token}")),
        rejected("the same credential twice", &[&bearer, &bearer], AuthError::MultipleCredentials),
        rejected(
            "two different credentials",
            &[&bearer, "Bearer x"],
            AuthError::MultipleCredentials,
        ),
        rejected("two schemes", &["Basic YTpi", &bearer], AuthError::MultipleCredentials),
        rejected("a second, empty credential", &[&bearer, ""], AuthError::MultipleCredentials),
    ]
}
