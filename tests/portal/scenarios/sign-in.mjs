// Sign-in, sign-out, the session and its token.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpsRequest } from '../fixtures.mjs';
import { errorStatus, newTenant, newUser, shared, signedInUser, storedTenant } from '../scenario.mjs';
import { AUDIENCE } from '../stack/provider.mjs';

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
  for (const { name, httpOnly, secure, sameSite } of await bob.context.cookies(shared.stack.web.portalOrigin)) {
    assert.deepEqual([httpOnly, secure, sameSite], [true, true, 'Lax'], name);
  }
  await bob.close();
});

// The lifetime in seconds of a token that the portal renews at its next use. A slow machine still signs in with it.
const EXPIRING = 29;

test('an expiring token is renewed on the server', async () => {
  const { provider } = shared.stack;
  const before = provider.renewals;
  provider.lifetime = EXPIRING;
  const bob = await signedInUser('bob', '/tenants/acme');
  provider.lifetime = 600;
  await bob.heading('Acme').waitFor();
  assert.equal(provider.renewals, before + 1);
  await bob.reload();
  await bob.heading('Acme').waitFor();
  assert.equal(provider.renewals, before + 1);
  await bob.close();
});

test('concurrent requests renew an expiring token only once', async (context) => {
  const { provider, web } = shared.stack;
  context.after(() => (provider.lifetime = provider.renewedLifetime = 600));
  provider.lifetime = provider.renewedLifetime = EXPIRING;
  // Without scripts, the page itself sends no further request, which would renew the token, too.
  const bob = await newUser({ javaScriptEnabled: false });
  await bob.page.goto(`${web.portalOrigin}/tenants/acme`);
  await bob.page.getByLabel('Name', { exact: true }).fill('bob');
  await bob.page.getByRole('button', { name: 'Sign in' }).click();
  await bob.heading('Acme').waitFor();
  provider.lifetime = provider.renewedLifetime = 600;
  const cookies = await bob.context.cookies(web.portalOrigin);
  const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') };
  const before = provider.renewals;
  const load = () => httpsRequest(shared.stack, `${web.portalOrigin}/tenants/acme`, { headers });
  const responses = await Promise.all([load(), load(), load()]);
  assert.deepEqual(responses.map(({ status }) => status), [200, 200, 200]);
  assert.equal(provider.renewals, before + 1);
  await bob.close();
});

test('a missing session redirects to the sign-in and back', async () => {
  const bob = await signedInUser('bob');
  await bob.open('/');
  await bob.settle();
  await bob.context.clearCookies({ name: 'portal' });
  await bob.page.getByRole('link', { name: 'Tenants', exact: true }).click();
  // Bob still has a session at the provider, so the provider shows no sign-in page. The home page has lists, too.
  await bob.heading('Tenants').waitFor();
  await bob.page.locator('.list').getByRole('link', { name: 'Acme', exact: true }).waitFor();
  assert.equal(new URL(bob.page.url()).pathname, '/tenants');
  assert.equal(bob.urls.filter((url) => url.includes('/auth/oidc/callback')).length, 2);
  await bob.close([errorStatus(401)]);
});

test('a token that the gateway rejects is reported without a redirect loop', async () => {
  // The audience is the portal itself, so the gateway rejects the token.
  shared.stack.provider.audience = 'portal';
  const bob = await signedInUser('bob', '/tenants/acme');
  shared.stack.provider.audience = AUDIENCE;
  await bob.page.getByRole('alert').waitFor();
  await bob.page.waitForLoadState('networkidle');
  assert.equal(bob.urls.filter((url) => url.includes('/auth/oidc/callback')).length, 1);
  await bob.page.getByRole('link', { name: 'Sign in again' }).first().click();
  await bob.heading('Acme').waitFor();
  await bob.close([errorStatus(401)]);
});

test('a sign-in creates a new session and invalidates the previous cookie', async () => {
  const carol = await signedInUser('carol');
  const [plantedCookie] = await carol.context.cookies(shared.stack.web.portalOrigin).then((all) => all.filter(isSessionCookie));
  const ada = await newUser();
  await ada.context.addCookies([plantedCookie]);
  await ada.open('/sign-in?to=/tenants');
  await ada.signInAs('ada');
  await ada.page.getByRole('link', { name: 'Ada' }).waitFor();
  const headers = { cookie: `${plantedCookie.name}=${plantedCookie.value}` };
  const { status, text } = await httpsRequest(shared.stack, `${shared.stack.web.portalOrigin}/api/viewer`, { headers });
  assert.equal(status, 401, text);
  await ada.close();
  await carol.close();
});

const isSessionCookie = ({ name }) => name === 'portal';

test('signing out ends the session at the portal and at the provider', async () => {
  const bob = await signedInUser('bob', '/tenants');
  const before = await bob.context.cookies(shared.stack.web.portalOrigin);
  await bob.page.getByRole('link', { name: 'Sign out' }).click();
  await bob.page.getByRole('button', { name: 'Sign out at the provider' }).click();
  await bob.heading('Your tenants in one place').waitFor();
  await bob.open('/tenants');
  await bob.page.getByLabel('Name', { exact: true }).waitFor();
  assert.match(bob.page.url(), /\/interaction\//);
  // The previous cookie is no longer valid.
  const cookie = before.map(({ name, value }) => `${name}=${value}`).join('; ');
  const { status } = await httpsRequest(shared.stack, `${shared.stack.web.portalOrigin}/api/viewer`, { headers: { cookie } });
  assert.equal(status, 401);
  await bob.close();
});

test('signing out without a portal session still ends the session at the provider', async () => {
  const bob = await signedInUser('bob', '/tenants');
  await bob.settle();
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
  const { portalOrigin } = shared.stack.web;
  const targets = ['//elsewhere.example', '/\\elsewhere.example', 'https://elsewhere.example', '/..//elsewhere.example', '/./%2e%2e//elsewhere.example', '/a/../\\elsewhere.example', 'javascript:alert(1)', 'elsewhere.example', '@elsewhere.example', '/\t/elsewhere.example'];
  const bob = await newUser();
  await bob.open('/sign-in?to=/%09/elsewhere.example');
  await bob.signInAs('bob');
  await bob.settle();
  // The provider knows Bob, so each further sign-in needs no page.
  for (const to of targets) {
    await bob.open(`/sign-in?to=${encodeURIComponent(to)}`);
    await bob.page.getByRole('link', { name: 'Sign out' }).waitFor();
    await bob.settle();
    assert.equal(bob.page.url(), `${portalOrigin}/`, to);
  }
  await bob.close();
});

test('requests from another origin change nothing', async () => {
  const tenant = await newTenant();
  const bob = await signedInUser('bob', '/tenants/acme');
  const cookies = await bob.context.cookies(shared.stack.web.portalOrigin);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const { version } = await storedTenant(tenant);
  const body = JSON.stringify({ id: tenant.id, version, name: 'Mallory was here' });
  const headers = { cookie, 'content-type': 'application/json' };
  const send = (origin) =>
    httpsRequest(shared.stack, `${shared.stack.web.portalOrigin}/api/tenants`, {
      method: 'PATCH',
      headers: { ...headers, ...(origin && { origin }) },
      body,
    });
  for (const origin of [undefined, 'null', shared.stack.web.providerOrigin, 'https://portal.localhost']) {
    const { status, text } = await send(origin);
    assert.equal(status, 403, origin);
    assert.match(text, /ORIGIN_NOT_ALLOWED/);
  }
  for (const length of [{ 'transfer-encoding': 'chunked' }, { 'content-length': 65_537 }]) {
    const options = { method: 'PATCH', headers: { ...headers, origin: shared.stack.web.portalOrigin, ...length } };
    const body = ' '.repeat(65_537);
    const { status } = await httpsRequest(shared.stack, `${shared.stack.web.portalOrigin}/api/tenants`, { ...options, body });
    assert.equal(status, 413);
  }
  const requestFromSite = (path, site = 'cross-site') =>
    httpsRequest(shared.stack, shared.stack.web.portalOrigin + path, { headers: { cookie, 'sec-fetch-site': site } });
  for (const site of ['cross-site', 'same-site']) assert.equal((await requestFromSite('/sign-out', site)).status, 403);
  for (const path of ['/auth/oidc/logout', '/auth/oidc/logout/', '/auth/oidc/%6cogout?logoutRedirectUri=https://x.example/']) {
    assert.equal((await requestFromSite(path)).status, 404, path);
  }
  // A link from another site to a route of the sign-in does not end the session.
  for (const path of ['/signed-in', '/auth/oidc/callback?error=x', '/auth/oidc/callback', '/auth/oidc/callback?state=']) {
    const { status, headers: responseHeaders } = await requestFromSite(path);
    assert.deepEqual([status, responseHeaders.location], [302, '/'], path);
    assert.equal((await httpsRequest(shared.stack, `${shared.stack.web.portalOrigin}/api/viewer`, { headers: { cookie } })).status, 200, path);
  }
  const after = await storedTenant(tenant);
  assert.deepEqual([after.name, after.version], [tenant.name, version]);
  // The same request from the portal's own origin succeeds, so only the origin was rejected.
  assert.equal((await send(shared.stack.web.portalOrigin)).status, 200);
  await bob.close();
});
