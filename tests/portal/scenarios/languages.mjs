// The languages of the portal, time zones, and what a browser without scripts sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isolated, newTenant, newUser, rename, returningUser, shared, userId } from '../scenario.mjs';
import { openBrowser } from '../browser.mjs';

test('the browser chooses the language', async () => {
  const visitor = await newUser({ locale: 'de-AT' });
  await visitor.open('/');
  await visitor.heading('Ihre Mandanten an einem Ort').waitFor();
  assert.equal(await visitor.page.evaluate(() => document.documentElement.lang), 'de');
  await visitor.close();
  const bob = await returningUser('bob', '/tenants/acme', { locale: 'de-DE', timezoneId: 'Europe/Berlin' });
  const { page } = bob;
  await page.getByRole('region', { name: 'Abonnement' }).getByText('1. Dez. 2026, MEZ').waitFor();
  assert.equal(await page.title(), `${isolated('Acme')} · Portal`);
  await page.getByRole('link', { name: 'Bearbeiten' }).click();
  await page.getByLabel('Land').selectOption('Österreich');
  await page.getByLabel('E-Mail für Rechnungen').fill('rechnung');
  await page.getByRole('button', { name: 'Speichern' }).click();
  await bob.heading('1 Feld ist ungültig').waitFor();
  await page.locator('.field-error').getByText('Geben Sie eine E-Mail-Adresse').waitFor();
  page.on('dialog', (dialog) => dialog.accept());
  await bob.open('/tenants');
  await bob.close([/status of 422/]);
});

test('dates are in the time zone of the browser, which is named', async () => {
  const bob = await returningUser('bob', '/tenants/acme', { locale: 'en-US', timezoneId: 'America/New_York' });
  await bob.page.getByRole('region', { name: 'Subscription' }).getByText('Nov 30, 2026, EST').waitFor();
  await bob.close();
});

test('a name is isolated from the text around it', async () => {
  const tenant = await newTenant({ Bob: 'OWNER' });
  const other = await newTenant({ Bob: 'OWNER' });
  const name = 'אבג 3';
  await rename(tenant, name);
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  await bob.heading(`Edit ${name}`).waitFor();
  assert.equal(await page.locator('h1 bdi').innerText(), name);
  assert.equal(await page.title(), `Edit ${isolated(name)} · Portal`);
  await bob.open(`${other.path}/members/add`);
  const options = await page.getByLabel('From the tenant').locator('option').allInnerTexts();
  assert.ok(options.includes(isolated(name)), options.join());
  await bob.open(tenant.path);
  await page.getByRole('button', { name: 'Leave' }).click();
  assert.equal(await page.getByRole('dialog').locator('h2 bdi').innerText(), name);
  await bob.close();
});

test('pages that need scripts say so, and the others work without them', async (context) => {
  const tenant = await newTenant({ Bob: 'OWNER', Mallory: 'MEMBER' });
  const bob = await returningUser('bob');
  const { cookies } = await bob.context.storageState();
  const ada = await returningUser('ada');
  const adaCookies = (await ada.context.storageState()).cookies;
  // A switch of the browser, because the one of a context leaves `noscript` hidden.
  const browser = await openBrowser(shared.stack, ['--blink-settings=scriptEnabled=false']);
  context.after(() => browser.close());
  const withoutScripts = await browser.newContext({ locale: 'en-GB' });
  await withoutScripts.addCookies(cookies);
  const page = await withoutScripts.newPage();
  const { portalOrigin } = shared.stack.web;
  // Locators by text ignore `noscript`, so this reads what the page displays.
  const assertWords = async () => assert.match(await page.locator('body').innerText(), /This page needs JavaScript to make changes\./, page.url());
  const member = await userId('Mallory');
  for (const path of ['', '/edit', '/invitations', '/members/add', `/members/${member}`]) {
    await page.goto(`${portalOrigin}${tenant.path}${path}`);
    await assertWords();
  }
  assert.equal(await page.getByRole('button', { name: 'Save' }).isDisabled(), true);
  await page.goto(`${shared.stack.web.portalOrigin}/tenants/acme`);
  await page.getByRole('region', { name: 'Subscription' }).getByText('1 Dec 2026, UTC').waitFor();
  await page.getByRole('link', { name: 'Next' }).click();
  await page.waitForURL(/after=/);
  await page.goto(`${shared.stack.web.portalOrigin}/tenants`);
  await page.getByLabel('Name, slug or domain').fill('acme');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/search=acme/);
  await page.getByRole('link', { name: 'Switch tenant' }).click();
  await page.getByRole('heading', { name: 'Tenants' }).waitFor();
  await withoutScripts.clearCookies();
  await withoutScripts.addCookies(adaCookies);
  for (const path of ['/tenants/new', `${tenant.path}/administration`, `/users/${member}`]) {
    await page.goto(portalOrigin + path);
    await assertWords();
  }
  await ada.close();
  await bob.close();
});

test('files are compressed, and no header names the software', async (context) => {
  const visitor = await newUser();
  const sizes = new Map();
  const session = await visitor.context.newCDPSession(visitor.page);
  await session.send('Network.enable');
  let total = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (total += encodedDataLength));
  visitor.page.on('response', async (response) => sizes.set(new URL(response.url()).pathname, await response.allHeaders()));
  const response = await visitor.open('/');
  await visitor.page.waitForLoadState('networkidle');
  assert.equal((await response.allHeaders())['x-powered-by'], undefined);
  // Files below 1024 bytes are not worth it.
  const files = [...sizes].filter(([path, headers]) => /\.(js|css)$/.test(path) && !(Number(headers['content-length']) < 1024));
  assert.ok(files.length > 3);
  for (const [path, headers] of files) assert.equal(headers['content-encoding'], 'br', path);
  context.diagnostic(`a cold load of the home page: ${files.length} scripts and styles, ${total} bytes in all`);
  assert.ok(total < 130_000, `${total} bytes`);
  await visitor.close();
});
