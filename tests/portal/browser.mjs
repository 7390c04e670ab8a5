// Users with a browser, and a record of everything that the browser receives.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
// A JWT: three base64url parts, the first of which starts with `{"`.
const JWT = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/;

export function openBrowser(stack, options = []) {
  return chromium.launch({
    executablePath: CHROMIUM,
    env: { ...process.env, HOME: stack.browserHome },
    // Chromium refuses to run as root with its sandbox.
    // Only the names of this machine are resolved.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost', ...options],
  });
}

/** A user with a browser context of their own. */
export class BrowserUser {
  static async create(browser, stack, options = {}) {
    const user = new BrowserUser();
    user.stack = stack;
    user.context = await browser.newContext({ locale: 'en-GB', ...options });
    user.context.setDefaultTimeout(60_000);
    await user.context.addInitScript(observePage);
    user.page = await user.context.newPage();
    user.record();
    return user;
  }

  /** Records the URLs of all requests, all responses, and all errors and warnings in the console. */
  record() {
    this.urls = [];
    this.responses = [];
    this.consoleErrors = [];
    this.context.on('request', (request) => this.urls.push(request.url()));
    this.context.on('response', (response) => {
      // An event stream has no end. `scenarios/live.mjs` checks that it contains no token.
      if (response.headers()['content-type'] !== 'text/event-stream') this.responses.push(responseAsText(response));
    });
    this.context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.consoleErrors.push(message.text());
    });
    this.context.on('weberror', (error) => this.consoleErrors.push(String(error.error())));
  }

  /** Opens a page of the portal and returns its response. The browser may end up on the provider's page. */
  async open(path) {
    const { portalOrigin } = this.stack.web;
    const response = await this.page.goto(portalOrigin + path);
    if (new URL(this.page.url()).origin === portalOrigin) await this.waitForHydration();
    return response;
  }

  /** Reloads the page of the portal and returns its response. */
  async reload() {
    const response = await this.page.reload();
    await this.waitForHydration();
    return response;
  }

  /**
   * Waits until Vue has taken over the page that the server rendered. Before that a click on a button does nothing, and
   * Vue replaces typed text by the rendered value.
   */
  waitForHydration() {
    return this.page.waitForFunction(() => window.useNuxtApp?.().isHydrating === false);
  }

  /**
   * Waits until all live operations of the page have started, and until it has no fetch in progress. A page fetches once
   * more when it is live. A test that ends a session or counts requests must not meet that fetch.
   */
  async settle() {
    await this.page.waitForFunction(() => window.liveStreams.length > 0 && window.liveStreams.every(({ isReady }) => isReady) && window.fetchCount === 0);
  }

  /** Signs in on the provider's page, which the browser already shows. */
  async signInAs(name) {
    await this.page.getByLabel('Name', { exact: true }).fill(name);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('link', { name: 'Sign out' }).waitFor();
    await this.waitForHydration();
  }

  heading(name) {
    return this.page.getByRole('heading', { name, exact: true });
  }

  /** Asserts that the browser contacted no other host, received no token, and logged only the expected errors. */
  async assertCleanRecord(expectedErrors = []) {
    const { portalOrigin, providerOrigin } = this.stack.web;
    for (const url of this.urls.filter((url) => !url.startsWith('data:'))) {
      assert.ok([portalOrigin, providerOrigin].includes(new URL(url).origin), `a request to another host: ${url}`);
    }
    const texts = [...this.urls, ...(await Promise.all(this.responses)), await this.scriptReadableState()];
    for (const text of texts) {
      assert.doesNotMatch(text, JWT);
      const token = this.stack.provider.tokens.find((token) => text.includes(token));
      assert.equal(token, undefined, 'the browser received a token');
    }
    const unexpected = this.consoleErrors.filter((error) => !expectedErrors.some((pattern) => pattern.test(error)));
    assert.deepEqual(unexpected, []);
  }

  /** Returns everything that a script on the page can read: cookies, storage and the document. */
  scriptReadableState() {
    return this.page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML]),
    );
  }

  /** Checks the record of this browser and closes it. */
  async close(expectedErrors) {
    await this.assertCleanRecord(expectedErrors);
    await this.context.close();
  }
}

/** Runs in each page before its scripts. Tells `settle` about event streams and fetches. */
function observePage() {
  window.liveStreams = [];
  window.fetchCount = 0;
  window.EventSource = class extends EventSource {
    constructor(...options) {
      super(...options);
      window.liveStreams.push(this);
      this.addEventListener('ready', () => (this.isReady = true));
    }

    close() {
      super.close();
      window.liveStreams = window.liveStreams.filter((stream) => stream !== this);
    }
  };
  const { fetch } = window;
  window.fetch = async (...options) => {
    window.fetchCount += 1;
    try {
      return await fetch(...options);
    } finally {
      window.fetchCount -= 1;
    }
  };
}

/** Returns a whole response as text. Redirects and aborted responses have no body. */
async function responseAsText(response) {
  const headers = await response.allHeaders().catch(() => ({}));
  const body = await response.text().catch(() => '');
  return `${response.url()} ${JSON.stringify(headers)} ${body}`;
}
