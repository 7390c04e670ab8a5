// The page by keyboard alone.
import assert from 'node:assert/strict';
import { eventually, openPage } from '../browser.mjs';
import { editor, visit, waitForLine, waitForResponse } from '../graphiql.mjs';

const isFocused = (page, expected) =>
  eventually(async () => assert.match(await focusedElement(page), expected));

const focusedElement = (page) =>
  page.evaluate(() => {
    const { activeElement } = document;
    return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
  });

export async function testKeyboardOnly(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin);
  await visit(page, url);
  // The first element is a link to the operation.
  await page.keyboard.press('Tab');
  await isFocused(page, /^Skip to the operation$/);
  assert.ok(await page.getByRole('button', { name: 'Skip to the operation' }).isVisible());
  await page.keyboard.press('Enter');
  await isFocused(page, /^Operation\. Press Ctrl-M, then Tab/);
  // The editor keeps Tab until the user asks otherwise, as the page says.
  await page.getByText('press Ctrl-M, then Tab to leave it').waitFor();
  await page.keyboard.press('Control+m');
  await page.keyboard.press('Tab');
  await isFocused(page, /^(?!Operation)/);

  // The shortcut works outside of the editors, for example on an identity.
  await page.getByRole('radio', { name: 'bob' }).focus();
  await waitForResponse(page, () => page.keyboard.press('Control+Enter'));
  await waitForLine(page, '"name": "Bob"');

  // A new tab has the focus, so that its operation can be typed at once.
  await page.getByRole('button', { name: 'New tab' }).press('Enter');
  await isFocused(page, /^Operation\./);
  await page.keyboard.insertText('query Typed { me { name } }');
  await editor(page, 'Operation').getByText('Typed', { exact: true }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
}
