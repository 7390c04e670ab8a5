// A gateway below a path of another host, and a gateway that is unreachable.
import assert from 'node:assert/strict';
import { createServer, request as sendRequest } from 'node:http';
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
  const proxy = createServer((request, response) => {
    const path = request.url.replace(/^\/portal\/api/, '');
    if (path === request.url) return response.writeHead(404).end();
    const { method, headers } = request;
    // Each request has its own connection, since the gateway may close an idle one at any time.
    const options = { method, headers, agent: false };
    const upstream = sendRequest(new URL(path, url), options, (upstreamResponse) => {
      upstreamResponse.pipe(response.writeHead(upstreamResponse.statusCode, upstreamResponse.headers));
    });
    upstream.on('error', (error) => response.destroy(error));
    request.pipe(upstream);
  });
  await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening));
  try {
    const proxyOrigin = `http://127.0.0.1:${proxy.address().port}`;
    const { page, context, problems } = await openPage(browser, proxyOrigin);
    await visit(page, `${proxyOrigin}/portal/api/graphql`);
    await selectIdentity(page, 'bob');
    await runOperation(page);
    await waitForLine(page, '"name": "Bob"');
    assert.deepEqual(problems, []);
    await context.close();
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}
