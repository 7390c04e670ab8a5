// Navigation within the portal: fresh data, parallel requests, several tabs, the end of a session, and the focus.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, newTenant, returningUser, shared, signedInUser, storedTenant } from '../scenario.mjs';
import { LIVE_OPERATIONS } from '../stack/gate.mjs';

const users = () => shared.stack.database.collection('users');

test('a click on the overview fetches it again', async () => {
  // The overview has the first six tenants in the order of their names.
  const tenant = await newTenant({ Carol: 'MEMBER' }, { name: 'Above all' });
  const carol = await returningUser('carol', '/');
  const tenants = carol.page.getByRole('region', { name: 'My tenants' });
  await tenants.getByRole('link', { name: tenant.name }).waitFor();
  await carol.page.getByRole('link', { name: 'Tenants', exact: true }).click();
  await carol.heading('Tenants').waitFor();
  const { _id: tenantId } = await shared.stack.database.collection('tenants').findOne({ slug: tenant.slug });
  await users().updateOne({ subject: 'carol' }, { $pull: { memberships: { tenantId } } });
  await carol.page.getByRole('link', { name: 'Overview' }).click();
  await tenants.getByRole('link', { name: 'Acme', exact: true }).waitFor();
  assert.equal(await tenants.getByRole('link', { name: tenant.name }).count(), 0);
  await carol.close();
});

test('a user who is disabled while the portal is open sees no data after a click', async (context) => {
  context.after(() => users().updateOne({ subject: 'carol' }, { $set: { disabled: false } }));
  const carol = await returningUser('carol', '/tenants');
  await users().updateOne({ subject: 'carol' }, { $set: { disabled: true } });
  await carol.page.getByRole('link', { name: 'Overview' }).click();
  await carol.heading('Your account is disabled').waitFor();
  assert.doesNotMatch(await carol.page.locator('main').innerText(), /Acme|carol@/);
  await carol.close([errorStatus(403)]);
});

test('the rights in the header follow the user at each navigation', async () => {
  const carol = await returningUser('carol', '/tenants');
  assert.equal(await carol.page.getByRole('link', { name: 'Users' }).count(), 0);
  await users().updateOne({ subject: 'carol' }, { $set: { platformAdmin: true, platformAdminSource: 'direct' } });
  await carol.page.getByRole('link', { name: 'Overview' }).click();
  await carol.page.getByRole('link', { name: 'Users' }).waitFor();
  await users().updateOne({ subject: 'carol' }, { $set: { platformAdmin: false }, $unset: { platformAdminSource: '' } });
  await carol.page.getByRole('link', { name: 'Subscriptions' }).click();
  await carol.page.getByRole('link', { name: 'Users' }).waitFor({ state: 'detached' });
  await carol.close();
});

// The operations of each page, and those that it executes again once its live operations have started. `Viewer` is that of
// the header.
const PAGES = {
  '/': [['Overview', 'Viewer'], ['Viewer']],
  '/profile': [['Profile', 'Viewer'], ['Viewer']],
  '/tenants': [['Tenants', 'Viewer'], ['Tenants', 'Viewer']],
  '/subscriptions': [['Subscriptions', 'Viewer'], ['Viewer']],
  '/tenants/acme': [['Tenant', 'TenantMembers', 'Viewer'], ['Tenant', 'TenantMembers', 'Viewer']],
  '/tenants/acme/edit': [['Tenant', 'Viewer'], ['Tenant', 'Viewer']],
  '/tenants/acme/audit': [['TenantAuditLog', 'Viewer'], ['Viewer']],
  '/tenants/acme/invitations': [['Tenant', 'TenantInvitations', 'Viewer'], ['Tenant', 'TenantInvitations', 'Viewer']],
  '/tenants/acme/administration': [['TenantAdministration', 'Viewer'], ['Viewer']],
  '/tenants/acme/members/add': [['Tenant', 'Users', 'Viewer'], ['Viewer']],
  '/users': [['Users', 'Viewer'], ['Viewer']],
  '/audit': [['AuditLog', 'Viewer'], ['Viewer']],
};

test('each page executes every operation once, and once more when it is live', async (context) => {
  const { gate } = shared.stack;
  const ada = await returningUser('ada', '/no/such/page');
  await ada.settle();
  for (const [path, [first, again]] of Object.entries(PAGES)) {
    const hold = gate.hold(...LIVE_OPERATIONS);
    context.after(hold.release);
    gate.operations.length = 0;
    await ada.open(path);
    assert.deepEqual([...gate.operations].sort(), first, path);
    hold.release();
    await gate.waitForOperations(first.length + again.length);
    assert.deepEqual([...gate.operations].sort(), [...first, ...again].sort(), path);
    await ada.settle();
    context.diagnostic(`${path}: ${first.length} gateway calls (${first.join(', ')}), ${again.length} more when it is live`);
  }
  await ada.close([errorStatus(404)]);
});

test('the operations of a page are sent in parallel', async () => {
  const bob = await returningUser('bob', '/');
  const { gate } = shared.stack;
  // None of them is answered before all have arrived.
  const hold = gate.hold('Viewer', 'Tenant', 'TenantMembers');
  const opened = bob.open('/tenants/acme');
  await hold.all;
  hold.release();
  await opened;
  await bob.heading('Acme').waitFor();
  await bob.page.getByRole('link', { name: 'Overview' }).click();
  await bob.heading('Bob').waitFor();
  const second = gate.hold('Viewer', 'Tenant', 'TenantMembers');
  await bob.page.getByRole('region', { name: 'My tenants' }).getByRole('link', { name: 'Acme', exact: true }).click();
  await second.all;
  second.release();
  await bob.heading('Acme').waitFor();
  await bob.close();
});

/** Signs the browser of a user in as another user, in a second tab. */
async function signInInSecondTab(user, name) {
  const { page } = user;
  await user.settle();
  user.page = await user.context.newPage();
  await user.context.clearCookies();
  await user.open('/tenants');
  await user.signInAs(name);
  const second = user.page;
  user.page = page;
  return second;
}

test('a tab whose browser signs in as another user starts afresh', async () => {
  const user = await signedInUser('bob', '/tenants/acme/edit');
  await user.page.getByLabel('City').fill('Typed by Bob');
  const second = await signInInSecondTab(user, 'carol');
  // The tab loads the home page of the new user, without a question and without a click.
  await user.heading('Carol').waitFor();
  assert.doesNotMatch(await user.page.content(), /Typed by Bob/);
  await second.close();
  await user.close();
});

test('a request of a tab is never answered or executed as another user', async () => {
  const tenant = await newTenant();
  const user = await signedInUser('bob', `${tenant.path}/edit`);
  const { page } = user;
  // Without the message of the other tab, only the request itself can notice the other user.
  await page.evaluate(() => {
    BroadcastChannel.prototype.dispatchEvent = () => false;
    window.channelsClosed = true;
  });
  const headers = await page.evaluate(() => {
    const { viewerKey } = window.useNuxtApp().payload.state['$snuxt-oidc-auth-session'];
    return { 'x-portal-viewer': viewerKey, 'content-type': 'application/json' };
  });
  assert.ok(headers['x-portal-viewer'].length > 20);
  const { version } = await storedTenant(tenant);
  const second = await signInInSecondTab(user, 'ada');
  const statuses = await second.evaluate(
    async ({ headers, body, slug }) => {
      const read = await fetch(`/api/tenants/${slug}`, { headers });
      const change = await fetch('/api/tenants', { method: 'PATCH', headers, body: JSON.stringify(body) });
      return [read.status, (await read.json()).data.code, change.status, (await change.json()).data.code];
    },
    { headers, slug: tenant.slug, body: { id: tenant.id, version, name: 'Sent as Ada' } },
  );
  assert.deepEqual(statuses, [409, 'SESSION_CHANGED', 409, 'SESSION_CHANGED']);
  const after = await storedTenant(tenant);
  assert.deepEqual([after.name, after.version], [tenant.name, version]);
  await second.close();
  await user.close([errorStatus(409)]);
});

test('a form that was opened as one user is not sent as another', async () => {
  const tenant = await newTenant();
  const user = await signedInUser('bob', '/profile');
  const { page } = user;
  // The message of the other tab does not arrive, and there is no live operation, so that only Save can notice.
  await page.addInitScript(() => {
    window.BroadcastChannel = class { postMessage() {} };
    window.EventSource = class { addEventListener() {} close() {} };
  });
  await user.open(`${tenant.path}/edit`);
  await page.getByLabel('City').fill('Typed by Bob');
  // Ada may edit the tenant, too. She signs in as users do, after a sign-out in the second tab.
  user.page = await user.context.newPage();
  await user.open('/');
  await user.page.getByRole('link', { name: 'Sign out' }).click();
  await user.page.getByRole('button', { name: 'Sign out at the provider' }).click();
  await user.page.getByRole('link', { name: 'Sign in' }).click();
  await user.signInAs('ada');
  const second = user.page;
  user.page = page;
  const { version } = await storedTenant(tenant);
  shared.stack.gate.operations.length = 0;
  await page.getByRole('button', { name: 'Save' }).click();
  await user.heading('Ada').waitFor();
  assert.ok(!shared.stack.gate.operations.includes('UpdateTenant'));
  assert.equal((await storedTenant(tenant)).version, version);
  assert.doesNotMatch(await page.content(), /Typed by Bob|bob@/);
  await second.close();
  await user.close([errorStatus(409)]);
});

test('a session that ends on a tenant page starts one sign-in', async () => {
  const bob = await signedInUser('bob');
  await bob.open('/');
  await bob.settle();
  await bob.context.clearCookies({ name: 'portal' });
  bob.urls.length = 0;
  await bob.page.getByRole('region', { name: 'My tenants' }).getByRole('link', { name: 'Acme', exact: true }).click();
  await bob.heading('Acme').waitFor();
  await bob.waitForHydration();
  const started = bob.urls.filter((url) => new URL(url).pathname === '/sign-in');
  assert.equal(started.length, 1, started.join('\n'));
  // The page failed with more than one request.
  assert.ok(bob.urls.filter((url) => url.includes('/api/')).length >= 2);
  await bob.close([errorStatus(401)]);
});

const focusedText = (user) => user.page.evaluate(() => document.activeElement.innerText);

test('the heading of a new page takes the focus, also if its data arrives later', async () => {
  const bob = await returningUser('bob', '/');
  assert.equal(await bob.page.evaluate(() => document.activeElement.tagName), 'BODY');
  for (const [link, heading] of [['Tenants', 'Tenants'], ['Acme', 'Acme'], ['Edit', 'Edit Acme'], ['Cancel', 'Acme'], ['Audit log', 'Audit log']]) {
    await bob.page.getByRole('link', { name: link, exact: true }).click();
    await bob.heading(heading).and(bob.page.locator(':focus')).waitFor();
    assert.equal(await focusedText(bob), heading);
  }
  await bob.close();
});

test('paging scrolls to the heading of the list and focuses it', async () => {
  const bob = await returningUser('bob', '/tenants/acme', { viewport: { width: 800, height: 500 } });
  await bob.page.getByRole('link', { name: 'Next' }).click();
  await bob.page.waitForURL(/after=.*#members$/);
  await bob.heading('Members').and(bob.page.locator(':focus')).waitFor();
  await bob.page.waitForFunction(() => {
    const { top } = document.querySelector('#members').getBoundingClientRect();
    return top > -5 && top < window.innerHeight;
  });
  await bob.close();
});

test('a saved change is announced, and the message disappears at the next navigation', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  await bob.page.getByLabel('City').fill('Dresden');
  await bob.page.getByRole('button', { name: 'Save' }).click();
  const message = bob.page.getByRole('status').getByText(`${tenant.name} was saved.`);
  await message.waitFor();
  await bob.heading(tenant.name).waitFor();
  await bob.page.getByRole('link', { name: 'Overview' }).click();
  await bob.heading('Bob').waitFor();
  assert.equal(await message.count(), 0);
  await bob.close();
});

const findTenant = (page) => page.getByLabel('Name, slug or domain');
const switcherStatus = (page) => page.locator('.switcher-panel').getByRole('status');

test('the switcher opens another tenant from any page', async () => {
  const [first, second] = [await newTenant(), await newTenant()];
  const ada = await returningUser('ada', '/audit');
  const { page } = ada;
  const button = page.getByRole('button', { name: 'Switch tenant' });
  const search = findTenant(page);
  await button.click();
  await page.locator(':focus').and(search).waitFor();
  await page.keyboard.press('Escape');
  await button.and(page.locator(':focus')).waitFor();
  assert.equal(await search.count(), 0);
  await page.keyboard.press('Enter');
  await search.fill(first.slug);
  await switcherStatus(page).getByText('1 tenant', { exact: true }).waitFor();
  await page.locator('.switcher-list').getByRole('link', { name: first.name }).click();
  await ada.heading(first.name).waitFor();
  assert.equal(await button.getAttribute('aria-expanded'), 'false');
  await button.click();
  await search.fill(second.slug);
  await page.locator('.switcher-list').getByRole('link', { name: second.name }).click();
  await ada.heading(second.name).waitFor();
  await ada.close();
});

test('the switcher shows no list but that of the current search', async () => {
  const tenant = await newTenant();
  const ada = await returningUser('ada', '/profile');
  const { page } = ada;
  const list = page.locator('.switcher-list');
  await page.getByRole('button', { name: 'Switch tenant' }).click();
  await list.getByRole('link').first().waitFor();
  const earlier = shared.stack.gate.hold('Tenants');
  await findTenant(page).fill('acme');
  await switcherStatus(page).getByText('Loading …').waitFor();
  assert.equal(await list.count(), 0);
  await earlier.all;
  // The earlier search is answered after the later one has begun.
  const later = page.waitForRequest((request) => request.url().includes(`search=${tenant.slug}`));
  await findTenant(page).fill(tenant.slug);
  await later;
  earlier.release();
  await switcherStatus(page).getByText('1 tenant', { exact: true }).waitFor();
  assert.deepEqual(await list.allInnerTexts(), [tenant.name]);
  await ada.close();
});

test('the switcher says that a search has failed, and tries again', async () => {
  const tenant = await newTenant();
  const ada = await returningUser('ada', '/profile');
  const { page } = ada;
  await page.getByRole('button', { name: 'Switch tenant' }).click();
  await page.locator('.switcher-list').getByRole('link').first().waitFor();
  await page.route('**/api/tenants?**', (route) => route.abort());
  await findTenant(page).fill(tenant.slug);
  await switcherStatus(page).getByText('The tenants could not be loaded.').waitFor();
  assert.equal(await page.locator('.switcher-list').count(), 0);
  const retry = page.locator('.switcher-panel').getByRole('button', { name: 'Try again' });
  await page.unroute('**/api/tenants?**');
  await retry.click();
  await page.locator('.switcher-list').getByRole('link', { name: tenant.name }).waitFor();
  assert.equal(await retry.count(), 0);
  await findTenant(page).and(page.locator(':focus')).waitFor();
  await ada.close([/net::ERR_FAILED/]);
});

test('the overview leads to all subscriptions', async () => {
  const ada = await returningUser('ada', '/');
  await ada.page.getByRole('link', { name: /^All \d+ running$/ }).click();
  await ada.heading('Subscriptions').waitFor();
  await ada.page.getByLabel('Status').selectOption('Unpaid');
  await ada.page.getByRole('button', { name: 'Filter' }).click();
  await ada.page.getByText('1 subscription', { exact: true }).waitFor();
  await ada.page.getByRole('link', { name: 'Initech' }).waitFor();
  await ada.close();
});

test('the profile shows the user, and every membership', async () => {
  const carol = await returningUser('carol', '/');
  await carol.page.getByRole('link', { name: 'Carol' }).click();
  await carol.heading('My profile').waitFor();
  const identity = carol.page.getByRole('region', { name: 'Identity' });
  await identity.getByText('carol@example.org').waitFor();
  await identity.getByText(/^usr_[0-9a-f]{24}$/).waitFor();
  const memberships = carol.page.getByRole('region', { name: 'Memberships' });
  await memberships.getByRole('row', { name: /Acme Member From a group/ }).waitFor();
  await memberships.getByRole('link', { name: 'Acme', exact: true }).click();
  await carol.heading('Acme').waitFor();
  await carol.close();
});
