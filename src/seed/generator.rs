//! Computes the demo tenants of `seed --demo`: the i-th tenant with all of its documents.
//!
//! The i-th tenant is the same on every machine, in every run and for every N. Neither a clock nor a
//! random source is used. The present is fixed at the start of 2026, and all data was created in the
//! two years before. In this file, `i` is the number of a tenant, from 1, and `k` is the index of a user
//! in its tenant, from 0.
//!
//! Demo users cannot sign in: their issuer is not a URL, so no configuration can name it. None of them
//! is a platform admin. No demo tenant has a group of the identity provider, so no token can make its
//! user a member.

use std::time::Duration;

use super::{
    bootstrap::tenant_values,
    vocabulary::{FIRST_NAMES, FIRST_WORDS, LOCALES, TRADES},
};
use crate::domain::{
    audit::{ActorKind, AuditEvent},
    id::{AuditEventId, NodeId, ObjectId, SubscriptionId, TenantId, UserId},
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, User},
};

/// The issuer of the demo users. No provider can have it.
const ISSUER: &str = "urn:tenantry:demo";
/// The earliest timestamp of demo data: 2024-01-01T00:00:00Z.
const START: Timestamp = match Timestamp::from_seconds(1_704_067_200) {
    Some(start) => start,
    None => Timestamp::MIN,
};
/// The number of the day that counts as the present: 2026-01-01.
const TODAY: u64 = 731;
/// The number of days in which the number of tenants doubles.
///
/// Any number of tenants therefore spreads over a large part of the two years. Each tenant is younger
/// than the ones before it. An index in order of age therefore grows only at its end, which makes
/// inserts many times as fast.
const DOUBLING_DAYS: u64 = 35;
const DAY_SECONDS: u64 = 86_400;

/// The number of users that are created with a tenant, by the last digit of its number.
///
/// The average is 20.
const USERS_PER_TENANT: [u32; 10] = [15, 50, 1, 22, 8, 29, 12, 40, 5, 18];
/// One in this many tenants is an agency: one of its users belongs to [`AGENCY_TENANTS`] further
/// tenants. That is about one user in 1,000.
const AGENCY_INTERVAL: u32 = 50;
const AGENCY_TENANTS: u32 = 199;

/// A demo tenant with all of its documents.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoTenant {
    /// The tenant itself.
    pub tenant: Tenant,
    /// The current subscription, and possibly an earlier one before it.
    pub subscriptions: Vec<TenantSubscription>,
    /// The users who were created with the tenant. The first one is its owner. Users may also be
    /// members of earlier tenants, and users of later tenants may be members of this one.
    pub users: Vec<User>,
    /// The audit event of the tenant's creation.
    pub event: AuditEvent,
}

impl DemoTenant {
    /// Returns the i-th demo tenant, from 1 to a million.
    ///
    /// The limit ensures that every tenant was created before the fixed present.
    #[must_use]
    pub fn nth(i: u32) -> Self {
        let mut random = SplitMix64::new(i, 0);
        let tenant = tenant(i, &mut random);
        let subscriptions = subscriptions(i, &tenant, &mut random);
        let users = (0..USERS_PER_TENANT[i as usize % USERS_PER_TENANT.len()])
            .map(|k| user(i, k, &tenant))
            .collect();
        let event = event(i, &tenant);
        Self { tenant, subscriptions, users, event }
    }
}

// The kinds of documents in identifiers. Each user of a tenant has its own kind, from `USER` on.
const TENANT: u8 = 0;
const EVENT: u8 = 1;
const SUBSCRIPTION: u8 = 2;
const EARLIER_SUBSCRIPTION: u8 = 3;
const USER: u8 = 64;

/// Returns an identifier that is unique among demo data.
fn id(kind: u8, i: u32, at: Timestamp) -> ObjectId {
    ObjectId::from_parts(at, [b'd', b'e', b'm', b'o', kind], i)
}

/// Returns the time at which the i-th tenant was created.
fn created_at(i: u32) -> Timestamp {
    let i = i.max(1);
    let doublings = i.ilog2();
    let offset = u64::from(i) - (1 << doublings);
    let seconds = DOUBLING_DAYS * DAY_SECONDS * u64::from(doublings)
        + DOUBLING_DAYS * DAY_SECONDS * offset / (1 << doublings);
    START.saturating_add(Duration::from_secs(seconds))
}

fn tenant_id(i: u32) -> TenantId {
    TenantId::new(id(TENANT, i, created_at(i)))
}

/// Returns the start of the n-th day.
fn day(n: u64) -> Timestamp {
    START.saturating_add(days(n))
}

const fn days(n: u64) -> Duration {
    Duration::from_secs(n * DAY_SECONDS)
}

fn tenant(i: u32, random: &mut SplitMix64) -> Tenant {
    let status = match random.below(100) {
        0..86 => TenantStatus::Active,
        86..92 => TenantStatus::Suspended,
        92..96 => TenantStatus::Pending,
        _ => TenantStatus::Archived,
    };
    let plan = match random.below(100) {
        0..40 => Plan::Free,
        40..70 => Plan::Starter,
        70..92 => Plan::Business,
        _ => Plan::Enterprise,
    };
    let slug = format!("demo-{i:06}");
    let name = format!("{} {}", random.pick(&FIRST_WORDS), random.pick(&TRADES));
    let domain = format!("{slug}.example");
    let domains = match random.below(10) {
        0 => Vec::new(),
        1..8 => vec![domain],
        _ => vec![domain.clone(), format!("shop.{domain}"), format!("www.{domain}")],
    };
    let integrations = (random.below(2) == 0).then(|| TenantIntegrations {
        authentik_group: None,
        ocis_space: Some(format!("space-{slug}")),
        stalwart_domain: domains.first().cloned(),
    });
    let billing_info = (random.below(100) < 85).then(|| billing(i, &name, &slug, random));
    let base = Tenant::new(tenant_id(i), created_at(i));
    Tenant { slug, name, status, plan, domains, billing_info, integrations, ..base }
}

fn billing(i: u32, name: &str, slug: &str, random: &mut SplitMix64) -> BillingInfo {
    let locale = random.pick(&LOCALES);
    BillingInfo {
        company_name: Some(format!("{name} {}", locale.legal_form)),
        email: Some(format!("billing@{slug}.example")),
        vat_id: locale.vat.map(|(prefix, digits)| format!("{prefix}{i:0digits$}")),
        address: Some(PostalAddress {
            line1: Some(format!("{} {}", locale.street, 1 + random.below(200))),
            city: Some(locale.city.to_owned()),
            postal_code: Some(locale.postal_code.to_owned()),
            country: Some(locale.country.to_owned()),
            ..PostalAddress::default()
        }),
    }
}

/// Returns the current subscription, after an ended one with another plan for some tenants.
fn subscriptions(i: u32, tenant: &Tenant, random: &mut SplitMix64) -> Vec<TenantSubscription> {
    let mut subscriptions = Vec::new();
    let mut since = tenant.created_at;
    if random.below(10) == 0 && tenant.status != TenantStatus::Pending {
        let plan = if tenant.plan == Plan::Starter { Plan::Free } else { Plan::Starter };
        let status = TenantSubscriptionStatus::Canceled;
        let end = since.saturating_add(days(30));
        let earlier = subscription(i, EARLIER_SUBSCRIPTION, tenant, since, end);
        subscriptions.push(TenantSubscription {
            plan,
            status,
            version: 2,
            updated_at: end,
            ..earlier
        });
        since = end;
    }
    let (status, end) = pick_status_and_end(tenant.status, random);
    let current = subscription(i, SUBSCRIPTION, tenant, since, end);
    let is_active = status == TenantSubscriptionStatus::Active;
    let cancel_at_period_end = is_active && random.below(20) == 0;
    subscriptions.push(TenantSubscription { status, cancel_at_period_end, ..current });
    subscriptions
}

/// Picks the status of a tenant's current subscription, and the end of its period.
///
/// The period of an unpaid, past-due or ended subscription lies in the past.
fn pick_status_and_end(
    status: TenantStatus,
    random: &mut SplitMix64,
) -> (TenantSubscriptionStatus, Timestamp) {
    use TenantSubscriptionStatus as Status;
    let percentile = random.below(100);
    let status = match status {
        TenantStatus::Active => match percentile {
            0..78 => Status::Active,
            78..88 => Status::Trialing,
            88..95 => Status::PastDue,
            95..98 => Status::Paused,
            _ => Status::Incomplete,
        },
        TenantStatus::Pending if percentile < 40 => Status::Trialing,
        TenantStatus::Pending => Status::Incomplete,
        TenantStatus::Suspended if percentile < 70 => Status::Unpaid,
        TenantStatus::Suspended => Status::PastDue,
        TenantStatus::Archived if percentile < 80 => Status::Canceled,
        TenantStatus::Archived => Status::IncompleteExpired,
    };
    let distance = 1 + random.below(25);
    let end = match status {
        Status::PastDue | Status::Unpaid | Status::Canceled | Status::IncompleteExpired => {
            TODAY - distance
        }
        _ => TODAY + distance,
    };
    (status, day(end))
}

/// Returns a subscription to the tenant's plan, whose period is the month before `end`.
fn subscription(
    i: u32,
    kind: u8,
    tenant: &Tenant,
    since: Timestamp,
    end: Timestamp,
) -> TenantSubscription {
    let base =
        TenantSubscription::new_trial(tenant, SubscriptionId::new(id(kind, i, since)), since);
    let start = end.saturating_duration_since(START).saturating_sub(days(30));
    TenantSubscription {
        current_period_start: Some(START.saturating_add(start).max(since)),
        // A subscription that starts near `end` has a period of at least one day.
        current_period_end: Some(end.max(since.saturating_add(days(1)))),
        stripe: (tenant.plan != Plan::Free).then(|| StripeHandles {
            customer_id: Some(format!("cus_demo{i}")),
            subscription_id: Some(format!("sub_demo{i}_{kind}")),
            price_id: Some(format!("price_{}", tenant.plan.as_str())),
        }),
        ..base
    }
}

/// Returns the k-th user who was created with the i-th tenant.
fn user(i: u32, k: u32, home: &Tenant) -> User {
    let mut random = SplitMix64::new(i, k + 1);
    let role = match k {
        0 => TenantRole::Owner,
        1 if random.below(2) == 0 => TenantRole::Owner,
        k if k % 8 == 2 => TenantRole::Admin,
        _ => TenantRole::Member,
    };
    // The owner is created first, the others within a day.
    let delay = if k == 0 { 0 } else { random.below(DAY_SECONDS) };
    let at = home.created_at.saturating_add(Duration::from_secs(delay));
    let mut memberships = vec![membership(home.id, role, at)];
    memberships.extend(other_tenants(i, k, &mut random).map(|j| {
        let role = if random.below(5) == 0 { TenantRole::Admin } else { TenantRole::Member };
        membership(tenant_id(j), role, at)
    }));
    let name = random.pick(&FIRST_NAMES);
    let last_seen_at = (random.below(10) < 7).then(|| day(TODAY - random.below(90)).max(at));
    let identity = Identity { issuer: ISSUER.to_owned(), subject: format!("demo|{i:06}-{k:02}") };
    // A tenant has at most 50 users, so the kind fits into a byte.
    let kind = USER.saturating_add(u8::try_from(k).unwrap_or(u8::MAX));
    User {
        email: Some(format!("{}.{k}@{}.example", name.to_lowercase(), home.slug)),
        name: format!("{name} {i}.{k}"),
        disabled: k > 1 && random.below(25) == 0,
        memberships,
        last_seen_at,
        ..User::new(UserId::new(id(kind, i, home.created_at)), identity, at)
    }
}

const fn membership(tenant_id: TenantId, role: TenantRole, since: Timestamp) -> Membership {
    Membership { tenant_id, role, source: MembershipSource::Direct, since }
}

/// Returns the numbers of the further tenants to which a user belongs.
///
/// The second user of an agency belongs to the [`AGENCY_TENANTS`] tenants before it. Every ninth user
/// belongs to up to four further tenants. The numbers are lower than the number of the user's own
/// tenant, so these tenants exist when that tenant is created.
/// A membership in a tenant that was deleted later is never shown.
fn other_tenants(i: u32, k: u32, random: &mut SplitMix64) -> std::ops::Range<u32> {
    if k == 1 && i % AGENCY_INTERVAL == 3 {
        return i.saturating_sub(AGENCY_TENANTS).max(1)..i;
    }
    if k % 9 != 4 || i == 1 {
        return i..i;
    }
    let first = 1 + random.below(u64::from(i) - 1) as u32;
    first..i.min(first + 1 + random.below(4) as u32)
}

/// Returns the audit event of the tenant's creation.
///
/// Users have no creation events. They would multiply the audit log by twenty and add no information.
fn event(i: u32, tenant: &Tenant) -> AuditEvent {
    AuditEvent {
        id: AuditEventId::new(id(EVENT, i, tenant.created_at)),
        at: tenant.created_at,
        action: "tenant.create".to_owned(),
        actor_kind: ActorKind::System,
        actor: None,
        tenants: vec![tenant.id],
        target: Some(NodeId::Tenant(tenant.id)),
        changes: tenant_values(tenant),
        request_id: None,
    }
}

/// The pseudo-random number generator SplitMix64, seeded with the numbers of a tenant and a user.
///
/// It is implemented here, because demo data must stay the same. Libraries do not promise the same
/// numbers in every version.
struct SplitMix64(u64);

impl SplitMix64 {
    fn new(i: u32, k: u32) -> Self {
        Self(u64::from(i) << 32 | u64::from(k))
    }

    /// Returns a number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}
