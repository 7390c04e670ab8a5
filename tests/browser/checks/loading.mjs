// The size of the page at its first visit, and the parts that are loaded later.
import assert from 'node:assert/strict';
import { openPage } from '../browser.mjs';
import { visit, waitForEditor, waitForIdentities } from '../graphiql.mjs';

/** The maximum number of bytes that the page loads before the Run button works, and before the editor works. */
const MAX_BYTES = { run: 160_000, editor: 950_000 };

/** The page loads the code and fonts of closed panes and of rare icons only if they are needed. */
export async function testColdLoad(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  const files = new Map();
  page.on('requestfinished', async (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === 'GET') files.set(pathname, (await request.sizes()).responseBodySize);
  });
  const countBytes = () => [...files.values()].reduce((sum, size) => sum + size, 0);
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });
  const html = await (await fetch(url)).text();
  await page.route('**/playground/*.{js,css}', async (route) => {
    if (!html.includes(route.request().url().split('/').at(-1))) await released;
    await route.continue();
  });
  await page.goto(url);
  await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
  await waitForIdentities(page);
  assert.ok(countBytes() <= MAX_BYTES.run, `${countBytes()} bytes: ${JSON.stringify([...files])}`);
  release();
  await waitForEditor(page);
  assert.ok(countBytes() <= MAX_BYTES.editor, `${countBytes()} bytes: ${JSON.stringify([...files])}`);
  assert.deepEqual([...files.keys()].filter((name) => /doc-explorer|prettier|codicon/.test(name)), []);
  await context.close();
}

/** A pane that cannot be loaded says so. The rest of the page keeps working. */
export async function testPaneUnavailable(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  await page.route('**/playground/doc-explorer-*.js', (route) => route.abort());
  await visit(page, url);
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByText('This pane could not be loaded.').waitFor();
  await page.unroute('**/playground/doc-explorer-*.js');
  await page.getByRole('main').getByRole('button', { name: 'Reload', exact: true }).click();
  await page.getByText('Root Types').waitFor();
  await context.close();
}
