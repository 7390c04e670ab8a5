// The whole chain, as people see it: a browser, the portal, the provider, the gateway, the database.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Person } from './browser.mjs';
import { Stack } from './stack/index.mjs';
import { AUDIENCE } from './stack/provider.mjs';
import { ask, makeWorld } from './world.mjs';

let stack;
let world;
let browser;

before(async () => {
  stack = await Stack.start();
  world = await makeWorld(stack);
  browser = await openBrowser(stack);
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const come = () => Person.come(browser, stack);

/** Somebody who has opened a page and signed in for it. */
async function signedIn(name, path = '/tenants') {
  const person = await come();
  await person.open(path);
  await person.signInAs(name);
  return person;
}

/** The console of a browser has a line for each answer that is a failure. */
const answered = (status) => new RegExp(`the server responded with a status of ${status}\\b`);

const UPDATE = 'mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { id } } }';

const names = (person) => person.page.locator('.rows .row-link').allTextContents();

test('a visitor is asked to sign in, and comes back to the page that was asked for', async () => {
  const bob = await come();
  await bob.open('/');
  await bob.heading('Your tenants, in one place').waitFor();
  await bob.open('/tenants/acme?after=');
  assert.match(bob.page.url(), /\/interaction\//);
  const asked = new URL(bob.urls.find((url) => url.includes('/auth?'))).searchParams;
  assert.equal(asked.get('code_challenge_method'), 'S256');
  assert.equal(asked.get('scope'), 'openid profile email groups offline_access');
  for (const name of ['code_challenge', 'state', 'nonce', 'resource']) assert.ok(asked.get(name), name);
  await bob.signInAs('bob');
  await bob.heading('Acme').waitFor();
  assert.equal(new URL(bob.page.url()).pathname, '/tenants/acme');
  for (const { name, httpOnly, secure, sameSite } of await bob.context.cookies(stack.front.portal)) {
    assert.deepEqual([httpOnly, secure, sameSite], [true, true, 'Lax'], name);
  }
  await bob.leave();
});

test('a member sees the own tenants, and in words what is not permitted', async () => {
  const carol = await signedIn('carol', '/tenants');
  await carol.page.getByText('3 tenants', { exact: true }).waitFor();
  assert.deepEqual(await names(carol), ['Acme', 'Globex', 'Initech']);
  await carol.page.getByRole('link', { name: 'Acme' }).click();
  await carol.heading('Acme').waitFor();
  const billing = carol.page.getByRole('region', { name: 'Billing' });
  await billing.getByText('Not permitted.').waitFor();
  assert.doesNotMatch(await billing.innerText(), /Acme GmbH|billing@acme/);
  assert.equal(await carol.page.getByRole('link', { name: 'Edit' }).count(), 0);
  await carol.page.getByRole('region', { name: 'Subscription' }).getByText('Business').waitFor();
  await carol.open('/');
  await carol.page.getByRole('region', { name: 'Who I am' }).getByText('carol@example.org').waitFor();
  await carol.leave();
});

test('members come in pages', async () => {
  const bob = await signedIn('bob', '/tenants/acme');
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
  await bob.leave();
});

test('an old address of a list leads to its first page', async () => {
  const bob = await signedIn('bob', '/tenants/acme?after=nowhere');
  await bob.heading('This page of the list is not there any more').waitFor();
  await bob.page.getByRole('link', { name: 'Go to the first page' }).click();
  await bob.page.locator('.table tbody tr').first().waitFor();
  const kept = await bob.page.evaluate(async () => {
    const answer = await fetch('/tenants/acme/_payload.json');
    await answer.text();
    return answer.headers.get('cache-control');
  });
  assert.equal(kept, 'no-store');
  await bob.leave([answered(422)]);
});

test('a platform admin sees every tenant, by pages and by name', async () => {
  const ada = await signedIn('ada', '/tenants');
  await ada.page.getByText('27 tenants', { exact: true }).waitFor();
  const first = await names(ada);
  assert.equal(first.length, 20);
  await ada.page.getByRole('link', { name: 'Next' }).click();
  await ada.page.waitForURL(/after=/);
  await ada.page.getByText('Tenant 22').waitFor();
  assert.equal((await names(ada)).length, 7);
  await ada.page.getByLabel('Name, slug or domain').fill('glo');
  await ada.page.getByRole('button', { name: 'Find' }).click();
  await ada.page.getByText('1 tenant', { exact: true }).waitFor();
  assert.deepEqual(await names(ada), ['Globex']);
  await ada.page.getByRole('link', { name: 'Globex' }).click();
  await ada.page.getByRole('region', { name: 'Billing' }).getByText('Globex GmbH').waitFor();
  await ada.page.getByRole('region', { name: 'About' }).getByText('Not a member').waitFor();
  await ada.open('/tenants?status=SUSPENDED');
  await ada.page.getByText('1 tenant', { exact: true }).waitFor();
  await ada.open('/tenants?search=nobody');
  await ada.page.getByText('No tenant fits.').waitFor();
  await ada.leave();
});

test('a hidden tenant looks like one that is not there', async () => {
  const mallory = await signedIn('mallory', '/tenants');
  await mallory.page.getByText('You belong to no tenant yet.').waitFor();
  const seen = [];
  for (const slug of ['acme', 'nobody-has-this']) {
    const response = await mallory.open(`/tenants/${slug}`);
    await mallory.heading('There is no such tenant').waitFor();
    seen.push([response.status(), await mallory.page.locator('main').innerText(), await mallory.page.title()]);
  }
  assert.equal(seen[0][0], 404);
  assert.deepEqual(seen[0], seen[1]);
  const nowhere = await mallory.open('/no/such/page');
  assert.equal(nowhere.status(), 404);
  await mallory.heading('There is no such page').waitFor();
  await mallory.leave([answered(404)]);
});

test('a suspended tenant says so, and its members cannot edit it', async () => {
  const carol = await signedIn('carol', '/tenants/initech');
  await carol.page.getByText('You can read it, and nothing in it can be changed.').waitFor();
  await carol.open('/tenants/initech/edit');
  await carol.page.getByText('Your role does not allow you to change this tenant').waitFor();
  await carol.leave();
});

test('faults stand beside their fields, and what was typed stays', async () => {
  const bob = await signedIn('bob', '/tenants/acme/edit');
  const { page } = bob;
  await page.getByLabel('Name', { exact: true }).fill('');
  await page.getByLabel('Country').fill('XX');
  await page.getByRole('button', { name: 'Add a domain' }).click();
  await page.getByLabel('Domain 2', { exact: true }).fill('not a domain');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByText('3 fields need another look').waitFor();
  for (const label of ['Name', 'Country', 'Domain 2']) {
    const field = page.getByLabel(label, { exact: true });
    assert.equal(await field.getAttribute('aria-invalid'), 'true', label);
    const fault = (await field.getAttribute('aria-describedby')).split(' ')[0];
    assert.notEqual(await page.locator(`[id="${fault}"]`).innerText(), '');
  }
  assert.equal(await page.getByLabel('Domain 2', { exact: true }).inputValue(), 'not a domain');
  // A domain that somebody else has: the gateway names the field, and not whose it is.
  await page.getByLabel('Name', { exact: true }).fill('Acme');
  await page.getByLabel('Country').fill('DE');
  await page.getByLabel('Domain 2', { exact: true }).fill('globex.example');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('group', { name: 'Domains' }).getByText('belongs to another tenant').waitFor();
  // Given up meanwhile: the same, saved again, is asked anew.
  await world.admin(UPDATE, { input: { id: world.ids.globex, domains: [] } });
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('Acme').waitFor();
  await page.getByRole('region', { name: 'About' }).getByText('globex.example').waitFor();
  await bob.leave([answered(422), answered(409)]);
});

test('of two who edit the same, the second is shown what the first has changed, and chooses', async () => {
  const bob = await signedIn('bob', '/tenants/acme/edit');
  const ada = await signedIn('ada', '/tenants/acme/edit');
  await bob.page.getByLabel('Name', { exact: true }).fill('Acme of Bob');
  await bob.page.getByLabel('VAT number').fill('DE123456789');
  await ada.page.getByLabel('Name', { exact: true }).fill('Acme of Ada');
  await ada.page.getByLabel('City').fill('Hamburg');
  await ada.page.getByRole('button', { name: 'Save' }).click();
  await ada.heading('Acme of Ada').waitFor();

  await bob.page.getByRole('button', { name: 'Save' }).click();
  const notice = bob.page.getByRole('alert');
  await notice.getByText('Somebody was faster').waitFor();
  await notice.getByText('Berlin → Hamburg').waitFor();
  assert.equal(await bob.page.getByLabel('City').inputValue(), 'Hamburg');
  assert.equal(await bob.page.getByLabel('VAT number').inputValue(), 'DE123456789');
  const name = bob.page.getByLabel('Name', { exact: true });
  const choice = notice.getByRole('group', { name: 'Name: you both changed it' });
  assert.equal(await name.inputValue(), 'Acme of Bob');
  await choice.getByLabel('Theirs').check();
  assert.equal(await name.inputValue(), 'Acme of Ada');
  await choice.getByLabel('Yours').check();
  assert.equal(await name.inputValue(), 'Acme of Bob');
  const before = await world.admin('{ tenant(slug: "acme") { version } }');
  await bob.page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('Acme of Bob').waitFor();
  const after = await world.admin('{ tenant(slug: "acme") { version } }');
  assert.equal(after.tenant.version, before.tenant.version + 1);
  const billing = bob.page.getByRole('region', { name: 'Billing' });
  await billing.getByText('DE123456789').waitFor();
  await billing.getByText('10115 Hamburg').waitFor();

  // As it was, for the others.
  await rename('acme', 'Acme');
  await ada.leave();
  await bob.leave([answered(409)]);
});

const rename = (slug, name) => world.admin(UPDATE, { input: { id: world.ids[slug], name } });

test('a membership that is removed in the database is gone at the next load of a running session', async () => {
  const carol = await signedIn('carol', '/tenants/globex');
  await carol.heading('Globex').waitFor();
  const { _id: globex } = await stack.database.collection('tenants').findOne({ slug: 'globex' });
  const users = stack.database.collection('users');
  const { modifiedCount } = await users.updateOne(
    { subject: 'carol' },
    { $pull: { memberships: { tenantId: globex } } },
  );
  assert.equal(modifiedCount, 1);
  const response = await carol.page.reload();
  assert.equal(response.status(), 404);
  await carol.heading('There is no such tenant').waitFor();
  await carol.page.getByRole('link', { name: 'My tenants' }).click();
  await carol.page.getByText('2 tenants', { exact: true }).waitFor();
  assert.deepEqual(await names(carol), ['Acme', 'Initech']);
  await carol.leave([answered(404)]);
});

test('who is disabled is told so, and shown nothing else', async () => {
  const mallory = await signedIn('mallory');
  await mallory.open('/');
  const users = stack.database.collection('users');
  await users.updateOne({ subject: 'mallory' }, { $set: { disabled: true } });
  const response = await mallory.page.reload();
  assert.equal(response.status(), 403);
  await mallory.page.getByRole('alert').getByText('Your account is disabled').waitFor();
  assert.doesNotMatch(await mallory.page.locator('main').innerText(), /mallory@/);
  await mallory.leave([answered(403)]);
});

test('a token that is about to end is renewed on the server', async () => {
  stack.identity.lifetime = 20;
  const bob = await signedIn('bob', '/tenants/acme');
  stack.identity.lifetime = 600;
  await bob.heading('Acme').waitFor();
  assert.equal(stack.identity.renewals, 1);
  await bob.page.reload();
  await bob.heading('Acme').waitFor();
  assert.equal(stack.identity.renewals, 1);
  await bob.leave();
});

test('of many requests that find a token near its end, one renews it', async () => {
  stack.identity.lifetime = stack.identity.renewedLifetime = 20;
  const bob = await signedIn('bob', '/tenants/acme');
  await bob.heading('Acme').waitFor();
  stack.identity.lifetime = stack.identity.renewedLifetime = 600;
  const cookies = await bob.context.cookies(stack.front.portal);
  const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') };
  const before = stack.identity.renewals;
  const load = () => ask(stack, `${stack.front.portal}/tenants/acme`, { headers });
  const answers = await Promise.all([load(), load(), load()]);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
  assert.equal(stack.identity.renewals, before + 1);
  await bob.leave();
});

test('a session that is gone leads to the sign-in and back', async () => {
  const bob = await signedIn('bob');
  await bob.open('/');
  await bob.context.clearCookies({ name: 'portal' });
  await bob.page.getByRole('link', { name: 'Tenants', exact: true }).click();
  // The provider knows bob still, so nobody is asked anything.
  await bob.page.getByText('1 tenant', { exact: true }).waitFor();
  assert.equal(new URL(bob.page.url()).pathname, '/tenants');
  assert.equal(bob.urls.filter((url) => url.includes('/auth/oidc/callback')).length, 2);
  await bob.leave([answered(401)]);
});

test('a token that the gateway refuses is told, and nobody is sent round in a circle', async () => {
  // For the portal itself, and so not for the gateway.
  stack.identity.audience = 'portal';
  const bob = await signedIn('bob', '/tenants/acme');
  stack.identity.audience = AUDIENCE;
  await bob.page.getByRole('alert').waitFor();
  await bob.page.waitForLoadState('networkidle');
  assert.equal(bob.urls.filter((url) => url.includes('/auth/oidc/callback')).length, 1);
  await bob.page.getByRole('link', { name: 'Sign in again' }).first().click();
  await bob.heading('Acme').waitFor();
  await bob.leave([answered(401)]);
});

test('a sign-in makes a new session, and the cookie from before is good for nothing', async () => {
  const carol = await signedIn('carol');
  const [planted] = await carol.context.cookies(stack.front.portal).then((all) => all.filter(isSession));
  const ada = await come();
  await ada.context.addCookies([planted]);
  await ada.open('/sign-in?to=/tenants');
  await ada.signInAs('ada');
  await ada.page.getByText('27 tenants', { exact: true }).waitFor();
  const headers = { cookie: `${planted.name}=${planted.value}` };
  const { status, text } = await ask(stack, `${stack.front.portal}/api/me`, { headers });
  assert.equal(status, 401, text);
  await ada.leave();
  await carol.leave();
});

const isSession = ({ name }) => name === 'portal';

test('signing out ends the session here and at the provider', async () => {
  const bob = await signedIn('bob', '/tenants');
  const before = await bob.context.cookies(stack.front.portal);
  await bob.page.getByRole('link', { name: 'Sign out' }).click();
  await bob.page.getByRole('button', { name: 'Sign out here too' }).click();
  await bob.heading('Your tenants, in one place').waitFor();
  await bob.open('/tenants');
  await bob.page.getByLabel('Name', { exact: true }).waitFor();
  assert.match(bob.page.url(), /\/interaction\//);
  // The cookie from before is no way back in.
  const cookie = before.map(({ name, value }) => `${name}=${value}`).join('; ');
  const { status } = await ask(stack, `${stack.front.portal}/api/me`, { headers: { cookie } });
  assert.equal(status, 401);
  await bob.leave();
});

test('signing out without a session here still ends the one at the provider', async () => {
  const bob = await signedIn('bob', '/tenants');
  await bob.context.clearCookies({ name: 'portal' });
  await bob.page.getByRole('link', { name: 'Sign out' }).click();
  await bob.page.getByRole('button', { name: 'Sign out here too' }).click();
  await bob.heading('Your tenants, in one place').waitFor();
  await bob.open('/tenants');
  await bob.page.getByLabel('Name', { exact: true }).waitFor();
  await bob.leave();
});

test('a sign-in that is refused, or is not this browser’s, ends on the first page', async () => {
  const bob = await come();
  await bob.open('/tenants');
  await bob.page.getByRole('button', { name: 'Refuse' }).click();
  await bob.page.getByText('You are not signed in yet.').waitFor();
  // Begun by somebody else's link, with a number that this browser has not got.
  await bob.open('/auth/oidc/login?nonce=of-somebody-else');
  await bob.page.getByLabel('Name', { exact: true }).fill('bob');
  await bob.page.getByRole('button', { name: 'Sign in' }).click();
  await bob.heading('Your tenants, in one place').waitFor();
  await bob.leave();
});

test('nobody is led elsewhere by a link to the sign-in', async () => {
  for (const to of ['//elsewhere.example', '/\\elsewhere.example', 'https://elsewhere.example', '/%09/elsewhere.example']) {
    const bob = await come();
    await bob.open(`/sign-in?to=${to.startsWith('/%') ? to : encodeURIComponent(to)}`);
    await bob.signInAs('bob');
    assert.equal(new URL(bob.page.url()).origin, stack.front.portal);
    await bob.leave();
  }
});

test('what another origin sends changes nothing', async () => {
  const bob = await signedIn('bob', '/tenants/acme');
  const cookies = await bob.context.cookies(stack.front.portal);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const { tenant } = await world.admin('{ tenant(slug: "acme") { version } }');
  const body = JSON.stringify({ id: world.ids.acme, version: tenant.version, name: 'Mallory was here' });
  const headers = { cookie, 'content-type': 'application/json' };
  const send = (origin) =>
    ask(stack, `${stack.front.portal}/api/tenants`, {
      method: 'PATCH',
      headers: { ...headers, ...(origin && { origin }) },
      body,
    });
  for (const origin of [undefined, 'null', stack.front.identity, 'https://portal.localhost']) {
    const { status, text } = await send(origin);
    assert.equal(status, 403, origin);
    assert.match(text, /FOREIGN_ORIGIN/);
  }
  for (const length of [{ 'transfer-encoding': 'chunked' }, { 'content-length': 65_537 }]) {
    const long = { method: 'PATCH', headers: { ...headers, origin: stack.front.portal, ...length } };
    const { status } = await ask(stack, `${stack.front.portal}/api/tenants`, { ...long, body: ' '.repeat(65_537) });
    assert.equal(status, 413);
  }
  const foreignly = (path, site = 'cross-site') =>
    ask(stack, stack.front.portal + path, { headers: { cookie, 'sec-fetch-site': site } });
  for (const site of ['cross-site', 'same-site']) assert.equal((await foreignly('/sign-out', site)).status, 403);
  for (const path of ['/auth/oidc/logout', '/auth/oidc/logout/', '/auth/oidc/%6cogout?logoutRedirectUri=https://x.example/']) {
    assert.equal((await foreignly(path)).status, 404, path);
  }
  // Nor does a link from elsewhere to what the provider comes back to.
  for (const path of ['/signed-in', '/auth/oidc/callback?error=x', '/auth/oidc/callback', '/auth/oidc/callback?state=']) {
    const { status, headers: told } = await foreignly(path);
    assert.deepEqual([status, told.location], [302, '/'], path);
    assert.equal((await ask(stack, `${stack.front.portal}/api/me`, { headers: { cookie } })).status, 200, path);
  }
  const after = await world.admin('{ tenant(slug: "acme") { name version } }');
  assert.deepEqual(after.tenant, { name: 'Acme', version: tenant.version });
  // The same from the portal itself is done: it was the origin that was refused.
  assert.equal((await send(stack.front.portal)).status, 200);
  await rename('acme', 'Acme');
  await bob.leave();
});

test('only what the portal offers can be changed through it', async () => {
  const ada = await signedIn('ada', '/tenants/acme');
  const { tenant } = await world.admin('{ tenant(slug: "acme") { version } }');
  const change = { id: world.ids.acme, version: tenant.version, plan: 'ENTERPRISE', status: 'ARCHIVED', slug: 'gone' };
  const status = await ada.page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch('/api/tenants', { method: 'PATCH', headers, body: JSON.stringify(body) });
    await response.text();
    return response.status;
  }, change);
  assert.equal(status, 200);
  const after = await world.admin('{ tenant(slug: "acme") { slug plan status } }');
  assert.deepEqual(after.tenant, { slug: 'acme', plan: 'BUSINESS', status: 'ACTIVE' });
  await ada.leave();
});

test('what is not saved is not left by mistake', async () => {
  const bob = await signedIn('bob', '/tenants/acme/edit');
  await bob.page.getByLabel('City').fill('Bonn');
  const asked = [];
  bob.page.on('dialog', (dialog) => {
    asked.push(dialog.message());
    return asked.length === 1 ? dialog.dismiss() : dialog.accept();
  });
  await bob.page.getByRole('link', { name: 'Cancel' }).click();
  assert.equal(await bob.page.getByLabel('City').inputValue(), 'Bonn');
  await bob.page.getByRole('link', { name: 'Cancel' }).click();
  await bob.heading('Acme').waitFor();
  assert.equal(asked.length, 2);
  await bob.leave();
});

// The last two: nothing works after them.
test('a database that is away is told in words', async () => {
  const bob = await signedIn('bob', '/tenants/acme');
  await stack.database.server.stop();
  const response = await bob.page.reload();
  assert.equal(response.status(), 503);
  await bob.page.getByRole('alert').first().getByText('Something behind this page cannot be reached.').waitFor();
  await bob.leave([answered(503)]);
});

test('a gateway that is away is told in words, with a way to try again', async () => {
  const bob = await come();
  await stack.gateway.stop();
  await bob.open('/tenants/acme');
  await bob.signInAs('bob');
  const response = await bob.page.reload();
  assert.equal(response.status(), 503);
  const notice = bob.page.getByRole('alert').first();
  await notice.getByText('Not available right now').waitFor();
  await notice.getByRole('button', { name: 'Try again' }).click();
  await notice.getByText('Not available right now').waitFor();
  await bob.leave([answered(503)]);
});
