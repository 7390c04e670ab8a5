// End-to-end tests from the user's point of view: browser, portal, provider, gateway and database.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BrowserUser, openBrowser } from './browser.mjs';
import { createFixtures, httpsRequest, UPDATE_TENANT } from './fixtures.mjs';
import { Stack } from './stack/index.mjs';
import { AUDIENCE } from './stack/provider.mjs';

let stack;
let fixtures;
let browser;

before(async () => {
  stack = await Stack.start();
  fixtures = await createFixtures(stack);
  browser = await openBrowser(stack);
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const newUser = () => BrowserUser.create(browser, stack);

/** Returns a user who has opened a page and signed in to see it. */
async function signedInUser(name, path = '/tenants') {
  const user = await newUser();
  await user.open(path);
  await user.signInAs(name);
  return user;
}

/** Returns a pattern for the message that a browser logs to the console for an error response. */
const errorStatus = (status) => new RegExp(`the server responded with a status of ${status}\\b`);

const tenantNames = (user) => user.page.locator('.list .list-item-link').allTextContents();

test('a visitor must sign in and returns to the requested page', async () => {
  const bob = await newUser();
  await bob.open('/');
  await bob.heading('Your tenants in one place').waitFor();
  await bob.open('/tenants/acme?after=');
  assert.match(bob.page.url(), /\/interaction\//);
  const parameters = new URL(bob.urls.find((url) => url.includes('/auth?'))).searchParams;
  assert.equal(parameters.get('code_challenge_method'), 'S256');
  assert.equal(parameters.get('scope'), 'openid profile email groups offline_access');
  for (const name of ['code_challenge', 'state', 'nonce', 'resource']) assert.ok(parameters.get(name), name);
  await bob.signInAs('bob');
  await bob.heading('Acme').waitFor();
  assert.equal(new URL(bob.page.url()).pathname, '/tenants/acme');
  for (const { name, httpOnly, secure, sameSite } of await bob.context.cookies(stack.web.portalOrigin)) {
    assert.deepEqual([httpOnly, secure, sameSite], [true, true, 'Lax'], name);
  }
  await bob.close();
});

test('a member sees their own tenants, and a notice where access is not permitted', async () => {
  const carol = await signedInUser('carol', '/tenants');
  await carol.page.getByText('3 tenants', { exact: true }).waitFor();
  assert.deepEqual(await tenantNames(carol), ['Acme', 'Globex', 'Initech']);
  await carol.page.getByRole('link', { name: 'Acme' }).click();
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
  const bob = await signedInUser('bob', '/tenants/acme');
  const rows = bob.page.getByRole('region', { name: 'Members' }).locator('tbody tr');
  await rows.nth(19).waitFor();
  const first = await rows.allTextContents();
  await bob.page.getByRole('link', { name: 'Next' }).click();
  await bob.page.waitForURL(/after=/);
  await bob.page.getByRole('region', { name: 'Members' }).getByText('Owner').waitFor();
  const second = await rows.allTextContents();
  assert.deepEqual(second.filter((row) => first.includes(row)), []);
  await bob.page.goBack();
  await rows.nth(19).waitFor();
  await bob.close();
});

test('an invalid cursor in the URL offers a link to the first page', async () => {
  const bob = await signedInUser('bob', '/tenants/acme?after=invalid');
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
  const ada = await signedInUser('ada', '/tenants');
  await ada.page.getByText('27 tenants', { exact: true }).waitFor();
  const first = await tenantNames(ada);
  assert.equal(first.length, 20);
  await ada.page.getByRole('link', { name: 'Next' }).click();
  await ada.page.waitForURL(/after=/);
  await ada.page.getByText('Tenant 22').waitFor();
  assert.equal((await tenantNames(ada)).length, 7);
  await ada.page.getByLabel('Name, slug or domain').fill('glo');
  await ada.page.getByRole('button', { name: 'Search' }).click();
  await ada.page.getByText('1 tenant', { exact: true }).waitFor();
  assert.deepEqual(await tenantNames(ada), ['Globex']);
  await ada.page.getByRole('link', { name: 'Globex' }).click();
  await ada.page.getByRole('region', { name: 'Billing' }).getByText('Globex GmbH').waitFor();
  await ada.page.getByRole('region', { name: 'About' }).getByText('Not a member').waitFor();
  await ada.open('/tenants?status=SUSPENDED');
  await ada.page.getByText('1 tenant', { exact: true }).waitFor();
  await ada.open('/tenants?search=umbrella');
  await ada.page.getByText('No tenant matches.').waitFor();
  await ada.close();
});

test('a hidden tenant looks like a tenant that does not exist', async () => {
  const mallory = await signedInUser('mallory', '/tenants');
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
  const carol = await signedInUser('carol', '/tenants/initech');
  await carol.page.getByText('You can view it, but nothing in it can be changed.').waitFor();
  await carol.open('/tenants/initech/edit');
  await carol.page.getByText('Your role does not allow you to edit this tenant').waitFor();
  await carol.close();
});

test('input errors are shown next to their fields, and the input is kept', async () => {
  const bob = await signedInUser('bob', '/tenants/acme/edit');
  const { page } = bob;
  await page.getByLabel('Name', { exact: true }).fill('');
  await page.getByLabel('Country').fill('XX');
  await page.getByRole('button', { name: 'Add a domain' }).click();
  await page.getByLabel('Domain 2', { exact: true }).fill('not a domain');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByText('3 fields are invalid').waitFor();
  for (const label of ['Name', 'Country', 'Domain 2']) {
    const field = page.getByLabel(label, { exact: true });
    assert.equal(await field.getAttribute('aria-invalid'), 'true', label);
    const errorId = (await field.getAttribute('aria-describedby')).split(' ')[0];
    assert.notEqual(await page.locator(`[id="${errorId}"]`).innerText(), '');
  }
  assert.equal(await page.getByLabel('Domain 2', { exact: true }).inputValue(), 'not a domain');
  // The domain belongs to another tenant. The gateway names the field, and not the other tenant.
  await page.getByLabel('Name', { exact: true }).fill('Acme');
  await page.getByLabel('Country').fill('DE');
  await page.getByLabel('Domain 2', { exact: true }).fill('globex.example');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('group', { name: 'Domains' }).getByText('belongs to another tenant').waitFor();
  // The other tenant has given up the domain. Saving the same input again sends a new request.
  await fixtures.executeAsAdmin(UPDATE_TENANT, { input: { id: fixtures.tenantIds.globex, domains: [] } });
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('Acme').waitFor();
  await page.getByRole('region', { name: 'About' }).getByText('globex.example').waitFor();
  await bob.close([errorStatus(422), errorStatus(409)]);
});

test('the fields of a form are disabled until its script runs', async () => {
  const bob = await signedInUser('bob');
  const { cookies } = await bob.context.storageState();
  const withoutScripts = await browser.newContext({ javaScriptEnabled: false });
  await withoutScripts.addCookies(cookies);
  const page = await withoutScripts.newPage();
  await page.goto(`${stack.web.portalOrigin}/tenants/acme/edit`);
  const name = page.getByLabel('Name', { exact: true });
  await name.waitFor();
  assert.equal(await name.isDisabled(), true);
  assert.equal(await page.getByRole('button', { name: 'Add a domain' }).isDisabled(), true);
  await withoutScripts.close();
  await bob.open('/tenants/acme/edit');
  assert.equal(await bob.page.getByLabel('Name', { exact: true }).isEnabled(), true);
  await bob.close();
});

test('a stale edit shows the concurrent changes, and the user chooses a value', async () => {
  const bob = await signedInUser('bob', '/tenants/acme/edit');
  const ada = await signedInUser('ada', '/tenants/acme/edit');
  await bob.page.getByLabel('Name', { exact: true }).fill('Acme of Bob');
  await bob.page.getByLabel('VAT number').fill('DE123456789');
  await ada.page.getByLabel('Name', { exact: true }).fill('Acme of Ada');
  await ada.page.getByLabel('City').fill('Hamburg');
  await ada.page.getByRole('button', { name: 'Save' }).click();
  await ada.heading('Acme of Ada').waitFor();

  await bob.page.getByRole('button', { name: 'Save' }).click();
  const notice = bob.page.getByRole('alert');
  await notice.getByText('This tenant was changed in the meantime').waitFor();
  await notice.getByText('Berlin → Hamburg').waitFor();
  assert.equal(await bob.page.getByLabel('City').inputValue(), 'Hamburg');
  assert.equal(await bob.page.getByLabel('VAT number').inputValue(), 'DE123456789');
  const name = bob.page.getByLabel('Name', { exact: true });
  const choice = notice.getByRole('group', { name: 'Name: conflicting changes' });
  assert.equal(await name.inputValue(), 'Acme of Bob');
  await choice.getByLabel('Saved value').check();
  assert.equal(await name.inputValue(), 'Acme of Ada');
  await choice.getByLabel('Your value').check();
  assert.equal(await name.inputValue(), 'Acme of Bob');
  const before = await fixtures.executeAsAdmin('{ tenant(slug: "acme") { version } }');
  await bob.page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('Acme of Bob').waitFor();
  const after = await fixtures.executeAsAdmin('{ tenant(slug: "acme") { version } }');
  assert.equal(after.tenant.version, before.tenant.version + 1);
  const billing = bob.page.getByRole('region', { name: 'Billing' });
  await billing.getByText('DE123456789').waitFor();
  await billing.getByText('10115 Hamburg').waitFor();

  // Restores the name for the other tests.
  await rename('acme', 'Acme');
  await ada.close();
  await bob.close([errorStatus(409)]);
});

const rename = (slug, name) => fixtures.executeAsAdmin(UPDATE_TENANT, { input: { id: fixtures.tenantIds[slug], name } });

test('a membership that is removed in the database is gone at the next page load of an open session', async () => {
  const carol = await signedInUser('carol', '/tenants/globex');
  await carol.heading('Globex').waitFor();
  const { _id: globex } = await stack.database.collection('tenants').findOne({ slug: 'globex' });
  const users = stack.database.collection('users');
  const { modifiedCount } = await users.updateOne(
    { subject: 'carol' },
    { $pull: { memberships: { tenantId: globex } } },
  );
  assert.equal(modifiedCount, 1);
  const response = await carol.reload();
  assert.equal(response.status(), 404);
  await carol.heading('Tenant not found').waitFor();
  await carol.page.getByRole('link', { name: 'My tenants' }).click();
  await carol.page.getByText('2 tenants', { exact: true }).waitFor();
  assert.deepEqual(await tenantNames(carol), ['Acme', 'Initech']);
  await carol.close([errorStatus(404)]);
});

test('a disabled user sees a notice and no data', async () => {
  const mallory = await signedInUser('mallory');
  await mallory.open('/');
  const users = stack.database.collection('users');
  await users.updateOne({ subject: 'mallory' }, { $set: { disabled: true } });
  const response = await mallory.reload();
  assert.equal(response.status(), 403);
  await mallory.page.getByRole('alert').getByText('Your account is disabled').waitFor();
  assert.doesNotMatch(await mallory.page.locator('main').innerText(), /mallory@/);
  await mallory.close([errorStatus(403)]);
});

test('an expiring token is renewed on the server', async () => {
  stack.provider.lifetime = 20;
  const bob = await signedInUser('bob', '/tenants/acme');
  stack.provider.lifetime = 600;
  await bob.heading('Acme').waitFor();
  assert.equal(stack.provider.renewals, 1);
  await bob.reload();
  await bob.heading('Acme').waitFor();
  assert.equal(stack.provider.renewals, 1);
  await bob.close();
});

test('concurrent requests renew an expiring token only once', async () => {
  stack.provider.lifetime = stack.provider.renewedLifetime = 20;
  const bob = await signedInUser('bob', '/tenants/acme');
  await bob.heading('Acme').waitFor();
  stack.provider.lifetime = stack.provider.renewedLifetime = 600;
  const cookies = await bob.context.cookies(stack.web.portalOrigin);
  const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') };
  const before = stack.provider.renewals;
  const load = () => httpsRequest(stack, `${stack.web.portalOrigin}/tenants/acme`, { headers });
  const responses = await Promise.all([load(), load(), load()]);
  assert.deepEqual(responses.map(({ status }) => status), [200, 200, 200]);
  assert.equal(stack.provider.renewals, before + 1);
  await bob.close();
});

test('a missing session redirects to the sign-in and back', async () => {
  const bob = await signedInUser('bob');
  await bob.open('/');
  await bob.context.clearCookies({ name: 'portal' });
  await bob.page.getByRole('link', { name: 'Tenants', exact: true }).click();
  // Bob still has a session at the provider, so the provider shows no sign-in page.
  await bob.page.getByText('1 tenant', { exact: true }).waitFor();
  assert.equal(new URL(bob.page.url()).pathname, '/tenants');
  assert.equal(bob.urls.filter((url) => url.includes('/auth/oidc/callback')).length, 2);
  await bob.close([errorStatus(401)]);
});

test('a token that the gateway rejects is reported without a redirect loop', async () => {
  // The audience is the portal itself, so the gateway rejects the token.
  stack.provider.audience = 'portal';
  const bob = await signedInUser('bob', '/tenants/acme');
  stack.provider.audience = AUDIENCE;
  await bob.page.getByRole('alert').waitFor();
  await bob.page.waitForLoadState('networkidle');
  assert.equal(bob.urls.filter((url) => url.includes('/auth/oidc/callback')).length, 1);
  await bob.page.getByRole('link', { name: 'Sign in again' }).first().click();
  await bob.heading('Acme').waitFor();
  await bob.close([errorStatus(401)]);
});

test('a sign-in creates a new session and invalidates the previous cookie', async () => {
  const carol = await signedInUser('carol');
  const [plantedCookie] = await carol.context.cookies(stack.web.portalOrigin).then((all) => all.filter(isSessionCookie));
  const ada = await newUser();
  await ada.context.addCookies([plantedCookie]);
  await ada.open('/sign-in?to=/tenants');
  await ada.signInAs('ada');
  await ada.page.getByText('27 tenants', { exact: true }).waitFor();
  const headers = { cookie: `${plantedCookie.name}=${plantedCookie.value}` };
  const { status, text } = await httpsRequest(stack, `${stack.web.portalOrigin}/api/me`, { headers });
  assert.equal(status, 401, text);
  await ada.close();
  await carol.close();
});

const isSessionCookie = ({ name }) => name === 'portal';

test('signing out ends the session at the portal and at the provider', async () => {
  const bob = await signedInUser('bob', '/tenants');
  const before = await bob.context.cookies(stack.web.portalOrigin);
  await bob.page.getByRole('link', { name: 'Sign out' }).click();
  await bob.page.getByRole('button', { name: 'Sign out at the provider' }).click();
  await bob.heading('Your tenants in one place').waitFor();
  await bob.open('/tenants');
  await bob.page.getByLabel('Name', { exact: true }).waitFor();
  assert.match(bob.page.url(), /\/interaction\//);
  // The previous cookie is no longer valid.
  const cookie = before.map(({ name, value }) => `${name}=${value}`).join('; ');
  const { status } = await httpsRequest(stack, `${stack.web.portalOrigin}/api/me`, { headers: { cookie } });
  assert.equal(status, 401);
  await bob.close();
});

test('signing out without a portal session still ends the session at the provider', async () => {
  const bob = await signedInUser('bob', '/tenants');
  await bob.context.clearCookies({ name: 'portal' });
  await bob.page.getByRole('link', { name: 'Sign out' }).click();
  await bob.page.getByRole('button', { name: 'Sign out at the provider' }).click();
  await bob.heading('Your tenants in one place').waitFor();
  await bob.open('/tenants');
  await bob.page.getByLabel('Name', { exact: true }).waitFor();
  await bob.close();
});

test('a sign-in that is rejected or belongs to another browser ends on the home page', async () => {
  const bob = await newUser();
  await bob.open('/tenants');
  await bob.page.getByRole('button', { name: 'Deny' }).click();
  await bob.page.getByText('You are not signed in yet.').waitFor();
  // A sign-in that a forged link has started, with a nonce that this browser does not have.
  await bob.open('/auth/oidc/login?nonce=of-another-browser');
  await bob.page.getByLabel('Name', { exact: true }).fill('bob');
  await bob.page.getByRole('button', { name: 'Sign in' }).click();
  await bob.heading('Your tenants in one place').waitFor();
  await bob.close();
});

test('a sign-in link never redirects to another site', async () => {
  for (const to of ['//elsewhere.example', '/\\elsewhere.example', 'https://elsewhere.example', '/%09/elsewhere.example']) {
    const bob = await newUser();
    await bob.open(`/sign-in?to=${to.startsWith('/%') ? to : encodeURIComponent(to)}`);
    await bob.signInAs('bob');
    assert.equal(new URL(bob.page.url()).origin, stack.web.portalOrigin);
    await bob.close();
  }
});

test('requests from another origin change nothing', async () => {
  const bob = await signedInUser('bob', '/tenants/acme');
  const cookies = await bob.context.cookies(stack.web.portalOrigin);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const { tenant } = await fixtures.executeAsAdmin('{ tenant(slug: "acme") { version } }');
  const body = JSON.stringify({ id: fixtures.tenantIds.acme, version: tenant.version, name: 'Mallory was here' });
  const headers = { cookie, 'content-type': 'application/json' };
  const send = (origin) =>
    httpsRequest(stack, `${stack.web.portalOrigin}/api/tenants`, {
      method: 'PATCH',
      headers: { ...headers, ...(origin && { origin }) },
      body,
    });
  for (const origin of [undefined, 'null', stack.web.providerOrigin, 'https://portal.localhost']) {
    const { status, text } = await send(origin);
    assert.equal(status, 403, origin);
    assert.match(text, /ORIGIN_NOT_ALLOWED/);
  }
  for (const length of [{ 'transfer-encoding': 'chunked' }, { 'content-length': 65_537 }]) {
    const options = { method: 'PATCH', headers: { ...headers, origin: stack.web.portalOrigin, ...length } };
    const body = ' '.repeat(65_537);
    const { status } = await httpsRequest(stack, `${stack.web.portalOrigin}/api/tenants`, { ...options, body });
    assert.equal(status, 413);
  }
  const requestFromSite = (path, site = 'cross-site') =>
    httpsRequest(stack, stack.web.portalOrigin + path, { headers: { cookie, 'sec-fetch-site': site } });
  for (const site of ['cross-site', 'same-site']) assert.equal((await requestFromSite('/sign-out', site)).status, 403);
  for (const path of ['/auth/oidc/logout', '/auth/oidc/logout/', '/auth/oidc/%6cogout?logoutRedirectUri=https://x.example/']) {
    assert.equal((await requestFromSite(path)).status, 404, path);
  }
  // A link from another site to a route of the sign-in does not end the session.
  for (const path of ['/signed-in', '/auth/oidc/callback?error=x', '/auth/oidc/callback', '/auth/oidc/callback?state=']) {
    const { status, headers: responseHeaders } = await requestFromSite(path);
    assert.deepEqual([status, responseHeaders.location], [302, '/'], path);
    assert.equal((await httpsRequest(stack, `${stack.web.portalOrigin}/api/me`, { headers: { cookie } })).status, 200, path);
  }
  const after = await fixtures.executeAsAdmin('{ tenant(slug: "acme") { name version } }');
  assert.deepEqual(after.tenant, { name: 'Acme', version: tenant.version });
  // The same request from the portal's own origin succeeds, so only the origin was rejected.
  assert.equal((await send(stack.web.portalOrigin)).status, 200);
  await rename('acme', 'Acme');
  await bob.close();
});

test('only the fields that the portal offers can be changed through it', async () => {
  const ada = await signedInUser('ada', '/tenants/acme');
  const { tenant } = await fixtures.executeAsAdmin('{ tenant(slug: "acme") { version } }');
  const change = { id: fixtures.tenantIds.acme, version: tenant.version, plan: 'ENTERPRISE', status: 'ARCHIVED', slug: 'gone' };
  const status = await ada.page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch('/api/tenants', { method: 'PATCH', headers, body: JSON.stringify(body) });
    await response.text();
    return response.status;
  }, change);
  assert.equal(status, 200);
  const after = await fixtures.executeAsAdmin('{ tenant(slug: "acme") { slug plan status } }');
  assert.deepEqual(after.tenant, { slug: 'acme', plan: 'BUSINESS', status: 'ACTIVE' });
  await ada.close();
});

test('leaving a form with unsaved changes needs a confirmation', async () => {
  const bob = await signedInUser('bob', '/tenants/acme/edit');
  await bob.page.getByLabel('City').fill('Bonn');
  const dialogs = [];
  bob.page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    return dialogs.length === 1 ? dialog.dismiss() : dialog.accept();
  });
  await bob.page.getByRole('link', { name: 'Cancel' }).click();
  assert.equal(await bob.page.getByLabel('City').inputValue(), 'Bonn');
  await bob.page.getByRole('link', { name: 'Cancel' }).click();
  await bob.heading('Acme').waitFor();
  assert.equal(dialogs.length, 2);
  await bob.close();
});

// The last two tests stop the database and the gateway.
test('an unreachable database is reported', async () => {
  const bob = await signedInUser('bob', '/tenants/acme');
  await stack.database.server.stop();
  const response = await bob.reload();
  assert.equal(response.status(), 503);
  await bob.page.getByRole('alert').first().getByText('A service that this page needs cannot be reached.').waitFor();
  await bob.close([errorStatus(503)]);
});

test('an unreachable gateway is reported with a button to try again', async () => {
  const bob = await newUser();
  await stack.gateway.stop();
  await bob.open('/tenants/acme');
  await bob.signInAs('bob');
  const response = await bob.reload();
  assert.equal(response.status(), 503);
  const notice = bob.page.getByRole('alert').first();
  await notice.getByText('Temporarily unavailable').waitFor();
  await notice.getByRole('button', { name: 'Try again' }).click();
  await notice.getByText('Temporarily unavailable').waitFor();
  await bob.close([errorStatus(503)]);
});
