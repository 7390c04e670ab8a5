// A real browser, and what must not happen in it: an error in the console, a breach of the policy that
// the page came with, a request to another host.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

/** How long anything may take, on a machine that does much else. */
const PATIENCE = 60_000;

function program() {
  const named = process.env.CHROMIUM;
  const places = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'chromium'));
  for (const path of named ? [named] : places) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there.
    }
  }
  throw new Error('The browser tests need chromium. Run: scripts/fetch-chromium');
}

/** Starts the browser. As root it has no sandbox of its own. */
export async function launch(options = {}) {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: program(), args, ...options });
}

/** A page of its own, and a list of everything in it that must not be. */
export async function open(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== origin) faults.push(`request: ${url.origin}`);
  });
  await page.exposeFunction('breach', (what) => faults.push(`policy: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      globalThis.breach(`${violatedDirective} ${blockedURI}`),
    );
  });
  return { page, context, faults };
}
