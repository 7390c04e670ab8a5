// Takes the pictures of the playground. Usage: `pictures.mjs PROGRAM FOLDER`.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launch, openPage } from './browser.mjs';
import { showWithoutScripts } from './checks/starter.mjs';
import {
  clickExecute,
  editor,
  openTab,
  responseInfo,
  runOperation,
  selectIdentity,
  visit,
  waitForLine,
  waitForResponse,
  waitForTypeDescription,
} from './graphiql.mjs';

const [program, folder] = process.argv.slice(2);
const ANY_PORT = { TENANTRY_BIND: '127.0.0.1:0', TENANTRY_ADMIN_BIND: '127.0.0.1:0' };

/**
 * Starts a gateway and waits for a line of its output that matches. Returns the process, and the address
 * that the pattern captures.
 */
async function startGateway(cwd, command, variables, stream, pattern) {
  const env = { ...ANY_PORT, ...variables };
  const child = spawn(program, [command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for await (const line of createInterface({ input: child[stream] })) {
    const match = pattern.exec(line);
    if (match) {
      child[stream].resume();
      return { child, address: match[1] };
    }
  }
  throw new Error(`${program} ${command} exited before it was ready`);
}

/** The steps to each picture by its name. All run in this order on one page. */
const STEPS = [
  ['ada', async (page) => {
    await openTab(page, 'Tenants');
    await editor(page, 'Variables').getByText('"first"').waitFor();
    await runOperation(page);
  }],
  ['bob', async (page) => {
    await openTab(page, 'Members');
    await selectIdentity(page, 'bob');
    await runOperation(page);
  }],
  ['carol', async (page) => {
    await openTab(page, 'Billing');
    await selectIdentity(page, 'carol');
    await runOperation(page);
  }],
  ['mallory', async (page) => {
    await openTab(page, 'Hidden');
    await selectIdentity(page, 'mallory');
    await runOperation(page);
  }],
  ['anonymous', async (page) => {
    await openTab(page, 'Me');
    await selectIdentity(page, 'anonymous');
    await runOperation(page);
  }],
  ['live', async (page) => {
    await openTab(page, 'TenantChanged');
    await editor(page, 'Variables').getByText(/ten_/).waitFor();
    await clickExecute(page);
    await responseInfo(page).getByText('Live', { exact: true }).waitFor();
    await openTab(page, 'Update');
    await editor(page, 'Variables').getByText('"version"').waitFor();
    await runOperation(page);
    await openTab(page, 'TenantChanged');
    await waitForLine(page, '"kind": "UPDATED"');
  }],
  ['documentation', async (page) => {
    await openTab(page, 'StaleVersion');
    await selectIdentity(page, 'bob');
    await editor(page, 'Variables').getByText(/ten_/).waitFor();
    await runOperation(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: 'Show Documentation' }).click();
    await page.getByRole('link', { name: 'Mutation', exact: true }).click();
    await waitForTypeDescription(page, 'Mutation');
  }],
  ['builder', async (page) => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'Show Operation builder' }).click();
    await openTab(page, 'Search');
    await waitForResponse(page, async () => {
      await selectIdentity(page, 'ada');
      await clickExecute(page);
    });
  }],
  ['narrow', async (page) => {
    await page.getByRole('button', { name: 'Hide Operation builder' }).click();
    await page.setViewportSize({ width: 640, height: 900 });
    await openTab(page, 'Billing');
    await selectIdentity(page, 'carol');
    await runOperation(page);
  }],
  ['phone', (page) => page.setViewportSize({ width: 375, height: 720 })],
  ['forced-colors', async (page) => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ forcedColors: 'active' });
  }],
];

async function takePicture(page, name) {
  // Moves the pointer away, so that no tooltip is on the picture.
  await page.mouse.move(0, 0);
  await page.getByRole('tooltip').waitFor({ state: 'detached' });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(folder, `playground-${name}.png`), animations: 'disabled', caret: 'hide' });
}

/** Takes the pictures of the form, with a script that fails, and without scripts. */
async function takePicturesWithoutGraphiQL(url) {
  const { origin } = new URL(url);
  const { page } = await openPage(browser, origin, SIZE);
  await page.route('**/playground/workbench-*.js', (route) => route.abort());
  await page.goto(url);
  await page.getByText('The editor could not be loaded.').waitFor();
  await page.getByRole('radio', { name: 'bob', checked: true }).waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await responseInfo(page).getByText('200 OK').waitFor();
  await takePicture(page, 'form');
  await page.route('**/playground/main-*.js', (route) => route.abort());
  await page.goto(url);
  await page.getByText('its script could not be loaded').waitFor();
  await takePicture(page, 'script-failed');
  const scriptless = await browser.newPage({ viewport: { width: 600, height: 200 } });
  await showWithoutScripts(scriptless, url);
  await takePicture(scriptless, 'no-script');
}

const SIZE = { viewport: { width: 1280, height: 800 } };
const workDir = mkdtempSync(join(tmpdir(), 'tenantry-pictures-'));
const children = [];
const browser = await launch();
try {
  mkdirSync(folder, { recursive: true });
  const dev = await startGateway(workDir, 'dev', {}, 'stdout', /^playground\s+(\S+)/);
  children.push(dev.child);
  const { page } = await openPage(browser, new URL(dev.address).origin, SIZE);
  await visit(page, dev.address);
  await page.getByRole('radio', { name: 'ada' }).waitFor();
  for (const [name, perform] of STEPS) {
    await perform(page);
    await takePicture(page, name);
  }
  await takePicturesWithoutGraphiQL(dev.address);

  const variables = {
    TENANTRY_DATABASE_URL: 'sqlite::memory:',
    TENANTRY_OIDC_ISSUER: `${dev.address}dev/oidc`,
    TENANTRY_OIDC_AUDIENCE: 'tenantry',
    TENANTRY_PLAYGROUND: 'true',
  };
  const serve = await startGateway(workDir, 'serve', variables, 'stderr', /serving bind=(\S+)/);
  children.push(serve.child);
  const url = `http://${serve.address}/`;
  const { page: servePage } = await openPage(browser, url, SIZE);
  await visit(servePage, url);
  const identities = await (await fetch(`${dev.address}dev/identities`)).json();
  await servePage.getByLabel('Bearer token').fill(identities[1].token);
  await runOperation(servePage);
  await servePage.getByRole('button', { name: 'Show Documentation' }).click();
  await servePage.getByText('Introspection is disabled on this gateway').waitFor();
  await takePicture(servePage, 'serve');
} finally {
  await browser.close();
  for (const child of children) child.kill();
  rmSync(workDir, { recursive: true, force: true });
}
