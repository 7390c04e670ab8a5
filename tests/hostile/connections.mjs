// Measures connections and the details of HTTP.

import { Connection, OTHER_ADDRESS, execute, graphqlHeaders, requestBytes, runAll, send } from './client.mjs';
import { sleep } from './processes.mjs';
import { settle } from './sampling.mjs';
import { ME, UPDATE, rename } from './world.mjs';

export async function idleConnections({ start, sqlite }) {
  const { gateway } = await start(sqlite(), {}, 1024);
  const connections = Array.from({ length: 1_200 }, () => Connection.open(gateway.public));
  await Promise.race([Promise.all(connections.map((connection) => connection.connected)), sleep(3_000)]);
  await settle(gateway);
  const options = { localAddress: OTHER_ADDRESS, timeout: 3_000 };
  const healthz = await runAll(3, 1, () => send(gateway.admin, { ...options, method: 'GET', path: '/healthz' }));
  const queries = await runAll(3, 1, () => execute(gateway.public, undefined, '{ __typename }', undefined, options));
  for (const connection of connections) connection.destroy();
  return [healthz, queries].map((responses) => responses.filter(({ status }) => status !== 200).length);
}

export async function halfClosed({ start, sqlite }) {
  const { gateway, world } = await start(sqlite());
  const mutation = { query: UPDATE, variables: rename(world.tenant, 'Half') };
  const unanswered = async (payload) => {
    const bytes = requestBytes(JSON.stringify(payload), graphqlHeaders(world.bob));
    const answers = await runAll(20, 1, async () => {
      const connection = Connection.open(gateway.public);
      await connection.connected;
      connection.socket.end(bytes);
      const status = await connection.statusLine(2_000);
      connection.destroy();
      return status;
    });
    return answers.filter((status) => !status.startsWith('HTTP/1.1 200')).length;
  };
  return [await unanswered({ query: ME }), await unanswered(mutation)];
}

export async function bareLineFeeds({ start, sqlite }) {
  const { gateway } = await start(sqlite());
  const heads = [
    'GET /graphql?query={__typename} HTTP/1.1\nhost: x\n\n',
    'GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\n\r\n',
    'GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\r\n\n',
    'GET /graphql?query={__typename} HTTP/1.1\nhost: x\r\n\r\n',
  ];
  let accepted = 0;
  for (const head of heads) {
    const connection = Connection.open(gateway.public);
    connection.write(head);
    const status = await connection.statusLine(2_000);
    if (status.startsWith('HTTP/1.1 200')) accepted += 1;
    connection.destroy();
  }
  return [accepted];
}

export async function sniffing({ start, sqlite, note }) {
  const { gateway } = await start(sqlite(), { TENANTRY_PLAYGROUND: 'true' });
  const get = (path, fields = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${fields}\r\n`;
  const post = (fields, body) => `POST /graphql HTTP/1.1\r\nhost: x\r\n${fields}\r\n${body}`;
  const requests = [
    [gateway.public, 'page', get('/')],
    [gateway.public, 'query', get('/graphql?query={__typename}')],
    [gateway.public, '404', get('/nowhere')],
    [gateway.public, '401', get('/graphql?query={__typename}', 'authorization: Bearer x\r\n')],
    [gateway.public, '405', 'PUT /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    [gateway.public, '413', post('content-type: application/json\r\ncontent-length: 9999999\r\n', '')],
    [gateway.public, '415', post('content-type: text/plain\r\ncontent-length: 2\r\n', '{}')],
    [gateway.public, '431', get('/', `x: ${'a'.repeat(1024 * 1024)}\r\n`)],
    [gateway.public, '431 by number', get('/', 'x: a\r\n'.repeat(500))],
    [gateway.public, 'no HTTP', 'nonsense\r\n\r\n'],
    [gateway.admin, 'healthz', get('/healthz')],
    [gateway.admin, 'readyz', get('/readyz')],
    [gateway.admin, 'metrics', get('/metrics')],
    [gateway.admin, 'admin 404', get('/nowhere')],
    [gateway.admin, 'admin 405', 'POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    [gateway.admin, 'admin no HTTP', 'nonsense\r\n\r\n'],
  ];
  let without = 0;
  for (const [address, name, bytes] of requests) {
    const connection = Connection.open(address);
    connection.write(bytes);
    const status = await connection.statusLine(2_000);
    const answered = connection.received.split('\r\n\r\n')[0].toLowerCase();
    if (!answered.includes('\r\nx-content-type-options: nosniff')) {
      note(`without: ${name} (${status || 'no response'})`);
      without += 1;
    }
    connection.destroy();
  }
  return [without];
}
