// The audit logs of a tenant and of the platform.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, newTenant, rename, returningUser } from '../scenario.mjs';

test('an owner reads who changed what in a tenant, and filters it', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Mallory: 'ADMIN' });
  await rename(tenant, 'Renamed');
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  await page.getByLabel('Name', { exact: true }).fill(tenant.name);
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading(tenant.name).waitFor();
  await page.getByRole('link', { name: 'Audit log' }).click();
  const entry = page.locator('.audit-list > li').filter({ hasText: 'Tenant changed' }).first();
  await entry.waitFor();
  assert.match(await entry.innerText(), new RegExp(`Name: Renamed → ${tenant.name}`));
  assert.match(await entry.innerText(), /\d{4}.*(UTC|GMT)/);

  await page.getByLabel('Action').selectOption('Member added');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/action=membership\.add/);
  await page.locator('.audit-list > li').filter({ hasText: 'Tenant changed' }).first().waitFor({ state: 'detached' });
  const actions = await page.locator('.audit-list > li strong').allInnerTexts();
  assert.deepEqual([...new Set(actions)], ['Member added']);
  assert.match(await page.locator('.audit-list > li').first().innerText(), /Member added · Mallory[^]*Role: empty → Admin/);

  await page.getByLabel('Action').selectOption('Tenant changed');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.locator('.audit-list').getByRole('link', { name: 'Bob' }).first().click();
  await page.getByText('Only events by Bob.').waitFor();
  await page.getByRole('link', { name: 'Show events by all users' }).click();
  await page.getByText('Only events by Bob.').waitFor({ state: 'detached' });

  await page.getByLabel('To', { exact: true }).fill('2020-01-01');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText('No events match.').waitFor();
  await bob.close();
});

test('a member may not read the audit log, and an outsider not even the page', async () => {
  const carol = await returningUser('carol', '/tenants/acme/audit');
  await carol.page.getByText('The audit log is available to this tenant’s admins and owners.').waitFor();
  await carol.open('/tenants/hooli/audit');
  await carol.heading('Tenant not found').waitFor();
  await carol.open('/audit');
  await carol.page.getByText('This page is for platform admins.').waitFor();
  await carol.close([errorStatus(404), errorStatus(403)]);
});

test('a platform admin reads the audit log of the platform, page by page', async () => {
  const tenant = await newTenant();
  const ada = await returningUser('ada', '/tenants');
  const { page } = ada;
  await page.getByRole('link', { name: 'Audit log' }).click();
  const entries = page.locator('.audit-list > li');
  await entries.nth(19).waitFor();
  // Every field has a name.
  const fields = await page.locator('.audit-changes .text-muted').allInnerTexts();
  assert.deepEqual(fields.filter((field) => !/^\p{Lu}.*:$/u.test(field)), []);
  const first = await entries.first().innerText();
  await page.getByRole('link', { name: 'Next' }).click();
  await page.waitForURL(/after=/);
  await entries.filter({ hasText: first }).waitFor({ state: 'detached' });
  await page.getByLabel('Action').selectOption('Tenant created');
  await page.getByRole('button', { name: 'Filter' }).click();
  const created = entries.filter({ hasText: `Tenant created · ${tenant.name}` });
  await created.getByRole('link', { name: tenant.name, exact: true }).waitFor();
  await ada.close();
});
