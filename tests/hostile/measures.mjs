// The measurements. Each plays one hostile caller with the default options and returns its figures.

import { rmSync, statSync } from 'node:fs';
import { Connection, OTHER_ADDRESS, execute, graphqlHeaders, requestBytes, runAll, send } from './client.mjs';
import { sleep, sqliteFile } from './processes.mjs';
import { BODIES, DOCUMENTS, ME, REFUSED, UNDECLARED, UPDATE, createWorld } from './world.mjs';

/** The growth at which the memory is no longer increased, in MiB. */
const MAX_GROWTH_MIB = 1024;

const rename = (id, name) => ({ input: { id, name } });

/** Waits until a gateway has nothing to do, at most 20 seconds. */
async function settle(gateway) {
  const deadline = performance.now() + 20_000;
  for (let before = -Infinity, now = gateway.cpu(); now - before > 5 && performance.now() < deadline; ) {
    await sleep(100);
    [before, now] = [now, gateway.cpu()];
  }
}

/** Samples the memory of a gateway until `done` resolves. Returns the growth in MiB. */
async function memoryGrowth(gateway, action) {
  const idle = gateway.rss();
  let peak = idle;
  let finished = false;
  const sample = async () => {
    while (!finished) {
      peak = Math.max(peak, gateway.rss());
      await sleep(5);
    }
  };
  const sampling = sample();
  await action(() => peak - idle);
  finished = true;
  await sampling;
  return Math.round(peak - idle);
}

async function memoryOfBodies({ start, mongod }) {
  // A request without a response keeps its memory until its time limit.
  const { gateway, world } = await start(mongod.uri('bodies'), { TENANTRY_REQUEST_TIMEOUT: '5m' });
  const bytes = requestBytes(UNDECLARED, graphqlHeaders(world.mallory));
  const connections = [];
  mongod.pause(true);
  const growth = await memoryGrowth(gateway, async (growthSoFar) => {
    for (let batch = 0; batch < 32 && growthSoFar() < MAX_GROWTH_MIB; batch += 1) {
      const opened = Array.from({ length: 16 }, () => Connection.open(gateway.public));
      connections.push(...opened);
      for (const connection of opened) connection.write(bytes);
      await settle(gateway);
    }
  });
  for (const connection of connections) connection.destroy();
  mongod.pause(false);
  return [growth];
}

async function memoryOfHeads({ start, sqlite }) {
  const { gateway } = await start(sqlite());
  const head = Buffer.from(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(390 * 1024)}`);
  const connections = [];
  const growth = await memoryGrowth(gateway, async () => {
    for (let n = 0; n < 1_000; n += 1) connections.push(Connection.open(gateway.public));
    await Promise.all(connections.map((connection) => connection.connected));
    for (const connection of connections) connection.write(head);
    await settle(gateway);
  });
  for (const connection of connections) connection.destroy();
  return [growth];
}

/** Returns the CPU time of the gateway for one request, in milliseconds. */
async function cpuPerRequest(gateway, count, sendOne) {
  await sendOne();
  const before = gateway.cpu();
  for (let n = 0; n < count; n += 1) await sendOne();
  return (gateway.cpu() - before) / count;
}

/** Returns the figure of the most expensive input, and reports each to `note`. */
async function mostExpensive(inputs, note, measure) {
  let worst = 0;
  for (const [name, input] of Object.entries(inputs)) {
    const cpu = await measure(input);
    note(`${name}: ${cpu.toFixed(2)} ms`);
    worst = Math.max(worst, cpu);
  }
  return Number(worst.toFixed(1));
}

async function documents({ start, sqlite, note }) {
  const { gateway, world } = await start(sqlite(), { TENANTRY_RATE_LIMIT: 'off' });
  let worst;
  const growth = await memoryGrowth(gateway, async () => {
    worst = await mostExpensive(DOCUMENTS, note, (query) =>
      cpuPerRequest(gateway, 20, () => execute(gateway.public, world.mallory, query)),
    );
    const queries = Object.values(DOCUMENTS);
    await runAll(500, 100, (n) => execute(gateway.public, world.mallory, queries[n % queries.length]));
  });
  return [worst, growth];
}

async function bodies({ start, sqlite, note }) {
  const { gateway } = await start(sqlite(), { TENANTRY_RATE_LIMIT: 'off' });
  const headers = graphqlHeaders();
  const worst = await mostExpensive(BODIES, note, (body) =>
    cpuPerRequest(gateway, 20, () => send(gateway.public, { headers, body })),
  );
  return [worst];
}

/** The share of a core that one caller takes with the default rate limit. */
async function flood({ start, sqlite }) {
  const { gateway, world } = await start(sqlite());
  const headers = graphqlHeaders(world.mallory);
  const begin = performance.now();
  const before = gateway.cpu();
  await runAll(8, 8, async () => {
    while (performance.now() - begin < 5_000) await send(gateway.public, { headers, body: UNDECLARED });
  });
  return [Number(((gateway.cpu() - before) / (performance.now() - begin)).toFixed(2))];
}

async function idleConnections({ start, sqlite }) {
  const { gateway } = await start(sqlite(), {}, 1024);
  const connections = Array.from({ length: 1_200 }, () => Connection.open(gateway.public));
  await Promise.race([Promise.all(connections.map((connection) => connection.connected)), sleep(3_000)]);
  await settle(gateway);
  const healthz = await send(gateway.admin, { method: 'GET', path: '/healthz', timeout: 3_000 });
  const options = { localAddress: OTHER_ADDRESS, timeout: 3_000 };
  const query = await execute(gateway.public, undefined, '{ __typename }', undefined, options);
  for (const connection of connections) connection.destroy();
  return [Number(healthz.status !== 200), Number(query.status !== 200)];
}

async function places({ start, mongod }) {
  const { gateway, world } = await start(mongod.uri('places'), { TENANTRY_RATE_LIMIT: 'off' });
  const { ada, bob, tenant } = world;
  let open = true;
  const writes = runAll(600, 600, (n) => execute(gateway.public, bob, UPDATE, rename(tenant, `N${n}`)));
  writes.then(() => (open = false));
  let [refused, slowest] = [0, 0];
  while (open) {
    const begin = performance.now();
    const read = await execute(gateway.public, ada, ME, undefined, { localAddress: OTHER_ADDRESS });
    slowest = Math.max(slowest, performance.now() - begin);
    if (read.status !== 200) refused += 1;
    await sleep(2);
  }
  return [refused, Math.round(slowest)];
}

const REFUSED_COUNT = 500;

async function sendRefused(gateway, world) {
  await runAll(REFUSED_COUNT, 8, (n) => execute(gateway.public, world.mallory, REFUSED, undefined, { key: `k${n}` }));
}

async function diskOfSqlite({ start, sqlite }) {
  const url = sqlite();
  const size = () => statSync(url.replace('sqlite://', '')).size;
  const first = await start(url);
  await first.gateway.stop();
  const before = size();
  const second = await start(url, { TENANTRY_RATE_LIMIT: 'off' }, undefined, first.world);
  await sendRefused(second.gateway, first.world);
  await second.gateway.stop();
  return [Math.round((size() - before) / REFUSED_COUNT)];
}

async function diskOfMongo({ start, mongod }) {
  const { gateway, world } = await start(mongod.uri('disk'), { TENANTRY_RATE_LIMIT: 'off' });
  const size = async () => (await mongod.client.command('disk', { dbStats: 1 })).dataSize;
  const before = await size();
  await sendRefused(gateway, world);
  return [Math.round(((await size()) - before) / REFUSED_COUNT)];
}

const KEYS = 150;

/** The keys that are busy after their client hung up while the gateway claimed them. */
async function busyKeys(gateway, { bob, tenant }) {
  const body = JSON.stringify({ query: UPDATE, variables: rename(tenant, 'Renamed') });
  await runAll(KEYS, 10, async (n) => {
    const connection = Connection.open(gateway.public);
    await connection.connected;
    connection.write(requestBytes(body, graphqlHeaders(bob, `h${n}`)));
    await sleep(n % 10);
    connection.destroy();
  });
  await sleep(1_000);
  const repeated = await runAll(KEYS, KEYS, (n) =>
    send(gateway.public, { headers: graphqlHeaders(bob, `h${n}`), body }),
  );
  return repeated.filter((response) => response.status !== 200).length;
}

async function busyKeysOnSqlite({ start, sqlite }) {
  const { gateway, world } = await start(sqlite(), { TENANTRY_RATE_LIMIT: 'off' });
  return [await busyKeys(gateway, world)];
}

async function busyKeysOnMongo({ start, mongod }) {
  const { gateway, world } = await start(mongod.uri('keys'), { TENANTRY_RATE_LIMIT: 'off' });
  return [await busyKeys(gateway, world)];
}

/** Repeats a write until it succeeds. Returns the milliseconds that this took, at most `limit`. */
async function timeToWrite(gateway, token, tenant, limit) {
  const begin = performance.now();
  while (performance.now() - begin < limit) {
    const left = Math.ceil(limit - (performance.now() - begin)) + 1;
    const { json } = await execute(gateway.public, token, UPDATE, rename(tenant, `W${begin}`), { timeout: left });
    if (json?.data?.updateTenant) return Math.round(performance.now() - begin);
  }
  return limit;
}

async function hangUps({ start, mongod }) {
  const { gateway, world } = await start(mongod.uri('hangups'));
  const { ada, bob, tenant } = world;
  for (let n = 0; n < 25; n += 1) {
    const body = JSON.stringify({ query: UPDATE, variables: rename(tenant, `H${n}`) });
    const connection = Connection.open(gateway.public);
    await connection.connected;
    connection.write(requestBytes(body, graphqlHeaders(bob)));
    await sleep(3);
    connection.destroy();
  }
  const waited = await timeToWrite(gateway, ada, tenant, 20_000);
  const { transactions } = await mongod.client.command('admin', { serverStatus: 1 });
  return [transactions.currentOpen, waited];
}

/** Another instance writes after the first one was killed during its writes. */
async function killed({ start, mongod }) {
  const url = mongod.uri('killed');
  const { gateway: other, world } = await start(url);
  let longest = 0;
  for (let round = 0; round < 6 && longest < 5_000; round += 1) {
    const { gateway } = await start(url, {}, undefined, world);
    const writes = runAll(16, 16, async (n) => {
      for (let m = 0; m < 1_000; m += 1) {
        const reply = await execute(gateway.public, world.bob, UPDATE, rename(world.tenant, `K${n}-${m}`));
        if (reply.status === 0) return;
      }
    });
    await sleep(200 + round * 7);
    await gateway.kill();
    await writes;
    longest = Math.max(longest, await timeToWrite(other, world.ada, world.tenant, 10_000));
  }
  return [longest];
}

async function halfClosed({ start, sqlite }) {
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

async function bareLineFeeds({ start, sqlite }) {
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

async function sniffing({ start, sqlite, note }) {
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

const figure = (name, unit, max) => ({ name, unit, max });

/** All measurements: their figures with bounds, and their time limits in seconds. */
export const MEASURES = [
  {
    seconds: 60, run: memoryOfBodies,
    figures: [figure('Memory for 512 concurrent bodies of 256 KiB with an undeclared variable, while MongoDB does not respond', 'MiB', 256)],
  },
  {
    seconds: 30, run: memoryOfHeads,
    figures: [figure('Memory for 1,000 connections that each send a header of 390 KiB', 'MiB', 64)],
  },
  {
    seconds: 60, run: documents,
    figures: [
      figure('CPU time for the most expensive document', 'ms', 10),
      figure('Memory for 500 expensive documents, 100 at a time', 'MiB', 64),
    ],
  },
  {
    seconds: 60, run: bodies,
    figures: [figure('CPU time for the most expensive body of 256 KiB, without a token', 'ms', 10)],
  },
  {
    seconds: 20, run: flood,
    figures: [figure('Cores that one user keeps busy with bodies of 256 KiB, at the default rate limit', 'cores', 0.5)],
  },
  {
    seconds: 30, run: idleConnections,
    figures: [
      figure('`/healthz` unanswered with 1,200 idle connections at a limit of 1,024 descriptors', 'of 1', 0),
      figure('Query from another address unanswered with these connections', 'of 1', 0),
    ],
  },
  {
    seconds: 60, run: places,
    figures: [
      figure('Reads of another user that get an error during 600 concurrent writes to one tenant', 'reads', 0),
      figure('Longest read of another user during these writes', 'ms', 1_000),
    ],
  },
  {
    seconds: 40, run: diskOfSqlite,
    figures: [figure('Disk per refused mutation with a new `Idempotency-Key`, SQLite', 'bytes', 16)],
  },
  {
    seconds: 40, run: diskOfMongo,
    figures: [figure('Disk per refused mutation with a new `Idempotency-Key`, MongoDB', 'bytes', 16)],
  },
  {
    seconds: 40, run: busyKeysOnSqlite,
    figures: [figure('Keys that stay busy after 150 disconnects during their claims, SQLite', 'keys', 0)],
  },
  {
    seconds: 40, run: busyKeysOnMongo,
    figures: [figure('Keys that stay busy after 150 disconnects during their claims, MongoDB', 'keys', 0)],
  },
  {
    seconds: 40, run: hangUps,
    figures: [
      figure('Transactions left open by 25 disconnects during a mutation', 'open', 0),
      figure('Time that another writer of the same tenant then waits', 'ms', 1_000),
    ],
  },
  {
    seconds: 60, run: killed,
    figures: [figure('Time that a writer of another instance waits after SIGKILL during writes', 'ms', 1_000)],
  },
  {
    seconds: 30, run: halfClosed,
    figures: [
      figure('Queries unanswered on a half-closed connection', 'of 20', 0),
      figure('Mutations unanswered on a half-closed connection', 'of 20', 0),
    ],
  },
  { seconds: 20, run: bareLineFeeds, figures: [figure('Heads with a bare LF that are accepted', 'of 4', 0)] },
  {
    seconds: 30, run: sniffing,
    figures: [figure('Responses without `X-Content-Type-Options: nosniff`', 'of 16', 0)],
  },
];

/** Returns what a measurement needs: `start` and `sqlite`, whose processes and files `cleanUp` removes. */
export function createContext({ Gateway, program, issuer, mongod, note }) {
  const [gateways, folders] = [[], []];
  const start = async (url, variables = {}, descriptors = undefined, world = undefined) => {
    const gateway = await Gateway.start(program, issuer, url, { variables, descriptors });
    gateways.push(gateway);
    return { gateway, world: world ?? (await createWorld(gateway, issuer)) };
  };
  const sqlite = () => {
    const { url, folder } = sqliteFile();
    folders.push(folder);
    return url;
  };
  const cleanUp = async () => {
    for (const gateway of gateways) {
      await gateway.kill();
      await gateway.stop();
    }
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  };
  return { start, sqlite, mongod, note, cleanUp };
}
