// Invitations: an owner invites a person by e-mail, who accepts with the link.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, isolated, newTenant, newUser, returningUser, shared, updateTenant } from '../scenario.mjs';

const link = (user) => user.page.getByLabel('Link of the invitation').inputValue();
const users = () => shared.stack.database.collection('users');

/** Invites an address on the invitations page of a tenant. Returns the path of the link. */
async function invite(user, email, role) {
  const { page } = user;
  await page.getByLabel('E-mail', { exact: true }).fill(email);
  if (role) await page.getByLabel('Role', { exact: true }).selectOption(role);
  await page.getByRole('button', { name: 'Send the invitation', exact: true }).click();
  await page.getByRole('status').getByText(`${email} is invited.`).waitFor();
  const url = new URL(await link(user));
  assert.equal(url.origin, shared.stack.web.portalOrigin);
  return url.pathname;
}

test('an owner invites a person without an account, who signs in and accepts', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', tenant.path, { permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = bob;
  await page.getByRole('link', { name: 'Invitations' }).click();
  await bob.heading('Invitations').waitFor();
  // All faults of the input come at once.
  await page.getByLabel('E-mail', { exact: true }).fill('not an address');
  await page.getByLabel('Days until it expires').fill('31');
  await page.getByRole('button', { name: 'Send the invitation', exact: true }).click();
  await bob.heading('2 fields are invalid').waitFor();
  assert.equal(await page.locator('.field-error').count(), 2);
  await page.getByLabel('Days until it expires').fill('3');
  assert.deepEqual(await page.getByLabel('Role', { exact: true }).locator('option').allInnerTexts(), ['Member', 'Admin', 'Owner']);
  const path = await invite(bob, 'mallory@example.org', 'Admin');
  await page.getByRole('button', { name: 'Copy the link' }).click();
  await page.getByRole('status').getByText('The link was copied.').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await link(bob));
  const row = page.getByRole('listitem').filter({ hasText: 'mallory@example.org' });
  await row.getByText('No e-mail is sent').waitFor();
  await row.getByText(/Admin · expires .* · invited by Bob/).waitFor();
  // The same address again is refused.
  await page.getByLabel('E-mail', { exact: true }).fill('Mallory@Example.org');
  await page.getByRole('button', { name: 'Send the invitation', exact: true }).click();
  await page.locator('.field-error').getByText('This address already has an invitation').waitFor();

  // The person is not known to the gateway before.
  await users().deleteOne({ subject: 'mallory' });
  const mallory = await newUser();
  await mallory.open(path);
  await mallory.heading('Your invitation').waitFor();
  assert.doesNotMatch(await mallory.page.locator('main').innerText(), new RegExp(`${tenant.name}|@`));
  await mallory.page.locator('main').getByRole('link', { name: 'Sign in' }).click();
  await mallory.signInAs('mallory');
  await mallory.page.getByText(`${tenant.name} invites you as Admin.`).waitFor();
  await mallory.page.getByText('The invitation is for mallory@example.org and expires').waitFor();
  await mallory.page.getByRole('button', { name: 'Accept the invitation' }).click();
  await mallory.heading(tenant.name).waitFor();
  await mallory.page.getByRole('status').getByText(`Welcome to ${tenant.name}. Your role is Admin.`).waitFor();
  await mallory.page.getByRole('region', { name: 'Members' }).getByRole('row', { name: /Mallory.*Admin/ }).waitFor();
  // The list of the inviter follows.
  await row.waitFor({ state: 'detached' });
  // The link is used up.
  await mallory.open(path);
  await mallory.page.getByText('This invitation cannot be accepted.').waitFor();
  await mallory.close();
  await bob.close([errorStatus(422), errorStatus(409)]);
});

test('an invitation is renewed and revoked, and each earlier link is void', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  const { page } = bob;
  const email = 'carol@example.org';
  const first = await invite(bob, email);
  await page.getByRole('button', { name: `Send again to ${isolated(email)}` }).click();
  await page.getByRole('status').getByText(`The invitation of ${email} was renewed.`).waitFor();
  const second = new URL(await link(bob)).pathname;
  assert.notEqual(second, first);
  const carol = await returningUser('carol', first);
  const refused = carol.page.getByText('This invitation cannot be accepted.');
  await refused.waitFor();
  await carol.open(second);
  const accept = carol.page.getByRole('button', { name: 'Accept the invitation' });
  await accept.waitFor();
  await page.getByRole('button', { name: `Revoke the invitation of ${isolated(email)}` }).click();
  const dialog = page.getByRole('dialog', { name: `Revoke the invitation of ${email}?` });
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('There are no open invitations.').waitFor();
  await accept.click();
  await carol.page.getByRole('alert').getByText('It has expired, was used or revoked').waitFor();
  await carol.close([errorStatus(404)]);
  await bob.close();
});

test('every other refusal of an invitation is explained', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Mallory: 'ADMIN' });
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  const path = await invite(bob, 'carol@example.org', 'Owner');
  // The link is for another person.
  const mallory = await returningUser('mallory', path);
  await mallory.page.getByText('or it is for another e-mail address').waitFor();
  await mallory.page.getByText('You are signed in as Mallory (mallory@example.org).').waitFor();
  // An admin cannot offer the role of an owner, nor manage such an invitation.
  await mallory.open(`${tenant.path}/invitations`);
  assert.deepEqual(await mallory.page.getByLabel('Role', { exact: true }).locator('option').allInnerTexts(), ['Member', 'Admin']);
  await mallory.page.getByRole('listitem').filter({ hasText: 'carol@example.org' }).waitFor();
  assert.equal(await mallory.page.getByRole('button', { name: /^Revoke/ }).count(), 0);
  const carol = await returningUser('carol', path);
  await updateTenant(tenant, { status: 'SUSPENDED' });
  await carol.page.getByRole('button', { name: 'Accept the invitation' }).click();
  await carol.page.getByRole('alert').getByText('takes no new members').waitFor();
  const german = await returningUser('carol', '/invitations/no-such-token', { locale: 'de-DE' });
  await german.page.getByText('Diese Einladung kann nicht angenommen werden.').waitFor();
  await german.close();
  await carol.close([errorStatus(403)]);
  await mallory.close();
  await bob.close();
});

test('a member sees no invitations', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Carol: 'MEMBER' });
  const carol = await returningUser('carol', tenant.path);
  assert.equal(await carol.page.getByRole('link', { name: 'Invitations' }).count(), 0);
  await carol.open(`${tenant.path}/invitations`);
  await carol.page.getByText('Only this tenant’s admins and owners can see its invitations.').waitFor();
  await carol.close();
});
