// Live updates: pages follow the changes of other people, and are cut off when a right is lost. Each browser is alone, so
// the live operations at the gate are those of its page.

import assert from 'node:assert/strict';
import { get } from 'node:https';
import { test } from 'node:test';
import { addMember, httpsRequest, SUBSCRIPTION, UPDATE_SUBSCRIPTION } from '../fixtures.mjs';
import { errorStatus, listNames, newTenant, removeMember, rename, returningUser, shared, signedInUser, updateTenant, userId } from '../scenario.mjs';

const users = () => shared.stack.database.collection('users');
const execute = (document, variables) => shared.fixtures.executeAsAdmin(document, variables);
const INVITE = 'mutation($input: InviteTenantMemberInput!) { inviteTenantMember(input: $input) { invitation { id } } }';
const UPDATE_MEMBER = 'mutation($input: UpdateTenantMemberInput!) { updateTenantMember(input: $input) { membership { role } } }';

/**
 * Opens a page and waits until its live operations are open and it has fetched its data once more. From then on, only an
 * event changes the page. A marker tells whether the page was loaded again.
 */
async function openLive(name, path, ...operations) {
  const user = await returningUser(name, path);
  await shared.stack.gate.waitForLive('ViewerChanged', ...operations);
  await user.settle();
  await user.page.evaluate(() => (window.isFirstLoad = true));
  return user;
}
const assertNotReloaded = async (user) => assert.equal(await user.page.evaluate(() => window.isFirstLoad), true);

test('a tenant page follows changes of the tenant and of its subscription', async () => {
  const tenant = await newTenant();
  const bob = await openLive('bob', tenant.path, 'TenantChanged', 'TenantSubscriptionChanged');
  await rename(tenant, 'Renamed live');
  await bob.heading('Renamed live').waitFor();
  await updateTenant(tenant, { domains: ['live.example'] });
  await bob.page.getByRole('region', { name: 'About' }).getByText('live.example').waitFor();
  const { tenant: stored } = await execute(SUBSCRIPTION, { slug: tenant.slug });
  await execute(UPDATE_SUBSCRIPTION, { input: { id: stored.subscription.id, status: 'PAST_DUE' } });
  await bob.page.getByRole('region', { name: 'Subscription' }).getByText('Past due').waitFor();
  await updateTenant(tenant, { status: 'SUSPENDED' });
  await bob.page.getByText('You can view it, but nothing in it can be changed.').waitFor();
  await assertNotReloaded(bob);
  await bob.close();
});

/** Opens a page, makes a change before this live operation of the page starts, and waits for the result. */
async function assertCaughtUp(name, path, operation, change, showsChange) {
  const hold = shared.stack.gate.hold(operation);
  const user = await returningUser(name, path);
  await hold.all;
  await change();
  hold.release();
  await showsChange(user);
  await user.close();
}

test('a change between the rendering of a tenant page and the start of its live operations is shown', async () => {
  const tenant = await newTenant();
  const open = (...rest) => assertCaughtUp('bob', tenant.path, ...rest);
  await open('TenantChanged', () => rename(tenant, 'Renamed early'), (bob) => bob.heading('Renamed early').waitFor());
  const { tenant: stored } = await execute(SUBSCRIPTION, { slug: tenant.slug });
  const update = () => execute(UPDATE_SUBSCRIPTION, { input: { id: stored.subscription.id, status: 'PAST_DUE' } });
  await open('TenantSubscriptionChanged', update, (bob) => bob.page.getByRole('region', { name: 'Subscription' }).getByText('Past due').waitFor());
  const carol = await userId('Carol');
  const join = () => addMember(shared.fixtures.executeAsAdmin, tenant.id, carol);
  await open('TenantChanged', join, (bob) => bob.page.getByRole('region', { name: 'Members' }).getByRole('row', { name: /Carol/ }).waitFor());
  const bob = await userId('Bob');
  await addMember(shared.fixtures.executeAsAdmin, tenant.id, await userId('Ada'), 'OWNER');
  const demote = () => execute(UPDATE_MEMBER, { input: { tenantId: tenant.id, userId: bob, role: 'MEMBER' } });
  await open('ViewerChanged', demote, (user) => user.page.getByRole('region', { name: 'Billing' }).getByText('Not permitted.').waitFor());
});

test('a change between the rendering of a list or form and the start of its live operations is shown', async (context) => {
  const [tenant, later] = [await newTenant({ Bob: 'OWNER', Carol: 'MEMBER' }), await newTenant()];
  const carol = await userId('Carol');
  const link = (user, name) => user.page.locator('.list').getByRole('link', { name, exact: true });
  await assertCaughtUp('carol', '/tenants', 'TenantsChanged', () => rename(tenant, 'Listed early'), (user) => link(user, 'Listed early').waitFor());
  const join = () => addMember(shared.fixtures.executeAsAdmin, later.id, carol);
  await assertCaughtUp('carol', '/tenants', 'ViewerChanged', join, (user) => link(user, later.name).waitFor());
  context.after(() => users().updateOne({ subject: 'carol' }, { $set: { platformAdmin: false }, $unset: { platformAdminSource: '' } }));
  const promote = () => users().updateOne({ subject: 'carol' }, { $set: { platformAdmin: true, platformAdminSource: 'direct' } });
  await assertCaughtUp('carol', '/profile', 'ViewerChanged', promote, (user) => user.page.getByRole('link', { name: 'Users' }).waitFor());
  const name = (user) => user.page.getByLabel('Name', { exact: true });
  const followed = async (bob) => {
    await bob.page.getByRole('status').getByText('The form shows the new values.').waitFor();
    assert.equal(await name(bob).inputValue(), 'Saved early');
  };
  await assertCaughtUp('bob', `${tenant.path}/edit`, 'TenantChanged', () => rename(tenant, 'Saved early'), followed);
  const invite = () => execute(INVITE, { input: { tenantId: tenant.id, email: 'mallory@example.org' } });
  await assertCaughtUp('bob', `${tenant.path}/invitations`, 'TenantChanged', invite, (bob) => bob.page.getByRole('listitem').filter({ hasText: 'mallory@' }).waitFor());
});

test('a change between a click on a link and the start of the live operations of the new page is shown', async () => {
  const tenant = await newTenant({ Bob: 'OWNER' }, { name: 'Aaa' });
  const bob = await openLive('bob', '/');
  await bob.settle();
  const hold = shared.stack.gate.hold('TenantsChanged');
  await bob.page.getByRole('link', { name: 'Tenants', exact: true }).click();
  // The home page has lists, too.
  await bob.heading('Tenants').waitFor();
  await bob.page.locator('.list').getByRole('link', { name: 'Aaa', exact: true }).waitFor();
  await hold.all;
  await rename(tenant, 'Aab');
  hold.release();
  await bob.page.locator('.list').getByRole('link', { name: 'Aab', exact: true }).waitFor();
  await assertNotReloaded(bob);
  await bob.close();
});

test('the list of tenants follows changes, new memberships and removals', async () => {
  const [tenant, later] = [await newTenant({ Carol: 'MEMBER' }, { name: 'Before' }), await newTenant({}, { name: 'Joined later' })];
  const carol = await openLive('carol', '/tenants', 'TenantsChanged');
  const link = (name) => carol.page.locator('.list').getByRole('link', { name, exact: true });
  await link('Before').waitFor();
  await rename(tenant, 'After');
  await link('After').waitFor();
  await addMember(shared.fixtures.executeAsAdmin, later.id, await userId('Carol'));
  await link('Joined later').waitFor();
  await removeMember(later, 'Carol');
  await link('Joined later').waitFor({ state: 'detached' });
  assert.ok((await listNames(carol)).includes('After'));
  await assertNotReloaded(carol);
  await carol.close();
});

test('a lower role hides at once the data that it may not see', async () => {
  const tenant = await newTenant({ Ada: 'OWNER', Bob: 'ADMIN' });
  const bob = await openLive('bob', tenant.path, 'TenantChanged');
  const billing = bob.page.getByRole('region', { name: 'Billing' });
  await billing.getByText(`${tenant.name} GmbH`).waitFor();
  await execute(UPDATE_MEMBER, { input: { tenantId: tenant.id, userId: await userId('Bob'), role: 'MEMBER' } });
  await billing.getByText('Not permitted.').waitFor();
  assert.equal(await bob.page.getByRole('link', { name: 'Edit' }).count(), 0);
  await assertNotReloaded(bob);
  await bob.close();
});

const lost = (user) => user.page.getByRole('alert').filter({ hasText: 'You no longer have access' });

test('a page says that its user no longer has access', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Carol: 'MEMBER' });
  for (const [name, take] of [['carol', () => removeMember(tenant, 'Carol')], ['bob', () => execute('mutation($input: DeleteTenantInput!) { deleteTenant(input: $input) { deletedId } }', { input: { id: tenant.id } })]]) {
    const user = await openLive(name, tenant.path, 'TenantChanged');
    await user.heading(tenant.name).waitFor();
    await take();
    await lost(user).getByText('You are no longer a member of this tenant, or it was deleted.').waitFor();
    assert.doesNotMatch(await user.page.locator('main').innerText(), new RegExp(`${tenant.name}|@`));
    await assertNotReloaded(user);
    await lost(user).getByRole('link', { name: 'My tenants' }).click();
    await user.heading('Tenants').waitFor();
    await user.close([errorStatus(404)]);
  }
});

test('a disabled user reads that the account is disabled, on a tenant page and on the list', async (context) => {
  context.after(() => users().updateOne({ subject: 'mallory' }, { $set: { disabled: false } }));
  const tenant = await newTenant({ Bob: 'OWNER', Mallory: 'MEMBER' });
  for (const [path, operation] of [[tenant.path, 'TenantChanged'], ['/tenants', 'TenantsChanged']]) {
    await users().updateOne({ subject: 'mallory' }, { $set: { disabled: false } });
    const mallory = await openLive('mallory', path, operation);
    await users().updateOne({ subject: 'mallory' }, { $set: { disabled: true } });
    await lost(mallory).getByText('Your account was disabled or removed.').waitFor();
    assert.doesNotMatch(await mallory.page.locator('main').innerText(), new RegExp(tenant.name));
    await mallory.close([errorStatus(403)]);
  }
});

test('an interrupted live operation resumes after its last event and misses nothing', async () => {
  const tenant = await newTenant();
  const bob = await openLive('bob', tenant.path, 'TenantChanged');
  const { gate } = shared.stack;
  await rename(tenant, 'First');
  await bob.heading('First').waitFor();
  const hold = gate.hold('TenantChanged');
  gate.cutLive();
  await hold.all;
  await rename(tenant, 'While interrupted');
  hold.release();
  await bob.heading('While interrupted').waitFor();
  const [resumed] = await gate.waitForLive('TenantChanged');
  assert.ok(resumed.cursor, 'the gateway received no Last-Event-ID');
  await rename(tenant, 'Afterwards');
  await bob.heading('Afterwards').waitFor();
  await assertNotReloaded(bob);
  await bob.close();
});

test('a form without input follows the stored values', async () => {
  const tenant = await newTenant();
  const bob = await openLive('bob', `${tenant.path}/edit`, 'TenantChanged');
  await rename(tenant, 'Saved elsewhere');
  await bob.page.getByRole('status').getByText('The form shows the new values.').waitFor();
  assert.equal(await bob.page.getByLabel('Name', { exact: true }).inputValue(), 'Saved elsewhere');
  await bob.close();
});

test('a live update never overwrites input, and offers the newer values', async () => {
  const tenant = await newTenant();
  const bob = await openLive('bob', `${tenant.path}/edit`, 'TenantChanged');
  const { page } = bob;
  const field = (label) => page.getByLabel(label, { exact: true });
  await field('Name').fill('Typed by Bob');
  await updateTenant(tenant, { name: 'Saved by Ada', billingInfo: { address: { city: 'Hamburg' } } });
  const notice = page.getByRole('status').filter({ hasText: 'Another user has saved this tenant' });
  await notice.waitFor();
  assert.deepEqual([await field('Name').inputValue(), await field('City').inputValue()], ['Typed by Bob', 'Berlin']);
  await notice.getByRole('button', { name: 'Take over the new values' }).click();
  const choice = page.getByRole('group', { name: 'Name: conflicting changes' });
  await choice.waitFor();
  assert.equal(await notice.count(), 0);
  assert.deepEqual([await field('Name').inputValue(), await field('City').inputValue()], ['Typed by Bob', 'Hamburg']);
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('Typed by Bob').waitFor();
  await bob.close();
});

test('input stays readable after the access was lost', async () => {
  const tenant = await newTenant({ Ada: 'OWNER', Bob: 'ADMIN' });
  const bob = await openLive('bob', `${tenant.path}/edit`, 'TenantChanged');
  await bob.page.getByLabel('City').fill('Typed by Bob');
  await removeMember(tenant, 'Bob');
  await lost(bob).waitFor();
  assert.equal(await bob.page.getByLabel('City').inputValue(), 'Typed by Bob');
  bob.page.on('dialog', (dialog) => dialog.accept());
  await bob.open('/tenants');
  await bob.close([errorStatus(404)]);
});

/** Opens an event stream with the cookies of a user. Resolves when it is ready. `ended` resolves with its whole text. */
function openStream(cookie, path) {
  return new Promise((resolve, reject) => {
    const { stack } = shared;
    const options = { ca: stack.rootPem, headers: { cookie }, lookup: (_name, options, callback) => (options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)) };
    const request = get(stack.web.portalOrigin + path, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
        if (text.includes('event: ready')) resolve({ ended });
      });
      const ended = new Promise((end) => response.on('close', () => end(text)));
    });
    request.on('error', reject);
  });
}

test('an event stream contains no token, ends with the session, and is only for its user', async () => {
  const tenant = await newTenant();
  const bob = await signedInUser('bob', '/profile');
  const { portalOrigin } = shared.stack.web;
  const cookies = await bob.context.cookies(portalOrigin);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const path = `/api/live/tenant?id=${tenant.id}`;
  const stream = await openStream(cookie, path);
  await rename(tenant, 'Streamed');
  await bob.page.getByRole('link', { name: 'Sign out' }).click();
  await bob.page.getByRole('button', { name: 'Sign out at the provider' }).waitFor();
  const text = await stream.ended;
  assert.match(text, /event: change/);
  assert.doesNotMatch(text, /eyJ/);
  assert.ok(!shared.stack.provider.tokens.some((token) => text.includes(token)));
  const after = await httpsRequest(shared.stack, portalOrigin + path, { headers: { cookie } });
  assert.match(after.text, /event: end\ndata: \{"code":"SESSION_ENDED"\}/);
  const carol = await signedInUser('carol', '/profile');
  const other = (await carol.context.cookies(portalOrigin)).map(({ name, value }) => `${name}=${value}`).join('; ');
  const request = (query) => httpsRequest(shared.stack, `${portalOrigin}${path}${query}`, { headers: { cookie: other } });
  assert.match((await request('')).text, /"code":"NOT_FOUND"/);
  assert.match((await request('&viewer=of-another-user')).text, /"code":"SESSION_CHANGED"/);
  await carol.close();
  await bob.close();
});
