//! The tenants of `seed --demo`: the i-th with everything that is its own, by arithmetic alone.
//!
//! The i-th is the same on every machine, in every run and for every N: nothing here asks a clock or
//! a die. Time stands still at the start of 2026, and everything was made in the two years before.
//!
//! Nobody can sign in as one of these users: their issuer is no URL, so no configuration can name it.
//! None of them runs the platform, and no tenant has a group of the identity provider, through which
//! somebody's token would make them a member.

use std::time::Duration;

use serde_json::json;

use super::change;
use crate::domain::{
    audit::{ActorKind, AuditEvent},
    id::{AuditEventId, NodeId, ObjectId, SubscriptionId, TenantId, UserId},
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, User},
};

/// Whose subjects the users are: nobody's.
const ISSUER: &str = "urn:tenantry:demo";
/// The first moment there is: 2024-01-01T00:00:00Z.
const START: Timestamp = match Timestamp::from_seconds(1_704_067_200) {
    Some(start) => start,
    None => Timestamp::MIN,
};
/// The day that is today: 2026-01-01.
const TODAY: u64 = 731;
/// How many days it takes until there are twice as many tenants. So any number of them lies over a
/// good part of the time, and each is younger than those before it: what a database keeps in order of
/// age it only adds to at the end, which makes it many times as fast.
const DOUBLING: u64 = 35;
const DAY: u64 = 86_400;

/// How many users a tenant has of its own, by the last digit of its number: 20 on average.
const SIZES: [u32; 10] = [15, 50, 1, 22, 8, 29, 12, 40, 5, 18];
/// Of so many tenants one has a user who is in [`ELSEWHERE`] tenants more: about one user in 1,000.
const AGENCY: u32 = 50;
const ELSEWHERE: u32 = 199;

/// The people there are.
const PEOPLE: [&str; 4] = ["Ada", "Bob", "Carol", "Mallory"];
const FIRST_WORDS: [&str; 16] = [
    "Amber", "Birch", "Cedar", "Copper", "Delta", "Eastern", "Fjord", "Granite", "Harbour", "Île",
    "Juniper", "Lakeside", "Maple", "Northern", "Öresund", "River",
];
const TRADES: [&str; 16] = [
    "Bakery",
    "Books",
    "Brewing",
    "Catering",
    "Cycles",
    "Design",
    "Energy",
    "Foods",
    "Gardens",
    "Glass",
    "Instruments",
    "Joinery",
    "Logistics",
    "Optics",
    "Printing",
    "Textiles",
];

/// Where companies are: how they are called there, and with what their VAT number begins. What follows
/// is the tenant's number after many zeros, so that it is nobody's.
struct CompanyLocale {
    form: &'static str,
    street: &'static str,
    city: &'static str,
    postal_code: &'static str,
    country: &'static str,
    vat: Option<(&'static str, usize)>,
}

const PLACES_OF_BUSINESS: [CompanyLocale; 5] = [
    place("GmbH", "Hauptstraße", "Berlin", "10115", "DE", Some(("DE", 9))),
    place("GmbH", "Ringstraße", "Wien", "1010", "AT", Some(("ATU", 8))),
    place("ApS", "Havnegade", "København", "1058", "DK", Some(("DK", 8))),
    place("B.V.", "Kerkstraat", "Utrecht", "3511", "NL", None),
    place("Ltd", "Mill Lane", "Leeds", "LS1 4DY", "GB", None),
];

const fn place(
    form: &'static str,
    street: &'static str,
    city: &'static str,
    postal_code: &'static str,
    country: &'static str,
    vat: Option<(&'static str, usize)>,
) -> CompanyLocale {
    CompanyLocale { form, street, city, postal_code, country, vat }
}

/// A demo tenant and what is its own.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// What it pays for, and what it has paid for before.
    pub subscriptions: Vec<TenantSubscription>,
    /// Those who came with it; its owner is the first. They may be members of tenants before it, and
    /// those after it may have members here.
    pub users: Vec<User>,
    /// That it was made, as the history has it.
    pub event: AuditEvent,
}

impl DemoTenant {
    /// The i-th, from 1 to a million. (Beyond, they would come after today.)
    #[must_use]
    pub fn nth(i: u32) -> Self {
        let mut dice = SplitMix64::new(i, 0);
        let tenant = tenant(i, &mut dice);
        let subscriptions = subscriptions(i, &tenant, &mut dice);
        let users = (0..SIZES[i as usize % SIZES.len()]).map(|k| user(i, k, &tenant)).collect();
        let event = event(i, &tenant);
        Self { tenant, subscriptions, users, event }
    }
}

/// A kind of document, as its identifiers have it; the n-th user of a tenant is a kind of its own.
const TENANT: u8 = 0;
const EVENT: u8 = 1;
const SUBSCRIPTION: u8 = 2;
const EARLIER_SUBSCRIPTION: u8 = 3;
const USER: u8 = 64;

/// An identifier that no other document here has, whenever it was made.
fn id(kind: u8, i: u32, at: Timestamp) -> ObjectId {
    ObjectId::from_parts(at, [b'd', b'e', b'm', b'o', kind], i)
}

fn made_at(i: u32) -> Timestamp {
    let i = i.max(1);
    let doubled = i.ilog2();
    let since = u64::from(i) - (1 << doubled);
    let seconds = DOUBLING * DAY * u64::from(doubled) + DOUBLING * DAY * since / (1 << doubled);
    START.saturating_add(Duration::from_secs(seconds))
}

fn tenant_id(i: u32) -> TenantId {
    TenantId::new(id(TENANT, i, made_at(i)))
}

fn day(n: u64) -> Timestamp {
    START.saturating_add(days(n))
}

const fn days(n: u64) -> Duration {
    Duration::from_secs(n * DAY)
}

fn tenant(i: u32, dice: &mut SplitMix64) -> Tenant {
    let status = match dice.below(100) {
        0..86 => TenantStatus::Active,
        86..92 => TenantStatus::Suspended,
        92..96 => TenantStatus::Pending,
        _ => TenantStatus::Archived,
    };
    let plan = match dice.below(100) {
        0..40 => Plan::Free,
        40..70 => Plan::Starter,
        70..92 => Plan::Business,
        _ => Plan::Enterprise,
    };
    let slug = format!("demo-{i:06}");
    let name = format!("{} {}", dice.pick(&FIRST_WORDS), dice.pick(&TRADES));
    let own = format!("{slug}.example");
    let domains = match dice.below(10) {
        0 => Vec::new(),
        1..8 => vec![own],
        _ => vec![own.clone(), format!("shop.{own}"), format!("www.{own}")],
    };
    let integrations = (dice.below(2) == 0).then(|| TenantIntegrations {
        authentik_group: None,
        ocis_space: Some(format!("space-{slug}")),
        stalwart_domain: domains.first().cloned(),
    });
    let billing_info = (dice.below(100) < 85).then(|| billing(i, &name, &slug, dice));
    let blank = Tenant::new(tenant_id(i), made_at(i));
    Tenant { slug, name, status, plan, domains, billing_info, integrations, ..blank }
}

fn billing(i: u32, name: &str, slug: &str, dice: &mut SplitMix64) -> BillingInfo {
    let place = dice.pick(&PLACES_OF_BUSINESS);
    BillingInfo {
        company_name: Some(format!("{name} {}", place.form)),
        email: Some(format!("billing@{slug}.example")),
        vat_id: place.vat.map(|(start, digits)| format!("{start}{i:0digits$}")),
        address: Some(PostalAddress {
            line1: Some(format!("{} {}", place.street, 1 + dice.below(200))),
            city: Some(place.city.to_owned()),
            postal_code: Some(place.postal_code.to_owned()),
            country: Some(place.country.to_owned()),
            ..PostalAddress::default()
        }),
    }
}

/// The one of today, and for some of the tenants one that is over, with another plan.
fn subscriptions(i: u32, tenant: &Tenant, dice: &mut SplitMix64) -> Vec<TenantSubscription> {
    let mut all = Vec::new();
    let mut since = tenant.created_at;
    if dice.below(10) == 0 && tenant.status != TenantStatus::Pending {
        let plan = if tenant.plan == Plan::Starter { Plan::Free } else { Plan::Starter };
        let status = TenantSubscriptionStatus::Canceled;
        let over = since.saturating_add(days(30));
        let earlier = subscription(i, EARLIER_SUBSCRIPTION, tenant, since, over);
        all.push(TenantSubscription { plan, status, version: 2, updated_at: over, ..earlier });
        since = over;
    }
    let (status, end) = state(tenant.status, dice);
    let current = subscription(i, SUBSCRIPTION, tenant, since, end);
    let active = status == TenantSubscriptionStatus::Active;
    let cancel_at_period_end = active && dice.below(20) == 0;
    all.push(TenantSubscription { status, cancel_at_period_end, ..current });
    all
}

/// How a tenant of that status pays, and when its period ends: it has ended where it is late.
fn state(status: TenantStatus, dice: &mut SplitMix64) -> (TenantSubscriptionStatus, Timestamp) {
    use TenantSubscriptionStatus as Status;
    let of_hundred = dice.below(100);
    let status = match status {
        TenantStatus::Active => match of_hundred {
            0..78 => Status::Active,
            78..88 => Status::Trialing,
            88..95 => Status::PastDue,
            95..98 => Status::Paused,
            _ => Status::Incomplete,
        },
        TenantStatus::Pending if of_hundred < 40 => Status::Trialing,
        TenantStatus::Pending => Status::Incomplete,
        TenantStatus::Suspended if of_hundred < 70 => Status::Unpaid,
        TenantStatus::Suspended => Status::PastDue,
        TenantStatus::Archived if of_hundred < 80 => Status::Canceled,
        TenantStatus::Archived => Status::IncompleteExpired,
    };
    let some = 1 + dice.below(25);
    let end = match status {
        Status::PastDue | Status::Unpaid | Status::Canceled | Status::IncompleteExpired => {
            TODAY - some
        }
        _ => TODAY + some,
    };
    (status, day(end))
}

/// A subscription of the tenant's plan, with the month that ends then.
fn subscription(
    i: u32,
    kind: u8,
    tenant: &Tenant,
    since: Timestamp,
    end: Timestamp,
) -> TenantSubscription {
    let blank =
        TenantSubscription::new_trial(tenant, SubscriptionId::new(id(kind, i, since)), since);
    let month = end.saturating_duration_since(START).saturating_sub(days(30));
    TenantSubscription {
        current_period_start: Some(START.saturating_add(month).max(since)),
        // What was made within its last days has those at least.
        current_period_end: Some(end.max(since.saturating_add(days(1)))),
        stripe: (tenant.plan != Plan::Free).then(|| StripeHandles {
            customer_id: Some(format!("cus_demo{i}")),
            subscription_id: Some(format!("sub_demo{i}_{kind}")),
            price_id: Some(format!("price_{}", tenant.plan.as_str())),
        }),
        ..blank
    }
}

/// The k-th user who came with the i-th tenant.
fn user(i: u32, k: u32, home: &Tenant) -> User {
    let mut dice = SplitMix64::new(i, k + 1);
    let role = match k {
        0 => TenantRole::Owner,
        1 if dice.below(2) == 0 => TenantRole::Owner,
        k if k % 8 == 2 => TenantRole::Admin,
        _ => TenantRole::Member,
    };
    // The owner comes first, the others within a day.
    let later = if k == 0 { 0 } else { dice.below(DAY) };
    let at = home.created_at.saturating_add(Duration::from_secs(later));
    let mut memberships = vec![membership(home.id, role, at)];
    memberships.extend(other_tenants(i, k, &mut dice).map(|j| {
        let role = if dice.below(5) == 0 { TenantRole::Admin } else { TenantRole::Member };
        membership(tenant_id(j), role, at)
    }));
    let name = dice.pick(&PEOPLE);
    let seen = (dice.below(10) < 7).then(|| day(TODAY - dice.below(90)).max(at));
    let identity = Identity { issuer: ISSUER.to_owned(), subject: format!("demo|{i:06}-{k:02}") };
    // At most 50 of them, so this never leaves its byte.
    let kind = USER.saturating_add(u8::try_from(k).unwrap_or(u8::MAX));
    User {
        email: Some(format!("{}.{k}@{}.example", name.to_lowercase(), home.slug)),
        name: format!("{name} {i}.{k}"),
        disabled: k > 1 && dice.below(25) == 0,
        memberships,
        last_seen_at: seen,
        ..User::new(UserId::new(id(kind, i, home.created_at)), identity, at)
    }
}

const fn membership(tenant_id: TenantId, role: TenantRole, since: Timestamp) -> Membership {
    Membership { tenant_id, role, source: MembershipSource::Direct, since }
}

/// In which tenants before its own a user is as well: so all that a tenant's users name is there
/// when the tenant is. (A place in one that was deleted since shows nowhere.)
fn other_tenants(i: u32, k: u32, dice: &mut SplitMix64) -> std::ops::Range<u32> {
    if k == 1 && i % AGENCY == 3 {
        return i.saturating_sub(ELSEWHERE).max(1)..i;
    }
    if k % 9 != 4 || i == 1 {
        return i..i;
    }
    let first = 1 + dice.below(u64::from(i) - 1) as u32;
    first..i.min(first + 1 + dice.below(4) as u32)
}

/// One for the tenant, as the first of each has. Users have none of their own: that would be twenty
/// times as many, of which none tells more.
fn event(i: u32, tenant: &Tenant) -> AuditEvent {
    AuditEvent {
        id: AuditEventId::new(id(EVENT, i, tenant.created_at)),
        at: tenant.created_at,
        action: "tenant.create".to_owned(),
        actor_kind: ActorKind::System,
        actor: None,
        tenants: vec![tenant.id],
        target: Some(NodeId::Tenant(tenant.id)),
        changes: vec![
            change("slug", json!(tenant.slug)),
            change("name", json!(tenant.name)),
            change("plan", json!(tenant.plan.as_str().to_ascii_uppercase())),
        ],
        request_id: None,
    }
}

/// Numbers that look like chance and follow from two (splitmix64). Not a library's: those promise no
/// more than good numbers, and here a new version must give the same ones.
struct SplitMix64(u64);

impl SplitMix64 {
    fn new(i: u32, k: u32) -> Self {
        Self(u64::from(i) << 32 | u64::from(k))
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}
