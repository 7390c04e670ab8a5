// A gateway below a path of another host, and a gateway that is unreachable.
import assert from 'node:assert/strict';
import { openPage } from '../browser.mjs';
import {
  clickExecute,
  editor,
  runOperation,
  selectIdentity,
  visit,
  waitForIdentities,
  waitForLine,
  waitForResponse,
} from '../graphiql.mjs';
import { startProxy } from '../proxy.mjs';

/** The page reports an unreachable gateway, and works again as soon as the gateway is reachable. */
export async function testUnreachableGateway(browser, url) {
  const { page, context } = await openPage(browser, new URL(url).origin);
  const abortRequests = (route) =>
    route.request().isNavigationRequest() ? route.continue() : route.abort();
  await page.route(/dev\/identities|graphql$/, abortRequests);
  await visit(page, url);
  await page.getByText('Cannot load the identities').waitFor();
  await page.getByText('no connection').waitFor();
  await clickExecute(page);
  await editor(page, 'Response').getByText('unreachable').waitFor();

  await page.unroute(/dev\/identities|graphql$/);
  await page.getByRole('banner').getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: 'Show Documentation' }).click();
  await page.getByRole('main').getByRole('button', { name: 'Try again' }).click();
  await page.getByText('Root Types').waitFor();
  await waitForIdentities(page);
  await waitForResponse(page, () => selectIdentity(page, 'ada'));
  await waitForLine(page, '"name": "Ada"');
  await context.close();
}

/** The playground works behind a reverse proxy that serves the gateway below a path of its own host. */
export async function testPathPrefix(browser, url) {
  const proxy = await startProxy(url, '/portal/api');
  try {
    const { page, context, problems } = await openPage(browser, proxy.origin);
    await visit(page, `${proxy.origin}/portal/api/graphql`);
    await selectIdentity(page, 'bob');
    await runOperation(page);
    await waitForLine(page, '"name": "Bob"');
    assert.deepEqual(problems, []);
    await context.close();
  } finally {
    proxy.close();
  }
}
