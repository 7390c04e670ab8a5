// A complete session with the keyboard alone. Its record is in `keyboard-session.txt`. After a wanted change of the
// playground, `WRITE_RECORD=1` writes it again.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { eventually, openPage } from '../browser.mjs';
import { responseInfo, visit, waitForIdentities } from '../graphiql.mjs';

const RECORD = new URL('../keyboard-session.txt', import.meta.url);
const MAX_TABS = 120;

class KeyboardUser {
  record = [];

  constructor(page) {
    this.page = page;
  }

  /** Returns role and name of the focused element, and asserts that a control is marked while it has the focus. */
  async focused() {
    const { role, name, isMarked } = await this.page.evaluate(() => {
      const element = document.activeElement;
      const { tagName, type, labels } = element;
      const roles = { A: 'link', BUTTON: 'button', TEXTAREA: 'editor', BODY: 'page' };
      const role = roles[tagName] ?? (type === 'radio' ? 'radio' : tagName.toLowerCase());
      const text = labels?.[0]?.lastChild?.textContent ?? element.innerText?.split('\n').slice(0, 2).join(' ');
      const isMarked = [element, element.closest('label, [role=tab]')].some((part) => {
        const { outlineStyle, boxShadow } = part ? getComputedStyle(part) : {};
        return part && (outlineStyle !== 'none' || boxShadow !== 'none');
      });
      return { role, name: element.getAttribute('aria-label') ?? text ?? '', isMarked };
    });
    if (['link', 'button', 'radio'].includes(role)) assert.ok(isMarked, `no focus ring: ${role} "${name}"`);
    return `${role} "${name.trim()}"`;
  }

  /** Presses a key until an element whose description starts with this text has the focus. */
  async move(key, wanted) {
    const passed = [];
    for (let presses = 1; presses <= MAX_TABS; presses += 1) {
      await this.page.keyboard.press(key);
      const element = await this.focused();
      // The number of presses depends on the length of the lists on the way.
      if (element.startsWith(wanted)) return this.record.push(`${key}${presses === 1 ? '' : ' …'} → ${element}`);
      passed.push(element);
    }
    throw new Error(`${wanted} cannot be reached with ${key}:\n${passed.join('\n')}`);
  }

  async press(key) {
    await this.page.keyboard.press(key);
    this.record.push(key);
  }

  /** Replaces the text of the focused editor. */
  async paste(text) {
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(text);
    this.record.push(`Control+A, paste "${text}"`);
  }

  async arrives(wanted) {
    await eventually(async () => assert.ok((await this.focused()).startsWith(wanted), await this.focused()));
    this.record.push(`        the focus is on ${await this.focused()}`);
  }

  async reads(text) {
    await responseInfo(this.page).getByText(text, { exact: true }).waitFor();
    this.record.push(`        the line below the response says "${text}"`);
  }
}

/** All that a user does works without a mouse. */
export async function testKeyboardSession(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await visit(page, url);
  await waitForIdentities(page);
  const user = new KeyboardUser(page);
  await user.move('Tab', 'button "Skip to the operation"');
  await user.press('Enter');
  await user.arrives('editor "Operation.');
  await user.paste('query Mine { me { name } }');
  await user.press('Control+Enter');
  await user.reads('bob');
  await user.reads('200 OK');
  await user.press('Control+m');
  await user.move('Tab', 'button "Execute query');
  await user.move('Tab', 'button "Copy link"');
  await user.press('Enter');
  await page.getByText('Copied', { exact: true }).waitFor();
  user.record.push('        the button says "Copied"');
  await user.move('Shift+Tab', 'radio "bob"');
  await user.press('ArrowRight');
  await user.reads('carol');
  await user.reads('200 OK');
  await user.move('Tab', 'button "Billing');
  await user.press('Enter');
  await user.press('Control+Enter');
  await user.reads('FORBIDDEN');
  await user.move('Tab', 'button "TenantChanged as carol');
  await user.press('Enter');
  await page.locator('.graphiql-editor-tool .graphiql-editor').first().getByText(/ten_/).waitFor();
  await user.press('Control+Enter');
  await user.reads('Live');
  await user.move('Tab', 'button "Stop"');
  await user.press('Enter');
  await user.reads('Ended');

  const record = `${user.record.join('\n')}\n`;
  if (process.env.WRITE_RECORD) await writeFile(RECORD, record);
  assert.equal(record, await readFile(RECORD, 'utf8'));
  assert.deepEqual(problems, []);
  await context.close();
}
