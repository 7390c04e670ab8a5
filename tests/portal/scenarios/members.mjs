// Members of a tenant: add, change the role, remove, leave.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, isolated, newTenant, returningUser, shared, userId } from '../scenario.mjs';

const membership = async (slug, name) => {
  const users = await shared.fixtures.executeAsAdmin(
    'query($search: String!) { users(filter: {search: $search}) { nodes { name memberships { role source tenant { slug } } } } }',
    { search: name },
  );
  const user = users.users.nodes.find((candidate) => candidate.name === name);
  return user.memberships.find(({ tenant }) => tenant.slug === slug);
};

test('the member list is filtered by role', async () => {
  const bob = await returningUser('bob', '/tenants/acme');
  const members = bob.page.getByRole('region', { name: 'Members' });
  await members.getByLabel('Role').selectOption('Owner');
  await members.getByRole('button', { name: 'Filter' }).click();
  await members.getByText('1 member', { exact: true }).waitFor();
  assert.equal(await members.locator('tbody tr').count(), 1);
  await members.getByRole('row', { name: /^Bob/ }).waitFor();
  await members.getByLabel('Role').selectOption('Admin');
  await members.getByRole('button', { name: 'Filter' }).click();
  await members.getByText('No member has this role.').waitFor();
  await bob.close();
});

test('an owner adds a person of another tenant, changes the role and removes the member', async () => {
  const [tenant, other] = [await newTenant(), await newTenant({ Bob: 'OWNER', Mallory: 'MEMBER' })];
  const bob = await returningUser('bob', tenant.path);
  const { page } = bob;
  await page.getByRole('link', { name: 'Add a member' }).click();
  await bob.heading(`Add a member to ${tenant.name}`).waitFor();
  await page.getByLabel('Role of the new member').selectOption('Admin');
  await page.getByLabel('From the tenant').selectOption(isolated(other.name));
  await page.getByRole('button', { name: 'Show people' }).click();
  await page.getByRole('button', { name: `Add ${isolated('Bob')}` }).click();
  await bob.heading('Already in use').waitFor();
  await page.getByText('Bob is already a member of this tenant.').waitFor();
  await page.getByRole('button', { name: `Add ${isolated('Mallory')}` }).click();
  await page.getByRole('status').getByText(`Mallory is now a member of ${tenant.name}.`).waitFor();
  assert.deepEqual(await membership(tenant.slug, 'Mallory'), { role: 'ADMIN', source: 'DIRECT', tenant: { slug: tenant.slug } });

  await bob.open(`${tenant.path}/members/${await userId('Mallory')}`);
  await page.getByLabel('Role', { exact: true }).selectOption('Owner');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').getByText('Mallory now has the role Owner.').waitFor();
  assert.equal((await membership(tenant.slug, 'Mallory')).role, 'OWNER');

  await bob.open(`${tenant.path}?role=OWNER`);
  await page.getByRole('link', { name: `Manage ${isolated('Mallory')}` }).click();
  await page.getByRole('button', { name: 'Remove from the tenant' }).click();
  const dialog = page.getByRole('dialog', { name: `Remove Mallory from ${tenant.name}?` });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.ok(await membership(tenant.slug, 'Mallory'));
  await page.getByRole('button', { name: 'Remove from the tenant' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('status').getByText(`Mallory is no longer a member of ${tenant.name}.`).waitFor();
  assert.equal(await membership(tenant.slug, 'Mallory'), undefined);
  await bob.close([errorStatus(409)]);
});

test('the last owner can neither leave nor become a member, and reads why', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', tenant.path);
  const { page } = bob;
  await page.getByRole('button', { name: 'Leave' }).click();
  const dialog = page.getByRole('dialog', { name: `Leave ${tenant.name}?` });
  await dialog.getByRole('button', { name: 'Leave the tenant' }).click();
  await dialog.getByText('You are the only owner. Make another member an owner first.').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: `Manage ${isolated('Bob')}` }).click();
  await bob.heading('Bob').waitFor();
  await page.getByLabel('Role', { exact: true }).selectOption('Member');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByText('You are the only owner.').waitFor();
  assert.equal((await membership(tenant.slug, 'Bob')).role, 'OWNER');
  await bob.close([errorStatus(409)]);
});

test('a member leaves a tenant', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Mallory: 'MEMBER' });
  const mallory = await returningUser('mallory', tenant.path);
  const { page } = mallory;
  // A member manages no one.
  assert.equal(await page.getByRole('link', { name: /^Manage|^Add a member/ }).count(), 0);
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave the tenant' }).click();
  await page.getByRole('status').getByText(`You have left ${tenant.name}.`).waitFor();
  assert.equal(await membership(tenant.slug, 'Mallory'), undefined);
  // The tenant page may fetch again before the browser leaves it, because the membership has changed.
  await mallory.close([errorStatus(404)]);
});

test('an admin manages members and admins, and not owners', async () => {
  const tenant = await newTenant({ 'Bob': 'OWNER', 'Mallory': 'ADMIN', 'Member 01': 'MEMBER' });
  const mallory = await returningUser('mallory', tenant.path);
  const { page } = mallory;
  const links = page.getByRole('link', { name: /^Manage/ });
  await links.first().waitFor();
  assert.deepEqual(
    (await links.evaluateAll((elements) => elements.map((element) => element.getAttribute('aria-label')))).sort(),
    ['Mallory', 'Member 01'].map((name) => `Manage ${isolated(name)}`),
  );
  await mallory.open(`${tenant.path}/members/${await userId('Bob')}`);
  await page.getByText('Your role does not allow you to change this membership.').waitFor();
  await mallory.open(`${tenant.path}/members/${await userId('Member 01')}`);
  assert.deepEqual(await page.getByLabel('Role', { exact: true }).locator('option').allInnerTexts(), ['Member', 'Admin']);
  const { _id: tenantId } = await shared.stack.database.collection('tenants').findOne({ slug: tenant.slug });
  const others = { $pull: { memberships: { tenantId: { $ne: tenantId } } } };
  await shared.stack.database.collection('users').updateOne({ subject: 'mallory' }, others);
  await mallory.open(`${tenant.path}/members/add`);
  await page.getByText('You are a member of no other tenant.').waitFor();
  await mallory.close();
});

test('a platform admin adds any user by name', async () => {
  const tenant = await newTenant();
  const ada = await returningUser('ada', `${tenant.path}/members/add`);
  const { page } = ada;
  await page.getByLabel('Name or e-mail').fill('carol');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('button', { name: `Add ${isolated('Carol')}` }).click();
  await page.getByRole('status').getByText(`Carol is now a member of ${tenant.name}.`).waitFor();
  assert.equal((await membership(tenant.slug, 'Carol')).role, 'MEMBER');
  await ada.open(`${tenant.path}/members/usr_000000000000000000000000`);
  await ada.heading('User not found').waitFor();
  await ada.close([errorStatus(404)]);
});
