// Measures writes: places, disk, keys and transactions.

import { statSync } from 'node:fs';
import { Connection, OTHER_ADDRESS, execute, graphqlHeaders, requestBytes, runAll, send } from './client.mjs';
import { sleep } from './processes.mjs';
import { settle } from './sampling.mjs';
import { CREATE, ME, REFUSED, UPDATE, rename } from './world.mjs';

export async function places({ start, mongod }) {
  const { gateway, world } = await start(mongod.uri('places'), { TENANTRY_RATE_LIMIT: 'off' });
  const { ada, bob, tenant } = world;
  const writes = Array.from({ length: 600 }, (_, n) => {
    const body = JSON.stringify({ query: UPDATE, variables: rename(tenant, `N${n}`) });
    return { connection: Connection.open(gateway.public), bytes: requestBytes(body, graphqlHeaders(bob)) };
  });
  const other = { localAddress: OTHER_ADDRESS };
  // While the database does not respond, every write keeps its place. The first reads do not need the database.
  mongod.pause(true);
  for (const { connection, bytes } of writes) connection.write(bytes);
  await settle(gateway);
  const reads = await runAll(20, 1, () => execute(gateway.public, ada, '{ __typename }', undefined, other));
  mongod.pause(false);
  let refused = reads.filter(({ status }) => status !== 200).length;
  let slowest = 0;
  let open = true;
  Promise.all(writes.map(({ connection }) => connection.answered)).then(() => (open = false));
  while (open) {
    const begin = performance.now();
    const read = await execute(gateway.public, ada, ME, undefined, other);
    slowest = Math.max(slowest, performance.now() - begin);
    if (read.status !== 200) refused += 1;
    await sleep(2);
  }
  for (const { connection } of writes) connection.destroy();
  return [refused, Math.round(slowest)];
}

const REFUSED_COUNT = 500;

async function sendRefused(gateway, world) {
  await runAll(REFUSED_COUNT, 8, (n) => execute(gateway.public, world.mallory, REFUSED, undefined, { key: `k${n}` }));
}

export async function diskOfSqlite({ start, sqlite }) {
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

export async function diskOfMongo({ start, mongod }) {
  const { gateway, world } = await start(mongod.uri('disk'), { TENANTRY_RATE_LIMIT: 'off' });
  const size = async () => (await mongod.client.command('disk', { dbStats: 1 })).dataSize;
  const before = await size();
  await sendRefused(gateway, world);
  return [Math.round(((await size()) - before) / REFUSED_COUNT)];
}

const KEYS = 150;
/** The keys of the clients that hang up after some milliseconds. The others hang up while MongoDB is stopped. */
const TIMED_KEYS = 100;

/** The keys that are busy after their client hung up while the gateway claimed them. */
async function busyKeys(gateway, { bob, tenant }, mongod) {
  const body = JSON.stringify({ query: UPDATE, variables: rename(tenant, 'Renamed') });
  const begin = async (n) => {
    const connection = Connection.open(gateway.public);
    await connection.connected;
    connection.write(requestBytes(body, graphqlHeaders(bob, `h${n}`)));
    return connection;
  };
  await runAll(mongod ? TIMED_KEYS : KEYS, 10, async (n) => {
    const connection = await begin(n);
    await sleep(n % 10);
    connection.destroy();
  });
  if (mongod) {
    mongod.pause(true);
    const waiting = await runAll(KEYS - TIMED_KEYS, KEYS, (n) => begin(TIMED_KEYS + n));
    await settle(gateway);
    for (const connection of waiting) connection.destroy();
    await settle(gateway);
    mongod.pause(false);
  }
  await sleep(1_000);
  // One caller may have 128 requests in progress, so fewer are repeated at the same time.
  const repeated = await runAll(KEYS, 100, (n) =>
    send(gateway.public, { headers: graphqlHeaders(bob, `h${n}`), body }),
  );
  return repeated.filter((response) => response.status !== 200).length;
}

export async function busyKeysOnSqlite({ start, sqlite }) {
  const { gateway, world } = await start(sqlite(), { TENANTRY_RATE_LIMIT: 'off' });
  return [await busyKeys(gateway, world)];
}

export async function busyKeysOnMongo({ start, mongod }) {
  const { gateway, world } = await start(mongod.uri('keys'), { TENANTRY_RATE_LIMIT: 'off' });
  return [await busyKeys(gateway, world, mongod)];
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

export async function hangUps({ start, mongod }) {
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
  // A commit that has begun runs to its end, so its transaction may be open for a moment.
  let open;
  for (let attempt = 0; attempt < 50 && open !== 0; attempt += 1) {
    open = (await mongod.client.command('admin', { serverStatus: 1 })).transactions.currentOpen;
    await sleep(100);
  }
  return [open, waited];
}

/** Another instance writes to 16 tenants after the first one was killed while it wrote to all of them. */
export async function killed({ start, mongod }) {
  const url = mongod.uri('killed');
  const { gateway: other, world } = await start(url);
  const tenants = await runAll(16, 1, async (n) => {
    const input = { slug: `killed-${n}`, name: 'N' };
    return (await world.execute('ada', CREATE, { input })).createTenant.tenant.id;
  });
  let longest = 0;
  for (let round = 0; round < 4 && longest < 5_000; round += 1) {
    const { gateway } = await start(url, { TENANTRY_RATE_LIMIT: 'off' }, undefined, world);
    let written = 0;
    const writes = tenants.map(async (tenant) => {
      for (let n = 0; ; n += 1) {
        const reply = await execute(gateway.public, world.ada, UPDATE, rename(tenant, `K${round}-${n}`));
        if (reply.status === 0) return;
        written += 1;
      }
    });
    while (written < 100) await sleep(1);
    await gateway.kill();
    await Promise.all(writes);
    const waits = tenants.map((tenant) => timeToWrite(other, world.ada, tenant, 10_000));
    longest = Math.max(longest, ...(await Promise.all(waits)));
  }
  return [longest];
}
