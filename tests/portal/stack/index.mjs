// All servers between a browser and the database. Each is a real one, on the loopback interface and a free port.

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { createBrowserHome, createCertificates } from './certificates.mjs';
import { Database } from './database.mjs';
import { GatewayGate } from './gate.mjs';
import { Gateway } from './gateway.mjs';
import { MailServer } from './mail.mjs';
import { IdentityProvider } from './provider.mjs';
import { startCaddy, startPortal } from './web.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const PORTAL = join(ROOT, 'examples/portal');
const BINARY = process.env.TENANTRY_BINARY ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/tenantry');
const MONGOD = process.env.TENANTRY_MONGOD ?? join(ROOT, '.cache/mongod/mongod');

export class Stack {
  static async start() {
    const stack = new Stack();
    try {
      await stack.startServers();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  async startServers() {
    this.folder = await mkdtemp(join(tmpdir(), 'tenantry-portal-'));
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }));
    const createFolder = async (name) => {
      await mkdir(join(this.folder, name));
      return join(this.folder, name);
    };
    const tls = await createCertificates(await createFolder('tls'));
    this.rootPem = tls.rootPem;
    this.browserHome = await createBrowserHome(await createFolder('browser'), tls.root);

    this.provider = await IdentityProvider.listen();
    this.web = await startCaddy(await createFolder('caddy'), { ...tls, upstreamPort: this.provider.port });
    this.provider.configure(this.web.providerOrigin, this.web.portalOrigin);
    this.database = await Database.start(MONGOD, await createFolder('mongod'));

    this.mail = await MailServer.start(tls);

    const trustedDocuments = join(PORTAL, 'server/gql/persisted-documents.json');
    const options = {
      database: this.database.gatewayUri,
      issuer: this.web.providerOrigin,
      root: tls.root,
      // Both instances derive the same tokens.
      invitations: { secret: randomBytes(32).toString('base64'), url: `${this.web.portalOrigin}/invitations/{token}` },
      trustedDocuments,
      cwd: this.folder,
    };
    // The portal's gateway executes only the portal's documents, and sends mail. The tests prepare data through a second
    // instance on the same database.
    this.gateway = await Gateway.start(BINARY, { ...options, isRestricted: true, mail: this.mail });
    this.adminGateway = await Gateway.start(BINARY, options);
    this.gate = await GatewayGate.start(this.gateway.url, trustedDocuments);
    this.portal = await startPortal(PORTAL, {
      ...this.web,
      root: tls.root,
      clientSecret: this.provider.clientSecret,
      gatewayUrl: this.gate.url,
    });
  }

  async stop() {
    const servers = [this.portal, this.gate, this.adminGateway, this.gateway, this.web?.caddy, this.database, this.provider, this.mail];
    await Promise.all(servers.map((server) => server?.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
