// The page under axe-core, and with forced colours.
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { eventually, openPage } from '../browser.mjs';
import {
  clickExecute,
  editor,
  openTab,
  responseInfo,
  runOperation,
  visit,
  waitForIdentities,
  waitForTypeDescription,
} from '../graphiql.mjs';

/** Violations of GraphiQL that the playground cannot mend, each with the issue of its project. */
const KNOWN = [
  // https://github.com/graphql/graphiql/issues/3422: the close button is part of its tab.
  { rule: 'nested-interactive', element: /\.graphiql-tab|li:nth-child/ },
  // https://github.com/graphql/graphiql/issues/3422: each entry of the history is called "Set active".
  { rule: 'label-content-name-mismatch', element: /\.graphiql-history-item-label/ },
  // https://github.com/OneGraph/graphiql-explorer/issues/97: the fields of the operation builder.
  { rule: 'label', element: /input\[type="text"\]/ },
  { rule: 'select-name', element: /select/ },
];

const isKnown = ({ id, target }) => KNOWN.some(({ rule, element }) => rule === id && element.test(target));

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Returns the violations as `rule element`, without those that are known. */
async function findViolations(page) {
  await settle(page);
  await page.evaluate(axe.source);
  const found = await page.evaluate(async (runOnly) => {
    const { violations } = await globalThis.axe.run(document, { runOnly });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => ({ id, target: target.join(' ') })));
  }, TAGS);
  return found.filter((violation) => !isKnown(violation)).map(({ id, target }) => `${id} ${target}`);
}

/** Waits until nothing moves on the page, and no tooltip is on it. */
async function settle(page) {
  await page.mouse.move(0, 0);
  await page.getByRole('tooltip').waitFor({ state: 'detached' });
  await page.locator('.graphiql-spinner').waitFor({ state: 'hidden' });
  await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== 'running'));
}

/** The states of the page, each with the steps to it from the one before. */
const STATES = [
  ['the form', async (page, url) => {
    await page.route('**/playground/workbench-*.js', (route) => route.abort());
    await page.goto(url);
    await page.getByText('The editor could not be loaded.').waitFor();
    await page.unroute('**/playground/workbench-*.js');
    await waitForIdentities(page);
  }],
  ['an answer', async (page, url) => {
    await visit(page, url);
    await waitForIdentities(page);
    await runOperation(page);
  }],
  ['an error', async (page) => {
    await openTab(page, 'Billing');
    await runOperation(page);
  }],
  ['the documentation', async (page) => {
    await page.getByRole('button', { name: 'Show Documentation' }).click();
    await page.getByRole('link', { name: 'Query', exact: true }).click();
    await waitForTypeDescription(page, 'Query');
  }],
  ['the operation builder', async (page) => {
    await page.getByRole('button', { name: 'Show Operation builder' }).click();
    await page.locator('.graphiql-explorer-root').waitFor();
  }],
  ['the history', async (page) => {
    await page.getByRole('button', { name: 'Show History' }).click();
    await page.locator('.graphiql-history-item').first().waitFor();
  }],
  ['a live operation', async (page) => {
    await openTab(page, 'TenantChanged');
    await editor(page, 'Variables').getByText(/ten_/).waitFor();
    await clickExecute(page);
    await responseInfo(page).getByText('Live', { exact: true }).waitFor();
  }],
  ['a change in another tab', async (page) => {
    await openTab(page, 'Update');
    await editor(page, 'Variables').getByText('"version"').waitFor();
    await runOperation(page);
    await page.locator('.tab-live[data-unseen]').waitFor();
  }],
  ['the settings', async (page) => {
    await page.getByRole('button', { name: 'Open settings dialog' }).click();
    await page.getByRole('dialog').waitFor();
  }],
  ['a narrow window', async (page) => {
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.setViewportSize({ width: 375, height: 720 });
  }],
  ['a narrow window with the examples', async (page) => {
    await page.getByRole('button', { name: 'Show Examples' }).click();
    await page.locator('button.example').first().waitFor();
  }],
];

/** Asserts that no state has a violation that is not known. */
async function checkStates(browser, url, options) {
  const violations = {};
  const { page, context } = await openPage(browser, new URL(url).origin, options);
  for (const [name, perform] of STATES) {
    await perform(page, url);
    const found = await findViolations(page);
    if (found.length > 0) violations[name] = found;
  }
  await context.close();
  assert.deepEqual(violations, {});
}

export const testAxeLight = (browser, url) => checkStates(browser, url, { colorScheme: 'light' });
export const testAxeDark = (browser, url) => checkStates(browser, url, { colorScheme: 'dark' });
export const testAxeForcedColors = (browser, url) => checkStates(browser, url, { forcedColors: 'active' });

/** With forced colours, the Run button and the selected identity differ from their surroundings. */
export async function testForcedColors(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin, { forcedColors: 'active' });
  await visit(page, url);
  await waitForIdentities(page);
  await settle(page);
  const run = page.locator('.graphiql-execute-button');
  const [border, icon, background] = await run.evaluate((button) => [
    getComputedStyle(button).borderTopColor,
    getComputedStyle(button.querySelector('svg')).color,
    getComputedStyle(button).backgroundColor,
  ]);
  assert.notEqual(border, background);
  assert.notEqual(icon, background);
  const borders = await page.locator('.identity-option').evaluateAll((options) =>
    options.map((option) => getComputedStyle(option).borderTopColor),
  );
  assert.equal(new Set(borders).size, 2);
  const icons = await page.locator('main button svg').evaluateAll((list) =>
    list.map((icon) => [getComputedStyle(icon).color, getComputedStyle(icon.closest('button')).color]),
  );
  assert.deepEqual(icons.filter(([color, expected]) => color !== expected), []);
  await context.close();
}

/** Nothing covers the text below the editors, also if the system begins to force colours while the page is open. */
export async function testUncoveredFooter(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin, { viewport: { width: 1280, height: 800 } });
  await visit(page, url);
  await page.getByRole('button', { name: 'Hide Examples' }).click();
  await openTab(page, 'Search');
  await runOperation(page);
  await page.emulateMedia({ forcedColors: 'active' });
  await page.locator('.monaco-editor.hc-light').first().waitFor();
  await eventually(async () => assert.deepEqual(await page.evaluate(findCoveredText), []));
  await context.close();
}

/** Returns the texts below the editors whose first letter another element covers. */
function findCoveredText() {
  const parts = [...document.querySelectorAll('.response-info span, .keyboard-hint, .graphiql-editor-tools button')];
  return parts.filter((part) => {
    const { left, top } = part.getClientRects()[0];
    const offset = Math.min(parseFloat(getComputedStyle(part).paddingLeft), 10) + 3;
    return !part.contains(document.elementFromPoint(left + offset, top + 8));
  }).map(({ textContent }) => textContent);
}
