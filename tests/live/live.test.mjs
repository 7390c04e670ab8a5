// Each client gets changes live, reconnects after a lost connection, and misses none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gql as apolloGql } from '@apollo/client';
import { createClient as createEventStreamClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import WebSocket from 'ws';
import { apolloClient } from './clients/apollo.mjs';
import { eventStreamClient } from './clients/event-stream.mjs';
import { relayEnvironment } from './clients/relay.mjs';
import { urqlClient } from './clients/urql.mjs';
import { websocketClient } from './clients/websocket.mjs';
import { start } from '../clients/support/gateway.mjs';
import { startProxy } from './support/proxy.mjs';

const CHANGED = `subscription Changed($id: ID!, $since: String) {
  tenantChanged(id: $id, since: $since) { kind tenant { id name } }
}`;

let gateway;
let proxy;
let tenants = 0;
before(async () => {
  gateway = await start();
  proxy = await startProxy(gateway.endpoint);
});
after(async () => {
  proxy?.stop();
  await gateway?.stop();
});

const token = async () => gateway.tokens.ada;

/** Runs an operation of ada over HTTP. */
async function execute(query, variables) {
  const response = await fetch(gateway.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

async function createTenant() {
  tenants += 1;
  const input = { slug: `live-${tenants}`, name: 'Start' };
  const query = 'mutation ($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } } }';
  return (await execute(query, { input })).createTenant.tenant.id;
}

const rename = (id, name) =>
  execute(
    'mutation ($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { name } } }',
    { input: { id, name } },
  );

/** Collects results, and lets a test wait for the next one. */
function collector() {
  const results = [];
  const waiting = [];
  const settle = (outcome) => (waiting.length > 0 ? waiting.shift()(outcome) : results.push(outcome));
  return {
    sink: {
      next: (result) => settle(result),
      error: (error) => settle({ error }),
      complete: () => settle('complete'),
    },
    next: () =>
      results.length > 0 ? Promise.resolve(results.shift()) : new Promise((resolve) => waiting.push(resolve)),
  };
}

/** Renames a tenant until the subscription that has just been sent reports it. */
async function firstChange(id, collected) {
  const first = collected.next();
  let isFirst = true;
  first.then(() => { isFirst = false; });
  for (let attempt = 0; isFirst; attempt += 1) await rename(id, `First ${attempt}`);
  return first;
}

/** Asserts that a subscription gets changes, also those that happen without a connection. */
async function assertResumes(subscribe) {
  const id = await createTenant();
  const collected = collector();
  const unsubscribe = subscribe(id, collected.sink);
  const first = await firstChange(id, collected);
  assert.equal(first.data?.tenantChanged.tenant.id, id, JSON.stringify(first));
  await proxy.cutDuring(() => rename(id, 'Missed'));
  let last;
  do {
    last = await collected.next();
    assert.equal(last.errors ?? last.error, undefined, JSON.stringify(last));
  } while (last.data.tenantChanged.tenant.name !== 'Missed');
  await rename(id, 'After');
  assert.equal((await collected.next()).data.tenantChanged.tenant.name, 'After');
  unsubscribe();
}

test('graphql-ws gets changes and resumes', () =>
  assertResumes((id, sink) =>
    websocketClient(proxy.endpoint, token, WebSocket).subscribe({ query: CHANGED, variables: { id } }, sink),
  ));

test('graphql-sse gets changes and resumes', () =>
  assertResumes((id, sink) =>
    eventStreamClient(proxy.endpoint, token).subscribe({ query: CHANGED, variables: { id } }, sink),
  ));

test('Apollo Client gets changes and resumes', () => {
  const client = apolloClient(proxy.endpoint, token, WebSocket);
  return assertResumes((id, sink) => {
    const changes = client.subscribe({ query: apolloGql(CHANGED), variables: { id } });
    const subscription = changes.subscribe(sink);
    return () => subscription.unsubscribe();
  });
});

test('urql gets changes and resumes', () => {
  const client = urqlClient(proxy.endpoint, token, WebSocket);
  return assertResumes((id, sink) => {
    const { unsubscribe } = client.subscription(CHANGED, { id }).subscribe((result) => sink.next(result));
    return unsubscribe;
  });
});

test('Relay gets changes and resumes', () => {
  const network = relayEnvironment(proxy.endpoint, token, WebSocket).getNetwork();
  const params = { id: null, cacheID: 'Changed', metadata: {}, name: 'Changed', operationKind: 'subscription', text: CHANGED };
  return assertResumes((id, sink) => {
    const subscription = network.execute(params, { id }, {}).subscribe(sink);
    return () => subscription.unsubscribe();
  });
});

test('both protocols run queries and report rejected documents', async () => {
  const headers = async () => ({ authorization: `Bearer ${await token()}` });
  const url = gateway.endpoint.replace(/^http/, 'ws');
  const options = { url, connectionParams: headers, webSocketImpl: WebSocket, retryAttempts: 0 };
  const clients = [
    createWebSocketClient(options),
    createEventStreamClient({ url: gateway.endpoint, headers, retryAttempts: 0 }),
  ];
  for (const client of clients) {
    const collected = collector();
    client.subscribe({ query: '{ me { name } }' }, collected.sink);
    assert.equal((await collected.next()).data.me.name, 'Ada');
    assert.equal(await collected.next(), 'complete');
    client.subscribe({ query: '{ nope }' }, collected.sink);
    const rejected = await collected.next();
    const [error] = rejected.errors ?? rejected.error;
    assert.equal(error.extensions.code, 'GRAPHQL_VALIDATION_FAILED');
    client.dispose();
  }
});
