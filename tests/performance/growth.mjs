// Measures operations on databases of different sizes, and prints a Markdown table for each store.
// Usage: `growth.mjs PROGRAM MONGOD [--store mongodb|sqlite] [--requests N] [--processes] [USERS…]`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execute, graphqlHeaders } from '../hostile/client.mjs';
import { Gateway, Issuer, Mongod, sqliteFile } from '../hostile/processes.mjs';
import { settle } from '../hostile/sampling.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '200' },
    processes: { type: 'boolean' },
    store: { type: 'string', default: '' },
  },
});
const [program, mongodBinary, ...sizes] = positionals;
const SIZES = sizes.length > 0 ? sizes.map(Number) : [1_000, 20_000, 100_000, 1_000_000];
const REQUESTS = Number(options.requests);
const WARM_UP = 20;
/** The average number of users with whom `seed --demo` creates a tenant. */
const USERS_PER_TENANT = 20;
const SEED_ATTEMPTS = 20;
const CONNECTIONS = 32;
const LOAD_SECONDS = 10;
const TICKS_PER_SECOND = 100;
const variables = { TENANTRY_RATE_LIMIT: 'off' };

const slug = (n) => `demo-${String(n).padStart(6, '0')}`;
const ADD = 'mutation ($input: AddTenantMemberInput!) { addTenantMember(input: $input) { membership { role } } }';
const UPDATE = 'mutation ($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { version } } }';

/** The measured operations. Each has pages of the same size in every database. */
const OPERATIONS = {
  '`me`, 5 tenants with subscriptions': ['bob', '{ me { id memberships { role tenant { slug subscription { plan } } } } }'],
  '`tenant(slug)` with subscription': ['bob', `{ tenant(slug: "${slug(3)}") { id name subscription { plan } } }`],
  '50 tenants': ['ada', '{ tenants(first: 50) { nodes { id slug name } } }'],
  '20 members with users': ['bob', `{ tenant(slug: "${slug(1)}") { members(first: 20) { nodes { role user { name } } } } }`],
  'search of users, 20 of many matches': ['ada', '{ users(first: 20, filter: { search: "ma" }) { nodes { id name } } }'],
  'search of tenants, 20 of many matches': ['ada', '{ tenants(first: 20, filter: { search: "d" }) { nodes { id name } } }'],
  '`auditLog`, 20 events': ['ada', '{ auditLog(first: 20) { nodes { id action at } } }'],
  '`updateTenant`': ['bob', UPDATE, ({ tenants }, n) => ({ input: { id: tenants[2], name: `Tenant ${n}` } })],
};

/** Executes an operation, and throws if it has errors. */
async function run(gateway, token, query, input) {
  const { json, text } = await execute(gateway.public, token, query, input);
  if (!json?.data || json.errors) throw new Error(`an operation failed: ${text}`);
  return json.data;
}

/** Creates a platform admin and an owner of the first five demo tenants. Returns their tokens and the tenants. */
async function createWorld(gateway, issuer) {
  const world = { ada: issuer.token('ada', ['platform-admins']), bob: issuer.token('bob', []) };
  await run(gateway, world.ada, '{ me { id } }');
  const { me } = await run(gateway, world.bob, '{ me { id } }');
  world.tenants = [];
  for (let n = 1; n <= 5; n += 1) {
    const { tenant } = await run(gateway, world.ada, `{ tenant(slug: "${slug(n)}") { id } }`);
    await run(gateway, world.ada, ADD, { input: { tenantId: tenant.id, userId: me.id, role: 'OWNER' } });
    world.tenants.push(tenant.id);
  }
  return world;
}

/** Returns the CPU time of a process in milliseconds. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Waits until mongod has written its data files: it used under 5 % of a core for 5 s. At most 2 minutes. */
async function waitForIdle(mongod) {
  for (let [second, idle] = [0, 0]; second < 120 && idle < 5; second += 1) {
    const before = cpu(mongod.child.pid);
    await sleep(1_000);
    idle = cpu(mongod.child.pid) - before < 50 ? idle + 1 : 0;
  }
}

/** Returns the number of commands that mongod has received and that read or write data. */
async function commands(mongod) {
  const { metrics } = await mongod.client.command('admin', { serverStatus: 1 });
  const names = ['find', 'aggregate', 'findAndModify', 'update', 'insert', 'delete', 'count', 'distinct'];
  return names.reduce((sum, name) => sum + Number(metrics.commands[name].total), 0);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Measures one operation: CPU time of both processes, commands, and the median time of a response. */
async function measure(gateway, mongod, world, [caller, query, input]) {
  const send = (n) => run(gateway, world[caller], query, input?.(world, n));
  for (let n = 0; n < WARM_UP; n += 1) await send(n);
  const before = { cpu: gateway.cpu(), mongod: mongod ? cpu(mongod.child.pid) : 0, commands: mongod && (await commands(mongod)) };
  const times = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    const begin = performance.now();
    await send(WARM_UP + n);
    times.push(performance.now() - begin);
  }
  return {
    gateway: (gateway.cpu() - before.cpu) / REQUESTS,
    mongod: mongod ? (cpu(mongod.child.pid) - before.mongod) / REQUESTS : 0,
    commands: mongod && Math.round((await commands(mongod)) - before.commands) / REQUESTS,
    time: median(times),
  };
}

/** Fills a database with demo data, and measures all operations on it. */
async function measureSize(url, users, issuer, mongod) {
  const env = { TENANTRY_DATABASE_URL: url, TENANTRY_LOG: 'warn' };
  const begin = performance.now();
  const command = ['seed', '--demo', String(users / USERS_PER_TENANT)];
  let status;
  // A busy database may take longer than the time limit of a command. The same command then continues.
  for (let attempt = 0; attempt < SEED_ATTEMPTS && status !== 0; attempt += 1) {
    // This process has to read the log of mongod meanwhile. A full pipe would stop the server.
    [status] = await once(spawn(program, command, { env, stdio: ['ignore', 'ignore', 'inherit'] }), 'close');
  }
  if (status !== 0) throw new Error('seed failed');
  console.error(`${users} users in ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  const gateway = await Gateway.start(program, issuer, url, { variables });
  try {
    const world = await createWorld(gateway, issuer);
    await settle(gateway);
    if (mongod) await waitForIdle(mongod);
    const results = {};
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      results[name] = await measure(gateway, mongod, world, operation);
      console.error(`${name}: ${JSON.stringify(results[name])}`);
    }
    return results;
  } finally {
    await gateway.stop();
  }
}

/** Prints a table: a row for each operation, a column for each size. */
function print(store, results) {
  const cell = ({ gateway, mongod, time, commands: count }) =>
    store === 'MongoDB'
      ? `${gateway.toFixed(2)} + ${mongod.toFixed(2)}, ${time.toFixed(1)}, ${count}`
      : `${gateway.toFixed(2)}, ${time.toFixed(1)}`;
  const names = SIZES.map((size) => `${size.toLocaleString('en')} users`);
  console.log(`| ${store} | ${names.join(' | ')} |\n|---${'|--:'.repeat(SIZES.length)}|`);
  for (const name of Object.keys(OPERATIONS)) {
    console.log(`| ${name} | ${SIZES.map((size) => cell(results[size][name])).join(' | ')} |`);
  }
  console.log();
}

/** Sends queries on 32 connections to several gateways of one database. */
async function measureProcesses(count, issuer, mongod) {
  const gateways = [];
  for (let n = 0; n < count; n += 1) {
    gateways.push(await Gateway.start(program, issuer, mongod.uri(`users_${SIZES[0]}`), { variables }));
  }
  const bob = issuer.token('bob', []);
  const body = JSON.stringify({ query: OPERATIONS['`tenant(slug)` with subscription'][1] });
  const agent = new Agent({ keepAlive: true });
  const send = (gateway) =>
    new Promise((resolve, reject) => {
      const head = { method: 'POST', headers: { ...graphqlHeaders(bob), 'content-length': body.length }, agent };
      const outgoing = request(`http://${gateway.public}/graphql`, head, (response) => {
        response.resume().on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(response.statusCode))));
      });
      outgoing.on('error', reject).end(body);
    });
  const load = async (seconds) => {
    const end = performance.now() + seconds * 1000;
    let sent = 0;
    const connection = async (n) => {
      while (performance.now() < end) {
        await send(gateways[n % count]);
        sent += 1;
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => connection(n)));
    return sent;
  };
  await load(2);
  const before = [gateways.reduce((sum, gateway) => sum + gateway.cpu(), 0), cpu(mongod.child.pid)];
  const begin = performance.now();
  const sent = await load(LOAD_SECONDS);
  const seconds = (performance.now() - begin) / 1000;
  const { connections } = await mongod.client.command('admin', { serverStatus: 1 });
  const used = [gateways.reduce((sum, gateway) => sum + gateway.cpu(), 0) - before[0], cpu(mongod.child.pid) - before[1]];
  const each = used.map((ms) => (ms / sent).toFixed(3));
  console.log(`| ${count} | ${Math.round(sent / seconds)} | ${each[0]} | ${each[1]} | ${connections.current} |`);
  for (const gateway of gateways) await gateway.stop();
  agent.destroy();
}

async function measureMongo(issuer) {
  const mongod = await Mongod.start(mongodBinary, { cacheGb: 2 });
  try {
    const results = {};
    for (const size of SIZES) results[size] = await measureSize(mongod.uri(`users_${size}`), size, issuer, mongod);
    print('MongoDB', results);
    if (!options.processes) return;
    console.log('| gateways | requests/s | CPU ms of the gateways | CPU ms of mongod | connections |\n|--:|--:|--:|--:|--:|');
    for (const count of [1, 2, 4]) await measureProcesses(count, issuer, mongod);
    console.log();
  } finally {
    await mongod.stop();
  }
}

async function measureSqlite(issuer) {
  const results = {};
  for (const size of SIZES) {
    const { url, folder } = sqliteFile();
    try {
      results[size] = await measureSize(url, size, issuer);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  print('SQLite', results);
}

const issuer = await Issuer.start();
try {
  if (options.store !== 'sqlite') await measureMongo(issuer);
  if (options.store !== 'mongodb') await measureSqlite(issuer);
} finally {
  issuer.stop();
}
