// The form that edits a tenant.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, newTenant, rename, returningUser, shared, storedTenant, updateTenant } from '../scenario.mjs';

test('input errors are shown next to their fields, and the input is kept', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  await page.getByLabel('Name', { exact: true }).fill('');
  await page.getByLabel('Billing e-mail').fill('billing');
  await page.getByRole('button', { name: 'Add a domain' }).click();
  await page.getByLabel('Domain 2', { exact: true }).fill('not a domain');
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('3 fields are invalid').waitFor();
  // The summary of the errors has the focus, so that it is read.
  assert.match(await page.evaluate(() => document.activeElement.innerText), /^3 fields are invalid/);
  for (const label of ['Name', 'Billing e-mail', 'Domain 2']) {
    const field = page.getByLabel(label, { exact: true });
    assert.equal(await field.getAttribute('aria-invalid'), 'true', label);
    const errorId = (await field.getAttribute('aria-describedby')).split(' ')[0];
    assert.notEqual(await page.locator(`[id="${errorId}"]`).innerText(), '');
  }
  assert.equal(await page.getByLabel('Domain 2', { exact: true }).inputValue(), 'not a domain');
  // The domain belongs to another tenant. The gateway names the field, and not the other tenant.
  await page.getByLabel('Name', { exact: true }).fill(tenant.name);
  await page.getByLabel('Billing e-mail').fill('billing@own.example');
  const other = await newTenant({});
  const taken = `${other.slug}.example`;
  await page.getByLabel('Domain 2', { exact: true }).fill(taken);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('group', { name: 'Domains' }).getByText('belongs to another tenant').waitFor();
  // The other tenant has given up the domain. Saving the same input again sends a new request.
  await updateTenant(other, { domains: [] });
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading(tenant.name).waitFor();
  await page.getByRole('region', { name: 'About' }).getByText(taken).waitFor();
  await bob.close([errorStatus(422), errorStatus(409)]);
});

test('the fields of a form are disabled until its script runs', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob');
  const { cookies } = await bob.context.storageState();
  const withoutScripts = await shared.browser.newContext({ javaScriptEnabled: false });
  await withoutScripts.addCookies(cookies);
  const page = await withoutScripts.newPage();
  await page.goto(`${shared.stack.web.portalOrigin}${tenant.path}/edit`);
  const name = page.getByLabel('Name', { exact: true });
  await name.waitFor();
  assert.equal(await name.isDisabled(), true);
  assert.equal(await page.getByRole('button', { name: 'Add a domain' }).isDisabled(), true);
  await withoutScripts.close();
  await bob.open(`${tenant.path}/edit`);
  assert.equal(await bob.page.getByLabel('Name', { exact: true }).isEnabled(), true);
  await bob.close();
});

test('a stale edit shows the concurrent changes, and the user chooses a value', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const ada = await returningUser('ada', `${tenant.path}/edit`);
  await bob.page.getByLabel('Name', { exact: true }).fill('Title of Bob');
  await bob.page.getByLabel('VAT number').fill('DE123456789');
  await ada.page.getByLabel('Name', { exact: true }).fill('Title of Ada');
  await ada.page.getByLabel('City').fill('Hamburg');
  await ada.page.getByRole('button', { name: 'Save' }).click();
  await ada.heading('Title of Ada').waitFor();

  await bob.page.getByRole('button', { name: 'Save' }).click();
  const notice = bob.page.getByRole('region', { name: 'This tenant was changed in the meantime' });
  await notice.waitFor();
  await notice.getByText('Berlin → Hamburg').waitFor();
  assert.equal(await bob.page.getByLabel('City').inputValue(), 'Hamburg');
  assert.equal(await bob.page.getByLabel('VAT number').inputValue(), 'DE123456789');
  const name = bob.page.getByLabel('Name', { exact: true });
  const choice = notice.getByRole('group', { name: 'Name: conflicting changes' });
  assert.equal(await name.inputValue(), 'Title of Bob');
  await choice.getByLabel('Saved value').check();
  assert.equal(await name.inputValue(), 'Title of Ada');
  await choice.getByLabel('Your value').check();
  assert.equal(await name.inputValue(), 'Title of Bob');
  // The choice follows from the value in the form, however it came there.
  await name.fill('Title of Ada');
  assert.equal(await choice.getByLabel('Saved value').isChecked(), true);
  await name.fill('Title of Bob');
  assert.equal(await choice.getByLabel('Your value').isChecked(), true);
  const before = await storedTenant(tenant);
  await bob.page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('Title of Bob').waitFor();
  const after = await storedTenant(tenant);
  assert.equal(after.version, before.version + 1);
  const billing = bob.page.getByRole('region', { name: 'Billing' });
  await billing.getByText('DE123456789').waitFor();
  await billing.getByText('10115 Hamburg').waitFor();

  await ada.close();
  await bob.close([errorStatus(409)]);
});

test('leaving a form with unsaved changes needs a confirmation', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  await bob.page.getByLabel('City').fill('Bonn');
  const dialogs = [];
  bob.page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    return dialogs.length === 1 ? dialog.dismiss() : dialog.accept();
  });
  await bob.page.getByRole('link', { name: 'Cancel' }).click();
  assert.equal(await bob.page.getByLabel('City').inputValue(), 'Bonn');
  await bob.page.getByRole('link', { name: 'Cancel' }).click();
  await bob.heading(tenant.name).waitFor();
  assert.equal(dialogs.length, 2);
  await bob.close();
});

test('a stale edit whose conflicts are resolved to the saved values has nothing to save', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  await bob.page.getByLabel('Name', { exact: true }).fill('Title of Bob');
  await rename(tenant, 'Title of Ada');
  await bob.page.getByRole('button', { name: 'Save' }).click();
  const notice = bob.page.getByRole('region', { name: 'This tenant was changed in the meantime' });
  await notice.getByText('Review the changes and save again.').waitFor();
  await notice.getByLabel('Saved value').check();
  await notice.getByText('There is nothing left to save.').waitFor();
  assert.equal(await notice.getByText('save again').count(), 0);
  assert.equal(await bob.page.getByRole('button', { name: 'Save' }).getAttribute('aria-disabled'), 'true');
  await bob.close([errorStatus(409)]);
});

/** Returns an object that holds the changes of a page back until `release`. `arrived` resolves with the first one. */
async function holdChanges(page) {
  const hold = {};
  const released = new Promise((resolve) => (hold.release = resolve));
  hold.arrived = new Promise((resolve) => {
    void page.route('**/api/tenants', async (route) => {
      if (route.request().method() !== 'PATCH') return route.continue();
      resolve(route.request());
      await released;
      await route.continue();
    });
  });
  return hold;
}

test('text that is typed during a save is kept', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  const hold = await holdChanges(page);
  await page.getByLabel('City').fill('Bremen');
  await page.getByRole('button', { name: 'Save' }).click();
  await hold.arrived;
  const saving = page.getByRole('button', { name: 'Saving …' });
  await saving.waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Typed during the save');
  await page.getByRole('button', { name: 'Add a domain' }).click();
  const lastDomain = page.getByRole('group', { name: 'Domains' }).getByRole('textbox').last();
  await lastDomain.fill('later.example');
  hold.release();
  await page.getByRole('status').getByText('except those that you made during the save').waitFor();
  assert.equal(new URL(page.url()).pathname, `${tenant.path}/edit`);
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Typed during the save');
  assert.equal(await lastDomain.inputValue(), 'later.example');
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('Typed during the save').waitFor();
  await page.getByText('later.example').waitFor();
  await page.getByText('10115 Bremen').waitFor();
  await bob.close();
});

test('leaving during a save neither asks nor leads back', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  page.on('dialog', (dialog) => dialog.accept().then(() => bob.consoleErrors.push('a dialog')));
  const hold = await holdChanges(page);
  await page.getByLabel('City').fill('Potsdam');
  await page.getByRole('button', { name: 'Save' }).click();
  await hold.arrived;
  await page.getByRole('link', { name: 'Subscriptions' }).click();
  await bob.heading('Subscriptions').waitFor();
  hold.release();
  await page.getByRole('status').getByText(`${tenant.name} was saved.`).waitFor();
  assert.equal(new URL(page.url()).pathname, '/subscriptions');
  await bob.close();
});

test('a save that fails after its page was left is reported', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  const hold = await holdChanges(page);
  await page.getByLabel('Billing e-mail').fill('billing');
  await page.getByRole('button', { name: 'Save' }).click();
  await hold.arrived;
  await page.getByRole('link', { name: 'Subscriptions' }).click();
  await bob.heading('Subscriptions').waitFor();
  hold.release();
  await page.getByRole('status').getByText(`Your changes to ${tenant.name} were not saved`).waitFor();
  await bob.close([errorStatus(422)]);
});

test('an error stays with its domain, and editing a field clears its error', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  const domains = page.getByRole('group', { name: 'Domains' });
  const count = await domains.getByRole('textbox').count();
  await page.getByRole('button', { name: 'Add a domain' }).click();
  await page.getByLabel(`Domain ${count + 1}`, { exact: true }).fill('not a domain');
  await page.getByLabel('Billing e-mail').fill('billing');
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.heading('2 fields are invalid').waitFor();
  const isInvalid = (field) => field.getAttribute('aria-invalid');
  const last = () => domains.getByRole('textbox').last();
  assert.equal(await isInvalid(last()), 'true');
  await page.getByRole('button', { name: 'Remove domain 1' }).click();
  assert.equal(await last().inputValue(), 'not a domain');
  assert.equal(await isInvalid(last()), 'true');
  assert.equal(await isInvalid(domains.getByRole('textbox').first()), count > 1 ? null : 'true');
  assert.equal(await domains.locator('.field-error').count(), 1);
  await last().fill('good.example');
  assert.equal(await isInvalid(last()), null);
  await page.getByLabel('Billing e-mail').fill('billing@own.example');
  assert.equal(await page.locator('.field-error').count(), 0);
  page.on('dialog', (dialog) => dialog.accept());
  await bob.open(tenant.path);
  await bob.close([errorStatus(422)]);
});

test('the form says which added domain is taken', async () => {
  const tenant = await newTenant();
  const other = await newTenant({});
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  const domains = page.getByRole('group', { name: 'Domains' });
  await page.getByRole('button', { name: 'Add a domain' }).click();
  await domains.getByRole('textbox').last().fill(`${other.slug}.example`);
  await page.getByRole('button', { name: 'Save' }).click();
  const row = domains.locator('li.invalid');
  await row.getByText('This domain belongs to another tenant.').waitFor();
  assert.equal(await row.getByRole('textbox').inputValue(), `${other.slug}.example`);
  page.on('dialog', (dialog) => dialog.accept());
  await bob.open(tenant.path);
  await bob.close([errorStatus(409)]);
});

test('all added domains are marked if it is unknown which of them are taken', async () => {
  const [tenant, first, second] = [await newTenant(), await newTenant({}), await newTenant({})];
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const { page } = bob;
  const domains = page.getByRole('group', { name: 'Domains' });
  const free = `free-${tenant.slug}.example`;
  for (const domain of [`${first.slug}.example`, free, `${second.slug}.example`]) {
    await page.getByRole('button', { name: 'Add a domain' }).click();
    await domains.getByRole('textbox').last().fill(domain);
  }
  await page.getByRole('button', { name: 'Save' }).click();
  await domains.locator('li.invalid').nth(2).waitFor();
  assert.equal(await domains.locator('li.invalid').getByText('At least one of the added domains belongs to another tenant, perhaps this one.').count(), 3);
  assert.equal(await domains.getByRole('textbox').first().getAttribute('aria-invalid'), null);
  // One at a time, the answer is definite.
  await page.getByRole('button', { name: 'Remove domain 4' }).click();
  await page.getByRole('button', { name: 'Remove domain 3' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await domains.getByText('This domain belongs to another tenant.').waitFor();
  await page.getByRole('button', { name: 'Remove domain 2' }).click();
  await page.getByRole('button', { name: 'Add a domain' }).click();
  await domains.getByRole('textbox').last().fill(free);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('region', { name: 'About' }).getByText(free).waitFor();
  await bob.close([errorStatus(409)]);
});

test('a save without changes is explained, and Save is never disabled', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/edit`);
  const save = bob.page.getByRole('button', { name: 'Save' });
  assert.deepEqual([await save.isDisabled(), await save.getAttribute('aria-disabled')], [true, 'true']);
  assert.equal(await save.evaluate((button) => button.disabled), false);
  await save.focus();
  await bob.page.keyboard.press('Enter');
  await bob.page.getByRole('status').getByText('There are no changes.').waitFor();
  await bob.close();
});

test('a domain is shown in Unicode with its ASCII form beside', async () => {
  const tenant = await newTenant();
  await updateTenant(tenant, { domains: ['münchen.example'] });
  const ada = await returningUser('ada', tenant.path);
  await ada.page.getByText('münchen.example (xn--mnchen-3ya.example)').waitFor();
  await ada.close();
});
