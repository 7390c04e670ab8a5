// The servers, the test data and the browser that all scenarios share, and helpers to write them.

import { after, before } from 'node:test';
import { BrowserUser, openBrowser } from './browser.mjs';
import { addMember, createFixtures, createTenant, UPDATE_TENANT } from './fixtures.mjs';
import { Stack } from './stack/index.mjs';

/** Set before the first test runs. */
export const shared = { stack: undefined, fixtures: undefined, browser: undefined };

before(async () => {
  shared.stack = await Stack.start();
  shared.fixtures = await createFixtures(shared.stack);
  shared.browser = await openBrowser(shared.stack);
});

after(async () => {
  await shared.browser?.close();
  await shared.stack?.stop();
});

export const newUser = (options) => BrowserUser.create(shared.browser, shared.stack, options);

/** Returns a user who has opened a page and signed in to see it. */
export async function signedInUser(name, path = '/tenants', options = {}) {
  const user = await newUser(options);
  await user.open(path);
  await user.signInAs(name);
  return user;
}

// The cookies of one session per user.
const sessions = new Map();

/** Returns a user who has opened a page in a session that other tests use, too. Saves the time of a sign-in. */
export async function returningUser(name, path = '/tenants', options = {}) {
  if (!sessions.has(name)) {
    const user = await signedInUser(name);
    sessions.set(name, await user.context.storageState());
    await user.close();
  }
  const user = await newUser({ storageState: sessions.get(name), ...options });
  await user.open(path);
  return user;
}

/** Returns a pattern for the message that a browser logs to the console for an error response. */
export const errorStatus = (status) => new RegExp(`the server responded with a status of ${status}\\b`);

/** Returns the names in a list of tenants or subscriptions. */
export const listNames = (user) => user.page.locator('.list .list-item-link').allInnerTexts();

/** Returns the names of the tenants of a user, in the order of the portal's lists. */
export async function tenantNames(name) {
  const { user } = await shared.fixtures.executeAsAdmin('query($id: ID!) { user(id: $id) { memberships { tenant { name } } } }', { id: await userId(name) });
  return user.memberships.map(({ tenant }) => tenant.name).sort();
}

/** Returns the identifier of a user with a name. If there is none yet, a first sign-in creates the user. */
export async function userId(name) {
  const document = 'query($search: String!) { users(filter: {search: $search}) { nodes { id name } } }';
  const find = async () => {
    const { users } = await shared.fixtures.executeAsAdmin(document, { search: name });
    return users.nodes.find((user) => user.name === name)?.id;
  };
  const id = await find();
  if (id) return id;
  await (await returningUser(name.toLowerCase())).close();
  return find();
}

let ownTenants = 0;

/**
 * Creates a tenant that only one test uses, so that tests can change it and still pass in every order. `members` has
 * roles by name.
 */
export async function newTenant(members = { Bob: 'OWNER' }, properties = {}) {
  ownTenants += 1;
  const number = String(ownTenants).padStart(2, '0');
  const tenant = { slug: `own-${number}`, name: `Own ${number}`, plan: 'BUSINESS', ...properties };
  const { executeAsAdmin } = shared.fixtures;
  const id = await createTenant(executeAsAdmin, tenant);
  for (const [name, role] of Object.entries(members)) await addMember(executeAsAdmin, id, await userId(name), role);
  return { ...tenant, id, path: `/tenants/${tenant.slug}` };
}

/** Returns a name as the portal isolates it in attributes, where there can be no element `bdi`. */
export const isolated = (name) => `\u2068${name}\u2069`;

export const updateTenant = ({ id }, change) => shared.fixtures.executeAsAdmin(UPDATE_TENANT, { input: { id, ...change } });
export const rename = (tenant, name) => updateTenant(tenant, { name });

const REMOVE_MEMBER = 'mutation($input: RemoveTenantMemberInput!) { removeTenantMember(input: $input) { removedUserId } }';

export const removeMember = async ({ id }, name) =>
  shared.fixtures.executeAsAdmin(REMOVE_MEMBER, { input: { tenantId: id, userId: await userId(name) } });

/** Returns the stored state of a tenant, or null. */
export async function storedTenant({ slug }) {
  const fields = 'id name version status plan members(first: 1) { totalCount } subscription { plan status cancelAtPeriodEnd }';
  const { tenant } = await shared.fixtures.executeAsAdmin(`query($slug: String!) { tenant(slug: $slug) { ${fields} } }`, { slug });
  return tenant;
}
