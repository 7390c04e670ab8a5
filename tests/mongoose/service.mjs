// The data of the former Node service, written and read with its schemas:
//
//   node service.mjs write <url> <users>   writes tenants, users and subscriptions, some of them damaged
//                                          (the server copies the users after the first 20,000)
//   node service.mjs read <url>            prints what the service reads, as one line of JSON
//
// Identifiers and times are fixed, so that every run writes the same documents.
import { createHash } from "node:crypto";
import mongoose from "mongoose";

const { ObjectId } = mongoose.Types;
const options = { timestamps: true };

const Tenant = mongoose.model("Tenant", new mongoose.Schema({
  slug: { type: String, required: true },
  name: { type: String, required: true },
  status: { type: String, default: "active" },
  plan: { type: String, default: "free" },
  domains: [String],
  billingInfo: mongoose.Schema.Types.Mixed,
  authentikGroup: String,
  ocisSpaceId: String,
  stalwartDomain: String,
}, options));

const User = mongoose.model("User", new mongoose.Schema({
  authentikSubjectId: { type: String, required: true, unique: true },
  tenantIds: [{ type: mongoose.Schema.Types.ObjectId, ref: "Tenant" }],
  email: { type: String, unique: true },
  name: String,
  role: { type: String, default: "member" },
  platformAdmin: { type: Boolean, default: false },
}, options));

const Subscription = mongoose.model("Subscription", new mongoose.Schema({
  tenantId: { type: mongoose.Schema.Types.ObjectId, ref: "Tenant", unique: true },
  plan: String,
  status: String,
  stripeCustomerId: String,
  stripeSubscriptionId: { type: String, unique: true, sparse: true },
  stripePriceId: String,
}, options));

const TENANTS = 40;
const BY_MONGOOSE = 20_000; // The users that Mongoose writes. Identifiers of copies have six of their digits.
const id = (kind, n) => new ObjectId(`65000000${kind}${n.toString(16).padStart(14, "0")}`);
const tenantId = (n) => id("0a", n);
const userId = (n) => id("0b", n);
const subscriptionId = (n) => id("0c", n);
const at = (n) => new Date(Date.UTC(2023, 8, 1) + n * 1000);
const times = (n) => ({ createdAt: at(n), updatedAt: at(n + 60) });

function tenant(n) {
  return {
    _id: tenantId(n),
    slug: `tenant-${n}`,
    name: `Tenant ${n}`,
    status: n % 10 === 0 ? "suspended" : "active",
    plan: ["free", "starter", "business", "enterprise"][n % 4],
    domains: [`tenant-${n}.example.com`],
    billingInfo: { companyName: `Tenant ${n} ApS`, address: { line1: "Main street 1", postalCode: "1000" } },
    authentikGroup: `group-${n}`,
    ocisSpaceId: `space-${n}`,
    stalwartDomain: `tenant-${n}.example.com`,
    ...times(n),
  };
}

function user(n) {
  return {
    _id: userId(n),
    authentikSubjectId: `subject-${n}`,
    tenantIds: [tenantId(n % TENANTS), tenantId((n * 7 + 1) % TENANTS)],
    email: `user-${n}@example.com`,
    name: `User ${n}`,
    role: ["member", "admin", "owner", "Member"][n % 4],
    platformAdmin: n % 1000 === 0,
    ...times(n),
  };
}

function subscription(n) {
  return {
    _id: subscriptionId(n),
    tenantId: tenantId(n),
    plan: tenant(n).plan,
    status: "active",
    stripeCustomerId: `cus_${n}`,
    stripeSubscriptionId: `sub_${n}`,
    stripePriceId: `price_${n % 4}`,
    ...times(n),
  };
}

const T = 10_000_000; // The first damaged document of each collection.

// What other programs and older versions of the service have left behind. The driver writes it, because
// Mongoose rejects it.
const damagedTenants = [
  { slug: "Acme", name: "Acme", status: "active", plan: "free", domains: ["acme.example.com"], authentikGroup: "acme", ...times(1) },
  { slug: "acme", name: "Acme, newer", status: "active", plan: "free", domains: ["ACME.example.com", "shop.example.com"], authentikGroup: "acme", ...times(2) },
  { slug: "ACME", name: "", status: "ACTIVE", plan: "Business", domains: "acme.example.org", ...times(3) },
  { slug: "acme-2", status: "pending", plan: "free", ocisSpace: "space", createdAt: "2023-09-01T00:00:04.000Z", updatedAt: 1_693_526_404_000 },
  { slug: "unknown-status", name: "Unknown status", status: "trial", plan: "free", domains: ["left.example.com"], ...times(5) },
  { slug: "unknown-plan", name: "Unknown plan", status: "active", plan: "gold", ...times(6) },
  { slug: "Unknown-Plan", name: "Same slug as one that is left", status: "active", plan: "free", domains: ["left.example.com"], ...times(7) },
  { name: "No slug", status: "active", plan: "free", ...times(8) },
  { slug: "numbers", name: "Numbers", status: "active", plan: "free", billingInfo: { vatId: 12345678, address: { postalCode: new mongoose.mongo.Int32(1000) }, note: "kept" }, createdAt: new mongoose.mongo.Double(1_693_526_409_000), stars: 5, ...{ updatedAt: null } },
  { slug: "bad-date", name: "Bad date", status: "active", plan: "free", createdAt: "soon" },
];

const damagedUsers = [
  { authentikSubjectId: "damaged-0", tenantIds: [tenantId(1)], email: "damaged-0@example.com", role: "OWNER", ...times(1) },
  { authentikSubjectId: "damaged-1", tenantIds: [String(tenantId(2)), String(tenantId(2)), "x", id("0a", 9999)], role: "superuser", name: " ", platformAdmin: "true", createdAt: "2023-09-01 00:00:02", updatedAt: "2023-09-01" },
  { authentikSubjectId: "subject-2", tenantIds: [], email: "twice@example.com", name: "Same subject as user 2", ...times(99) },
  { tenantIds: [tenantId(1)], email: "twice@example.com", name: "No subject", ...times(4) },
  { authentikSubjectId: new mongoose.mongo.Long(42), tenantIds: tenantId(3), email: "damaged-4@example.com", name: 4, role: "admin", platformAdmin: 1, loginCount: new mongoose.mongo.Double(7), favourite: { colour: "blue" }, ...times(5) },
  { authentikSubjectId: "damaged-5", tenantIds: [tenantId(1)], name: { first: "Ada" }, ...times(6) },
  { _id: "legacy-7", authentikSubjectId: "damaged-6", tenantIds: [], name: "Text as identifier", ...times(7) },
  { authentikSubjectId: "damaged-7", tenantIds: [tenantId(T + 4)], name: "Member of a tenant that is left", role: null, ...times(8) },
];

const damagedSubscriptions = [
  { tenantId: tenantId(1), plan: "enterprise", status: "trialing", stripeCustomerId: "cus_1", ...times(500) },
  { tenantId: String(tenantId(2)), plan: "business", status: "past_due", ...times(500) },
  { tenantId: tenantId(3), plan: "gold", status: "active", ...times(500) },
  { tenantId: tenantId(4), plan: "free", status: "deleted", ...times(500) },
  { tenantId: id("0a", 9999), plan: "free", status: "active", ...times(1) },
  { tenantId: id("0a", 9999), plan: "free", status: "active", ...times(2) },
  { tenantId: tenantId(T), plan: "Starter", status: "Active", currentPeriodEnd: "2024-01-01T00:00:00Z", cancelAtPeriodEnd: 0, ...times(1) },
  { tenantId: "nonsense", plan: "free", status: "active", ...times(1) },
];

async function insertAll(model, count, make) {
  for (let n = 0; n < count; n += 2_000) {
    const some = Array.from({ length: Math.min(2_000, count - n) }, (_, i) => make(n + i));
    await model.insertMany(some, { timestamps: false });
  }
}

/**
 * Copies the first users until there are `count`. The server does so in seconds. Mongoose would need many
 * minutes for a million. Every tenth copy has no name.
 */
async function copyUsers(count) {
  for (let copy = 1; copy * BY_MONGOOSE < count; copy += 1) {
    const end = userId(Math.min(BY_MONGOOSE, count - copy * BY_MONGOOSE));
    const last = { $substrCP: [{ $toString: "$_id" }, 18, 6] };
    const prefix = `650000000b${copy.toString(16).padStart(8, "0")}`;
    await User.collection.aggregate([
      { $match: { _id: { $gte: userId(0), $lt: end } } },
      { $set: {
        _id: { $toObjectId: { $concat: [prefix, last] } },
        authentikSubjectId: { $concat: ["$authentikSubjectId", `-${copy}`] },
        email: { $concat: [`copy-${copy}-`, "$email"] },
        name: { $cond: [{ $regexMatch: { input: "$name", regex: "0$" } }, "$$REMOVE", "$name"] },
      } },
      { $merge: { into: User.collection.collectionName, whenMatched: "fail" } },
    ]).toArray();
  }
}

/** Inserts documents that the schema and its unique indexes do not allow. */
async function insertDamaged(model, documents, identify) {
  const withIds = documents.map((document, n) => ({ _id: identify(T + n), __v: n % 2 ? 0 : new mongoose.mongo.Double(0), ...document }));
  await model.collection.insertMany(withIds);
}

async function write(users) {
  await Promise.all([Tenant.createCollection(), User.createCollection(), Subscription.createCollection()]);
  await insertAll(Tenant, TENANTS, tenant);
  await insertAll(User, Math.min(users, BY_MONGOOSE), user);
  await copyUsers(users);
  await insertAll(Subscription, TENANTS, subscription);
  await insertDamaged(Tenant, damagedTenants, tenantId);
  await insertDamaged(User, damagedUsers, userId);
  await insertDamaged(Subscription, damagedSubscriptions, subscriptionId);
  // The service has unique indexes that these documents, or the gateway's writes, violate. A full index
  // cannot be built on them, so they are partial, or of a field that is unique by chance.
  await User.collection.createIndex({ updatedAt: 1, email: 1 }, { unique: true, name: "legacy_users" });
  await User.collection.createIndex({ loginCount: 1 }, { unique: true, sparse: true, name: "loginCount_1" });
  await Tenant.collection.createIndex({ name: 1 }, { unique: true, name: "name_1" });
  await Subscription.collection.createIndex({ tenantId: 1, createdAt: 1 }, { unique: true, name: "legacy_subscriptions" });
  await Subscription.collection.createIndex({ stripeSubscriptionId: 1 }, { unique: true, sparse: true, name: "stripeSubscriptionId_1" });
}

/** Reads as the service does: users by subject and by tenant, and the subscription of a tenant. */
async function read() {
  const hash = createHash("sha256");
  const counts = { users: 0, members: 0, subscriptions: 0 };
  for await (const found of User.find({ authentikSubjectId: /^subject-/ }).sort({ _id: 1 }).cursor()) {
    counts.users += 1;
    const { authentikSubjectId, tenantIds, email, name, role, platformAdmin, createdAt } = found;
    hash.update(JSON.stringify([authentikSubjectId, tenantIds, email, name, role, platformAdmin, createdAt]));
  }
  for (let n = 0; n < TENANTS; n += 1) {
    const found = await Tenant.findOne({ slug: `tenant-${n}` });
    const { name, status, plan, domains, billingInfo, authentikGroup, ocisSpaceId, stalwartDomain } = found;
    hash.update(JSON.stringify([name, status, plan, domains, billingInfo, authentikGroup, ocisSpaceId, stalwartDomain]));
    counts.members += await User.countDocuments({ tenantIds: found._id });
    const subscription = await Subscription.findOne({ stripeSubscriptionId: `sub_${n}` });
    counts.subscriptions += Number(subscription.tenantId.equals(found._id) && subscription.stripeCustomerId === `cus_${n}`);
  }
  console.log(JSON.stringify({ ...counts, digest: hash.digest("hex") }));
}

const [command, url, count] = process.argv.slice(2);
await mongoose.connect(url, { autoIndex: false, autoCreate: false });
await (command === "write" ? write(Number(count)) : read());
await mongoose.disconnect();
