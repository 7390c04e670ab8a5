// People in a browser, and what their browser gets to see.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
// Three parts of base64, the first of which begins with `{"`: a JWT, whoever has issued it.
const JWT = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/;

export function openBrowser(stack) {
  return chromium.launch({
    executablePath: CHROMIUM,
    env: { ...process.env, HOME: stack.browserHome },
    // No name but those of this machine has an address.
    // Chromium refuses to run as root with its sandbox.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost'],
  });
}

/** Somebody with a browser of their own. */
export class Person {
  static async come(browser, stack, options = {}) {
    const person = new Person();
    person.stack = stack;
    person.context = await browser.newContext({ locale: 'en-GB', ...options });
    person.context.setDefaultTimeout(60_000);
    person.page = await person.context.newPage();
    person.watch();
    return person;
  }

  watch() {
    this.urls = [];
    this.bodies = [];
    this.complaints = [];
    this.context.on('request', (request) => this.urls.push(request.url()));
    this.context.on('response', (response) => this.bodies.push(received(response)));
    this.context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    this.context.on('weberror', (error) => this.complaints.push(String(error.error())));
  }

  /** Opens a page of the portal. */
  open(path) {
    return this.page.goto(this.stack.front.portal + path);
  }

  /** Signs in on the provider's page, where the browser is. */
  async signInAs(name) {
    await this.page.getByLabel('Name', { exact: true }).fill(name);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('link', { name: 'Sign out' }).waitFor();
  }

  heading(name) {
    return this.page.getByRole('heading', { name, exact: true });
  }

  /** What no browser may have seen: a token, another host, an error but those that are expected. */
  async hasSeenNothingWrong(expected = []) {
    const { portal, identity } = this.stack.front;
    for (const url of this.urls.filter((one) => !one.startsWith('data:'))) {
      assert.ok([portal, identity].includes(new URL(url).origin), `asked another host: ${url}`);
    }
    const seen = [...this.urls, ...(await Promise.all(this.bodies)), await this.stored()];
    for (const text of seen) {
      assert.doesNotMatch(text, JWT);
      const token = this.stack.identity.tokens.find((one) => text.includes(one));
      assert.equal(token, undefined, 'a token was in reach of the browser');
    }
    const complaints = this.complaints.filter((one) => !expected.some((pattern) => pattern.test(one)));
    assert.deepEqual(complaints, []);
  }

  /** All that a script of the page could read. */
  stored() {
    return this.page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML]),
    );
  }

  async leave(expected) {
    await this.hasSeenNothingWrong(expected);
    await this.context.close();
  }
}

/** Everything of a response, as text; redirects and aborted ones have no body. */
async function received(response) {
  const headers = await response.allHeaders().catch(() => ({}));
  const body = await response.text().catch(() => '');
  return `${response.url()} ${JSON.stringify(headers)} ${body}`;
}
