// Measures memory and CPU time.

import { Connection, execute, graphqlHeaders, requestBytes, runAll, send } from './client.mjs';
import { sleep } from './processes.mjs';
import { cpuPerRequest, memoryGrowth, settle } from './sampling.mjs';
import { BODIES, DOCUMENTS, UNDECLARED } from './world.mjs';

/** The growth at which the memory is no longer increased, in MiB. */
const MAX_GROWTH_MIB = 1024;

export async function memoryOfBodies({ start, mongod }) {
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
      await settle(gateway, 300);
    }
    await settle(gateway);
  });
  for (const connection of connections) connection.destroy();
  mongod.pause(false);
  return [growth];
}

export async function memoryOfHeads({ start, sqlite }) {
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

export async function documents({ start, sqlite, note }) {
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

export async function bodies({ start, sqlite, note }) {
  const { gateway } = await start(sqlite(), { TENANTRY_RATE_LIMIT: 'off' });
  const headers = graphqlHeaders();
  const worst = await mostExpensive(BODIES, note, (body) =>
    cpuPerRequest(gateway, 20, () => send(gateway.public, { headers, body })),
  );
  return [worst];
}

/** The share of a core that one caller takes with the default rate limit. */
export async function flood({ start, sqlite }) {
  const { gateway, world } = await start(sqlite());
  const headers = graphqlHeaders(world.mallory);
  const begin = performance.now();
  const before = gateway.cpu();
  await runAll(8, 8, async () => {
    while (performance.now() - begin < 5_000) await send(gateway.public, { headers, body: UNDECLARED });
  });
  return [Number(((gateway.cpu() - before) / (performance.now() - begin)).toFixed(2))];
}
