// Everything between a browser and the database, each a real one, on loopback and on free ports.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { makeBrowserHome, makeCertificates } from './certificates.mjs';
import { Database } from './database.mjs';
import { startCaddy, startPortal } from './front.mjs';
import { Gateway } from './gateway.mjs';
import { Identity } from './provider.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const PORTAL = join(ROOT, 'examples/portal');
const BINARY = process.env.TENANTRY_BINARY ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/tenantry');
const MONGOD = process.env.TENANTRY_MONGOD ?? join(ROOT, '.cache/mongod/mongod');

export class Stack {
  static async start() {
    const stack = new Stack();
    try {
      await stack.startParts();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  async startParts() {
    this.folder = await mkdtemp(join(tmpdir(), 'tenantry-portal-'));
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }));
    const place = async (name) => {
      await mkdir(join(this.folder, name));
      return join(this.folder, name);
    };
    const tls = await makeCertificates(await place('tls'));
    this.rootPem = tls.rootPem;
    this.browserHome = await makeBrowserHome(await place('browser'), tls.root);

    this.identity = await Identity.listen();
    this.front = await startCaddy(await place('caddy'), { ...tls, upstream: this.identity.port });
    this.identity.start(this.front.identity, this.front.portal);
    this.database = await Database.start(MONGOD, await place('mongod'));

    const gateway = { database: this.database.uri, issuer: this.front.identity, root: tls.root, cwd: this.folder };
    const documents = join(PORTAL, 'server/gql/persisted-documents.json');
    // The portal's runs nothing but the portal's documents; the office's is another instance on the same
    // database, for whoever prepares the tests.
    this.gateway = await Gateway.start(BINARY, { ...gateway, documents });
    this.office = await Gateway.start(BINARY, gateway);
    this.portal = await startPortal(PORTAL, {
      ...this.front,
      root: tls.root,
      secret: this.identity.secret,
      gateway: this.gateway.url,
    });
  }

  async stop() {
    const parts = [this.portal, this.office, this.gateway, this.front?.caddy, this.database, this.identity];
    await Promise.all(parts.map((part) => part?.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
