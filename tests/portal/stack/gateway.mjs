// The gateway, as in production: `serve` on MongoDB, with the provider's private root.

import { access } from 'node:fs/promises';
import { AUDIENCE } from './provider.mjs';
import { Running } from './process.mjs';

export class Gateway {
  static async start(binary, { database, issuer, root, documents, cwd }) {
    await access(binary).catch(() => {
      throw new Error(`the chain needs the gateway, and ${binary} is not there. Run: cargo build`);
    });
    const gateway = new Gateway();
    const env = {
      TENANTRY_DATABASE_URL: database,
      TENANTRY_OIDC_ISSUER: issuer,
      TENANTRY_OIDC_AUDIENCE: AUDIENCE,
      TENANTRY_OIDC_CA_FILE: root,
      TENANTRY_LOG_FORMAT: 'json',
      ...(documents && { TENANTRY_DOCUMENTS_FILE: documents, TENANTRY_DOCUMENTS_ONLY: 'true' }),
    };
    const command = [binary, 'serve', '--bind', '127.0.0.1:0', '--admin-bind', '127.0.0.1:0'];
    gateway.process = new Running('tenantry', command, { env, cwd });
    const logged = (message) => (line) => {
      const { fields } = JSON.parse(line);
      return fields?.message === message && fields;
    };
    const { bind } = await gateway.process.line(logged('serving'));
    await gateway.process.line(logged('keys fetched'));
    await gateway.process.line(logged('the database is ready'));
    gateway.url = `http://${bind}/graphql`;
    return gateway;
  }

  /** Asks it directly, with a document in full. */
  async ask(token, query, variables = {}) {
    const headers = { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await response.json();
    if (errors) throw new Error(`${query}: ${JSON.stringify(errors)}`);
    return data;
  }

  async stop() {
    await this.process.stop();
  }
}
