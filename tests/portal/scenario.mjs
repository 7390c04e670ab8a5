// The servers, the test data and the browser that all scenarios share, and helpers to write them.

import { after, before } from 'node:test';
import { BrowserUser, openBrowser } from './browser.mjs';
import { createFixtures, UPDATE_TENANT } from './fixtures.mjs';
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

export const rename = (slug, name) =>
  shared.fixtures.executeAsAdmin(UPDATE_TENANT, { input: { id: shared.fixtures.tenantIds[slug], name } });

/** Returns the identifier of a user with a name. */
export async function userId(name) {
  const { users } = await shared.fixtures.executeAsAdmin('query($search: String!) { users(filter: {search: $search}) { nodes { id name } } }', { search: name });
  return users.nodes.find((user) => user.name === name).id;
}
