// Tenants and members, as users with different roles see them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, listNames, newTenant, returningUser, shared, signedInUser, storedTenant, tenantNames } from '../scenario.mjs';

test('a member sees their own tenants, and a notice where access is not permitted', async () => {
  const carol = await returningUser('carol', '/tenants');
  const names = await tenantNames('Carol');
  await carol.page.getByText(`${names.length} tenants`, { exact: true }).waitFor();
  assert.deepEqual(await listNames(carol), names);
  await carol.page.getByRole('link', { name: 'Acme', exact: true }).click();
  await carol.heading('Acme').waitFor();
  const billing = carol.page.getByRole('region', { name: 'Billing' });
  await billing.getByText('Not permitted.').waitFor();
  assert.doesNotMatch(await billing.innerText(), /Acme GmbH|billing@acme/);
  assert.equal(await carol.page.getByRole('link', { name: 'Edit' }).count(), 0);
  await carol.page.getByRole('region', { name: 'Subscription' }).getByText('Business').waitFor();
  await carol.open('/');
  await carol.page.getByRole('region', { name: 'My account' }).getByText('carol@example.org').waitFor();
  await carol.close();
});

test('the member list is paginated', async () => {
  const bob = await returningUser('bob', '/tenants/acme');
  const rows = bob.page.getByRole('region', { name: 'Members' }).locator('tbody tr');
  await rows.nth(19).waitFor();
  const first = await rows.allTextContents();
  await bob.page.getByRole('link', { name: 'Next' }).click();
  await bob.page.waitForURL(/after=/);
  await bob.page.getByRole('region', { name: 'Members' }).getByRole('cell', { name: 'Owner' }).waitFor();
  const second = await rows.allTextContents();
  assert.deepEqual(second.filter((row) => first.includes(row)), []);
  await bob.page.goBack();
  await rows.nth(19).waitFor();
  await bob.close();
});

test('an invalid cursor in the URL offers a link to the first page', async () => {
  const bob = await returningUser('bob', '/tenants/acme?after=invalid');
  await bob.heading('This page of the list is no longer available').waitFor();
  await bob.page.getByRole('link', { name: 'Go to the first page' }).click();
  await bob.page.locator('.table tbody tr').first().waitFor();
  const cacheControl = await bob.page.evaluate(async () => {
    const response = await fetch('/tenants/acme/_payload.json');
    await response.text();
    return response.headers.get('cache-control');
  });
  assert.equal(cacheControl, 'no-store');
  await bob.close([errorStatus(422)]);
});

test('a platform admin can page through all tenants and search them', async () => {
  const ada = await returningUser('ada', '/tenants?search=tenant-');
  await ada.page.getByText('22 tenants', { exact: true }).waitFor();
  const first = await listNames(ada);
  assert.equal(first.length, 20);
  await ada.page.getByRole('link', { name: 'Next' }).click();
  await ada.page.waitForURL(/after=/);
  await ada.page.getByRole('link', { name: 'Tenant 22' }).waitFor();
  assert.deepEqual(await listNames(ada), ['Tenant 21', 'Tenant 22']);
  await ada.page.getByLabel('Name, slug or domain').fill('globex');
  await ada.page.getByRole('button', { name: 'Search' }).click();
  await ada.page.getByText('1 tenant', { exact: true }).waitFor();
  assert.deepEqual(await listNames(ada), ['Globex']);
  await ada.page.getByRole('link', { name: 'Globex' }).click();
  await ada.page.getByRole('region', { name: 'Billing' }).getByText('Globex GmbH').waitFor();
  await ada.page.getByRole('region', { name: 'About' }).getByText('Not a member').waitFor();
  await ada.open('/tenants?status=SUSPENDED&search=i');
  await ada.page.getByText('1 tenant', { exact: true }).waitFor();
  assert.deepEqual(await listNames(ada), ['Initech']);
  await ada.open('/tenants?search=umbrella');
  await ada.page.getByText('No tenant matches.').waitFor();
  await ada.close();
});

test('a hidden tenant looks like a tenant that does not exist', async () => {
  const mallory = await returningUser('mallory', '/tenants');
  await mallory.page.getByText('You are not a member of any tenant yet.').waitFor();
  const pages = [];
  for (const slug of ['acme', 'no-such-tenant']) {
    const response = await mallory.open(`/tenants/${slug}`);
    await mallory.heading('Tenant not found').waitFor();
    pages.push([response.status(), await mallory.page.locator('main').innerText(), await mallory.page.title()]);
  }
  assert.equal(pages[0][0], 404);
  assert.deepEqual(pages[0], pages[1]);
  const missingPage = await mallory.open('/no/such/page');
  assert.equal(missingPage.status(), 404);
  await mallory.heading('Page not found').waitFor();
  await mallory.close([errorStatus(404)]);
});

test('a suspended tenant shows a notice, and its members cannot edit it', async () => {
  const carol = await returningUser('carol', '/tenants/initech');
  await carol.page.getByText('You can view it, but nothing in it can be changed.').waitFor();
  await carol.open('/tenants/initech/edit');
  await carol.page.getByText('Your role does not allow you to edit this tenant').waitFor();
  await carol.close();
});

test('a membership that is removed in the database is gone at the next page load of an open session', async () => {
  const tenant = await newTenant({ Carol: 'MEMBER' });
  const carol = await returningUser('carol', tenant.path);
  await carol.heading(tenant.name).waitFor();
  const { _id: tenantId } = await shared.stack.database.collection('tenants').findOne({ slug: tenant.slug });
  const users = shared.stack.database.collection('users');
  const { modifiedCount } = await users.updateOne(
    { subject: 'carol' },
    { $pull: { memberships: { tenantId } } },
  );
  assert.equal(modifiedCount, 1);
  const response = await carol.reload();
  assert.equal(response.status(), 404);
  await carol.heading('Tenant not found').waitFor();
  await carol.page.getByRole('link', { name: 'My tenants' }).click();
  await carol.page.locator('.list').getByRole('link', { name: 'Acme', exact: true }).waitFor();
  const names = await tenantNames('Carol');
  assert.ok(!names.includes(tenant.name));
  assert.deepEqual(await listNames(carol), names);
  await carol.close([errorStatus(404)]);
});

test('a disabled user sees a notice and no data', async () => {
  const mallory = await signedInUser('mallory');
  await mallory.open('/');
  const users = shared.stack.database.collection('users');
  await users.updateOne({ subject: 'mallory' }, { $set: { disabled: true } });
  const response = await mallory.reload();
  assert.equal(response.status(), 403);
  await mallory.page.getByRole('alert').getByText('Your account is disabled').waitFor();
  assert.doesNotMatch(await mallory.page.locator('main').innerText(), /mallory@/);
  await users.updateOne({ subject: 'mallory' }, { $set: { disabled: false } });
  await mallory.close([errorStatus(403)]);
});

test('only the fields that the portal offers can be changed through it', async () => {
  const tenant = await newTenant();
  const ada = await returningUser('ada', tenant.path);
  const { version } = await storedTenant(tenant);
  const change = { id: tenant.id, version, plan: 'ENTERPRISE', status: 'ARCHIVED', slug: 'gone' };
  const status = await ada.page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch('/api/tenants', { method: 'PATCH', headers, body: JSON.stringify(body) });
    await response.text();
    return response.status;
  }, change);
  assert.equal(status, 200);
  const { id, plan, status: storedStatus } = await storedTenant(tenant);
  assert.deepEqual([id, plan, storedStatus], [tenant.id, 'BUSINESS', 'ACTIVE']);
  await ada.close();
});
