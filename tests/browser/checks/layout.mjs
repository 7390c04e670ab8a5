// The layout of the page in windows of different widths.
import assert from 'node:assert/strict';
import { eventually, openPage } from '../browser.mjs';
import { editor, openTab, runOperation, selectIdentity, visit, waitForIdentities, waitForTypeDescription } from '../graphiql.mjs';

const WIDTHS = [320, 375, 768, 1024, 1280];

/** The states of the page, each with the steps to it from the one before. */
const STATES = [
  ['the form', async (page, url) => {
    await page.route('**/playground/workbench-*.js', (route) => route.abort());
    await page.goto(url);
    await page.getByText('The editor could not be loaded.').waitFor();
    await page.unroute('**/playground/workbench-*.js');
  }],
  ['the examples', async (page, url) => {
    await visit(page, url);
    await waitForIdentities(page);
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
  ['no pane', (page) => page.getByRole('button', { name: 'Hide Documentation' }).click()],
];

/** Returns the parts whose content is wider than they are. The list of tabs scrolls, and long words are cut. */
const findWideParts = (page) =>
  page.evaluate(() =>
    ['html', '.top-bar', '.starter', '.graphiql-main', '.graphiql-plugin', '.examples', '.graphiql-response']
      .flatMap((selector) => [...document.querySelectorAll(selector)].map((part) => [selector, part]))
      .filter(([, { scrollWidth, clientWidth }]) => scrollWidth > clientWidth)
      .map(([selector, { scrollWidth, clientWidth }]) => `${selector}: ${scrollWidth} in ${clientWidth}`),
  );

/** No part of the page is wider than its place, and the page has no horizontal scrollbar. */
export async function testWidths(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  for (const [name, perform] of STATES) {
    await page.setViewportSize({ width: 1280, height: 720 });
    await perform(page, url);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 720 });
      // The editors follow the size of the window a moment later.
      await eventually(async () => {
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, name);
        assert.deepEqual(await findWideParts(page), [], `${name}, ${width}`);
      });
    }
  }
  await context.close();
}

const boxOf = (locator) => locator.evaluate((element) => element.getBoundingClientRect().toJSON());

/** In a narrow window, the list of examples closes after a choice, and the response comes into view. */
export async function testNarrowWindow(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin, {
    viewport: { width: 375, height: 720 },
  });
  await visit(page, url);
  await page.getByRole('button', { name: 'Show Examples' }).click();
  await page.getByRole('button', { name: /^Billing as carol/ }).click();
  await page.locator('button.example').first().waitFor({ state: 'detached' });
  await editor(page, 'Operation').getByText('Billing', { exact: true }).waitFor();
  await selectIdentity(page, 'carol');
  // The response is below the operation. It becomes visible as soon as it arrives.
  await runOperation(page);
  await eventually(async () => {
    const { top, bottom } = await boxOf(page.locator('.graphiql-response'));
    assert.ok(top >= 0 && bottom <= 720, `the response is at ${top} to ${bottom}`);
  });
  // The text of the operation has moved together with its frame.
  const [frame, text] = await Promise.all(
    ['.graphiql-query-editor', '.graphiql-query-editor .overflow-guard'].map((selector) => boxOf(page.locator(selector))),
  );
  assert.ok(text.top >= frame.top && text.top < frame.top + 24, `the text is at ${text.top}, its frame at ${frame.top}`);

  // By keyboard, the focus moves from the closed list to the Run button.
  await page.getByRole('button', { name: 'Show Examples' }).click();
  await page.getByRole('button', { name: /^Hidden as mallory/ }).press('Enter');
  await page.waitForFunction(() => document.activeElement?.matches('.graphiql-execute-button'));
  await editor(page, 'Operation').getByText('Hidden', { exact: true }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
}
