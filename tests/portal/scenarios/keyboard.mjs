// A complete session with the keyboard alone. Its record is in `docs/PORTAL.md`: each key, and the role, name and state that
// Chromium's accessibility tree has for the focused element. After a wanted change of the portal, `WRITE_RECORD=1` writes
// it again.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isolated, newTenant, newUser } from '../scenario.mjs';

const PAGE = new URL('../../../docs/PORTAL.md', import.meta.url);
// The record is the only block of the page.
const BLOCK = /^```text\n[^]*?^```$/m;
const MAX_TABS = 80;
const STATES = ['expanded', 'invalid', 'disabled', 'checked', 'readonly'];

class KeyboardUser {
  static async create(user) {
    const keyboardUser = new KeyboardUser();
    keyboardUser.user = user;
    keyboardUser.page = user.page;
    keyboardUser.record = [];
    keyboardUser.tree = await user.context.newCDPSession(user.page);
    return keyboardUser;
  }

  /** Returns role, name, state and description of the focused element, and asserts that a focused control is marked. */
  async focused() {
    const { result } = await this.tree.send('Runtime.evaluate', { expression: 'document.activeElement' });
    const { nodes } = await this.tree.send('Accessibility.getPartialAXTree', { objectId: result.objectId, fetchRelatives: false });
    // The body of the page is ignored by the tree while a dialog is open.
    const [{ role = { value: 'page' }, name = { value: '' }, description, properties = [] }] = nodes;
    const states = properties.filter((state) => STATES.includes(state.name) && ![false, 'false'].includes(state.value.value));
    const isMarked = await this.page.evaluate(() => {
      const [own, after] = [getComputedStyle(document.activeElement), getComputedStyle(document.activeElement, '::after')];
      return own.outlineStyle !== 'none' || after.outlineStyle !== 'none';
    });
    const text = `${role.value} "${name.value}"`;
    if (!['heading', 'RootWebArea', 'region', 'generic', 'none', 'page'].includes(role.value)) assert.ok(isMarked, `no focus ring: ${text}`);
    const details = [...states.map((state) => (state.value.value === true || state.value.value === 'true' ? state.name : `${state.name}: ${state.value.value}`))];
    if (description?.value) details.push(`"${description.value}"`);
    return { text, details };
  }

  async focusedText() {
    const { text, details } = await this.focused();
    return [text, ...details].join(', ').replaceAll(/[\u2068\u2069]/g, '');
  }

  /** Presses Tab until the element has the focus. */
  async tabTo(wanted) {
    for (let tabs = 1; tabs <= MAX_TABS; tabs += 1) {
      await this.page.keyboard.press('Tab');
      const { text } = await this.focused();
      // The number of presses depends on the length of the lists on the way.
      if (text === wanted) return this.record.push(`${tabs === 1 ? 'Tab' : 'Tab …'} → ${await this.focusedText()}`);
    }
    throw new Error(`${wanted} cannot be reached with the Tab key:\n${this.record.join('\n')}`);
  }

  async press(key) {
    await this.page.keyboard.press(key);
    this.record.push(key);
  }

  /** Replaces the text of the focused field. */
  async type(text) {
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.type(text);
    this.record.push(`Ctrl-A, type "${text}"`);
  }

  /** Waits until the element has the focus, which the page has moved. */
  async arrives(locator, where = '') {
    await locator.and(this.page.locator(':focus')).waitFor();
    this.record.push(`        focus: ${await this.focusedText()}${where}`);
  }
  arrivesAt(name) {
    return this.arrives(this.page.getByRole('heading', { name, exact: true }));
  }

  async hears(text) {
    await this.page.getByRole('status').getByText(text).first().waitFor();
    this.record.push(`        announced: "${text}"`);
  }
}

test('a whole session needs no mouse', async () => {
  await newTenant({ Bob: 'OWNER' }, { slug: 'keyboard', name: 'Keyboard' });
  const user = await newUser();
  const { page } = user;
  await user.open('/');
  const bob = await KeyboardUser.create(user);
  await bob.tabTo('link "Skip to content"');
  await bob.tabTo('link "Sign in"');
  await bob.press('Enter');
  await page.getByLabel('Name', { exact: true }).waitFor();
  await page.keyboard.type('bob');
  bob.record.push('Type "bob" on the page of the provider', 'Enter');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Sign out' }).waitFor();
  await user.waitForHydration();

  await bob.tabTo('button "Switch tenant"');
  await bob.press('Enter');
  await bob.arrives(page.getByLabel('Name, slug or domain'));
  await bob.press('Escape');
  await bob.arrives(page.getByRole('button', { name: 'Switch tenant' }));
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  bob.record.push(`Shift-Tab, Shift-Tab → ${await bob.focusedText()}`);
  await bob.press('Enter');
  await bob.arrivesAt('Tenants');
  await bob.tabTo('searchbox "Name, slug or domain"');
  await bob.type('keyboard');
  await bob.press('Enter');
  await page.waitForURL(/search=keyboard/);
  await bob.hears('1 tenant');
  await bob.tabTo('link "Keyboard"');
  await bob.press('Enter');
  await bob.arrivesAt('Keyboard');

  await bob.tabTo('link "Edit"');
  await bob.press('Enter');
  await bob.arrivesAt('Edit Keyboard');
  await bob.tabTo('textbox "Name"');
  await bob.type(' ');
  await bob.tabTo('button "Save"');
  await bob.press('Enter');
  await bob.arrives(page.locator('section').filter({ hasText: '1 field is invalid' }));
  await bob.tabTo('link "Name"');
  await bob.press('Enter');
  await bob.arrives(page.locator('#field-name'));
  await bob.type('Changed by keyboard');
  await bob.press('Enter');
  await bob.hears('Keyboard was saved.');
  await bob.arrivesAt('Changed by keyboard');

  await bob.tabTo('link "Invitations"');
  await bob.press('Enter');
  await bob.arrivesAt('Invitations');
  await bob.tabTo('textbox "E-mail"');
  await bob.type('carol@example.org');
  await bob.tabTo('combobox "Role"');
  await page.keyboard.type('A');
  bob.record.push(`Type "A" → ${await bob.focusedText()}, "${await page.locator('select:focus').evaluate((select) => select.selectedOptions[0].text)}"`);
  await bob.tabTo('button "Invite"');
  await bob.press('Enter');
  await bob.hears('carol@example.org is invited.');
  await page.getByText('E-mail sent').waitFor();
  await bob.tabTo(`button "Revoke the invitation of ${isolated('carol@example.org')}"`);
  await bob.press('Enter');
  await bob.arrives(page.getByRole('dialog').getByRole('button', { name: 'Cancel' }), ', in the dialog');
  await bob.tabTo('button "Revoke"');
  await bob.press('Enter');
  await bob.hears('The invitation of carol@example.org was revoked.');

  await bob.tabTo('link "Changed by keyboard"');
  await bob.press('Enter');
  await bob.arrivesAt('Changed by keyboard');
  await bob.tabTo('button "Leave"');
  await bob.press('Enter');
  await bob.arrives(page.getByRole('dialog').getByRole('button', { name: 'Cancel' }), ', in the dialog');
  await bob.press('Escape');
  await bob.arrives(page.getByRole('button', { name: 'Leave' }));
  await page.keyboard.press('Shift+Tab');
  bob.record.push(`Shift-Tab → ${await bob.focusedText()}`);
  await bob.press('Enter');
  await bob.arrivesAt('Audit log');
  await bob.tabTo('link "Sign out"');
  await bob.press('Enter');
  await page.getByRole('button', { name: 'Sign out at the provider' }).waitFor();
  await user.context.close();

  const block = `\`\`\`text\n${bob.record.join('\n')}\n\`\`\``;
  const text = await readFile(PAGE, 'utf8');
  if (process.env.WRITE_RECORD) await writeFile(PAGE, text.replace(BLOCK, () => block));
  else assert.equal(BLOCK.exec(text)?.[0], block);
});
