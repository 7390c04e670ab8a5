//! Every form of a credential that is accepted or refused, in one table for every transport.
//!
//! To hold a transport to it: call [`publish`], then present each form of [`all`], and compare what
//! comes back with its [`Outcome`](Form::outcome).

use serde_json::{Value, json};
use tenantry::auth::token::{AuthError, TokenError};

use crate::support::issuer::{Kind, NOW, TestIssuer, TestKey, TokenBuilder};

/// What is presented, and what has to come of it.
pub(crate) struct Form {
    /// What is special about it.
    pub(crate) name: &'static str,
    /// The values of `Authorization`, or of what a transport has in its place.
    pub(crate) credentials: Vec<String>,
    /// `Ok` where it is accepted.
    pub(crate) outcome: Result<(), AuthError>,
}

/// Gives the issuer a key of each kind, and one RSA key that is for RS384 alone. What is verified
/// against them has to fetch them first.
pub(crate) fn publish(issuer: &TestIssuer) {
    issuer.set_keys(&[Kind::P256, Kind::Rsa, Kind::P384, Kind::Ed25519].map(TestKey::of));
    let mut rs384 = TestKey::of(Kind::Rsa).named("rs384").jwk();
    rs384["alg"] = json!("RS384");
    issuer.set_odd_keys(&[rs384]);
}

/// The whole table.
pub(crate) fn all(issuer: &TestIssuer) -> Vec<Form> {
    let bearer = |token: &str| vec![format!("Bearer {token}")];
    let mut all: Vec<Form> = accepted(issuer)
        .into_iter()
        .map(|(name, token)| Form { name, credentials: bearer(&token.sign()), outcome: Ok(()) })
        .collect();
    for table in [shapes, headers, keys, claims, times] {
        all.extend(table(issuer).into_iter().map(|(reason, name, token)| {
            let outcome = Err(AuthError::InvalidToken(reason));
            Form { name, credentials: bearer(&token), outcome }
        }));
    }
    all.extend(credentials(issuer));
    all
}

fn rsa(issuer: &TestIssuer, alg: &str) -> TokenBuilder {
    issuer.token().key(&TestKey::of(Kind::Rsa)).header("alg", json!(alg))
}

fn accepted(issuer: &TestIssuer) -> Vec<(&'static str, TokenBuilder)> {
    let good = || issuer.token();
    let key = |kind| issuer.token().key(&TestKey::of(kind));
    vec![
        ("RS256", rsa(issuer, "RS256")),
        ("RS384", rsa(issuer, "RS384")),
        ("RS512", rsa(issuer, "RS512")),
        ("PS256", rsa(issuer, "PS256")),
        ("PS384", rsa(issuer, "PS384")),
        ("PS512", rsa(issuer, "PS512")),
        ("ES256", good()),
        ("ES384", key(Kind::P384)),
        ("EdDSA", key(Kind::Ed25519)),
        ("the alg of the key", rsa(issuer, "RS384").header("kid", json!("rs384"))),
        ("no typ", good().without_header("typ")),
        ("typ JWT", good().header("typ", json!("JWT"))),
        ("typ jwt", good().header("typ", json!("jwt"))),
        ("typ AT+JWT", good().header("typ", json!("AT+JWT"))),
        ("jku is not used", good().header("jku", json!("https://evil.example/jwks"))),
        ("jwk is not used", good().header("jwk", TestKey::of(Kind::Rsa).public())),
        ("x5c is not used", good().header("x5c", json!(["MII"]))),
        ("several audiences", good().claim("aud", json!(["a", "tenantry"]))),
        ("the other audience", good().claim("aud", json!("other"))),
        ("expired within leeway", good().expires_at(NOW - 59)),
        ("exp with a fraction", good().claim("exp", json!(1_767_225_600.5))),
        ("exp as 1e10", good().claim("exp", json!(1e10))),
        ("nbf past", good().claim("nbf", json!(NOW - 1))),
        ("nbf within leeway", good().claim("nbf", json!(NOW + 60))),
        ("iat within leeway", good().issued_at(NOW + 60)),
        ("no iat", good().without("iat")),
        ("the longest subject", good().subject(&"ä".repeat(255))),
        ("unknown claims", good().claim("x", json!({"y": [1]})).header("z", json!(1))),
        ("almost 16 KiB", good().claim("x", json!("x".repeat(11_900)))),
    ]
}

type Case = (TokenError, &'static str, String);

fn shapes(issuer: &TestIssuer) -> Vec<Case> {
    use TokenError::{Credential, Malformed, TooLong};
    let good = issuer.token();
    let token = good.sign();
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let member = |json: String, member: &str| json.replacen('{', &format!("{{{member},"), 1);
    let twice = |name: &str| member(good.claims_json(), &format!(r#""{name}":"x""#));
    vec![
        (Credential, "nothing", String::new()),
        (Malformed, "no dots", "abc".to_owned()),
        (Malformed, "dots alone", "..".to_owned()),
        (Malformed, "two parts", message.to_owned()),
        (Malformed, "four parts", format!("{token}.{signature}")),
        (Malformed, "five parts", format!("{token}.a.b")),
        (Malformed, "a padded signature", format!("{token}==")),
        (Credential, "a space", format!("{message}. {signature}")),
        (Malformed, "no header", format!(".{token}")),
        (Malformed, "a signature of the other base64", good.clone().raw_signature("ab+/").sign()),
        (Malformed, "a signature with bits to spare", good.clone().raw_signature("AB").sign()),
        (Malformed, "a header that is no JSON", good.clone().raw_header("{").sign()),
        (Malformed, "a header that is an array", good.clone().raw_header("[]").sign()),
        (
            Malformed,
            "alg twice",
            good.clone().raw_header(&member(good.header_json(), r#""alg":"none""#)).sign(),
        ),
        (Malformed, "a kid that is a number", good.clone().header("kid", json!(1)).sign()),
        (Malformed, "a kid that is null", good.clone().header("kid", Value::Null).sign()),
        (Malformed, "claims that are no JSON", good.clone().raw_claims("ada").sign()),
        (Malformed, "claims that are a string", good.clone().raw_claims("\"ada\"").sign()),
        (Malformed, "claims with a tail", good.clone().raw_claims("{} {}").sign()),
        (Malformed, "sub twice", good.clone().raw_claims(&twice("sub")).sign()),
        (Malformed, "iss twice", good.clone().raw_claims(&twice("iss")).sign()),
        (Malformed, "claims that are an array", good.clone().raw_claims("[]").sign()),
        (Malformed, "no claims", good.clone().raw_claims("").sign()),
        (Malformed, "any claim twice", {
            let thrice = twice("x").replacen('{', r#"{"x":1,"#, 1);
            good.clone().raw_claims(&thrice).sign()
        }),
        (TooLong, "17 KiB", good.clone().claim("x", json!("x".repeat(12_700))).sign()),
        (TooLong, "17 KiB of nothing", "x".repeat(17 * 1024)),
    ]
}

fn headers(issuer: &TestIssuer) -> Vec<Case> {
    use TokenError::{Algorithm, UnexpectedTyp, UnsupportedCrit};
    let header = |name: &str, value: Value| issuer.token().header(name, value).sign();
    let none = issuer.token().header("alg", json!("none"));
    vec![
        (Algorithm, "no alg", issuer.token().without_header("alg").sign()),
        (Algorithm, "none", none.sign()),
        (Algorithm, "none without signature", none.clone().raw_signature("").sign()),
        (Algorithm, "None", header("alg", json!("None"))),
        (Algorithm, "HS256 with the public key as secret", rsa(issuer, "HS256").sign()),
        (Algorithm, "HS512", header("alg", json!("HS512"))),
        (Algorithm, "ES512", header("alg", json!("ES512"))),
        (Algorithm, "ES256K", header("alg", json!("ES256K"))),
        (Algorithm, "RSA-OAEP", header("alg", json!("RSA-OAEP"))),
        (Algorithm, "es256", header("alg", json!("es256"))),
        (Algorithm, "an alg that is a list", header("alg", json!(["ES256"]))),
        (UnsupportedCrit, "crit", header("crit", json!(["exp"]))),
        (UnsupportedCrit, "an empty crit", header("crit", json!([]))),
        (UnsupportedCrit, "a crit that is null", header("crit", Value::Null)),
        (
            UnsupportedCrit,
            "b64",
            issuer.token().header("b64", json!(false)).header("crit", json!(["b64"])).sign(),
        ),
        (UnexpectedTyp, "an ID token's typ", header("typ", json!("id_token"))),
        (UnexpectedTyp, "a logout token's typ", header("typ", json!("logout+jwt"))),
        (UnexpectedTyp, "the media type at length", header("typ", json!("application/at+jwt"))),
        (UnexpectedTyp, "an empty typ", header("typ", json!(""))),
        (UnexpectedTyp, "a typ that is null", header("typ", Value::Null)),
        (UnexpectedTyp, "a typ that is a number", header("typ", json!(1))),
    ]
}

fn keys(issuer: &TestIssuer) -> Vec<Case> {
    use TokenError::{AmbiguousKey, KeyAlgorithmMismatch, Signature, UnknownKey};
    let good = || issuer.token();
    let evil = TestKey::fresh(Kind::P256, "evil");
    let kid = |kid: &str| good().header("kid", json!(kid));
    let embedded = good().key(&evil).header("jwk", evil.jwk());
    let linked = good().key(&evil).header("jku", json!("http://127.0.0.1:1/jwks"));
    let token = good().sign();
    let (message, _) = token.rsplit_once('.').expect("three parts");
    vec![
        (AmbiguousKey, "no kid among several keys", good().without_header("kid").sign()),
        (UnknownKey, "an unknown kid", kid("nobody").sign()),
        (UnknownKey, "an empty kid", kid("").sign()),
        (UnknownKey, "a kid in capitals", kid("P256").sign()),
        (UnknownKey, "a key in the header", embedded.sign()),
        (UnknownKey, "a link to a key in the header", linked.sign()),
        (
            Signature,
            "a key in the header under a known kid",
            embedded.header("kid", json!("p256")).sign(),
        ),
        (Signature, "another key under a known kid", good().signed_by(&evil).sign()),
        (Signature, "no signature", good().raw_signature("").sign()),
        (Signature, "the signature of another token", {
            let other = good().subject("eve").sign();
            format!("{message}.{}", other.rsplit_once('.').expect("three parts").1)
        }),
        (Signature, "a short signature", good().raw_signature("AAAA").sign()),
        (Signature, "a signature of zeros", good().raw_signature(&"A".repeat(86)).sign()),
        (Signature, "PS256 signed as RS256", {
            let signed = rsa(issuer, "PS256").sign();
            let signature = signed.rsplit_once('.').expect("three parts").1;
            rsa(issuer, "RS256").raw_signature(signature).sign()
        }),
        (KeyAlgorithmMismatch, "RS256 with an EC key", good().header("alg", json!("RS256")).sign()),
        (
            KeyAlgorithmMismatch,
            "ES384 with a P-256 key",
            good().header("alg", json!("ES384")).sign(),
        ),
        (
            KeyAlgorithmMismatch,
            "ES256 with a P-384 key",
            good().key(&TestKey::of(Kind::P384)).header("alg", json!("ES256")).sign(),
        ),
        (Signature, "a signature in DER", {
            // What ECDSA looks like outside of JOSE: a SEQUENCE of two INTEGERs.
            good().raw_signature("MAYCAQECAQE").sign()
        }),
        (KeyAlgorithmMismatch, "EdDSA with an EC key", good().header("alg", json!("EdDSA")).sign()),
        (KeyAlgorithmMismatch, "ES256 with an RSA key", rsa(issuer, "ES256").sign()),
        (
            KeyAlgorithmMismatch,
            "another alg than the key's",
            rsa(issuer, "RS256").header("kid", json!("rs384")).sign(),
        ),
    ]
}

fn claims(issuer: &TestIssuer) -> Vec<Case> {
    use TokenError::{Audience, Issuer, Subject};
    let claim = |name: &str, value: Value| issuer.token().claim(name, value).sign();
    let without = |name| issuer.token().without(name).sign();
    let url = issuer.url();
    vec![
        (Issuer, "no iss", without("iss")),
        (Issuer, "another iss", claim("iss", json!("https://evil.example"))),
        (Issuer, "iss with a slash more", claim("iss", json!(format!("{url}/")))),
        (Issuer, "iss in capitals", claim("iss", json!(url.to_uppercase()))),
        (Issuer, "iss in an array", claim("iss", json!([url]))),
        (Issuer, "iss that is null", claim("iss", Value::Null)),
        (Issuer, "an empty iss", claim("iss", json!(""))),
        (Issuer, "iss with a space", claim("iss", json!(format!(" {url}")))),
        (Audience, "no aud", without("aud")),
        (Audience, "another aud", claim("aud", json!("somebody"))),
        (Audience, "part of our aud", claim("aud", json!("tenant"))),
        (Audience, "other auds", claim("aud", json!(["a", "b"]))),
        (Audience, "no aud in the array", claim("aud", json!([]))),
        (Audience, "aud that is a number", claim("aud", json!(5))),
        (Audience, "a number among the auds", claim("aud", json!(["tenantry", 5]))),
        (Audience, "an array in the auds", claim("aud", json!([["tenantry"]]))),
        (Audience, "aud that is an object", claim("aud", json!({"tenantry": true}))),
        (Subject, "no sub", without("sub")),
        (Subject, "an empty sub", claim("sub", json!(""))),
        (Subject, "sub that is a number", claim("sub", json!(7))),
        (Subject, "sub that is null", claim("sub", Value::Null)),
        (Subject, "sub in an array", claim("sub", json!(["ada"]))),
        (Subject, "a sub of 256 characters", claim("sub", json!("ä".repeat(256)))),
    ]
}

fn times(issuer: &TestIssuer) -> Vec<Case> {
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
        (Expired, "expired for a leeway", claim("exp", json!(NOW - 60))),
        (Expired, "expired in 1970", claim("exp", json!(0))),
        (NotYetValid, "nbf ahead", claim("nbf", json!(NOW + 61))),
        (NotYetValid, "nbf ahead by a fraction", claim("nbf", json!(1_767_225_660.5))),
        (IssuedInFuture, "iat ahead", claim("iat", json!(NOW + 61))),
        (IssuedInFuture, "iat in the year 9000", claim("iat", json!(221_845_392_000_i64))),
    ]
}

/// What is wrong before there is a token.
fn credentials(issuer: &TestIssuer) -> Vec<Form> {
    let token = issuer.token().sign();
    let refused = |name, credentials: &[&str], outcome| {
        let credentials = credentials.iter().map(|c| (*c).to_owned()).collect();
        Form { name, credentials, outcome: Err(outcome) }
    };
    let malformed = |name, value: &str| {
        refused(name, &[value], AuthError::InvalidToken(TokenError::Credential))
    };
    let bearer = format!("Bearer {token}");
    vec![
        malformed("no scheme", &token),
        malformed("an empty value", ""),
        malformed("the scheme alone", "Bearer"),
        malformed("another scheme", "Basic YWRhOmh1bnRlcjI="),
        malformed("DPoP", &format!("DPoP {token}")),
        malformed("a tab", &format!("Bearer\t{token}")),
        malformed("a word after it", &format!("{bearer} x")),
        malformed("two in one value", &format!("{bearer}, {bearer}")),
        malformed("a quoted one", &format!("Bearer \"{token}\"")),
        malformed("parameters", &format!("Bearer token={token}")),
        refused("twice the same", &[&bearer, &bearer], AuthError::MultipleCredentials),
        refused("two", &[&bearer, "Bearer x"], AuthError::MultipleCredentials),
        refused("two schemes", &["Basic YTpi", &bearer], AuthError::MultipleCredentials),
        refused("a second that is empty", &[&bearer, ""], AuthError::MultipleCredentials),
    ]
}
