// Tests the playground in a real browser. `playground.mjs dev URL` tests a gateway with demo identities.
// `playground.mjs serve URL TOKEN` tests a gateway without them and with introspection disabled.
import assert from 'node:assert/strict';
import { eventually, launch, openPage, step } from './browser.mjs';
import {
  testAxeDark,
  testAxeForcedColors,
  testAxeLight,
  testForcedColors,
  testUncoveredFooter,
} from './checks/accessibility.mjs';
import { testKeyboardOnly } from './checks/keyboard.mjs';
import { testKeyboardSession } from './checks/keyboard-session.mjs';
import { testNarrowWindow, testWidths } from './checks/layout.mjs';
import { testCutLiveOperation, testLiveOperation, testNewTabWhileLive, testResumedLiveOperation } from './checks/live.mjs';
import { testColdLoad, testPaneUnavailable } from './checks/loading.mjs';
import { testPathPrefix, testUnreachableGateway } from './checks/network.mjs';
import { testCurl, testLink } from './checks/sharing.mjs';
import {
  testBrokenScript,
  testFormBeforeGraphiQL,
  testGraphiQLUnavailable,
  testWithoutScripts,
} from './checks/starter.mjs';
import {
  testExamplesHaveNoFaults,
  testIdentityOfTab,
  testRepeatedExamples,
  testReorderedTabs,
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
  waitForIdentities,
  waitForLine,
  waitForResponse,
  waitForTypeDescription,
} from './graphiql.mjs';

const [mode, url, token] = process.argv.slice(2);
const { origin } = new URL(url);

/** The same operation has different responses for different demo identities. */
async function testDevMode(page, context, problems) {
  await visit(page, url);
  await waitForIdentities(page);
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
  await eventually(async () => assert.equal(await page.locator('.error-code').count(), 0));

  // An anonymous request has no token.
  const response = await waitForResponse(page, () => selectIdentity(page, 'anonymous'));
  assert.equal(await response.request().headerValue('authorization'), null);
  await responseInfo(page).getByText('UNAUTHENTICATED').waitFor();

  for (const check of [testExamples, testDocumentation, testKeyboard, testTokenRenewal, testReload]) {
    await step(browser, check.name, () => check(page, { context, problems }));
  }
}

/** Examples get variables from the demo data, and headers. A mutation sent twice with one key runs once. */
async function testExamples(page) {
  await page.getByRole('button', { name: /^Nodes as bob/ }).click();
  await editor(page, 'Variables').getByText(/ten_[0-9a-f]{24}/).waitFor();
  await page.getByRole('radio', { name: 'bob', checked: true }).waitFor();
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
  await page.getByRole('radio', { name: 'bob', checked: true }).waitFor();
  await editor(page, 'Operation').getByRole('textbox').focus();
  await waitForResponse(page, () => page.keyboard.press('Control+Enter'));
  await waitForLine(page, '"name": "Bob"');
  // Completion suggests fields of the schema.
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.getByRole('tab', { name: '<untitled>' }).waitFor();
  await editor(page, 'Operation').getByRole('textbox').focus();
  await page.keyboard.type('{ tena');
  await waitForSuggestion(page, 'tenants');
  await page.keyboard.press('Escape');
}

/**
 * Asks for completion until it suggests this text. The editor suggests nothing to a request that precedes
 * the schema, and does not ask again by itself.
 */
async function waitForSuggestion(page, text) {
  const suggestion = page.locator('.suggest-widget').getByText(text).first();
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (await suggestion.waitFor({ timeout: 6_000 }).then(() => true, () => false)) return;
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Space');
  }
  await suggestion.waitFor();
}

/** The page renews a token that the gateway rejects, and one that expires soon. */
async function testTokenRenewal(page, { problems }) {
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
  await takeRejection(problems);

  // Half a minute before its expiry, a token is renewed before the request is sent.
  await page.clock.setFixedTime(Date.now() + 59.5 * 60_000);
  const earlyRenewal = page.waitForResponse('**/dev/identities');
  const response = await runOperation(page);
  const { token: renewedToken } = (await (await earlyRenewal).json()).find(({ name }) => name === 'ada');
  assert.equal(await response.request().headerValue('authorization'), `Bearer ${renewedToken}`);
}

/** Removes the line that the browser has logged for a rejected request. It logs nothing else. */
async function takeRejection(problems) {
  await eventually(() => assert.match(problems.join('\n'), /^console: .* 401 \(Unauthorized\)$/));
  problems.length = 0;
}

/** A reload keeps the selected identity. No token is stored. */
async function testReload(page, { context }) {
  await selectIdentity(page, 'mallory');
  await page.reload();
  await page.getByRole('radio', { name: 'mallory', checked: true }).waitFor();
  const stored = JSON.stringify(await context.storageState());
  assert.match(stored, /tenantry:identity/);
  assert.doesNotMatch(stored, /eyJ/);
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

  // A live operation runs with the pasted token.
  await openTab(page, 'MeChanged');
  await clickExecute(page);
  await responseInfo(page).getByText('Live', { exact: true }).waitFor();
  await responseInfo(page).getByRole('button', { name: 'Stop' }).click();
  await responseInfo(page).getByText('Ended', { exact: true }).waitFor();
  await openTab(page, 'Me');

  // An Authorization header in the Headers editor has precedence over the pasted token.
  await page.getByRole('button', { name: 'Headers' }).click();
  await page.getByRole('textbox', { name: 'Headers' }).focus();
  await page.keyboard.insertText(`{ "Authorization": "Bearer ${token}x" }`);
  const rejected = await runOperation(page);
  assert.equal(rejected.status(), 401);
  await responseInfo(page).getByText('Identity: Authorization header').waitFor();
  await takeRejection(problems);

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
  testPathPrefix,
  testUnreachableGateway,
  testFormBeforeGraphiQL,
  testGraphiQLUnavailable,
  testBrokenScript,
  testWithoutScripts,
  testIdentityOfTab,
  testRepeatedExamples,
  testStatusLine,
  testReorderedTabs,
  testExamplesHaveNoFaults,
  testLiveOperation,
  testNewTabWhileLive,
  testCutLiveOperation,
  testResumedLiveOperation,
  testKeyboardOnly,
  testKeyboardSession,
  testNarrowWindow,
  testWidths,
  testColdLoad,
  testPaneUnavailable,
  testLink,
  testCurl,
  testAxeLight,
  testAxeDark,
  testAxeForcedColors,
  testForcedColors,
  testUncoveredFooter,
];

const browser = await launch();
try {
  const { page, context, problems } = await openPage(browser, origin);
  const testMode = mode === 'dev' ? testDevMode : testServeMode;
  await step(browser, testMode.name, () => testMode(page, context, problems));
  assert.deepEqual(problems, []);
  await context.close();
  const checks = mode === 'dev' ? DEV_CHECKS : [];
  for (const check of checks) await step(browser, check.name, () => check(browser, url));
} finally {
  await browser.close();
}
