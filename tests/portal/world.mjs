// What is there before the browser comes: tenants and people, made through the gateway by a platform
// admin, as anybody would make them.

import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { RESOURCE } from './stack/provider.mjs';

const CREATE_TENANT = 'mutation($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } } }';
const CREATE_USER = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }';
const ADD_MEMBER = 'mutation($input: AddTenantMemberInput!) { addTenantMember(input: $input) { membership { role } } }';
const SUBSCRIPTION = 'query($slug: String!) { tenant(slug: $slug) { subscription { id } } }';
const UPDATE_SUBSCRIPTION =
  'mutation($input: UpdateSubscriptionInput!) { updateSubscription(input: $input) { subscription { id } } }';

const TENANTS = [
  { slug: 'acme', name: 'Acme', plan: 'BUSINESS', life: 'ACTIVE' },
  { slug: 'globex', name: 'Globex', plan: 'STARTER', life: 'PAST_DUE' },
  { slug: 'hooli', name: 'Hooli', plan: 'FREE', life: 'TRIALING', status: 'PENDING' },
  { slug: 'initech', name: 'Initech', plan: 'ENTERPRISE', life: 'UNPAID', status: 'SUSPENDED' },
];
const MORE = 22;
const TWO = (number) => String(number).padStart(2, '0');

/** An answer of something with the chain's private root. */
export function ask(stack, url, { body, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ca: stack.rootPem, lookup: toLoopback, ...options }, async (response) => {
      const { statusCode: status, headers } = response;
      resolve({ status, headers, text: await text(response) });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const toLoopback = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);

async function adminToken(stack) {
  const { text: answer } = await ask(stack, `${stack.identity.issuer}/token`, {
    method: 'POST',
    auth: `ada:${stack.identity.secret}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE }).toString(),
  });
  return JSON.parse(answer).access_token;
}

/** Makes it, and answers how a platform admin asks the office's gateway. */
export async function makeWorld(stack) {
  const token = await adminToken(stack);
  const admin = (query, variables) => stack.office.ask(token, query, variables);
  await admin('{ me { id } }');
  const ids = {};
  for (const tenant of TENANTS) ids[tenant.slug] = await makeTenant(admin, tenant);
  for (let number = 1; number <= MORE; number += 1) {
    const numbered = { slug: `tenant-${TWO(number)}`, name: `Tenant ${TWO(number)}`, plan: 'FREE' };
    await admin(CREATE_TENANT, { input: numbered });
  }
  const carol = await makeUser(admin, 'carol', 'Carol');
  await addMember(admin, ids.globex, carol);
  await addMember(admin, ids.initech, carol);
  for (let number = 1; number <= MORE; number += 1) {
    const user = await makeUser(admin, `member-${TWO(number)}`, `Member ${TWO(number)}`);
    await addMember(admin, ids.acme, user);
  }
  return { admin, ids };
}

async function makeTenant(admin, { life, ...tenant }) {
  const { slug, name } = tenant;
  const address = { line1: 'Hauptstraße 1', city: 'Berlin', postalCode: '10115', country: 'DE' };
  const billingInfo = { companyName: `${name} GmbH`, email: `billing@${slug}.example`, address };
  const input = { ...tenant, domains: [`${slug}.example`], billingInfo };
  const { createTenant } = await admin(CREATE_TENANT, { input });
  const { tenant: made } = await admin(SUBSCRIPTION, { slug });
  const period = { currentPeriodStart: '2026-11-01T00:00:00Z', currentPeriodEnd: '2026-12-01T00:00:00Z' };
  await admin(UPDATE_SUBSCRIPTION, { input: { id: made.subscription.id, status: life, ...period } });
  return createTenant.tenant.id;
}

async function makeUser(admin, subject, name) {
  const { createUser } = await admin(CREATE_USER, { input: { subject, name, email: `${subject}@example.org` } });
  return createUser.user.id;
}

const addMember = (admin, tenantId, userId) => admin(ADD_MEMBER, { input: { tenantId, userId } });
