// Measures live operations of the release program with many listeners, and prints a Markdown table.
// Usage: `main.mjs PROGRAM MONGOD`. LISTENERS and TENANTS change the size.
import { setTimeout as delay } from 'node:timers/promises';
import { execute } from '../../hostile/client.mjs';
import { Gateway, Issuer, Mongod, sqliteFile } from '../../hostile/processes.mjs';
import { settle } from '../../hostile/sampling.mjs';
import { Listener, waitForOperations } from './listeners.mjs';
import { ADMIN_SUBJECT, importWorld, subject, tenantId, userId } from './world.mjs';

const TENANTS = Number(process.env.TENANTS ?? 1_000);
const LISTENERS = Number(process.env.LISTENERS ?? 10_000);
const MEMBERS = Math.ceil(LISTENERS / TENANTS);
const SINGLE_CHANGES = 1_000;
const REMOVALS = 200;
const CHANGES_PER_SECOND = 100;
const RATE_SECONDS = 10;
/** The number of changes that wait for their response at the same time. A slow machine then has a lower rate. */
const MAX_IN_FLIGHT = 32;
/** The number of listeners whose gateway is restarted. */
const RESTARTED = 50;

const UPDATE = 'mutation ($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { version } } }';
const REMOVE = 'mutation ($input: RemoveTenantMemberInput!) { removeTenantMember(input: $input) { removedUserId } }';
const variables = {
  TENANTRY_RATE_LIMIT: 'off',
  TENANTRY_MAX_CONNECTIONS: '20000',
  TENANTRY_MAX_CONNECTIONS_PER_ADDRESS: '20000',
};

const [program, mongodBinary] = process.argv.slice(2);
const milliseconds = (value) => `${value.toFixed(1)} ms`;

/** Returns the median and the 99th percentile. */
function quantiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return `${milliseconds(at(0.5))}, ${milliseconds(at(0.99))}`;
}

async function mutate(gateway, token, query, input) {
  const { json, text } = await execute(gateway.public, token, query, { input });
  if (!json?.data || json.errors) throw new Error(`a change failed: ${text}`);
  return json.data;
}

const waitFor = async (condition) => {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) return;
    await delay(5);
  }
};

/** Returns rows of the table: a name and a value each. */
async function measureStore({ issuer, start, writer: startWriter, countStreams }) {
  const rows = [];
  const gateway = await start();
  const writer = (await startWriter?.()) ?? gateway;
  const admin = issuer.token(ADMIN_SUBJECT);
  await settle(gateway);
  const idle = gateway.rss();

  // Idle listeners, in groups: a whole crowd at once would wait for the signatures of its tokens.
  let onEvent = () => {};
  const listeners = [];
  while (listeners.length < LISTENERS) {
    for (let n = 0; n < 250 && listeners.length < LISTENERS; n += 1) {
      const number = listeners.length;
      const report = (change) => onEvent(number, change);
      listeners.push(new Listener(gateway.public, issuer.token(subject(number)), tenantId(number % TENANTS), report));
    }
    await waitForOperations(gateway, listeners.length);
  }
  await settle(gateway);
  const each = ((gateway.rss() - idle) * 1024) / LISTENERS;
  rows.push([`Memory for each of ${LISTENERS} idle listeners with a WebSocket each`, `${each.toFixed(1)} KiB`]);
  if (countStreams) rows.push(['Change streams of the gateway with the listeners', String(await countStreams())]);
  const cpuBefore = gateway.cpu();
  await delay(10_000);
  rows.push(['CPU of the idle listeners, with a ping each 12 s', `${((gateway.cpu() - cpuBefore) / 100).toFixed(1)} % of a core`]);

  // Changes at a rate: all listeners of a tenant get each change.
  const versions = new Map();
  let events = 0;
  let repeated = 0;
  onEvent = (number, { tenant }) => {
    // Of two changes that follow each other quickly, the event of the first one can show the second one already.
    if (tenant.version <= (versions.get(number) ?? 0)) repeated += 1;
    versions.set(number, tenant.version);
    events += 1;
  };
  const changes = CHANGES_PER_SECOND * RATE_SECONDS;
  const [begin, cpu, writerCpu] = [performance.now(), gateway.cpu(), writer.cpu()];
  const sent = new Set();
  for (let n = 0; n < changes; n += 1) {
    const change = mutate(writer, admin, UPDATE, { id: tenantId(n % TENANTS), name: `Change ${n}` });
    const finished = change.finally(() => sent.delete(finished));
    sent.add(finished);
    if (sent.size >= MAX_IN_FLIGHT) await Promise.race(sent);
    await delay(Math.max(0, begin + ((n + 1) * 1000) / CHANGES_PER_SECOND - performance.now()));
  }
  await Promise.all(sent);
  const expected = changes * MEMBERS;
  await waitFor(() => events === expected);
  const used = (gateway.cpu() - cpu) / 1000;
  const seconds = (performance.now() - begin) / 1000;
  const rate = (changes / seconds).toFixed(0);
  const name = `CPU for ${LISTENERS} listeners in ${TENANTS} tenants at ${rate} changes/s`;
  const withWrites = writer === gateway ? ', with the writes' : `; the writes in another process ${((writer.cpu() - writerCpu) / 1000 / seconds).toFixed(2)} cores`;
  rows.push([name, `${(used / seconds).toFixed(2)} cores${withWrites}`]);
  rows.push(['Events received and expected, and those with a state that was received before', `${events} of ${expected}, ${repeated}`]);

  // The time from a change to the event of one listener.
  const delays = { sent: [], answered: [] };
  let arrived;
  onEvent = (number) => number === 1 && arrived?.(performance.now());
  for (let n = 0; n < SINGLE_CHANGES; n += 1) {
    const event = new Promise((resolve) => (arrived = resolve));
    const before = performance.now();
    await mutate(writer, admin, UPDATE, { id: tenantId(1), name: `Single ${n}` });
    const answered = performance.now();
    const at = await event;
    delays.sent.push(at - before);
    delays.answered.push(Math.max(0, at - answered));
  }
  rows.push([`Request of a change to its event, ${SINGLE_CHANGES} times: median, p99`, quantiles(delays.sent)]);
  rows.push(['Response of the change to its event: median, p99', quantiles(delays.answered)]);

  // The time from a removal to the end of the operation.
  onEvent = () => {};
  const ends = { sent: [], answered: [] };
  for (let n = 0; n < REMOVALS; n += 1) {
    const ended = listeners[n].ended.then((code) => [code, performance.now()]);
    const before = performance.now();
    await mutate(writer, admin, REMOVE, { tenantId: tenantId(n % TENANTS), userId: userId(n) });
    const answered = performance.now();
    const [code, at] = await ended;
    if (code !== 'NOT_FOUND') throw new Error(`the operation ended with ${code}`);
    ends.sent.push(at - before);
    ends.answered.push(Math.max(0, at - answered));
  }
  rows.push([`Request of a removal to the end of the operation, ${REMOVALS} times: median, p99`, quantiles(ends.sent)]);
  rows.push(['Response of the removal to the end: median, p99', quantiles(ends.answered)]);

  listeners.splice(REMOVALS + RESTARTED).forEach((listener) => listener.close());
  await waitForOperations(gateway, RESTARTED);
  rows.push(await measureRestart({ gateway, start, writer, admin, listeners: listeners.slice(REMOVALS) }));
  listeners.forEach((listener) => listener.close());
  return rows;
}

/** Kills the gateway of the listeners while their tenants change, and lets them resume at another one. */
async function measureRestart({ gateway, start, writer, admin, listeners }) {
  const newest = new Map();
  let repeated = 0;
  listeners.forEach((listener, n) => {
    listener.onEvent = ({ tenant }) => {
      if (tenant.version <= (newest.get(n) ?? 0)) repeated += 1;
      newest.set(n, tenant.version);
    };
  });
  const rename = async (on, name) => {
    const versions = [];
    for (const { id } of listeners) versions.push((await mutate(on, admin, UPDATE, { id, name })).updateTenant.tenant.version);
    return versions;
  };
  await rename(writer, 'Before the end');
  await waitFor(() => newest.size === listeners.length);
  await gateway.kill();
  const isAlone = writer === gateway;
  if (!isAlone) await rename(writer, 'Without a gateway');
  const next = await start();
  if (isAlone) await rename(next, 'Without a listener');
  listeners.forEach((listener) => listener.connect(next.public));
  const versions = await rename(isAlone ? next : writer, 'After the restart');
  const isComplete = () => versions.every((version, n) => newest.get(n) === version);
  await waitFor(isComplete);
  const lost = versions.filter((version, n) => newest.get(n) !== version).length;
  listeners.forEach((listener) => listener.close());
  await next.stop();
  return [`Kill of the gateway (SIGKILL), ${listeners.length} listeners that resume: without the newest state, repeated events`, `${lost}, ${repeated}`];
}

const issuer = await Issuer.start();
const mongod = await Mongod.start(mongodBinary);
const columns = [];
const size = { tenants: TENANTS, members: MEMBERS };
try {
  const stores = [
    { name: 'SQLite', url: sqliteFile().url },
    { name: 'MongoDB', url: mongod.uri('live'), isShared: true },
  ];
  for (const { name, url, isShared } of stores) {
    const gateways = [];
    const start = async () => {
      gateways.push(await Gateway.start(program, issuer, url, { descriptors: 20_000, variables }));
      return gateways.at(-1);
    };
    const environment = { TENANTRY_DATABASE_URL: url, TENANTRY_OIDC_ISSUER: issuer.url, TENANTRY_OIDC_AUDIENCE: 'tenantry' };
    importWorld(program, environment, issuer.url, size);
    const countStreams = async () => {
      const pipeline = [{ $currentOp: { localOps: true, idleCursors: true } }, { $match: { 'cursor.originatingCommand.pipeline.0.$changeStream': { $exists: true } } }, { $count: 'n' }];
      const { cursor } = await mongod.client.command('admin', { aggregate: 1, pipeline, cursor: {} });
      return cursor.firstBatch[0]?.n ?? 0;
    };
    try {
      columns.push({ name, rows: await measureStore({ issuer, start, ...(isShared && { writer: start, countStreams }) }) });
    } finally {
      for (const gateway of gateways) await gateway.stop();
    }
    for (const [row, value] of columns.at(-1).rows) console.error(`${name}: ${row}: ${value}`);
  }
} finally {
  await mongod.stop();
  issuer.stop();
}
for (const { name, rows } of columns) {
  console.log(`| ${name} | |\n|---|---|`);
  rows.forEach((row) => console.log(`| ${row.join(' | ')} |`));
  console.log('');
}
process.exit(0);
