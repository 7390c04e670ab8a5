// Tests the playground in a real browser. `playground.mjs dev URL` tests a gateway with demo identities.
// `playground.mjs serve URL TOKEN` tests a gateway without them and with introspection disabled.
import assert from 'node:assert/strict';
import { createServer, request as sendRequest } from 'node:http';
import { launch, openPage } from './browser.mjs';
import { testAxe, testForcedColors } from './checks/accessibility.mjs';
import { testKeyboardOnly, testNarrowWindow } from './checks/keyboard.mjs';
import { testCurl, testLink } from './checks/sharing.mjs';
import { testBrokenScript, testFormBeforeGraphiQL, testGraphiQLUnavailable } from './checks/starter.mjs';
import {
  testExamplesHaveNoFaults,
  testIdentityOfTab,
  testRepeatedExamples,
  testStatusLine,
} from './checks/tabs.mjs';
import {
  clickExecute,
  editor,
  openTab,
  responseInfo,
  runOperation,
  selectIdentity,
  visit,
  waitForLine,
  waitForResponse,
  waitForTypeDescription,
} from './graphiql.mjs';

const [mode, url, token] = process.argv.slice(2);
const { origin } = new URL(url);

/** The same operation has different responses for different demo identities. */
async function testDevMode(page, context, problems) {
  await visit(page, url);
  await page.getByRole('radio', { name: 'anonymous' }).waitFor();
  const identities = await page.getByRole('radio').evaluateAll((radios) => radios.map(({ value }) => value));
  assert.deepEqual(identities, ['ada', 'bob', 'carol', 'mallory', 'anonymous']);

  // A field that carol is not authorized to see is null, with an error.
  await openTab(page, 'Billing');
  await selectIdentity(page, 'carol');
  await runOperation(page);
  await waitForLine(page, '"billingInfo": null');
  await responseInfo(page).getByText('FORBIDDEN').waitFor();
  await responseInfo(page).getByText('Identity: carol').waitFor();

  // Selecting another identity runs the query again.
  await waitForResponse(page, () => selectIdentity(page, 'ada'));
  await waitForLine(page, '"companyName": "Acme GmbH"');
  assert.equal(await page.locator('.error-code').count(), 0);

  // An anonymous request has no token.
  const response = await waitForResponse(page, () => selectIdentity(page, 'anonymous'));
  assert.equal(await response.request().headerValue('authorization'), null);
  await responseInfo(page).getByText('UNAUTHENTICATED').waitFor();

  await testExamples(page);
  await testDocumentation(page);
  await testKeyboard(page);
  await testTokenRenewal(page, problems);
  await testReload(page, context);
}

/** Examples get variables from the demo data, and headers. A mutation sent twice with one key runs once. */
async function testExamples(page) {
  await page.getByRole('button', { name: /^Nodes as bob/ }).click();
  await editor(page, 'Variables').getByText(/ten_[0-9a-f]{24}/).waitFor();
  assert.ok(await page.getByRole('radio', { name: 'bob' }).isChecked());
  await runOperation(page);
  await waitForLine(page, '"slug": "acme"');

  // This example is not in a tab at the start.
  await page.getByRole('button', { name: /^Conflict as ada/ }).click();
  await editor(page, 'Operation').getByText('Conflict', { exact: true }).waitFor();
  await editor(page, 'Variables').getByText('"Another Acme"').waitFor();
  await runOperation(page);
  await responseInfo(page).getByText('CONFLICT').waitFor();

  await openTab(page, 'IdempotencyKey');
  await editor(page, 'Variables').getByText(/"demo-/).waitFor();
  const keys = [];
  const tenantIds = [];
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const response = await runOperation(page);
    keys.push(await response.request().headerValue('idempotency-key'));
    tenantIds.push((await response.json()).data.createTenant.tenant.id);
  }
  assert.match(keys[0] ?? '', /^demo-/);
  assert.deepEqual([keys[1], tenantIds[1]], [keys[0], tenantIds[0]]);
}

async function testDocumentation(page) {
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByRole('link', { name: 'Query', exact: true }).click();
  await waitForTypeDescription(page, 'Query');
}

/** Identities, operations and completion work without a mouse. */
async function testKeyboard(page) {
  await openTab(page, 'Me');
  await page.getByRole('radio', { name: 'ada' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.ok(await page.getByRole('radio', { name: 'bob' }).isChecked());
  await editor(page, 'Operation').getByRole('textbox').focus();
  await waitForResponse(page, () => page.keyboard.press('Control+Enter'));
  await waitForLine(page, '"name": "Bob"');
  // Completion suggests fields of the schema.
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.getByRole('tab', { name: '<untitled>' }).waitFor();
  await editor(page, 'Operation').getByRole('textbox').focus();
  await page.keyboard.type('{ tena');
  await page.locator('.suggest-widget').getByText('tenants').first().waitFor();
  await page.keyboard.press('Escape');
}

/** The page renews a token that the gateway rejects, and one that expires soon. */
async function testTokenRenewal(page, problems) {
  await openTab(page, 'Tenants');
  let rejectedRequests = 0;
  await page.route('**/graphql', async (route) => {
    const headers = { ...route.request().headers() };
    if (rejectedRequests === 0 && headers.authorization) {
      rejectedRequests += 1;
      headers.authorization = 'Bearer an.invalid.token';
    }
    await route.continue({ headers });
  });
  const renewal = page.waitForResponse('**/dev/identities');
  await clickExecute(page);
  await renewal;
  await responseInfo(page).getByText('200 OK').waitFor();
  assert.equal(rejectedRequests, 1);
  await page.unroute('**/graphql');
  // The browser logs the rejected request and nothing else.
  assert.match(problems.splice(0).join('\n'), /^console: .* 401 \(Unauthorized\)$/);

  // Half a minute before its expiry, a token is renewed before the request is sent.
  await page.clock.setFixedTime(Date.now() + 59.5 * 60_000);
  const earlyRenewal = page.waitForResponse('**/dev/identities');
  const response = await runOperation(page);
  const { token: renewedToken } = (await (await earlyRenewal).json()).find(({ name }) => name === 'ada');
  assert.equal(await response.request().headerValue('authorization'), `Bearer ${renewedToken}`);
}

/** A reload keeps the selected identity. No token is stored. */
async function testReload(page, context) {
  await selectIdentity(page, 'mallory');
  await page.reload();
  await page.getByRole('radio', { name: 'mallory', checked: true }).waitFor();
  const stored = JSON.stringify(await context.storageState());
  assert.match(stored, /tenantry:identity/);
  assert.doesNotMatch(stored, /eyJ/);
}

/** The page reports an unreachable gateway, and works again as soon as the gateway is reachable. */
async function testUnreachableGateway(browser) {
  const { page, context } = await openPage(browser, origin);
  const abortRequests = (route) =>
    route.request().isNavigationRequest() ? route.continue() : route.abort();
  await page.route(/dev\/identities|graphql$/, abortRequests);
  await visit(page, url);
  await page.getByText('Cannot load the identities').waitFor();
  await page.getByText('no connection').waitFor();
  await clickExecute(page);
  await editor(page, 'Response').getByText('unreachable').waitFor();

  await page.unroute(/dev\/identities|graphql$/);
  await page.getByRole('banner').getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByRole('main').getByRole('button', { name: 'Try again' }).click();
  await page.getByText('Root Types').waitFor();
  await waitForResponse(page, () => selectIdentity(page, 'ada'));
  await waitForLine(page, '"name": "Ada"');
  await context.close();
}

/** The playground works behind a reverse proxy that serves the gateway below a path of its own host. */
async function testPathPrefix(browser) {
  const proxy = createServer((request, response) => {
    const path = request.url.replace(/^\/portal\/api/, '');
    if (path === request.url) return response.writeHead(404).end();
    const { method, headers } = request;
    const upstream = sendRequest(new URL(path, url), { method, headers }, (upstreamResponse) => {
      upstreamResponse.pipe(response.writeHead(upstreamResponse.statusCode, upstreamResponse.headers));
    });
    request.pipe(upstream);
  });
  await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening));
  try {
    const proxyOrigin = `http://127.0.0.1:${proxy.address().port}`;
    const { page, context, problems } = await openPage(browser, proxyOrigin);
    await visit(page, `${proxyOrigin}/portal/api/graphql`);
    await selectIdentity(page, 'bob');
    await runOperation(page);
    await waitForLine(page, '"name": "Bob"');
    assert.deepEqual(problems, []);
    await context.close();
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

/** Without demo identities, requests are anonymous until the user pastes a token. */
async function testServeMode(page, context, problems) {
  await visit(page, url);
  await page.getByText('introspection is disabled', { exact: true }).waitFor();
  await editor(page, 'Response').getByText(/introspection/i).waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('radio').count(), 0);
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByText('Introspection is disabled on this gateway').waitFor();
  await page.getByRole('button', { name: 'Hide Documentation' }).click();

  await runOperation(page);
  await responseInfo(page).getByText('UNAUTHENTICATED').waitFor();
  await page.getByLabel('Bearer token').fill(`Bearer ${token}\n`);
  await page.getByText(/^Expires in/).waitFor();
  await runOperation(page);
  await waitForLine(page, '"email": "carol@example.org"');
  await responseInfo(page).getByText('Identity: pasted token').waitFor();

  // An Authorization header in the Headers editor has precedence over the pasted token.
  await page.getByRole('button', { name: 'Headers' }).click();
  await page.getByRole('textbox', { name: 'Headers' }).focus();
  await page.keyboard.insertText(`{ "Authorization": "Bearer ${token}x" }`);
  const rejected = await runOperation(page);
  assert.equal(rejected.status(), 401);
  await responseInfo(page).getByText('Identity: Authorization header').waitFor();
  assert.match(problems.splice(0).join('\n'), /^console: .* 401 \(Unauthorized\)$/);

  // Neither the pasted token nor the header is stored, not even in the history.
  await page.getByRole('button', { name: 'Show History' }).click();
  await page.getByRole('button', { name: 'Me', exact: true }).first().waitFor();
  const stored = JSON.stringify(await context.storageState());
  assert.match(stored, /graphiql:queries/);
  assert.ok(!stored.includes(token));
  await page.reload();
  await page.getByText('Requests without a token are anonymous.').waitFor();
}

/** The checks of a gateway with demo identities that open pages of their own. */
const DEV_CHECKS = [
  testFormBeforeGraphiQL,
  testGraphiQLUnavailable,
  testBrokenScript,
  testIdentityOfTab,
  testRepeatedExamples,
  testStatusLine,
  testExamplesHaveNoFaults,
  testKeyboardOnly,
  testNarrowWindow,
  testLink,
  testCurl,
  testAxe,
  testForcedColors,
];

const browser = await launch();
try {
  const { page, context, problems } = await openPage(browser, origin);
  await (mode === 'dev' ? testDevMode : testServeMode)(page, context, problems);
  assert.deepEqual(problems, []);
  if (mode === 'dev') {
    await testPathPrefix(browser);
    await testUnreachableGateway(browser);
    for (const check of DEV_CHECKS) await check(browser, url);
  }
} finally {
  await browser.close();
}
