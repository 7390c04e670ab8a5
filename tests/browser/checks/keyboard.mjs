// The page by keyboard alone.
import assert from 'node:assert/strict';
import { eventually, openPage } from '../browser.mjs';
import { editor, runOperation, selectIdentity, visit, waitForLine, waitForResponse } from '../graphiql.mjs';

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
  assert.deepEqual(problems, []);
  await context.close();
}

/** In a narrow window, the list of examples closes after a choice, and nothing is wider than the window. */
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
    const { top, bottom } = await page.locator('.graphiql-response').evaluate((part) => part.getBoundingClientRect());
    assert.ok(top >= 0 && bottom <= 720, `the response is at ${top} to ${bottom}`);
  });
  for (const width of [320, 375, 768, 1024, 1440]) {
    await page.setViewportSize({ width, height: 720 });
    // The editors follow the size of the window a moment later.
    await eventually(async () => {
      const widths = await page.evaluate(() => [window.innerWidth, document.documentElement.scrollWidth]);
      assert.deepEqual(widths, [width, width]);
    });
  }
  assert.deepEqual(problems, []);
  await context.close();
}
