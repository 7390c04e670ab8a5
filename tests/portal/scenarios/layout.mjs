// The header at the widths of phones, tablets and desktops, for each role and in both languages: no control wraps, and the
// header has as few rows as its width allows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newUser, returningUser } from '../scenario.mjs';

const WIDTHS = [320, 360, 375, 768, 1120, 1280];
// The height of the header in pixels at each width.
const HEIGHTS = {
  visitor: [49, 49, 49, 49, 49, 49],
  bob: [134, 134, 134, 105, 65, 65],
  carol: [134, 134, 134, 105, 65, 65],
  // With the links of platform admins, the navigation of phones has two rows.
  ada: [167, 167, 167, 105, 65, 65],
};

/** Returns the height of the header, and the controls in it that have more than one line or are cut off. */
const measure = (page) =>
  page.evaluate(() => {
    const header = document.querySelector('.site-header');
    const faults = [...header.querySelectorAll('a, button')].filter((control) => {
      const { left, right, height } = control.getBoundingClientRect();
      return left < 0 || right > window.innerWidth || height > 41;
    });
    const name = header.querySelector('.account-name');
    return { height: header.offsetHeight, faults: faults.map(({ innerText }) => innerText), name: name?.offsetWidth };
  });

test('the header wraps no control at any width, for each role', async (context) => {
  for (const [role, heights] of Object.entries(HEIGHTS)) {
    const user = role === 'visitor' ? await newUser() : await returningUser(role, '/profile');
    if (role === 'visitor') await user.open('/');
    else await user.page.getByRole('link', { name: 'Sign out' }).waitFor();
    if (role === 'ada') await user.page.getByRole('link', { name: 'Users' }).waitFor();
    const measured = [];
    for (const width of WIDTHS) {
      await user.page.setViewportSize({ width, height: 700 });
      const { height, faults } = await measure(user.page);
      assert.deepEqual(faults, [], `${role}, ${width} px`);
      measured.push(height);
    }
    context.diagnostic(`header of ${role}: ${WIDTHS.map((width, index) => `${measured[index]} px at ${width}`).join(', ')}`);
    assert.deepEqual(measured, heights, role);
    await user.close();
  }
});

test('the header in German wraps no control, and a long name gives way', async () => {
  const ada = await returningUser('ada', '/profile', { locale: 'de-DE' });
  const { page } = ada;
  await page.getByRole('link', { name: 'Benutzer' }).waitFor();
  await page.locator('.account-name bdi').evaluate((element) => (element.textContent = 'A very long name that no header has room for'));
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 700 });
    const { faults, name } = await measure(page);
    assert.deepEqual(faults, [], `${width} px`);
    assert.ok(name >= 24, `${width} px: the name has ${name} px`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
  }
  await ada.close();
});
