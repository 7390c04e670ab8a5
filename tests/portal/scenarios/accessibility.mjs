// Every state of every page is checked with axe-core, in both colour schemes and on a narrow screen. No page scrolls
// sideways.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { errorStatus, newTenant, newUser, removeMember, rename, returningUser, shared, userId } from '../scenario.mjs';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const SCREENS = {
  light: { viewport: { width: 1120, height: 760 } },
  dark: { viewport: { width: 1120, height: 760 }, colorScheme: 'dark' },
  narrow: { viewport: { width: 320, height: 640 } },
};

/** Returns the violations of the page in words. */
async function violations(page) {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  });
}

async function check(context, user, state) {
  const { page } = user;
  for (const [screen, { viewport, colorScheme = 'light' }] of Object.entries(SCREENS)) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(await violations(page), [], `${state}, ${screen}`);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(widths[0] <= widths[1], `${state}, ${screen}: ${widths[0]} of ${widths[1]} px`);
  }
  context.diagnostic(`axe: 0 violations in ${Object.keys(SCREENS).length} screens: ${state}`);
}

async function checkPaths(context, name, paths) {
  const user = await returningUser(name, '/');
  for (const path of paths) {
    await user.open(path);
    await check(context, user, `${name} ${path}`);
  }
  return user;
}

test('pages of a visitor have no violation', async (context) => {
  const visitor = await newUser();
  await visitor.open('/');
  await check(context, visitor, 'visitor /');
  await visitor.open('/no/such/page');
  await check(context, visitor, 'visitor, page not found');
  await visitor.close([errorStatus(404)]);
});

test('pages of a member have no violation', async (context) => {
  const carol = await checkPaths(context, 'carol', ['/', '/profile', '/tenants', '/subscriptions', '/tenants/acme', '/tenants/initech', '/tenants/acme/edit', '/tenants/acme/audit', '/tenants/hooli', '/users']);
  await carol.open('/tenants/acme');
  await carol.page.getByRole('button', { name: 'Leave' }).click();
  await check(context, carol, 'carol, leave dialog');
  await carol.close([errorStatus(404), errorStatus(403)]);
});

test('pages without data have no violation', async (context) => {
  const mallory = await checkPaths(context, 'mallory', ['/', '/profile', '/tenants', '/tenants?search=none', '/subscriptions', '/tenants?after=invalid']);
  await mallory.close([errorStatus(422)]);
});

test('pages of an owner have no violation', async (context) => {
  const other = await newTenant({ Bob: 'OWNER', Mallory: 'MEMBER' });
  const bob = await checkPaths(context, 'bob', ['/tenants/acme', '/tenants/acme?role=ADMIN', '/tenants/acme/edit', '/tenants/acme/audit', '/tenants/acme/members/add', `/tenants/acme/members/add?from=${other.slug}`, `${other.path}/members/${await userId('Mallory')}`]);
  await bob.close();
});

test('pages of a platform admin have no violation', async (context) => {
  const ada = await checkPaths(context, 'ada', ['/', '/tenants', '/tenants/new', '/tenants/acme', '/tenants/acme/administration', '/tenants/acme/members/add?search=c', '/users', '/users?search=none', `/users/${await userId('Carol')}`, '/audit']);
  await ada.page.getByRole('button', { name: 'Switch tenant' }).click();
  await ada.page.locator('.switcher-list').waitFor();
  await check(context, ada, 'ada, switcher');
  await ada.open('/tenants/acme/administration');
  await ada.page.getByRole('button', { name: 'Delete the tenant' }).click();
  await check(context, ada, 'ada, delete dialog');
  await ada.close();
});

test('a form with errors, a conflict, and a save in progress have no violation', async (context) => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  page.on('dialog', (dialog) => dialog.accept());
  await page.getByLabel('Name', { exact: true }).fill('');
  await page.getByLabel('Billing e-mail').fill('billing');
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('2 fields are invalid').waitFor();
  await check(context, bob, 'bob, input errors');
  await bob.open(`${tenant.path}/edit`);
  await page.getByLabel('Name', { exact: true }).fill('Title of Bob');
  await rename(tenant, 'Title of Ada');
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('This tenant was changed in the meantime').waitFor();
  await check(context, bob, 'bob, conflict');
  await page.route('**/api/tenants', () => {});
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Saving …' }).hover();
  await check(context, bob, 'bob, saving');
  await page.unroute('**/api/tenants');
  await bob.open('/');
  await bob.close([errorStatus(422), errorStatus(409)]);
});

const LOADING = {
  '/': 'Overview', '/profile': 'Profile', '/tenants': 'Tenants', '/subscriptions': 'Subscriptions', '/users': 'Users', '/audit': 'AuditLog',
  '/tenants/acme': 'Tenant', '/tenants/acme/edit': 'Tenant', '/tenants/acme/audit': 'TenantAuditLog', '/tenants/acme/administration': 'TenantAdministration',
  '/tenants/acme/members/add': 'Tenant', '/tenants/acme/invitations': 'TenantInvitations',
};

test('pages that are loading, and pages that cannot load, have no violation', async (context) => {
  const { gate } = shared.stack;
  context.after(() => (gate.isClosed = false));
  const ada = await returningUser('ada', '/no/such/page');
  const { page } = ada;
  // As a click on a link does: the browser fetches, and shows a skeleton meanwhile.
  const navigate = (path) => page.evaluate((to) => void window.useNuxtApp().$router.push(to), path);
  for (const [path, operation] of Object.entries(LOADING)) {
    const hold = gate.hold(operation);
    await navigate(path);
    await hold.all;
    await page.locator('main .skeleton').first().waitFor();
    await check(context, ada, `ada ${path}, loading`);
    gate.isClosed = true;
    hold.fail();
    await page.getByRole('alert').first().getByText('Temporarily unavailable').waitFor();
    await check(context, ada, `ada ${path}, gateway unreachable`);
    gate.isClosed = false;
    await ada.open('/no/such/page');
  }
  await page.route('**/api/tenants?**', (route) => route.abort());
  await page.getByRole('button', { name: 'Switch tenant' }).click();
  await page.locator('.switcher-panel').getByText('could not be loaded').waitFor();
  await check(context, ada, 'ada, switcher failed');
  await ada.close([errorStatus(404), errorStatus(503), /net::ERR_FAILED/]);
});

test('lost access, newer values, and invitations have no violation', async (context) => {
  const tenant = await newTenant({ Bob: 'OWNER', Carol: 'ADMIN' });
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  const { page } = bob;
  await page.getByLabel('E-mail', { exact: true }).fill('new@example.org');
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  const link = await page.getByLabel('Link of the invitation').inputValue();
  await page.getByRole('listitem').filter({ hasText: 'new@example.org' }).waitFor();
  await check(context, bob, 'bob, invitations and a link');
  await page.getByRole('button', { name: /^Revoke/ }).click();
  await check(context, bob, 'bob, revoke dialog');
  await bob.open(new URL(link).pathname);
  await check(context, bob, 'bob, an invitation for another address');
  const visitor = await newUser();
  await visitor.open(new URL(link).pathname);
  await check(context, visitor, 'visitor, invitation');
  await visitor.close();
  await bob.close();
  const carol = await returningUser('carol', `${tenant.path}/edit`);
  await carol.page.getByLabel('City').fill('Typed by Carol');
  await shared.stack.gate.waitForLive('TenantChanged');
  await rename(tenant, 'Saved by Ada');
  await carol.heading('Another user has saved this tenant').waitFor();
  await check(context, carol, 'carol, newer values');
  await removeMember(tenant, 'Carol');
  await carol.page.getByRole('alert').getByText('You are no longer a member').waitFor();
  await check(context, carol, 'carol, lost access');
  carol.page.on('dialog', (dialog) => dialog.accept());
  await carol.open('/');
  await carol.close([errorStatus(404)]);
});

test('controls are visible in forced colors', async () => {
  const bob = await returningUser('bob', '/tenants/acme', { forcedColors: 'active' });
  const borders = await bob.page.locator('.badge, .button').evaluateAll((elements) =>
    elements.map((element) => [element.innerText, getComputedStyle(element).borderTopColor, getComputedStyle(element).backgroundColor]),
  );
  assert.ok(borders.length > 3);
  assert.deepEqual(borders.filter(([, border, background]) => border === background), []);
  const active = await bob.page.locator('.site-nav .active-section').evaluate((link) => getComputedStyle(link).textDecorationLine);
  const other = await bob.page.locator('.site-nav a').first().evaluate((link) => getComputedStyle(link).textDecorationLine);
  assert.notEqual(active, other);
  await bob.close();
});
