// The pictures of docs/img: each page and each state of one, as a browser shows it. `shots.mjs FOLDER`
// puts them elsewhere.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser, Person } from './browser.mjs';
import { Stack } from './stack/index.mjs';
import { makeWorld } from './world.mjs';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../docs/img', import.meta.url));
const WIDE = { viewport: { width: 1120, height: 760 } };
const NARROW = { viewport: { width: 360, height: 740 } };

const stack = await Stack.start();
const world = await makeWorld(stack);
const browser = await openBrowser(stack);

async function signedIn(name, path, options = {}) {
  const person = await Person.come(browser, stack, { ...WIDE, reducedMotion: 'reduce', ...options });
  await person.open('/tenants');
  await person.signInAs(name);
  if (path !== '/tenants') await person.open(path);
  await person.page.waitForLoadState('networkidle');
  return person;
}

async function shot(person, name, options = {}) {
  await person.page.screenshot({ path: join(FOLDER, `portal-${name}.png`), ...options });
}

const UPDATE = 'mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { id } } }';

const shots = {
  async visitor() {
    const visitor = await Person.come(browser, stack, WIDE);
    await visitor.open('/');
    await shot(visitor, 'sign-in');
  },

  async member() {
    const carol = await signedIn('carol', '/');
    await shot(carol, 'me');
    await carol.open('/tenants/acme');
    await shot(carol, 'not-permitted');
    await carol.open('/tenants/initech');
    await shot(carol, 'suspended');
  },

  async narrow() {
    const carol = await signedIn('carol', '/tenants/acme', NARROW);
    await shot(carol, 'narrow');
    await carol.open('/tenants');
    await shot(carol, 'narrow-list');
  },

  async admin() {
    const ada = await signedIn('ada', '/tenants');
    await shot(ada, 'tenants');
    await ada.page.getByRole('link', { name: 'Hooli' }).focus();
    // As a keyboard gets there: a ring is shown for keys alone.
    await ada.page.keyboard.press('Shift+Tab');
    await shot(ada, 'focus');
    await ada.open('/tenants?search=nobody');
    await shot(ada, 'no-match');
  },

  async dark() {
    const bob = await signedIn('bob', '/tenants/acme', { colorScheme: 'dark' });
    await shot(bob, 'dark');
  },

  async loading() {
    const ada = await signedIn('ada', '/');
    let go;
    const held = new Promise((resolve) => (go = resolve));
    await ada.page.route('**/api/tenants**', async (route) => {
      await held;
      await route.continue();
    });
    await ada.page.getByRole('link', { name: 'Tenants', exact: true }).click();
    await ada.page.getByText('Loading tenants').waitFor({ state: 'attached' });
    await shot(ada, 'loading');
    go();
    await ada.page.getByRole('link', { name: 'Acme' }).waitFor();
  },

  async faults() {
    const bob = await signedIn('bob', '/tenants/acme/edit');
    const field = (label) => bob.page.getByLabel(label, { exact: true });
    await field('Name').fill('');
    await bob.page.getByRole('button', { name: 'Add a domain' }).click();
    await field('Domain 2').fill('not a domain');
    await field('Invoices to').fill('billing');
    await bob.page.getByRole('button', { name: 'Save' }).click();
    await bob.page.getByRole('alert').waitFor();
    await shot(bob, 'faults', { fullPage: true });
  },

  async stale() {
    const bob = await signedIn('bob', '/tenants/acme/edit');
    await bob.page.getByLabel('Name', { exact: true }).fill('Acme International');
    const billingInfo = { address: { city: 'Hamburg', postalCode: '20095' } };
    await world.admin(UPDATE, { input: { id: world.ids.acme, name: 'Acme Europe', billingInfo } });
    await bob.page.getByRole('button', { name: 'Save' }).click();
    await bob.page.getByRole('alert').waitFor();
    await shot(bob, 'stale', { fullPage: true });
  },

  async nobody() {
    const mallory = await signedIn('mallory', '/');
    await shot(mallory, 'empty');
    await mallory.open('/tenants/acme');
    await shot(mallory, 'not-there');
  },

  // The last one: nothing works after it.
  async away() {
    const bob = await signedIn('bob', '/tenants/acme');
    await stack.gateway.stop();
    await bob.page.reload();
    await shot(bob, 'away');
  },
};

try {
  await mkdir(FOLDER, { recursive: true });
  for (const take of Object.values(shots)) await take();
} finally {
  await browser.close();
  await stack.stop();
}
