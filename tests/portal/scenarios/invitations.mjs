// Invitations: an owner invites a person by e-mail, who accepts with the link of the mail. The mail arrives at a real SMTP
// server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, isolated, newTenant, newUser, returningUser, shared, updateTenant } from '../scenario.mjs';

const link = (user) => user.page.getByLabel('Link of the invitation').inputValue();
const users = () => shared.stack.database.collection('users');
const readMail = ({ name }, email) => shared.stack.mail.read(email, `Invitation to ${name}`);
const rowOf = (user, email) => user.page.getByRole('listitem').filter({ hasText: email });

/** Shows a mail in a user's browser, as a mail program on the web does, and follows its button. */
async function followMail(user, mail) {
  // A blank page has no content security policy.
  await user.page.goto('about:blank');
  await user.page.setContent(mail.html);
  await user.page.getByRole('link', { name: 'Accept the invitation', exact: true }).click();
  await user.heading('Your invitation').waitFor();
  await user.waitForHydration();
}

/** Lets the portal use a gateway without mail until the end of the test. */
function withoutMail(context) {
  const { gate, gateway, adminGateway } = shared.stack;
  gate.forwardTo(adminGateway.url);
  context.after(() => gate.forwardTo(gateway.url));
}

/** Invites an address on the invitations page of a tenant. Returns the path of the link. */
async function invite(user, email, role) {
  const { page } = user;
  await page.getByLabel('E-mail', { exact: true }).fill(email);
  if (role) await page.getByLabel('Role', { exact: true }).selectOption(role);
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await page.getByRole('status').getByText(`${email} is invited.`).waitFor();
  const url = new URL(await link(user));
  assert.equal(url.origin, shared.stack.web.portalOrigin);
  return url.pathname;
}

test('an owner invites a person without an account, who follows the mail, signs in and accepts', async (context) => {
  const tenant = await newTenant();
  const email = 'mallory@example.org';
  const bob = await returningUser('bob', tenant.path);
  await bob.page.getByRole('link', { name: 'Invitations' }).click();
  await bob.heading('Invitations').waitFor();
  // The person is not known to the gateway before.
  await users().deleteOne({ subject: 'mallory' });
  const mallory = await newUser();
  const start = performance.now();
  const path = await invite(bob, email, 'Admin');
  const mail = await readMail(tenant, email);
  const arrival = performance.now();
  assert.deepEqual([mail.envelope.secure, mail.envelope.user, mail.envelope.from], [true, 'portal', 'portal@example.org']);
  assert.equal(mail.to[0].address, email);
  // Both forms of the mail have the link that the portal shows.
  const url = shared.stack.web.portalOrigin + path;
  assert.ok(mail.text.includes(`\n${url}\n`) && mail.html.includes(`href="${url}"`), mail.text);
  // The page follows the progress of the mail.
  await bob.page.getByText('The invited person receives it by e-mail.').waitFor();
  await rowOf(bob, email).getByText('E-mail sent').waitFor();
  await rowOf(bob, email).getByText(/Admin · expires .* · invited by Bob/).waitFor();

  const opened = performance.now();
  await followMail(mallory, mail);
  assert.equal(mallory.page.url(), url);
  assert.doesNotMatch(await mallory.page.locator('main').innerText(), new RegExp(`${tenant.name}|@`));
  await mallory.page.locator('main').getByRole('link', { name: 'Sign in' }).click();
  await mallory.signInAs('mallory');
  await mallory.page.getByText(`${tenant.name} invites you as Admin.`).waitFor();
  await mallory.page.getByText(`The invitation is for ${email} and expires`).waitFor();
  await mallory.page.getByRole('button', { name: 'Accept the invitation' }).click();
  await mallory.heading(tenant.name).waitFor();
  const seconds = (from, to) => `${((to - from) / 1000).toFixed(1)} s`;
  context.diagnostic(`invitation: mail ${seconds(start, arrival)} after the click, tenant ${seconds(opened, performance.now())} after the mail was opened`);
  await mallory.page.getByRole('status').getByText(`Welcome to ${tenant.name}. Your role is Admin.`).waitFor();
  await mallory.page.getByRole('region', { name: 'Members' }).getByRole('row', { name: /Mallory.*Admin/ }).waitFor();
  // The list of the inviter follows.
  await rowOf(bob, email).waitFor({ state: 'detached' });
  // The link is used up.
  await followMail(mallory, mail);
  await mallory.page.getByText('This invitation cannot be accepted.').waitFor();
  await mallory.close();
  await bob.close();
});

test('all faults of an invitation are shown at once, and its link can be copied', async () => {
  const tenant = await newTenant();
  const permissions = ['clipboard-read', 'clipboard-write'];
  const bob = await returningUser('bob', `${tenant.path}/invitations`, { permissions });
  const { page } = bob;
  await page.getByLabel('E-mail', { exact: true }).fill('not an address');
  await page.getByLabel('Days until it expires').fill('31');
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await bob.heading('2 fields are invalid').waitFor();
  assert.equal(await page.locator('.field-error').count(), 2);
  await page.getByLabel('Days until it expires').fill('3');
  assert.deepEqual(await page.getByLabel('Role', { exact: true }).locator('option').allInnerTexts(), ['Member', 'Admin', 'Owner']);
  await invite(bob, 'carol@example.org');
  await page.getByRole('button', { name: 'Copy the link' }).click();
  await page.getByRole('status').getByText('The link was copied.').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await link(bob));
  // The same address again is refused.
  await page.getByLabel('E-mail', { exact: true }).fill('Carol@Example.org');
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await page.locator('.field-error').getByText('This address already has an invitation').waitFor();
  await bob.close([errorStatus(422), errorStatus(409)]);
});

test('a mail that the server refuses is reported, and can be sent again', async () => {
  const tenant = await newTenant();
  const email = 'carol@example.org';
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  await shared.stack.mail.refuse(550, 1);
  const first = await invite(bob, email);
  await rowOf(bob, email).getByText('E-mail could not be sent').waitFor();
  await rowOf(bob, email).getByRole('button', { name: `Send again to ${isolated(email)}` }).click();
  await bob.page.getByRole('status').getByText(`A new e-mail is sent to ${email}.`).waitFor();
  const mail = await readMail(tenant, email);
  assert.ok(!mail.html.includes(first));
  await rowOf(bob, email).getByText('E-mail sent').waitFor();
  await bob.close();
});

test('an invitation is renewed and revoked, and each earlier link is void', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  const { page } = bob;
  const email = 'carol@example.org';
  const first = await invite(bob, email);
  const earlier = await readMail(tenant, email);
  await page.getByRole('button', { name: `Send again to ${isolated(email)}` }).click();
  await page.getByRole('status').getByText(`A new e-mail is sent to ${email}.`).waitFor();
  const later = await readMail(tenant, email);
  const second = new URL(await link(bob)).pathname;
  assert.notEqual(second, first);
  const carol = await returningUser('carol', '/');
  await followMail(carol, earlier);
  assert.equal(new URL(carol.page.url()).pathname, first);
  await carol.page.getByText('This invitation cannot be accepted.').waitFor();
  await followMail(carol, later);
  assert.equal(new URL(carol.page.url()).pathname, second);
  const accept = carol.page.getByRole('button', { name: 'Accept the invitation' });
  await accept.waitFor();
  await page.getByRole('button', { name: `Revoke the invitation of ${isolated(email)}` }).click();
  const dialog = page.getByRole('dialog', { name: `Revoke the invitation of ${email}?` });
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('There are no open invitations.').waitFor();
  await accept.click();
  await carol.page.getByRole('alert').getByText('It has expired, was used or revoked').waitFor();
  await carol.close([errorStatus(404)]);
  await bob.close();
});

test('without mail, the portal offers the link alone', async (context) => {
  withoutMail(context);
  const tenant = await newTenant();
  const email = 'carol@example.org';
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  const first = await invite(bob, email);
  await bob.page.getByText('No e-mail is sent. Send this link to the invited person.').waitFor();
  await rowOf(bob, email).getByText('No e-mail is sent').waitFor();
  assert.doesNotMatch(await bob.page.locator('main').innerText(), /[Ss]end again/);
  await rowOf(bob, email).getByRole('button', { name: `Renew the link for ${isolated(email)}` }).click();
  await bob.page.getByRole('status').getByText(`The link for ${email} was renewed.`).waitFor();
  const second = new URL(await link(bob)).pathname;
  assert.notEqual(second, first);
  const german = await returningUser('bob', `${tenant.path}/invitations`, { locale: 'de-DE' });
  await rowOf(german, email).getByText('Es wird keine E-Mail gesendet').waitFor();
  await rowOf(german, email).getByRole('button', { name: `Link erneuern für ${isolated(email)}` }).waitFor();
  await german.page.getByRole('button', { name: 'Einladen', exact: true }).waitFor();
  assert.doesNotMatch(await german.page.locator('main').innerText(), /[Ee]rneut senden/);
  await german.close();
  const carol = await returningUser('carol', second);
  await carol.page.getByRole('button', { name: 'Accept the invitation' }).click();
  await carol.heading(tenant.name).waitFor();
  await carol.close();
  await bob.close();
});

test('every other refusal of an invitation is explained', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Mallory: 'ADMIN' });
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  const path = await invite(bob, 'carol@example.org', 'Owner');
  // The link is for another person.
  const mallory = await returningUser('mallory', path);
  await mallory.page.getByText('or it is for another e-mail address').waitFor();
  await mallory.page.getByText('You are signed in as Mallory (mallory@example.org).').waitFor();
  // An admin cannot offer the role of an owner, nor manage such an invitation.
  await mallory.open(`${tenant.path}/invitations`);
  assert.deepEqual(await mallory.page.getByLabel('Role', { exact: true }).locator('option').allInnerTexts(), ['Member', 'Admin']);
  await mallory.page.getByRole('listitem').filter({ hasText: 'carol@example.org' }).waitFor();
  assert.equal(await mallory.page.getByRole('button', { name: /^Revoke/ }).count(), 0);
  const carol = await returningUser('carol', path);
  await updateTenant(tenant, { status: 'SUSPENDED' });
  await carol.page.getByRole('button', { name: 'Accept the invitation' }).click();
  await carol.page.getByRole('alert').getByText('takes no new members').waitFor();
  const german = await returningUser('carol', '/invitations/no-such-token', { locale: 'de-DE' });
  await german.page.getByText('Diese Einladung kann nicht angenommen werden.').waitFor();
  await german.close();
  await carol.close([errorStatus(403)]);
  await mallory.close();
  await bob.close();
});

test('an invitation that is open in two tabs is accepted once', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  const path = await invite(bob, 'carol@example.org');
  const [first, second] = [await returningUser('carol', path), await returningUser('carol', path)];
  const buttons = [first, second].map(({ page }) => page.getByRole('button', { name: 'Accept the invitation' }));
  const hold = shared.stack.gate.hold('AcceptInvitation');
  const arrived = shared.stack.gate.operations.length;
  await Promise.all(buttons.map((button) => button.click()));
  await shared.stack.gate.waitUntil(() => shared.stack.gate.operations.slice(arrived).filter((name) => name === 'AcceptInvitation').length === 2);
  hold.release();
  const welcome = (user) => user.heading(tenant.name).waitFor().then(() => user);
  const accepted = await Promise.any([welcome(first), welcome(second)]);
  const refused = accepted === first ? second : first;
  await refused.page.getByRole('alert').getByText('It has expired, was used or revoked').waitFor();
  const { memberships } = await users().findOne({ subject: 'carol' });
  const { _id } = await shared.stack.database.collection('tenants').findOne({ slug: tenant.slug });
  assert.equal(memberships.filter(({ tenantId }) => tenantId.equals(_id)).length, 1);
  await accepted.close();
  await refused.close([errorStatus(404)]);
  await bob.close();
});

// Markup, the syntax of templates, and letters of the other direction, with an override that only a manual edit can store.
const HOSTILE = '<img src=x onerror=alert(1)> {{7*7}} \u05d0\u05d1\u05d2 &amp; \u202egpj';

test('a name with markup or another direction is text, and isolated, everywhere', async () => {
  const tenant = await newTenant();
  const bob = await returningUser('bob', `${tenant.path}/invitations`);
  bob.page.on('dialog', () => assert.fail('a script of the name was executed'));
  await shared.stack.database.collection('tenants').updateOne({ slug: tenant.slug }, { $set: { name: HOSTILE } });
  await bob.open(`${tenant.path}/invitations`);
  await invite(bob, 'hostile@example.org');
  const mail = await shared.stack.mail.read('hostile@example.org');
  assert.doesNotMatch(mail.html, /<img|\u202e/);
  const carol = await returningUser('carol', await invite(bob, 'carol@example.org'));
  await carol.page.getByText(' invites you as Member.').waitFor();
  assert.deepEqual(await exposed(carol.page), []);
  await carol.close();
  for (const page of ['/', '/tenants', '/profile', tenant.path, `${tenant.path}/edit`, `${tenant.path}/audit`, `${tenant.path}/members/add`]) {
    await bob.open(page);
    assert.deepEqual(await exposed(bob.page), [], page);
  }
  await bob.close();
});

/** Returns the texts with the override that are not isolated from the text around them. */
function exposed(page) {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.data.includes('\u202e') && !node.parentElement.closest('bdi, script, option')) texts.push(node.data);
    }
    return document.querySelector('img[src="x"]') ? [...texts, 'an image'] : texts;
  });
}

test('a member sees no invitations', async () => {
  const tenant = await newTenant({ Bob: 'OWNER', Carol: 'MEMBER' });
  const carol = await returningUser('carol', tenant.path);
  assert.equal(await carol.page.getByRole('link', { name: 'Invitations' }).count(), 0);
  await carol.open(`${tenant.path}/invitations`);
  await carol.page.getByText('Only this tenant’s admins and owners can see its invitations.').waitFor();
  await carol.close();
});
