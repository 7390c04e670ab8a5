// A real MongoDB, as a replica set of one.

import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { MongoClient } from 'mongodb';
import { Running } from './process.mjs';

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Tries with other ports where somebody was faster with one. */
export async function withFreePorts(count, start) {
  let failure;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const ports = [];
    while (ports.length < count) ports.push(await freePort());
    try {
      return await start(...ports);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

export class Database {
  static async start(mongod, folder) {
    await access(mongod).catch(() => {
      throw new Error('the chain needs a MongoDB server. Run: scripts/fetch-mongod');
    });
    const database = new Database();
    database.port = await withFreePorts(1, async (port) => {
      const options = ['--bind_ip', '127.0.0.1', '--port', port, '--dbpath', folder, '--replSet', 'rs0'];
      const small = ['--wiredTigerCacheSizeGB', '0.25', '--oplogSize', '64'];
      const quiet = ['--setParameter', 'diagnosticDataCollectionEnabled=false'];
      database.server = new Running('mongod', [mongod, ...options, ...small, ...quiet].map(String), { cwd: folder });
      await database.server.line((line) => line.includes('Waiting for connections'));
      return port;
    });
    await database.initiate();
    database.client = await MongoClient.connect(database.address);
    return database;
  }

  get address() {
    return `mongodb://127.0.0.1:${this.port}/portal?replicaSet=rs0`;
  }

  /** For the gateway: who asks a server that is away has an answer soon. */
  get uri() {
    return `${this.address}&serverSelectionTimeoutMS=1000`;
  }

  async initiate() {
    const direct = await MongoClient.connect(`mongodb://127.0.0.1:${this.port}/?directConnection=true`);
    const members = [{ _id: 0, host: `127.0.0.1:${this.port}` }];
    await direct.db('admin').command({ replSetInitiate: { _id: 'rs0', members } });
    await direct.close();
  }

  /** A collection, for a hand in the database. */
  collection(name) {
    return this.client.db('portal').collection(name);
  }

  async stop() {
    await this.client?.close();
    await this.server?.stop();
  }
}
