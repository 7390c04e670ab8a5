// A complete session with the keyboard alone. Its record is in `keyboard-session.txt`. After a wanted change of the portal,
// `WRITE_RECORD=1` writes it again.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newTenant, newUser } from '../scenario.mjs';

const RECORD = new URL('../keyboard-session.txt', import.meta.url);
const MAX_TABS = 80;

class KeyboardUser {
  constructor(user) {
    this.user = user;
    this.page = user.page;
    this.record = [];
  }

  /** Returns role and name of the focused element, and asserts that a focused control is marked. */
  async focused() {
    const { role, name, isMarked } = await this.page.evaluate(() => {
      const element = document.activeElement;
      const { tagName, type, innerText, labels, ariaLabel } = element;
      const roles = { A: 'link', BUTTON: 'button', SELECT: 'choice', H1: 'heading', H2: 'heading', BODY: 'page', SECTION: 'notice' };
      const role = roles[tagName] ?? (tagName === 'INPUT' && ['radio', 'checkbox'].includes(type) ? type : 'field');
      const name = ariaLabel ?? labels?.[0]?.innerText ?? (tagName === 'BODY' ? document.title : innerText.split('\n')[0]);
      const { outlineStyle } = getComputedStyle(element);
      const { outlineStyle: after } = getComputedStyle(element, '::after');
      return { role, name: name.trim(), isMarked: outlineStyle !== 'none' || after !== 'none' };
    });
    if (!['heading', 'page', 'notice'].includes(role)) assert.ok(isMarked, `no focus ring: ${role} "${name}"`);
    return `${role} "${name}"`;
  }

  /** Presses Tab until the element has the focus. */
  async tabTo(wanted) {
    for (let tabs = 1; tabs <= MAX_TABS; tabs += 1) {
      await this.page.keyboard.press('Tab');
      const element = await this.focused();
      // The number of presses depends on the length of the lists on the way.
      if (element === wanted) return this.record.push(`${tabs === 1 ? 'Tab' : 'Tab …'} → ${wanted}`);
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

  /** Waits until the heading or notice has the focus. */
  async arrives(text) {
    await this.page.locator(':is(h1, h2, section):focus').filter({ hasText: text }).waitFor();
    this.record.push(`        the focus is on ${await this.focused()}`);
  }

  async reads(text) {
    await this.page.getByRole('status').getByText(text).waitFor();
    this.record.push(`        the status says "${text}"`);
  }
}

test('a whole session needs no mouse', async () => {
  await newTenant({ Bob: 'OWNER' }, { slug: 'keyboard', name: 'Keyboard' });
  const user = await newUser();
  await user.open('/');
  const bob = new KeyboardUser(user);
  await bob.tabTo('link "Skip to content"');
  await bob.tabTo('link "Sign in"');
  await bob.press('Enter');
  await user.page.getByLabel('Name', { exact: true }).waitFor();
  await user.page.keyboard.type('bob');
  bob.record.push('Type "bob" on the page of the provider', 'Enter');
  await user.page.keyboard.press('Enter');
  await user.page.getByRole('link', { name: 'Sign out' }).waitFor();
  await user.waitForHydration();
  await bob.tabTo('link "Tenants"');
  await bob.press('Enter');
  await bob.arrives('Tenants');
  await bob.tabTo('field "Name, slug or domain"');
  await bob.type('keyboard');
  await bob.press('Enter');
  await user.page.waitForURL(/search=keyboard/);
  await user.page.getByText('1 tenant', { exact: true }).waitFor();
  await bob.tabTo('link "Keyboard"');
  await bob.press('Enter');
  await bob.arrives('Keyboard');
  await bob.tabTo('link "Edit"');
  await bob.press('Enter');
  await bob.arrives('Edit Keyboard');
  await bob.tabTo('field "Name"');
  await bob.type(' ');
  await bob.tabTo('button "Save"');
  await bob.press('Enter');
  await bob.arrives('1 field is invalid');
  await bob.tabTo('link "Name"');
  await bob.press('Enter');
  await user.page.locator('#field-name:focus').waitFor();
  bob.record.push(`        the focus is on ${await bob.focused()}`);
  await bob.type('Changed by keyboard');
  await bob.press('Enter');
  await bob.reads('Keyboard was saved.');
  await bob.arrives('Changed by keyboard');
  await bob.tabTo('button "Leave"');
  await bob.press('Enter');
  await user.page.getByRole('dialog').waitFor();
  bob.record.push(`        the focus is on ${await bob.focused()}, in the dialog`);
  await bob.press('Escape');
  bob.record.push(`        the focus is on ${await bob.focused()} again`);
  await user.page.keyboard.press('Shift+Tab');
  bob.record.push(`Shift-Tab → ${await bob.focused()}`);
  await bob.press('Enter');
  await bob.arrives('Audit log');
  await bob.tabTo('link "Sign out"');
  await bob.press('Enter');
  await user.page.getByRole('button', { name: 'Sign out at the provider' }).waitFor();
  await user.context.close();

  const record = `${bob.record.join('\n')}\n`;
  if (process.env.WRITE_RECORD) await writeFile(RECORD, record);
  assert.equal(record, await readFile(RECORD, 'utf8'));
});
