// The form that the page shows while GraphiQL is loading, and pages whose scripts fail.
import assert from 'node:assert/strict';
import { openPage } from '../browser.mjs';
import { editor, responseInfo, waitForLine } from '../graphiql.mjs';

const WORKBENCH = '**/playground/workbench-*.js';

const runButton = (page) => page.getByRole('button', { name: 'Run', exact: true });
const operation = (page) => page.getByRole('textbox', { name: 'Operation' });

/** An operation can be edited and run before GraphiQL is loaded, and GraphiQL shows both. */
export async function testFormBeforeGraphiQL(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });
  await page.route(WORKBENCH, async (route) => {
    await released;
    await route.continue();
  });
  await page.goto(url);
  await page.getByRole('radio', { name: 'bob', checked: true }).waitFor();
  await operation(page).fill('query Edited { me { name } }');
  await operation(page).press('Control+Enter');
  await page.locator('.starter-response').getByText('"name": "Bob"').waitFor();
  await responseInfo(page).getByText('200 OK').waitFor();
  release();
  await editor(page, 'Operation').getByText('Edited').waitFor();
  await waitForLine(page, '"name": "Bob"');
  await responseInfo(page).getByText('200 OK').waitFor();
  // The focus stays in the operation, and the cursor in its place.
  await page.waitForFunction(() => document.activeElement?.matches('.graphiql-query-editor .inputarea'));
  await page.keyboard.type('# end');
  await editor(page, 'Operation').getByText('# end').waitFor();
  assert.equal(await page.getByRole('tab', { name: 'Edited' }).count(), 1);
  // The page stores the last key press, even if it is left at once.
  await page.reload();
  await editor(page, 'Operation').getByText('# end').waitFor();
  assert.deepEqual(problems, []);
  await context.close();
}

/** The form stays usable if GraphiQL cannot be loaded. */
export async function testGraphiQLUnavailable(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  await page.route(WORKBENCH, (route) => route.abort());
  await page.goto(url);
  await page.getByText('The editor could not be loaded.').waitFor();
  await page.getByRole('radio', { name: 'bob', checked: true }).waitFor();
  await runButton(page).click();
  await page.locator('.starter-response').getByText('"name": "Bob"').waitFor();
  await context.close();
}

/** A page whose script cannot be loaded, or whose components throw, shows an explanation. */
export async function testBrokenScript(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  await page.route('**/playground/main-*.js', (route) => route.abort());
  await page.goto(url);
  await page.getByText('its script could not be loaded').waitFor();
  await page.unroute('**/playground/main-*.js');

  await page.addInitScript(() => {
    if (sessionStorage.getItem('repaired')) return;
    history.replaceState = () => {
      throw new Error('broken');
    };
  });
  await page.goto(`${url}?query={me{name}}`);
  await page.getByRole('heading', { name: 'The playground has stopped' }).waitFor();
  await page.getByText('It failed with the error broken.').waitFor();
  await page.evaluate(() => sessionStorage.setItem('repaired', 'true'));
  await page.getByRole('button', { name: 'Reload without the stored tabs' }).click();
  await editor(page, 'Operation').getByText('me', { exact: true }).first().waitFor();
  await context.close();
}

/** Puts the page into a frame that runs no scripts. Chromium hides `noscript` if only a debugger disables them. */
export async function showWithoutScripts(page, url) {
  const html = await (await fetch(url)).text();
  await page.setContent('<iframe sandbox width="600" height="200" style="border: 0"></iframe>');
  await page.locator('iframe').evaluate((frame, text) => {
    frame.srcdoc = text;
  }, html);
  const frame = page.frameLocator('iframe');
  await frame.locator('noscript').waitFor();
  return frame;
}

/** A page without scripts says that it needs them. */
export async function testWithoutScripts(browser, url) {
  const page = await browser.newPage();
  const frame = await showWithoutScripts(page, url);
  assert.match(await frame.locator('noscript').innerText(), /^\s*The playground requires JavaScript\./);
  await page.close();
}
