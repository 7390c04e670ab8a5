// The test data: tenants, users and memberships. A platform admin creates them through the gateway's API.

import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { RESOURCE } from './stack/provider.mjs';

const CREATE_TENANT = 'mutation($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } } }';
const CREATE_USER = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }';
const ADD_MEMBER = 'mutation($input: AddTenantMemberInput!) { addTenantMember(input: $input) { membership { role } } }';
export const SUBSCRIPTION = 'query($slug: String!) { tenant(slug: $slug) { subscription { id } } }';
export const UPDATE_SUBSCRIPTION =
  'mutation($input: UpdateSubscriptionInput!) { updateSubscription(input: $input) { subscription { id } } }';
export const UPDATE_TENANT = 'mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { id } } }';

const TENANTS = [
  { slug: 'acme', name: 'Acme', plan: 'BUSINESS', subscriptionStatus: 'ACTIVE' },
  { slug: 'globex', name: 'Globex', plan: 'STARTER', subscriptionStatus: 'PAST_DUE' },
  { slug: 'hooli', name: 'Hooli', plan: 'FREE', subscriptionStatus: 'TRIALING', status: 'PENDING' },
  { slug: 'initech', name: 'Initech', plan: 'ENTERPRISE', subscriptionStatus: 'UNPAID', status: 'SUSPENDED' },
];
// The number of additional tenants, and of additional members of Acme. Both lists need a second page.
const ADDITIONAL = 22;
const twoDigits = (number) => String(number).padStart(2, '0');

/** Sends an HTTPS request that trusts the private root certificate. Resolves with status, headers and text. */
export function httpsRequest(stack, url, { body, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ca: stack.rootPem, lookup: lookupLoopback, ...options }, async (response) => {
      const { statusCode: status, headers } = response;
      resolve({ status, headers, text: await text(response) });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const lookupLoopback = (_name, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

async function requestAdminToken(stack) {
  const response = await httpsRequest(stack, `${stack.provider.issuer}/token`, {
    method: 'POST',
    auth: `ada:${stack.provider.clientSecret}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE }).toString(),
  });
  return JSON.parse(response.text).access_token;
}

/**
 * Creates the test data. Returns the tenant IDs by slug, and `executeAsAdmin`, which executes a GraphQL document on
 * the admin gateway as a platform admin.
 */
export async function createFixtures(stack) {
  const { lifetime } = stack.provider;
  // All tests use this token. They can last an hour on a slow machine.
  stack.provider.lifetime = 7_200;
  const token = await requestAdminToken(stack);
  stack.provider.lifetime = lifetime;
  const executeAsAdmin = (document, variables) => stack.adminGateway.execute(token, document, variables);
  await executeAsAdmin('{ me { id } }');
  const tenantIds = {};
  for (const tenant of TENANTS) tenantIds[tenant.slug] = await createTenant(executeAsAdmin, tenant);
  for (let number = 1; number <= ADDITIONAL; number += 1) {
    const input = { slug: `tenant-${twoDigits(number)}`, name: `Tenant ${twoDigits(number)}`, plan: 'FREE' };
    await executeAsAdmin(CREATE_TENANT, { input });
  }
  const carol = await createUser(executeAsAdmin, 'carol', 'Carol');
  await addMember(executeAsAdmin, tenantIds.globex, carol);
  await addMember(executeAsAdmin, tenantIds.initech, carol);
  for (let number = 1; number <= ADDITIONAL; number += 1) {
    const user = await createUser(executeAsAdmin, `member-${twoDigits(number)}`, `Member ${twoDigits(number)}`);
    await addMember(executeAsAdmin, tenantIds.acme, user);
  }
  return { executeAsAdmin, tenantIds };
}

/** Creates a tenant with a domain, an address and a subscription. Returns its ID. */
export async function createTenant(executeAsAdmin, { subscriptionStatus = 'ACTIVE', ...tenant }) {
  const { slug, name } = tenant;
  const address = { line1: 'Hauptstraße 1', city: 'Berlin', postalCode: '10115', country: 'DE' };
  const billingInfo = { companyName: `${name} GmbH`, email: `billing@${slug}.example`, address };
  const input = { ...tenant, domains: [`${slug}.example`], billingInfo };
  const { createTenant: payload } = await executeAsAdmin(CREATE_TENANT, { input });
  const { tenant: created } = await executeAsAdmin(SUBSCRIPTION, { slug });
  const period = { currentPeriodStart: '2026-11-01T00:00:00Z', currentPeriodEnd: '2026-12-01T00:00:00Z' };
  const update = { id: created.subscription.id, status: subscriptionStatus, ...period };
  await executeAsAdmin(UPDATE_SUBSCRIPTION, { input: update });
  return payload.tenant.id;
}

async function createUser(executeAsAdmin, subject, name) {
  const input = { subject, name, email: `${subject}@example.org` };
  const { createUser: payload } = await executeAsAdmin(CREATE_USER, { input });
  return payload.user.id;
}

export const addMember = (executeAsAdmin, tenantId, userId, role = 'MEMBER') =>
  executeAsAdmin(ADD_MEMBER, { input: { tenantId, userId, role } });
