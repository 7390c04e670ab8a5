// Every state of every page is checked with axe-core, in both colour schemes and on a narrow screen. No page scrolls
// sideways.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { errorStatus, newTenant, newUser, rename, returningUser, shared, userId } from '../scenario.mjs';

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
  const bob = await checkPaths(context, 'bob', ['/tenants/acme', '/tenants/acme?role=ADMIN', '/tenants/acme/edit', '/tenants/acme/audit', '/tenants/acme/members/add', `/tenants/acme/members/add?from=${other.slug}`, `/tenants/acme/members/${await userId('Carol')}`]);
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
