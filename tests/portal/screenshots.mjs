// Takes the portal's screenshots for docs/img: each page, and each state of a page. `screenshots.mjs FOLDER`
// writes them to another folder.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BrowserUser, openBrowser } from './browser.mjs';
import { createFixtures, UPDATE_TENANT } from './fixtures.mjs';
import { Stack } from './stack/index.mjs';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../docs/img', import.meta.url));
const DESKTOP = { viewport: { width: 1120, height: 760 } };
const MOBILE = { viewport: { width: 360, height: 740 } };

const stack = await Stack.start();
const fixtures = await createFixtures(stack);
// The fields for dates follow the language of the browser itself.
process.env.LANGUAGE = 'en_GB';
const browser = await openBrowser(stack);

async function signedInUser(name, path, options = {}) {
  const user = await BrowserUser.create(browser, stack, { ...DESKTOP, reducedMotion: 'reduce', ...options });
  await user.open('/tenants');
  await user.signInAs(name);
  if (path !== '/tenants') await user.open(path);
  return user;
}

async function takeScreenshot(user, name, options = {}) {
  // The page fetches once more when it is live, and marks that.
  if (name !== 'loading') {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await user.page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
  }
  await user.page.screenshot({ path: join(FOLDER, `portal-${name}.png`), ...options });
}

const screenshots = {
  async signedOut() {
    const visitor = await BrowserUser.create(browser, stack, DESKTOP);
    await visitor.open('/');
    await takeScreenshot(visitor, 'sign-in');
  },

  async member() {
    const carol = await signedInUser('carol', '/');
    await takeScreenshot(carol, 'me');
    await carol.open('/tenants/acme');
    await takeScreenshot(carol, 'not-permitted');
    await carol.open('/tenants/initech');
    await takeScreenshot(carol, 'suspended');
  },

  async mobile() {
    const carol = await signedInUser('carol', '/tenants/acme', MOBILE);
    await takeScreenshot(carol, 'narrow');
    await carol.open('/tenants');
    await takeScreenshot(carol, 'narrow-list');
  },

  async admin() {
    const ada = await signedInUser('ada', '/tenants');
    await takeScreenshot(ada, 'tenants');
    await ada.page.getByRole('link', { name: 'Hooli' }).focus();
    // The focus ring is shown only for keyboard navigation.
    await ada.page.keyboard.press('Shift+Tab');
    await takeScreenshot(ada, 'focus');
    await ada.open('/tenants?search=umbrella');
    await takeScreenshot(ada, 'no-match');
  },

  async dark() {
    const bob = await signedInUser('bob', '/tenants/acme', { colorScheme: 'dark' });
    await takeScreenshot(bob, 'dark');
  },

  async loading() {
    const ada = await signedInUser('ada', '/');
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await ada.page.route('**/api/tenants**', async (route) => {
      await released;
      await route.continue();
    });
    await ada.page.getByRole('link', { name: 'Tenants', exact: true }).click();
    await ada.page.getByText('Loading …').first().waitFor({ state: 'attached' });
    await takeScreenshot(ada, 'loading');
    release();
    await ada.page.getByRole('link', { name: 'Acme' }).waitFor();
  },

  async inputErrors() {
    const bob = await signedInUser('bob', '/tenants/acme/edit');
    const field = (label) => bob.page.getByLabel(label, { exact: true });
    await field('Name').fill('');
    await bob.page.getByRole('button', { name: 'Add a domain' }).click();
    await field('Domain 2').fill('not a domain');
    await field('Billing e-mail').fill('billing');
    await bob.page.getByRole('button', { name: 'Save' }).click();
    await bob.heading('3 fields are invalid').waitFor();
    await takeScreenshot(bob, 'input-errors', { fullPage: true });
  },

  async editConflict() {
    const bob = await signedInUser('bob', '/tenants/acme/edit');
    await bob.page.getByLabel('Name', { exact: true }).fill('Acme International');
    const billingInfo = { address: { city: 'Hamburg', postalCode: '20095' } };
    const input = { id: fixtures.tenantIds.acme, name: 'Acme Europe', billingInfo };
    await fixtures.executeAsAdmin(UPDATE_TENANT, { input });
    await bob.heading('Another user has saved this tenant').waitFor();
    await takeScreenshot(bob, 'newer-values');
    await bob.page.getByRole('button', { name: 'Save' }).click();
    await bob.heading('This tenant was changed in the meantime').waitFor();
    await takeScreenshot(bob, 'stale', { fullPage: true });
  },

  async invitations() {
    const bob = await signedInUser('bob', '/tenants/acme/invitations');
    await bob.page.getByLabel('E-mail', { exact: true }).fill('mallory@example.org');
    await bob.page.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = bob.page.getByLabel('Link of the invitation');
    const { pathname } = new URL(await link.inputValue());
    await bob.page.getByRole('listitem').filter({ hasText: 'E-mail sent' }).waitFor();
    await takeScreenshot(bob, 'invitations', { fullPage: true });
    const mallory = await signedInUser('mallory', pathname);
    await mallory.page.getByRole('button', { name: 'Accept the invitation' }).waitFor();
    await takeScreenshot(mallory, 'accept');
  },

  async platform() {
    const ada = await signedInUser('ada', '/users');
    await takeScreenshot(ada, 'users');
    await ada.open('/audit');
    await takeScreenshot(ada, 'audit');
    await ada.open('/tenants/hooli/administration');
    await takeScreenshot(ada, 'administration', { fullPage: true });
    await ada.page.getByRole('button', { name: 'Switch tenant' }).click();
    await ada.page.locator('.switcher-list').waitFor();
    await takeScreenshot(ada, 'switcher');
  },

  async accessLost() {
    const carol = await signedInUser('carol', '/tenants/globex');
    const { users } = await fixtures.executeAsAdmin('{ users(filter: {search: "carol"}) { nodes { id } } }');
    const input = { tenantId: fixtures.tenantIds.globex, userId: users.nodes[0].id };
    await fixtures.executeAsAdmin('mutation($input: RemoveTenantMemberInput!) { removeTenantMember(input: $input) { removedUserId } }', { input });
    await carol.heading('You no longer have access').waitFor();
    await takeScreenshot(carol, 'access-lost');
  },

  async withoutTenants() {
    const mallory = await signedInUser('mallory', '/');
    await takeScreenshot(mallory, 'empty');
    await mallory.open('/tenants/acme');
    await takeScreenshot(mallory, 'not-there');
  },

  // Must be the last one, because it stops the gateway.
  async gatewayUnreachable() {
    const bob = await signedInUser('bob', '/tenants/acme');
    await stack.gateway.stop();
    await bob.reload();
    await takeScreenshot(bob, 'gateway-unreachable');
  },
};

try {
  await mkdir(FOLDER, { recursive: true });
  for (const take of Object.values(screenshots)) await take();
} finally {
  await browser.close();
  await stack.stop();
}
