// A real MongoDB server, as a replica set with one member.

import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { MongoClient } from 'mongodb';
import { ManagedProcess } from './process.mjs';

/** Returns a port that was free a moment ago. */
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

/** Calls `start` with free ports. Retries with other ports, because another program may take a port first. */
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
      throw new Error('the portal tests need a MongoDB server. Run: scripts/fetch-mongod');
    });
    const database = new Database();
    database.port = await withFreePorts(1, async (port) => {
      const options = ['--bind_ip', '127.0.0.1', '--port', port, '--dbpath', folder, '--replSet', 'rs0'];
      const sizes = ['--wiredTigerCacheSizeGB', '0.25', '--oplogSize', '64'];
      const parameters = ['--setParameter', 'diagnosticDataCollectionEnabled=false'];
      const command = [mongod, ...options, ...sizes, ...parameters].map(String);
      database.server = new ManagedProcess('mongod', command, { cwd: folder });
      await database.server.waitForLine((line) => line.includes('Waiting for connections'));
      return port;
    });
    await database.initiateReplicaSet();
    database.client = await MongoClient.connect(database.uri);
    return database;
  }

  get uri() {
    return `mongodb://127.0.0.1:${this.port}/portal?replicaSet=rs0`;
  }

  /** The URI for the gateway. The short timeout makes an unreachable database fail soon. */
  get gatewayUri() {
    return `${this.uri}&serverSelectionTimeoutMS=1000`;
  }

  async initiateReplicaSet() {
    const direct = await MongoClient.connect(`mongodb://127.0.0.1:${this.port}/?directConnection=true`);
    const members = [{ _id: 0, host: `127.0.0.1:${this.port}` }];
    await direct.db('admin').command({ replSetInitiate: { _id: 'rs0', members } });
    await direct.close();
  }

  /** Returns a collection, for manual edits of the database. */
  collection(name) {
    return this.client.db('portal').collection(name);
  }

  async stop() {
    await this.client?.close();
    await this.server?.stop();
  }
}
