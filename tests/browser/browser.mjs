// Starts a real browser and collects problems on its pages: console errors, violations of the page's
// Content-Security-Policy, and requests to other origins.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

/** The timeout of each step, in milliseconds. It allows for a machine under load. */
const TIMEOUT_MS = 60_000;

function findChromium() {
  const configured = process.env.CHROMIUM;
  const candidates = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'chromium'));
  for (const path of configured ? [configured] : candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Try the next path.
    }
  }
  throw new Error('The browser tests need chromium. Run: scripts/fetch-chromium');
}

/** Starts the browser, without its sandbox for root, which chromium does not support. */
export async function launch(options = {}) {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: findChromium(), args, ...options });
}

/** Opens a page in a new context. Returns both, and the list to which problems on the page are added. */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== origin) problems.push(`request: ${url.origin}`);
  });
  await page.exposeFunction('reportPolicyViolation', (violation) => problems.push(`policy: ${violation}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      globalThis.reportPolicyViolation(`${violatedDirective} ${blockedURI}`),
    );
  });
  return { page, context, problems };
}
