// The administration of the platform: tenants, subscriptions and users.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, newTenant, rename, returningUser, shared, storedTenant, userId } from '../scenario.mjs';

const user = async (name) =>
  (await shared.fixtures.executeAsAdmin('query($id: ID!) { user(id: $id) { disabled platformAdmin } }', { id: await userId(name) })).user;

test('a platform admin creates a tenant, and a taken slug is explained', async () => {
  const ada = await returningUser('ada', '/tenants');
  const { page } = ada;
  await page.getByRole('link', { name: 'Create a tenant' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Müller & Söhne');
  assert.equal(await page.getByLabel('Slug').inputValue(), 'mueller-soehne');
  await page.getByLabel('Slug').fill('acme');
  await page.getByLabel('Plan').selectOption('Business');
  await page.getByRole('button', { name: 'Create a tenant' }).click();
  await page.locator('.field-error').getByText('Another tenant has this slug.').waitFor();
  await page.getByLabel('Slug').fill('admin');
  assert.equal(await page.locator('.field-error').count(), 0);
  await page.getByRole('button', { name: 'Create a tenant' }).click();
  await page.locator('.field-error').getByText('are reserved').waitFor();
  await page.getByLabel('Slug').fill('mueller-soehne');
  await page.getByRole('button', { name: 'Create a tenant' }).click();
  await page.getByRole('status').getByText('Müller & Söhne was created.').waitFor();
  const { status, plan, subscription } = await storedTenant({ slug: 'mueller-soehne' });
  assert.deepEqual([status, plan], ['ACTIVE', 'BUSINESS']);
  assert.deepEqual(subscription, { plan: 'BUSINESS', status: 'TRIALING', cancelAtPeriodEnd: false });
  await ada.close([errorStatus(409), errorStatus(422)]);
});

test('a platform admin changes the plan, suspends and archives a tenant after a confirmation', async () => {
  const tenant = await newTenant({});
  const ada = await returningUser('ada', tenant.path);
  const { page } = ada;
  await page.getByRole('link', { name: 'Administration' }).click();
  const form = page.locator('form').filter({ has: page.getByRole('heading', { name: 'Status and plan' }) });
  await form.getByLabel('Plan').selectOption('Enterprise');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').getByText(`${tenant.name} was saved.`).waitFor();
  assert.equal((await storedTenant(tenant)).subscription.plan, 'ENTERPRISE');
  for (const [status, title, button] of [
    ['SUSPENDED', `Suspend ${tenant.name}?`, 'Suspend'],
    ['ARCHIVED', `Archive ${tenant.name}?`, 'Archive'],
  ]) {
    await form.getByLabel('Status').selectOption(status);
    await form.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: title });
    await dialog.getByText('0 members can view the tenant, but can no longer change anything in it.').waitFor();
    assert.notEqual((await storedTenant(tenant)).status, status);
    await dialog.getByRole('button', { name: button }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.locator('.page-header .badge').getByText(status === 'SUSPENDED' ? 'Suspended' : 'Archived').waitFor();
    assert.equal((await storedTenant(tenant)).status, status);
  }
  await ada.close();
});

test('a concurrent change is reported, and the choice is kept', async () => {
  const tenant = await newTenant({});
  const ada = await returningUser('ada', `${tenant.path}/administration`);
  const { page } = ada;
  const form = page.locator('form').filter({ has: page.getByRole('heading', { name: 'Status and plan' }) });
  await form.getByLabel('Plan').selectOption('Free');
  await rename(tenant, 'Renamed');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('This was changed after you opened it.').waitFor();
  await page.getByRole('link', { name: 'Renamed' }).waitFor();
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').getByText('Renamed was saved.').waitFor();
  assert.equal((await storedTenant(tenant)).plan, 'FREE');
  await ada.close([errorStatus(409)]);
});

test('a platform admin ends a subscription and creates another', async () => {
  const tenant = await newTenant({}, { plan: 'FREE' });
  const ada = await returningUser('ada', `${tenant.path}/administration`);
  const { page } = ada;
  const form = page.locator('form').filter({ has: page.getByLabel('Status of the subscription') });
  await form.getByLabel('Cancel at the end of the period').check();
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').getByText('The subscription was saved.').waitFor();
  assert.equal((await storedTenant(tenant)).subscription.cancelAtPeriodEnd, true);
  await form.getByLabel('Status of the subscription').selectOption('Canceled');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('There is no current subscription.').waitFor();
  assert.equal((await storedTenant(tenant)).subscription, null);
  await form.getByLabel('Status of the subscription').selectOption('Active');
  await form.getByRole('button', { name: 'Create a subscription' }).click();
  await page.getByRole('status').getByText('The subscription was created.').waitFor();
  assert.deepEqual((await storedTenant(tenant)).subscription, { plan: 'FREE', status: 'ACTIVE', cancelAtPeriodEnd: false });
  await ada.close();
});

test('the deletion of a tenant names what goes, and needs its slug', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Mallory: 'MEMBER', Carol: 'MEMBER' }, { plan: 'FREE' });
  const ada = await returningUser('ada', `${tenant.path}/administration`);
  const { page } = ada;
  await page.getByRole('button', { name: 'Delete the tenant' }).click();
  const dialog = page.getByRole('dialog', { name: `Delete ${tenant.name}?` });
  await dialog.getByText('The memberships of 3 users').waitFor();
  await dialog.getByText('The running Free subscription, and all earlier ones').waitFor();
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await dialog.getByText('This is not the slug of the tenant.').waitFor();
  assert.ok(await storedTenant(tenant));
  await dialog.getByLabel(`Type “${tenant.slug}” to confirm`).fill(tenant.slug);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByRole('status').getByText(`${tenant.name} was deleted.`).waitFor();
  assert.equal(await storedTenant(tenant), null);
  await ada.close();
});

test('the default tenant cannot be deleted, in words', async () => {
  const ada = await returningUser('ada', '/tenants/dezky/administration');
  const { page } = ada;
  await page.getByRole('button', { name: 'Delete the tenant' }).click();
  await page.getByLabel('Type “dezky” to confirm').fill('dezky');
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('The default tenant cannot be deleted.').waitFor();
  await ada.close([errorStatus(403)]);
});

test('a platform admin finds a user, disables and enables, gives and takes platform admin', async () => {
  const ada = await returningUser('ada', '/tenants');
  const { page } = ada;
  await page.getByRole('link', { name: 'Users' }).click();
  await ada.heading('Users').waitFor();
  await page.getByLabel('Name or e-mail').fill('member-07');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText('1 user', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Member 07' }).click();
  await ada.heading('Member 07').waitFor();
  const steps = [
    ['Disable', { disabled: true, platformAdmin: false }],
    ['Enable', { disabled: false, platformAdmin: false }],
    ['Make platform admin', { disabled: false, platformAdmin: true }],
    ['Revoke platform admin', { disabled: false, platformAdmin: false }],
  ];
  for (const [button, expected] of steps) {
    await page.getByRole('button', { name: button, exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: button, exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    assert.deepEqual(await user('Member 07'), expected);
    await page.getByRole('button', { name: button, exact: true }).waitFor({ state: 'detached' });
  }
  await ada.open('/users?only=admins');
  await page.getByText('1 user', { exact: true }).waitFor();
  await ada.close();
});

test('the pages of the platform are not for others', async () => {
  const bob = await returningUser('bob', '/users');
  const { page } = bob;
  for (const path of ['/users', '/audit', '/tenants/acme/administration']) {
    await bob.open(path);
    await page.getByText(path.endsWith('administration') ? 'Not permitted' : 'This page is for platform admins.').first().waitFor();
  }
  await bob.open(`/users/${await userId('Carol')}`);
  await bob.heading('Not permitted').waitFor();
  await bob.open('/tenants');
  assert.equal(await page.getByRole('link', { name: 'Create a tenant' }).count(), 0);
  await bob.open('/tenants/new');
  await page.getByLabel('Name', { exact: true }).fill('Of Bob');
  await page.getByRole('button', { name: 'Create a tenant' }).click();
  await bob.heading('Not permitted').waitFor();
  await bob.close([errorStatus(403)]);
});
