// The languages of the portal, time zones, and what a browser without scripts sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newUser, returningUser, shared } from '../scenario.mjs';

test('the browser chooses the language', async () => {
  const visitor = await newUser({ locale: 'de-AT' });
  await visitor.open('/');
  await visitor.heading('Ihre Mandanten an einem Ort').waitFor();
  assert.equal(await visitor.page.evaluate(() => document.documentElement.lang), 'de');
  await visitor.close();
  const bob = await returningUser('bob', '/tenants/acme', { locale: 'de-DE', timezoneId: 'Europe/Berlin' });
  const { page } = bob;
  await page.getByRole('region', { name: 'Abonnement' }).getByText('1. Dez. 2026, MEZ').waitFor();
  assert.equal(await page.title(), 'Acme · Portal');
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

test('a form says that it needs scripts, and pages without forms work without them', async () => {
  const bob = await returningUser('bob');
  const { cookies } = await bob.context.storageState();
  const withoutScripts = await shared.browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
  await withoutScripts.addCookies(cookies);
  const page = await withoutScripts.newPage();
  await page.goto(`${shared.stack.web.portalOrigin}/tenants/acme/edit`);
  // The switch of the test browser keeps `noscript` hidden, so only its presence can be checked.
  await page.getByLabel('Name', { exact: true }).waitFor();
  assert.match(await page.content(), /<noscript[^>]*>This form needs JavaScript\./);
  await page.goto(`${shared.stack.web.portalOrigin}/tenants/acme`);
  await page.getByRole('region', { name: 'Subscription' }).getByText('1 Dec 2026, UTC').waitFor();
  await page.getByRole('link', { name: 'Next' }).click();
  await page.waitForURL(/after=/);
  await page.goto(`${shared.stack.web.portalOrigin}/tenants`);
  await page.getByLabel('Name, slug or domain').fill('acme');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/search=acme/);
  await withoutScripts.close();
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
