// The measurements. Each plays one hostile caller and returns its figures.

import { rmSync } from 'node:fs';
import { bareLineFeeds, halfClosed, idleConnections, sniffing } from './connections.mjs';
import { bodies, documents, flood, memoryOfBodies, memoryOfHeads } from './load.mjs';
import { sqliteFile } from './processes.mjs';
import { createWorld } from './world.mjs';
import { busyKeysOnMongo, busyKeysOnSqlite, diskOfMongo, diskOfSqlite, hangUps, killed, places } from './writes.mjs';

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
      figure('Memory for 500 expensive documents, 100 at a time', 'MiB', 128),
    ],
  },
  {
    seconds: 60, run: bodies,
    figures: [figure('CPU time for the most expensive body of 256 KiB, without a token', 'ms', 10)],
  },
  {
    seconds: 20, run: flood,
    figures: [figure('Cores that one user keeps busy with bodies of 256 KiB, at the default rate limit', 'cores', 1)],
  },
  {
    seconds: 45, run: idleConnections,
    figures: [
      figure('`/healthz` unanswered with 1,200 idle connections at a limit of 1,024 descriptors', 'of 3', 0),
      figure('Query from another address unanswered with these connections', 'of 3', 0),
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
    figures: [figure('Time that a writer of another instance waits after SIGKILL during writes to 16 tenants', 'ms', 1_000)],
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
