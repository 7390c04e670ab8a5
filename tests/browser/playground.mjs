// The playground in a real browser: `playground.mjs dev URL`, where it has demo identities, and
// `playground.mjs serve URL TOKEN`, where it has none and introspection is off.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { launch, open } from './browser.mjs';
import { answered, as, editor, run, says, tab, visit } from './graphiql.mjs';

const [mode, url, token] = process.argv.slice(2);
const { origin } = new URL(url);

/** As somebody of the demo data, for whom the same operation answers something else. */
async function dev(page, context, faults) {
  await visit(page, url);
  await page.getByRole('radio', { name: 'nobody' }).waitFor();
  const who = await page.getByRole('radio').evaluateAll((radios) => radios.map(({ value }) => value));
  assert.deepEqual(who, ['ada', 'bob', 'carol', 'mallory', 'nobody']);

  // A part that carol may not see: null, and why.
  await tab(page, 'Billing');
  await as(page, 'carol');
  await run(page);
  await says(page, '"billingInfo": null');
  await page.locator('.answer').getByText('FORBIDDEN').waitFor();
  await page.locator('.answer').getByText('as carol').waitFor();

  // To choose somebody else asks again.
  await answered(page, () => as(page, 'ada'));
  await says(page, '"companyName": "Acme GmbH"');
  assert.equal(await page.locator('.answer-code').count(), 0);

  // Nobody sends no token.
  const asked = await answered(page, () => as(page, 'nobody'));
  assert.equal(await asked.request().headerValue('authorization'), null);
  await page.locator('.answer').getByText('UNAUTHENTICATED').waitFor();

  await examples(page);
  await documentation(page);
  await keyboard(page);
  await renewal(page, faults);
  await reload(page, context);
}

/** Variables are of this gateway's own data, and headers are filled in; a change is done once. */
async function examples(page) {
  await page.getByRole('button', { name: /^Nodes as bob/ }).click();
  await editor(page, 'Variables').getByText(/ten_[0-9a-f]{24}/).waitFor();
  assert.ok(await page.getByRole('radio', { name: 'bob' }).isChecked());
  await run(page);
  await says(page, '"slug": "acme"');

  // One that is in no tab from the start.
  await page.getByRole('button', { name: /^Conflict as ada/ }).click();
  await editor(page, 'Operation').getByText('Conflict', { exact: true }).waitFor();
  await editor(page, 'Variables').getByText('"Another Acme"').waitFor();
  await run(page);
  await page.locator('.answer').getByText('CONFLICT').waitFor();

  await tab(page, 'Once');
  await editor(page, 'Variables').getByText(/"demo-/).waitFor();
  const keys = [];
  const slugs = [];
  for (let time = 0; time < 2; time += 1) {
    const asked = await run(page);
    keys.push(await asked.request().headerValue('idempotency-key'));
    slugs.push((await asked.json()).data.createTenant.tenant.id);
  }
  assert.match(keys[0] ?? '', /^demo-/);
  assert.deepEqual([keys[1], slugs[1]], [keys[0], slugs[0]]);
}

async function documentation(page) {
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByRole('link', { name: 'Query', exact: true }).click();
  await page.getByText('What can be asked.').waitFor();
}

/** Everything without a mouse: who asks, what, and the answer. */
async function keyboard(page) {
  await tab(page, 'Me');
  await page.getByRole('radio', { name: 'ada' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.ok(await page.getByRole('radio', { name: 'bob' }).isChecked());
  await editor(page, 'Operation').getByRole('textbox').focus();
  await answered(page, () => page.keyboard.press('Control+Enter'));
  await says(page, '"name": "Bob"');
  // Completion knows the schema.
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.getByRole('tab', { name: '<untitled>' }).waitFor();
  await editor(page, 'Operation').getByRole('textbox').focus();
  await page.keyboard.type('{ tena');
  await page.locator('.suggest-widget').getByText('tenants').first().waitFor();
  await page.keyboard.press('Escape');
}

/** A token that the gateway does not take any more, or soon, is replaced. */
async function renewal(page, faults) {
  await tab(page, 'Tenants');
  let refused = 0;
  await page.route('**/graphql', async (route) => {
    const headers = { ...route.request().headers() };
    if (refused === 0 && headers.authorization) {
      refused += 1;
      headers.authorization = 'Bearer spoiled.on.its-way';
    }
    await route.continue({ headers });
  });
  const fresh = page.waitForResponse('**/dev/identities');
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await fresh;
  await page.locator('.answer').getByText('200 OK').waitFor();
  assert.equal(refused, 1);
  await page.unroute('**/graphql');
  // The browser tells of the one refusal, and of nothing else.
  assert.match(faults.splice(0).join('\n'), /^console: .* 401 \(Unauthorized\)$/);

  // Half a minute before its end, a token is replaced before it is sent.
  await page.clock.setFixedTime(Date.now() + 59.5 * 60_000);
  const early = page.waitForResponse('**/dev/identities');
  const asked = await run(page);
  const { token: renewed } = (await (await early).json()).find(({ name }) => name === 'bob');
  assert.equal(await asked.request().headerValue('authorization'), `Bearer ${renewed}`);
}

/** Who asks stays chosen, and no token is kept. */
async function reload(page, context) {
  await as(page, 'mallory');
  await page.reload();
  await page.getByRole('radio', { name: 'mallory', checked: true }).waitFor();
  const kept = JSON.stringify(await context.storageState());
  assert.match(kept, /tenantry:identity/);
  assert.doesNotMatch(kept, /eyJ/);
}

/** While the gateway is away the page says so, and goes on where it comes back. */
async function away(browser) {
  const { page, context } = await open(browser, origin);
  const gone = (route) => (route.request().isNavigationRequest() ? route.continue() : route.abort());
  await page.route(/dev\/identities|graphql$/, gone);
  await visit(page, url);
  await page.getByText('The identities cannot be loaded').waitFor();
  await page.getByText('no connection').waitFor();
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await editor(page, 'Answer').getByText('cannot be').waitFor();

  await page.unroute(/dev\/identities|graphql$/);
  await page.getByRole('banner').getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByRole('main').getByRole('button', { name: 'Try again' }).click();
  await page.getByText('Root Types').waitFor();
  await answered(page, () => as(page, 'bob'));
  await says(page, '"name": "Bob"');
  await context.close();
}

/** Below a path of somebody else's host, where the gateway is behind a proxy that takes the path off. */
async function behindProxy(browser) {
  const proxy = createServer((asked, answer) => {
    const path = asked.url.replace(/^\/portal\/api/, '');
    if (path === asked.url) return answer.writeHead(404).end();
    const { method, headers } = asked;
    const passed = request(new URL(path, url), { method, headers }, (told) => {
      told.pipe(answer.writeHead(told.statusCode, told.headers));
    });
    asked.pipe(passed);
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  try {
    const front = `http://127.0.0.1:${proxy.address().port}`;
    const { page, context, faults } = await open(browser, front);
    await visit(page, `${front}/portal/api/graphql`);
    await as(page, 'bob');
    await run(page);
    await says(page, '"name": "Bob"');
    assert.deepEqual(faults, []);
    await context.close();
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

/** Where there are no identities: nobody, then somebody by a token that is pasted. */
async function serve(page, context, faults) {
  await visit(page, url);
  await page.getByText('introspection is off', { exact: true }).waitFor();
  await editor(page, 'Answer').getByText('Introspection is off').waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('radio').count(), 0);
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByText('Introspection is off at this gateway').waitFor();
  await page.getByRole('button', { name: 'Hide Documentation' }).click();

  await run(page);
  await page.locator('.answer').getByText('UNAUTHENTICATED').waitFor();
  await page.getByLabel('Bearer token').fill(`Bearer ${token}\n`);
  await page.getByText(/^Good for/).waitFor();
  await run(page);
  await says(page, '"email": "carol@example.org"');
  await page.locator('.answer').getByText('as your token').waitFor();

  // A header of somebody's own goes before what was pasted.
  await page.getByRole('button', { name: 'Headers' }).click();
  await page.getByRole('textbox', { name: 'Headers' }).focus();
  await page.keyboard.insertText(`{ "Authorization": "Bearer ${token}x" }`);
  const refused = await run(page);
  assert.equal(refused.status(), 401);
  await page.locator('.answer').getByText('as your header').waitFor();
  assert.match(faults.splice(0).join('\n'), /^console: .* 401 \(Unauthorized\)$/);

  // Neither is kept, not in the history either.
  await page.getByRole('button', { name: 'Show History' }).click();
  await page.getByRole('button', { name: 'Me', exact: true }).first().waitFor();
  const kept = JSON.stringify(await context.storageState());
  assert.match(kept, /graphiql:queries/);
  assert.ok(!kept.includes(token));
  await page.reload();
  await page.getByText('No token: requests run as nobody.').waitFor();
}

const browser = await launch();
try {
  const { page, context, faults } = await open(browser, origin);
  await (mode === 'dev' ? dev : serve)(page, context, faults);
  assert.deepEqual(faults, []);
  if (mode === 'dev') {
    await behindProxy(browser);
    await away(browser);
  }
} finally {
  await browser.close();
}
