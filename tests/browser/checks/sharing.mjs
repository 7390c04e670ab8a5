// Links to an operation, and operations as curl commands.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { eventually, openPage } from '../browser.mjs';
import { editor, openTab, runOperation, visit, waitForLine } from '../graphiql.mjs';

const QUERY = `# it's "quoted" & $HOME
query First { me { name } }
query Second($slug: String!) { tenant(slug: $slug) { name } }`;

/** A link fills a tab and runs nothing. */
export async function testLink(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const sent = [];
  page.on('request', (request) => {
    const body = request.postData() ?? '';
    if (/First|Second/.test(body)) sent.push(body);
  });
  const link = new URL(url);
  link.searchParams.set('query', QUERY);
  link.searchParams.set('variables', '{"slug":"acme"}');
  link.searchParams.set('operationName', 'Second');
  await page.goto(link.href);
  await editor(page, 'Operation').getByText('Second', { exact: true }).waitFor();
  await editor(page, 'Variables').getByText('"acme"').waitFor();
  assert.deepEqual(sent, []);
  assert.equal(new URL(page.url()).search, '');
  await page.getByRole('tab', { name: 'Second' }).waitFor();
  // The button opens a menu as soon as the editor has found both operations.
  await page.locator('.graphiql-execute-button[aria-haspopup]').click();
  await page.getByRole('menuitem', { name: 'Second' }).click();
  await waitForLine(page, '"name": "Acme"');

  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.getByText('Copied').waitFor();
  const copied = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.match(copied.searchParams.get('query'), /query Second/);
  assert.deepEqual(JSON.parse(copied.searchParams.get('variables')), { slug: 'acme' });
  assert.equal(copied.searchParams.get('operationName'), 'Second');

  // A copied link opens one more tab in a browser that has stored others.
  await page.goto(copied.href);
  await editor(page, 'Operation').getByText('Second', { exact: true }).waitFor();
  await page.getByRole('tab', { name: 'Me', exact: true }).waitFor();
  await eventually(async () => assert.equal(await page.getByRole('tab', { name: 'Second' }).count(), 1));
  assert.deepEqual(problems, []);
  await context.close();
}

/** The curl command sends the same request, and contains no token. */
export async function testCurl(browser, url) {
  const { page, context, problems } = await openPage(browser, new URL(url).origin, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await visit(page, url);
  await openTab(page, 'IdempotencyKey');
  await editor(page, 'Variables').getByText(/"demo-/).waitFor();
  const response = await runOperation(page);
  await page.getByRole('button', { name: 'Copy as cURL' }).click();
  await page.getByText('Copied').waitFor();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  assert.doesNotMatch(command, /eyJ/);
  // The shell passes these arguments to curl.
  const script = `curl() { printf '%s\\0' "$@"; }; ${command}`;
  const [address, ...options] = execFileSync('sh', ['-c', script], { env: { TOKEN: 'secret' } })
    .toString()
    .split('\0');
  assert.equal(address, response.url());
  const request = response.request();
  assert.deepEqual(JSON.parse(options[options.indexOf('--data') + 1]), request.postDataJSON());
  assert.ok(options.includes('authorization: Bearer secret'));
  assert.ok(options.includes(`Idempotency-Key: ${await request.headerValue('idempotency-key')}`));
  assert.deepEqual(problems, []);
  await context.close();
}
