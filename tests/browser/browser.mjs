// Starts a real browser and collects problems on its pages: console errors, violations of the page's
// Content-Security-Policy, and requests to other origins.
import assert from 'node:assert/strict';
import { accessSync, constants, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';

/** The timeout of each step, in milliseconds. It allows for a machine under load. */
export const TIMEOUT_MS = 120_000;

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
  return chromium.launch({ executablePath: findChromium(), args, timeout: TIMEOUT_MS, ...options });
}

/** The factor by which the browser's pages are slowed down, to find checks that depend on time. */
const CPU_SLOWDOWN = Number(process.env.TENANTRY_TEST_CPU_SLOWDOWN ?? 1);

/** Opens a page in a new context. Returns both, and the list to which problems on the page are added. */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  if (CPU_SLOWDOWN > 1) {
    const devTools = await context.newCDPSession(page);
    await devTools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  }
  const problems = [];
  problemsOf.set(page, problems);
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

/** The problems of each page, for the report of a failed step. */
const problemsOf = new WeakMap();

/** Repeats an assertion until it holds. It must not change the page. */
export async function eventually(assertion) {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}

/** The time limit of a step, in milliseconds, for an action that has no time limit of its own. */
const STEP_TIMEOUT_MS = 600_000;

/** Runs a step of a test. The error of a failed step shows its name, and the state of each open page. */
export async function step(browser, name, perform) {
  console.error(`${new Date().toISOString()} ${name}`);
  const ended = new AbortController();
  const limit = delay(STEP_TIMEOUT_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`not complete after ${STEP_TIMEOUT_MS / 1000} s`);
  });
  limit.catch(() => {});
  try {
    return await Promise.race([perform(), limit]);
  } catch (error) {
    if (error instanceof StepError) throw error;
    const pages = browser.contexts().flatMap((context) => context.pages());
    const states = await Promise.all(pages.map(describePage));
    throw new StepError([...states, `The step "${name}" failed: ${error.stack}`].join('\n\n'));
  } finally {
    ended.abort();
  }
}

class StepError extends Error {}

const MAX_TEXT_LENGTH = 4_000;

/** Describes a page: its address, its problems, its text, and the path of a screenshot. */
async function describePage(page) {
  const path = join(mkdtempSync(join(tmpdir(), 'tenantry-browser-')), 'page.png');
  const screenshot = await page.screenshot({ path, timeout: 10_000 }).then(() => path, String);
  const readState = page.evaluate(() => {
    const { activeElement, body } = document;
    const focus = activeElement?.getAttribute('aria-label') ?? activeElement?.tagName;
    return { focus, text: body.innerText.replace(/\s*\n\s*/g, '\n') };
  });
  const state = await Promise.race([readState, delay(10_000, { text: 'no answer', focus: 'no answer' })])
    .catch((error) => ({ text: String(error), focus: 'unknown' }));
  return [
    `page: ${page.url()}`,
    `problems: ${JSON.stringify(problemsOf.get(page) ?? [])}`,
    `screenshot: ${screenshot}`,
    `focus: ${state.focus}`,
    `text: ${state.text.slice(0, MAX_TEXT_LENGTH)}`,
  ].join('\n');
}
