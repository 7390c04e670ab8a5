// Tabs: the identity, the variables and the status line of each.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { eventually, openPage } from '../browser.mjs';
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
} from '../graphiql.mjs';

const EXAMPLES = JSON.parse(readFileSync(new URL('../../../playground/examples/index.json', import.meta.url), 'utf8'));

const isSelected = (page, name) => page.getByRole('radio', { name, checked: true }).waitFor();

/** A tab has the identity of its example, or the one that the user has selected in it. */
export async function testIdentityOfTab(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  await isSelected(page, 'bob');
  await runOperation(page);
  await waitForLine(page, '"name": "Bob"');
  await openTab(page, 'Billing');
  await isSelected(page, 'carol');
  await selectIdentity(page, 'ada');
  await openTab(page, 'Hidden');
  await isSelected(page, 'mallory');
  await openTab(page, 'Billing');
  await isSelected(page, 'ada');
  assert.deepEqual(problems, []);
  await context.close();
}

/** An example can be run again after its tab was left, and after it has changed the demo data. */
export async function testRepeatedExamples(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  await openTab(page, 'IdempotencyKey');
  await editor(page, 'Variables').getByText(/"demo-/).waitFor();
  const created = async () => (await (await runOperation(page)).json()).data.createTenant.tenant.id;
  const first = await created();
  await openTab(page, 'Me');
  await openTab(page, 'IdempotencyKey');
  assert.equal(await created(), first);

  await openTab(page, 'Update');
  await editor(page, 'Variables').getByText('"version"').waitFor();
  const versions = [];
  for (let attempt = 0; attempt < 2; attempt += 1) {
    // The variables get the new version after each update.
    const refreshed = page.waitForRequest((request) => /query PlaceholderValues/.test(request.postData() ?? ''));
    const body = await (await runOperation(page)).json();
    assert.equal(body.errors, undefined);
    versions.push(body.data.updateTenant.tenant.version);
    await (await refreshed).response();
    const line = editor(page, 'Variables').locator('.view-line');
    await line.filter({ hasText: `"version": ${versions.at(-1)}` }).waitFor();
  }
  assert.equal(versions[1], versions[0] + 1);

  // Each run is a change, so that a live operation reports it.
  await page.getByRole('button', { name: /^CancelSubscription as ada/ }).click();
  const values = [];
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const line = editor(page, 'Variables').locator('.view-line');
    await line.filter({ hasText: `"cancelAtPeriodEnd": ${values.length ? !values[0] : ''}` }).waitFor();
    const body = await (await runOperation(page)).json();
    values.push(body.data.updateSubscription.subscription.cancelAtPeriodEnd);
  }
  assert.notEqual(values[0], values[1]);
  assert.deepEqual(problems, []);
  await context.close();
}

/** The mouse moves tabs to another place. Each button with an icon has a readable title. */
export async function testReorderedTabs(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  const names = () => page.locator('.graphiql-tab-button').allTextContents();
  const [first, second, third] = await names();
  const center = async (name) => {
    const { x, y, width, height } = await page.locator('.graphiql-tab', { hasText: name }).first().boundingBox();
    return [x + width / 2, y + height / 2];
  };
  await page.mouse.move(...(await center(first)));
  await page.mouse.down();
  const [x, y] = await center(second);
  await page.mouse.move(x + 5, y, { steps: 10 });
  await page.mouse.up();
  await eventually(async () => assert.deepEqual((await names()).slice(0, 3), [second, first, third]));
  // The tab that was dragged is still the active one, and the mouse no longer drags it.
  await page.locator('.graphiql-tab-active', { hasText: first }).waitFor();
  await page.mouse.move(...(await center(third)), { steps: 5 });
  assert.deepEqual((await names()).slice(0, 3), [second, first, third]);
  const titles = await page.locator('.graphiql-container button svg title').allTextContents();
  assert.ok(titles.includes('close icon') && titles.every((title) => /^[a-z ]+ icon$/.test(title)), String(titles));
  assert.deepEqual(titles.filter((title) => /^\w{1,3} icon$/.test(title)), []);
  assert.deepEqual(problems, []);
  await context.close();
}

/** The status line belongs to the response above it, also if a request fails or is not sent. */
export async function testStatusLine(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  const response = await runOperation(page);
  const requestId = response.headers()['x-request-id'];
  await page.route('**/graphql', (route) => route.abort());
  await clickExecute(page);
  await waitForLine(page, 'The gateway is unreachable.');
  await responseInfo(page).getByText('No response').waitFor();
  assert.equal(await page.getByText(requestId).count(), 0);
  await page.unroute('**/graphql');

  await runOperation(page);
  await page.getByRole('textbox', { name: 'Variables' }).focus();
  await page.keyboard.insertText('no JSON');
  await clickExecute(page);
  await responseInfo(page).getByText('No request was sent.').waitFor();
  assert.equal(await page.locator('.request-id').count(), 0);
  // Another tab has no response yet.
  await openTab(page, 'Hidden');
  await responseInfo(page).getByText('No response yet.').waitFor();
  await waitForResponse(page, () => clickExecute(page));
  await context.close();
}

/** The editor marks no fault in the variables of any example. */
export async function testExamplesHaveNoFaults(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  for (const { name, variables } of EXAMPLES) {
    if (!variables) continue;
    await page.getByRole('button', { name: new RegExp(`^${name} as `) }).click();
    await editor(page, 'Operation').getByText(name, { exact: true }).first().waitFor();
    await editor(page, 'Variables').getByText(`"${Object.keys(variables)[0]}"`).waitFor();
    await page.waitForFunction(hasSchemaOfVariables, variableTypes(name));
    assert.deepEqual(await askForFaultsInVariables(page), [], name);
  }
  await context.close();
}

/** Returns the name and the type of each variable of an example. */
function variableTypes(example) {
  const file = new URL(`../../../playground/examples/${example}.graphql`, import.meta.url);
  const declarations = readFileSync(file, 'utf8').matchAll(/\$(\w+): ([\w[\]!]+)/g);
  return [...declarations].map(([, variable, type]) => [variable, type]);
}

/** Returns whether the editor has the schema of variables with these types. */
function hasSchemaOfVariables(types) {
  const [{ schema } = {}] = globalThis.__MONACO.languages.json.jsonDefaults.diagnosticsOptions.schemas ?? [];
  return types.every(([name, type]) => schema?.properties[name]?.description.includes(type));
}

/** Asks the editor's worker for the faults, instead of waiting until they are drawn. */
function askForFaultsInVariables(page) {
  return eventually(async () => {
    const faults = await page.evaluate(findFaultsInVariables);
    assert.ok(faults, 'the worker of the editor does not answer');
    return faults;
  });
}

/**
 * Returns null after some time. The editor replaces its worker when it gets a schema, and the old one never answers.
 */
async function findFaultsInVariables() {
  const { editor: { getModels }, languages } = globalThis.__MONACO;
  const { uri } = getModels().find((model) => model.uri.path.endsWith('variables.json'));
  const ask = async () => {
    const worker = await (await languages.json.getWorker())(uri);
    return (await worker.doValidation(uri.toString())).map(({ message }) => message);
  };
  return Promise.race([ask().catch(() => null), new Promise((resolve) => setTimeout(resolve, 5_000, null))]);
}
