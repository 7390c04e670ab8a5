// The page under axe-core, and with forced colours.
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { openPage } from '../browser.mjs';
import { openTab, runOperation, visit, waitForIdentities, waitForTypeDescription } from '../graphiql.mjs';

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
  await page.locator('.graphiql-spinner').waitFor({ state: 'detached' });
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
  ['a narrow window', (page) => page.setViewportSize({ width: 375, height: 720 })],
];

/** No state has a violation that is not known, neither with light nor with dark colours. */
export async function testAxe(browser, url) {
  const violations = {};
  for (const colorScheme of ['light', 'dark']) {
    const { page, context } = await openPage(browser, new URL(url).origin, { colorScheme });
    for (const [name, perform] of STATES) {
      await perform(page, url);
      const found = await findViolations(page);
      if (found.length > 0) violations[`${name}, ${colorScheme}`] = found;
    }
    await context.close();
  }
  assert.deepEqual(violations, {});
}

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
  await context.close();
}
