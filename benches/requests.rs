//! Measures the work of one request in the process: `cargo bench --bench requests`.
//!
//! Each benchmark repeats a step of a request, after a few repetitions that fill the caches. Without
//! arguments, the program prints the time of one repetition of each benchmark. With the name of a
//! benchmark, it runs this one only. `scripts/bench` does so under callgrind, counts the instructions
//! in [`measured`], and compares them with `benches/instructions.txt`. No benchmark depends on the
//! time, on a random key or on a server.

#[path = "../tests/it/support/entities.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod entities;

mod mongod {
    /// The issuer of the users in `entities`.
    pub(crate) const ISSUER: &str = "https://id.example.org/";
}

use std::{error::Error, hint::black_box, sync::Arc, time::Instant};

use mongodb::bson::{DateTime, RawDocumentBuf, doc, oid::ObjectId as BsonId};
use serde_json::json;
use tenantry::{
    access::{Access, AccessConfig, Caller, Session},
    auth::{
        authenticator::Authenticator,
        jwk::KeySet,
        jwks_cache::JwksCache,
        token::{AuthError, TokenValidation, Verifier},
    },
    clock::Clock,
    domain::{
        change::Change,
        id::ObjectId,
        limits::Limits,
        sync::{GroupMapping, TokenProfile},
        time::Timestamp,
        user::{MembershipSource, TenantRole, User},
    },
    graphql::{GraphQlExecutor, GraphQlRequest, PreparedOperation, TrustedDocuments},
    metrics::Metrics,
    store::{Store, mongo::decode_user, sqlite::SqliteStore},
};
use tokio::runtime::Runtime;

/// The allocator of the gateway.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of measured repetitions. `scripts/bench` divides by it.
const REPETITIONS: u32 = 20;
/// The number of repetitions before the measurement.
const WARM_UP: u32 = 5;
/// The time of every benchmark: 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;

const ME: &str = "query Me { me { id email name platformAdmin memberships { role tenant { id slug \
    name status plan subscription { id plan status currentPeriodEnd } } } } }";
const TENANTS_PAGE: &str = "query TenantsPage { tenants(first: 50) { nodes { id slug name \
    subscription { plan status } members(first: 10) { nodes { role user { id name email } } } } \
    pageInfo { hasNextPage endCursor } } }";

/// A token of the issuer `https://id.example.org`, signed with the key whose modulus is [`MODULUS`].
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJlbmNoIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUu\
    b3JnIiwiYXVkIjoidGVuYW50cnkiLCJzdWIiOiJzdWJqZWN0LTEiLCJpYXQiOjE3NjcyMjU2MDAsImV4cCI6MTc2NzIy\
    OTIwMCwibmFtZSI6ImFkYSIsImVtYWlsIjoiYWRhQGV4YW1wbGUub3JnIiwiZW1haWxfdmVyaWZpZWQiOnRydWUsImdy\
    b3VwcyI6WyJhIiwiYiIsImMiXX0.CBCWsNrle6HdN9ZSLofOqzmT_RlBKzHDh9k7AkXUBa0HawEBtqMTyT2tlT9je5Gl\
    eo69SaPz7CRW2V_ZmyNd0na2EiF4mZMiw7pItEdmvyFB2X7-PsSmlrSyxcw-JnabB6KEGDEggY0CPCCgp6ZiNYTbyUrS\
    PHLB-etCRz_WXZ2S8kuXhCYflzTsA1KG1h_y6JuOCARfxbyBAvH-A6R4ZuPPRJTxOGlgDeOHCO3CRLSnsOPKVpuePPl5\
    ga4aQBXSBZDsdp1zc3EfuuZz1Oh-LRivcz0RkeOlFfqVqC44Ri-CiQUySK2X98tmMIQLQi5UVA8d3c9MF13SBF0skeA7\
    fQ";
/// The modulus of the RSA key with 2048 bits and the exponent 65537.
const MODULUS: &str = "5Q0vsO6U1j5f7iUy72OpZ-vPpr_HJO9UIK9C0cRvnrs6jVnP0Dlni3RypUIef7agzxs8y_9SNvOG1LGP4mK45cEWf1PA\
    x79byJW3OQleUVQ51Qn81ySiM297E1xqa_NIJNqE3eAoyKekzKMQhiVjYmVdSIQz_0hF3kCTEJ6jfAO-rhka9m0v80nM\
    ltfH6_0ba_h7AuxDS9S5_x1aysu1dhhaXNIS0D-3vgH0jDxmp8pA1MD3eI0kPCW9JBcLS9OVYPoHe2nxmkOi8DLBThPS\
    VbjwqNDP2tMM3SCgdjQ5emYA-bELl6xXk050TcyY2KMwSWaMdffSlOk8Re3cxRzvqQ";

/// A clock that stands still.
struct FrozenClock;

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW).unwrap_or(Timestamp::MIN)
    }

    fn object_id(&self) -> ObjectId {
        ObjectId([7; 12])
    }
}

type BenchResult<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Step<'a> = Box<dyn FnMut() -> BenchResult<()> + 'a>;

/// The repetitions whose instructions are counted. The name is the one that callgrind looks for.
#[inline(never)]
fn measured(step: &mut Step<'_>) -> BenchResult<()> {
    for _ in 0..REPETITIONS {
        step()?;
    }
    Ok(())
}

/// A gateway without HTTP, on a store in memory.
struct Gateway {
    access: Arc<Access>,
    executor: GraphQlExecutor,
    runtime: Runtime,
}

impl Gateway {
    fn new(changes: &[Change]) -> BenchResult<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let store = Arc::new(SqliteStore::in_memory(None)?);
        runtime.block_on(async {
            store.prepare().await?;
            store.commit(changes).await?;
            BenchResult::Ok(())
        })?;
        let groups = GroupMapping { platform_admins: String::new(), tenant_prefix: String::new() };
        let config = AccessConfig { groups, default_tenant: String::new(), issuers: Vec::new() };
        let access = Arc::new(Access::new(store, Arc::new(FrozenClock), config));
        access.mark_ready();
        let trusted = TrustedDocuments::default();
        let executor = GraphQlExecutor::new(true, Limits::default(), trusted, Metrics::new()?);
        Ok(Self { access, executor, runtime })
    }

    fn prepare(&self, body: &str) -> BenchResult<PreparedOperation> {
        let request: GraphQlRequest = serde_json::from_str(body)?;
        let prepared = self.executor.prepare(&request);
        prepared.map_err(|rejected| format!("rejected: {rejected:?}").into())
    }

    /// Prepares and executes a request of a user, and serializes the response.
    fn execute(&self, body: &str, user: &User) -> BenchResult<String> {
        let prepared = self.prepare(body)?;
        let profile = TokenProfile {
            name: Some(user.name.clone()),
            email: user.email.clone(),
            issued_at: Timestamp::from_seconds(NOW),
            ..TokenProfile::default()
        };
        let caller = Caller { identity: user.identity.clone(), profile };
        let session = Session::new(self.access.clone(), Some(caller), "bench".to_owned());
        let execution = self.executor.execute(Arc::new(session), prepared);
        let response = self.runtime.block_on(execution);
        if let Some(code) = response.codes().next() {
            return Err(format!("the response has an error: {code}").into());
        }
        Ok(String::from_utf8(response.to_json()?)?)
    }
}

/// Returns a user with memberships in the first tenants.
fn member(n: u32, tenants: u32) -> User {
    let memberships = (1..=tenants).map(|t| entities::membership(t, TenantRole::Member)).collect();
    User {
        email: Some(format!("ada.{n}@example.org")),
        last_seen_at: Timestamp::from_seconds(NOW),
        memberships,
        ..entities::user(n)
    }
}

/// Returns the insertion of the first tenants, each with a live subscription.
fn tenants(count: u32) -> Vec<Change> {
    let of_tenant = |n| {
        let tenant = tenantry::domain::tenant::Tenant {
            billing_info: entities::full_tenant(n).billing_info,
            ..entities::tenant(n)
        };
        [Change::InsertTenant(tenant), Change::InsertSubscription(entities::subscription(n))]
    };
    (1..=count).flat_map(of_tenant).collect()
}

fn request_body(document: &str) -> String {
    json!({ "query": document }).to_string()
}

fn verify_token(run: Run) -> BenchResult<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let key = json!({ "kty": "RSA", "kid": "bench", "n": MODULUS, "e": "AQAB" });
    let keys = KeySet::from_jwks(&json!({ "keys": [key] })).ok_or("the key set is invalid")?;
    let validation = TokenValidation {
        issuer: "https://id.example.org".to_owned(),
        audiences: vec!["tenantry".to_owned()],
        groups_claim: "groups".to_owned(),
    };
    let verifier = Verifier::new(validation, Arc::new(JwksCache::fixed(keys)));
    let authenticator = Authenticator::new(vec![verifier], Metrics::new()?);
    let header = format!("Bearer {TOKEN}");
    let now = FrozenClock.now();
    run(Box::new(|| {
        let verified = runtime.block_on(authenticator.authenticate([header.as_bytes()], now));
        black_box(verified.map_err(AuthError::as_str)?.ok_or("no credential")?);
        Ok(())
    }))
}

fn prepare_document(run: Run) -> BenchResult<()> {
    let gateway = Gateway::new(&[])?;
    let body = request_body(ME);
    run(Box::new(|| {
        black_box(gateway.prepare(&body)?);
        Ok(())
    }))
}

fn me(count: u32, run: Run) -> BenchResult<()> {
    let user = member(1, count);
    let mut changes = tenants(count);
    changes.push(Change::InsertUser(user.clone()));
    let gateway = Gateway::new(&changes)?;
    let body = request_body(ME);
    run(Box::new(|| {
        black_box(gateway.execute(&body, &user)?);
        Ok(())
    }))
}

fn tenants_page(run: Run) -> BenchResult<()> {
    let admin = User { platform_admin: Some(MembershipSource::Direct), ..member(1_000_000, 0) };
    let mut changes = tenants(50);
    changes.push(Change::InsertUser(admin.clone()));
    for tenant in 1..=50 {
        for n in 0..10 {
            let mut user = member(tenant * 10 + n, 0);
            user.memberships = vec![entities::membership(tenant, TenantRole::Member)];
            changes.push(Change::InsertUser(user));
        }
    }
    let gateway = Gateway::new(&changes)?;
    let body = request_body(TENANTS_PAGE);
    run(Box::new(|| {
        black_box(gateway.execute(&body, &admin)?);
        Ok(())
    }))
}

fn decode_document(run: Run) -> BenchResult<()> {
    let since = DateTime::from_millis(NOW * 1000);
    let memberships: Vec<_> = (1..=200)
        .map(|n| {
            let tenant = BsonId::from_bytes(entities::oid(n).0);
            doc! { "tenantId": tenant, "role": "member", "source": "direct", "since": since }
        })
        .collect();
    let document = doc! {
        "_id": BsonId::from_bytes(entities::oid(1).0),
        "subject": "subject-1",
        "issuer": mongod::ISSUER,
        "email": "ada@example.org",
        "name": "ada",
        "platformAdmin": false,
        "disabled": false,
        "memberships": memberships,
        "lastSeenAt": since,
        "version": 3,
        "createdAt": since,
        "updatedAt": since,
    };
    let raw = RawDocumentBuf::try_from(&document)?;
    run(Box::new(|| {
        black_box(decode_user(&raw, mongod::ISSUER).ok_or("the user is unreadable")?);
        Ok(())
    }))
}

/// Receives the step that a benchmark repeats.
type Run = fn(Step<'_>) -> BenchResult<()>;

/// Prepares the data of a benchmark, and runs it.
type Benchmark = fn(Run) -> BenchResult<()>;

/// The benchmarks with their names.
const BENCHMARKS: [(&str, Benchmark); 6] = [
    ("verify-token", verify_token),
    ("prepare-document", prepare_document),
    ("me-5-tenants", |run| me(5, run)),
    ("me-200-tenants", |run| me(200, run)),
    ("tenants-page", tenants_page),
    ("decode-user-200-memberships", decode_document),
];

/// Measures a step once.
fn once(mut step: Step<'_>) -> BenchResult<()> {
    for _ in 0..WARM_UP {
        step()?;
    }
    measured(&mut step)
}

/// Prints the median time of a step.
fn timed(mut step: Step<'_>) -> BenchResult<()> {
    for _ in 0..WARM_UP {
        step()?;
    }
    let mut micros = Vec::new();
    for _ in 0..11 {
        let start = Instant::now();
        measured(&mut step)?;
        micros.push(start.elapsed().as_nanos() as f64 / 1000.0 / f64::from(REPETITIONS));
    }
    micros.sort_by(f64::total_cmp);
    println!("{:10.1}", micros[micros.len() / 2]);
    Ok(())
}

fn main() -> BenchResult<()> {
    let name = std::env::args().skip(1).find(|argument| argument != "--bench");
    match name.as_deref() {
        Some("--list") => BENCHMARKS.iter().for_each(|(name, _)| println!("{name}")),
        Some(wanted) => {
            let (_, benchmark) =
                BENCHMARKS.iter().find(|(name, _)| *name == wanted).ok_or("no such benchmark")?;
            benchmark(once)?;
        }
        None => {
            println!("microseconds per repetition, median of 11 runs");
            for (name, benchmark) in BENCHMARKS {
                print!("{name:30}");
                benchmark(timed)?;
            }
        }
    }
    Ok(())
}
