// Live operations: events, tabs that run in the background, and the ends of an operation.
import assert from 'node:assert/strict';
import { eventually, openPage } from '../browser.mjs';
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
} from '../graphiql.mjs';
import { startProxy } from '../proxy.mjs';

/** Sends an operation as another client. Returns its data. */
async function sendAs(url, identity, query, variables) {
  const identities = await (await fetch(new URL('dev/identities', url))).json();
  const { token } = identities.find(({ name }) => name === identity);
  const response = await fetch(new URL('graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

const TENANT = 'query($slug: String!) { tenant(slug: $slug) { id } }';
const RENAME = 'mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { name } } }';

const idOfTenant = async (url, slug) => (await sendAs(url, 'ada', TENANT, { slug })).tenant.id;
const renameTenant = (url, id, name) => sendAs(url, 'ada', RENAME, { input: { id, name } });

async function startLive(page) {
  await clickExecute(page);
  await waitForStatus(page, 'Live');
}

const waitForStatus = (page, status) => responseInfo(page).getByText(status, { exact: true }).waitFor();
const hasRunningTabs = (page, names) =>
  eventually(async () =>
    assert.deepEqual(await page.locator('.graphiql-tab-button.tab-live').allTextContents(), names),
  );

/** An event of another client arrives, also while another tab is active, until the user stops the operation. */
export async function testLiveOperation(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  await waitForIdentities(page);
  await openTab(page, 'TenantChanged');
  await editor(page, 'Variables').getByText(/ten_/).waitFor();
  await startLive(page);
  await responseInfo(page).getByText('Identity: carol').waitFor();
  await responseInfo(page).getByText('Waiting for changes').waitFor();
  await hasRunningTabs(page, ['TenantChanged']);

  // The operation continues while another tab is active.
  await openTab(page, 'Update');
  await editor(page, 'Variables').getByText('"version"').waitFor();
  const { domains } = (await (await runOperation(page)).json()).data.updateTenant.tenant;
  await hasRunningTabs(page, ['TenantChanged']);
  await openTab(page, 'TenantChanged');
  await waitForLine(page, domains[1]);
  await waitForStatus(page, 'Live');
  await responseInfo(page).getByText(/^[1-9]\d* responses?$/).waitFor();

  // The change of another client arrives too.
  const acme = await idOfTenant(url, 'acme');
  await renameTenant(url, acme, 'Acme live');
  await waitForLine(page, '"name": "Acme live"');
  await renameTenant(url, acme, 'Acme');
  await waitForLine(page, '"name": "Acme"');

  // Another identity starts again.
  await selectIdentity(page, 'bob');
  await responseInfo(page).getByText('Identity: bob').waitFor();
  await waitForStatus(page, 'Live');

  await responseInfo(page).getByRole('button', { name: 'Stop' }).click();
  await waitForStatus(page, 'Ended');
  await page.getByRole('button', { name: /^Execute query/ }).waitFor();
  await hasRunningTabs(page, []);

  // GraphiQL's own button stops it too.
  await startLive(page);
  await page.getByRole('button', { name: /^Stop query/ }).click();
  await waitForStatus(page, 'Ended');
  assert.deepEqual(problems, []);
  await context.close();
}

/** A new tab does not show the operation of the tab before, whose new responses are counted on its tab. */
export async function testNewTabWhileLive(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  await waitForIdentities(page);
  await page.getByRole('button', { name: /^MeChanged as mallory/ }).click();
  await editor(page, 'Operation').getByText('MeChanged', { exact: true }).waitFor();
  await startLive(page);
  await page.getByRole('button', { name: /^AddRemoveMember as ada/ }).click();
  await editor(page, 'Variables').getByText(/ten_/).first().waitFor();
  await responseInfo(page).getByText('No response yet.').waitFor();
  await runOperation(page);
  await waitForLine(page, '"removeTenantMember"');
  const tab = page.locator('.graphiql-tab-button.tab-live');
  await eventually(async () => assert.match((await tab.getAttribute('data-unseen')) ?? '', /^[12]$/));
  assert.match(await tab.getAttribute('aria-description'), /^A live operation is running, [12] new responses?$/);
  await openTab(page, 'MeChanged');
  await responseInfo(page).getByText(/^Last at \d/).waitFor();
  assert.equal(await tab.getAttribute('data-unseen'), null);
  assert.equal(await tab.getAttribute('aria-description'), 'A live operation is running');
  assert.deepEqual(problems, []);
  await context.close();
}

const ADD = 'mutation($input: AddTenantMemberInput!) { addTenantMember(input: $input) { membership { role } } }';
const REMOVE =
  'mutation($input: RemoveTenantMemberInput!) { removeTenantMember(input: $input) { removedUserId } }';

/** The page explains why the gateway has ended an operation, also in a tab that was not active. */
export async function testCutLiveOperation(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  await waitForIdentities(page);
  const { me } = await sendAs(url, 'carol', '{ me { id } }');
  const membership = { tenantId: await idOfTenant(url, 'globex'), userId: me.id };
  for (const inBackground of [false, true]) {
    await page.getByRole('button', { name: /^SubscriptionChanged as carol/ }).click();
    await editor(page, 'Operation').getByText('SubscriptionChanged', { exact: true }).waitFor();
    await editor(page, 'Variables').getByText(/ten_/).waitFor();
    await startLive(page);
    if (inBackground) await openTab(page, 'Me');
    await sendAs(url, 'ada', REMOVE, { input: membership });
    if (inBackground) {
      await hasRunningTabs(page, []);
      await openTab(page, 'SubscriptionChanged');
    }
    await waitForStatus(page, 'Ended');
    await responseInfo(page).getByText('NOT_FOUND', { exact: true }).waitFor();
    await responseInfo(page).getByText('can no longer see it').waitFor();
    await waitForLine(page, '"code": "NOT_FOUND"');
    await page.getByRole('button', { name: /^Execute query/ }).waitFor();
    await sendAs(url, 'ada', ADD, { input: membership });
  }
  assert.deepEqual(problems, []);
  await context.close();
}

/** After a lost connection, the page resumes with a new token, and misses no change. */
export async function testResumedLiveOperation(browser, url) {
  const proxy = await startProxy(url);
  const { page, context } = await openPage(browser, proxy.origin);
  try {
    await visit(page, `${proxy.origin}/`);
    await waitForIdentities(page);
    await openTab(page, 'TenantChanged');
    await editor(page, 'Variables').getByText(/ten_/).waitFor();
    await startLive(page);
    const acme = await idOfTenant(url, 'acme');
    await renameTenant(url, acme, 'Acme before');
    await waitForLine(page, '"name": "Acme before"');

    // Requests fail until the change is committed. The token of the first connection is about to expire.
    await page.route('**/graphql', (route) => route.abort());
    await page.clock.setFixedTime(Date.now() + 59.5 * 60_000);
    proxy.interruptStreams();
    await waitForStatus(page, 'Reconnecting…');
    await renameTenant(url, acme, 'Acme');
    const renewal = page.waitForResponse('**/dev/identities');
    await page.unroute('**/graphql');
    await renewal;
    await waitForLine(page, '"name": "Acme"');
    await waitForStatus(page, 'Live');
    } finally {
    proxy.close();
  }
  await context.close();
}
