// Pictures of the playground: `pictures.mjs PROGRAM FOLDER`.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launch, open } from './browser.mjs';
import { answered, as, editor, run, tab, visit } from './graphiql.mjs';

const [program, folder] = process.argv.slice(2);
const ANY_PORT = { TENANTRY_BIND: '127.0.0.1:0', TENANTRY_ADMIN_BIND: '127.0.0.1:0' };

/** A gateway until the end, and what it says of where it is. */
async function start(cwd, command, variables, from, pattern) {
  const env = { ...ANY_PORT, ...variables };
  const gateway = spawn(program, [command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for await (const line of createInterface({ input: gateway[from] })) {
    const found = pattern.exec(line);
    if (found) {
      gateway[from].resume();
      return { gateway, where: found[1] };
    }
  }
  throw new Error(`${program} ${command} does not start`);
}

/** What is on each picture, in the order in which it is done on one page. */
const STEPS = [
  ['ada', async (page) => {
    await tab(page, 'Tenants');
    await editor(page, 'Variables').getByText('"first"').waitFor();
    await run(page);
  }],
  ['bob', async (page) => {
    await as(page, 'bob');
    await tab(page, 'Members');
    await run(page);
  }],
  ['carol', async (page) => {
    await as(page, 'carol');
    await tab(page, 'Billing');
    await run(page);
  }],
  ['mallory', async (page) => {
    await as(page, 'mallory');
    await tab(page, 'Hidden');
    await run(page);
  }],
  ['nobody', async (page) => {
    await as(page, 'nobody');
    await tab(page, 'Me');
    await run(page);
  }],
  ['documentation', async (page) => {
    await as(page, 'bob');
    await tab(page, 'Stale');
    await editor(page, 'Variables').getByText(/ten_/).waitFor();
    await run(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: 'Show Documentation' }).click();
    await page.getByRole('link', { name: 'Mutation', exact: true }).click();
    await page.getByText('What can be changed.').waitFor();
  }],
  ['builder', async (page) => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'Show Operation builder' }).click();
    await tab(page, 'Search');
    await answered(page, async () => {
      await as(page, 'ada');
      await page.getByRole('button', { name: /^Execute query/ }).click();
    });
  }],
  ['narrow', async (page) => {
    await page.getByRole('button', { name: 'Hide Operation builder' }).click();
    await page.setViewportSize({ width: 640, height: 900 });
    await as(page, 'carol');
    await tab(page, 'Billing');
    await run(page);
  }],
];

async function take(page, name) {
  // Where the pointer was last, something may say what it is.
  await page.mouse.move(0, 0);
  await page.getByRole('tooltip').waitFor({ state: 'detached' });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(folder, `playground-${name}.png`), animations: 'disabled', caret: 'hide' });
}

const SIZE = { viewport: { width: 1280, height: 800 } };
const work = mkdtempSync(join(tmpdir(), 'tenantry-pictures-'));
const started = [];
const browser = await launch();
try {
  mkdirSync(folder, { recursive: true });
  const dev = await start(work, 'dev', {}, 'stdout', /^playground\s+(\S+)/);
  started.push(dev.gateway);
  const { page } = await open(browser, new URL(dev.where).origin, SIZE);
  await visit(page, dev.where);
  await page.getByRole('radio', { name: 'ada' }).waitFor();
  for (const [name, act] of STEPS) {
    await act(page);
    await take(page, name);
  }

  const variables = {
    TENANTRY_DATABASE_URL: 'sqlite::memory:',
    TENANTRY_OIDC_ISSUER: `${dev.where}dev/oidc`,
    TENANTRY_OIDC_AUDIENCE: 'tenantry',
    TENANTRY_PLAYGROUND: 'true',
  };
  const serve = await start(work, 'serve', variables, 'stderr', /serving bind=(\S+)/);
  started.push(serve.gateway);
  const url = `http://${serve.where}/`;
  const other = await open(browser, url, SIZE);
  await visit(other.page, url);
  const identities = await (await fetch(`${dev.where}dev/identities`)).json();
  await other.page.getByLabel('Bearer token').fill(identities[1].token);
  await run(other.page);
  await other.page.getByRole('button', { name: 'Show Documentation' }).click();
  await other.page.getByText('Introspection is off at this gateway').waitFor();
  await take(other.page, 'serve');
} finally {
  await browser.close();
  for (const gateway of started) gateway.kill();
  rmSync(work, { recursive: true, force: true });
}
