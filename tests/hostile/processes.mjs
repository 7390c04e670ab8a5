// The processes of a measurement: gateways, their issuer and mongod. All of them end with the measurement.

import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Mongo } from './mongo.mjs';

const AUDIENCE = 'tenantry';
/** A gateway above this size is killed, so that a measurement never takes the memory of the machine. */
export const MAX_RSS_MIB = 1536;

/** Returns whether a process has exited. A process that a signal ended has no exit code. */
const hasExited = (child) => child.exitCode !== null || child.signalCode !== null;

/** Returns the text of a file, or an empty text if its process or thread has ended. */
function readUnlessGone(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Kills a child process and waits for its end. */
async function kill(child, signal = 'SIGKILL') {
  if (hasExited(child)) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** An OpenID provider that signs the tokens of the measurement. */
export class Issuer {
  static async start() {
    const issuer = new Issuer();
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    issuer.privateKey = privateKey;
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'ES256', use: 'sig' }] };
    issuer.server = createServer((request, response) => {
      const discovery = { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks.json` };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url === '/jwks.json' ? jwks : discovery));
    });
    await new Promise((resolve) => issuer.server.listen(0, '127.0.0.1', resolve));
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    return issuer;
  }

  /** Returns a token of the subject that is valid for an hour. */
  token(subject, groups) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: AUDIENCE, sub: subject, name: subject, groups, iat: now, exp: now + 3600 };
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encode({ alg: 'ES256', kid: '1' })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A started `tenantry serve`. */
export class Gateway {
  /** Starts a gateway. `descriptors` is its limit of file descriptors. */
  static async start(program, issuer, databaseUrl, { descriptors, variables = {} } = {}) {
    const gateway = new Gateway();
    gateway.folder = mkdtempSync(join(tmpdir(), 'tenantry-hostile-'));
    const env = {
      TENANTRY_BIND: '127.0.0.1:0',
      TENANTRY_ADMIN_BIND: '127.0.0.1:0',
      TENANTRY_DATABASE_URL: databaseUrl,
      TENANTRY_OIDC_ISSUER: issuer.url,
      TENANTRY_OIDC_AUDIENCE: AUDIENCE,
      TENANTRY_LOG: 'info,tenantry::request=off',
      TENANTRY_LOG_FORMAT: 'json',
      ...variables,
    };
    const limit = descriptors ? `ulimit -n ${descriptors} && ` : '';
    const command = ['-c', `${limit}exec "$0" serve`, program];
    gateway.child = spawn('sh', command, { cwd: gateway.folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    const log = [];
    let ready = false;
    for await (const line of createInterface({ input: gateway.child.stderr })) {
      log.push(line);
      const fields = line.startsWith('{') ? JSON.parse(line).fields : {};
      if (fields.message === 'serving') Object.assign(gateway, { public: fields.bind, admin: fields.admin });
      ready = fields.message === 'the database is ready';
      if (ready) break;
    }
    if (!ready) throw new Error(`the gateway ended before it was ready: ${log.at(-1)}`);
    gateway.child.stderr.resume();
    return gateway;
  }

  /** Returns the memory in MiB, and kills a gateway above the limit. A killed gateway has the limit. */
  rss() {
    if (hasExited(this.child)) return MAX_RSS_MIB;
    const status = readUnlessGone(`/proc/${this.child.pid}/status`);
    const rss = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    if (rss > MAX_RSS_MIB) this.child.kill('SIGKILL');
    return rss;
  }

  /** Returns the CPU time of all threads in milliseconds. */
  cpu() {
    const folder = `/proc/${this.child.pid}/task`;
    const nanoseconds = (thread) => Number(readUnlessGone(`${folder}/${thread}/schedstat`).split(' ')[0]);
    const threads = hasExited(this.child) ? [] : readdirSync(folder);
    return threads.reduce((sum, thread) => sum + nanoseconds(thread), 0) / 1e6;
  }

  /** Returns the number of open file descriptors. */
  openFiles() {
    return hasExited(this.child) ? 0 : readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  kill = () => kill(this.child);

  async stop() {
    await kill(this.child, 'SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A mongod that is a replica set of one member. */
export class Mongod {
  static async start(binary, { cacheGb = 0.25 } = {}) {
    const mongod = new Mongod();
    mongod.folder = mkdtempSync(join(tmpdir(), 'tenantry-hostile-mongod-'));
    const port = await freePort();
    const options = ['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', mongod.folder, '--replSet', 'rs0'];
    const small = ['--wiredTigerCacheSizeGB', String(cacheGb), '--oplogSize', '64'];
    mongod.child = spawn(binary, [...options, ...small], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: mongod.child.stdout })) {
      mongod.ready = line.includes('Waiting for connections');
      if (mongod.ready) break;
    }
    if (!mongod.ready) throw new Error('mongod ended before it was ready');
    mongod.child.stdout.resume();
    mongod.host = `127.0.0.1:${port}`;
    mongod.client = await Mongo.connect(port);
    const members = [{ _id: 0, host: mongod.host }];
    await mongod.client.command('admin', { replSetInitiate: { _id: 'rs0', members } });
    while (!(await mongod.client.command('admin', { hello: 1 })).isWritablePrimary) await sleep(100);
    return mongod;
  }

  uri = (database) => `mongodb://${this.host}/${database}?replicaSet=rs0`;

  /** Stops or continues the process. */
  pause = (paused) => this.child.kill(paused ? 'SIGSTOP' : 'SIGCONT');

  async stop() {
    this.client?.close();
    this.pause(false);
    await kill(this.child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort() {
  const server = createTcpServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Returns a new folder for a SQLite file, with the URL of the file. */
export function sqliteFile() {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-hostile-sqlite-'));
  return { url: `sqlite://${folder}/portal.db`, file: `${folder}/portal.db`, folder };
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
