// The gateway as in production: `serve` on MongoDB, with the provider's private root certificate.

import { access } from 'node:fs/promises';
import { AUDIENCE } from './provider.mjs';
import { ManagedProcess } from './process.mjs';

// The log messages that mark the steps of the gateway's start.
const LISTENING = 'serving';
const KEYS_FETCHED = 'keys fetched';
const DATABASE_READY = 'the database is ready';

export class Gateway {
  static async start(binary, { database, issuer, root, trustedDocuments, isRestricted, invitations, mail, cwd }) {
    await access(binary).catch(() => {
      throw new Error(`the portal tests need the gateway, and ${binary} does not exist. Run: cargo build`);
    });
    const gateway = new Gateway();
    const env = {
      TENANTRY_DATABASE_URL: database,
      TENANTRY_OIDC_ISSUER: issuer,
      TENANTRY_OIDC_AUDIENCE: AUDIENCE,
      TENANTRY_OIDC_CA_FILE: root,
      TENANTRY_LOG_FORMAT: 'json',
      TENANTRY_SECRET: invitations.secret,
      TENANTRY_INVITATION_URL: invitations.url,
      TENANTRY_TRUSTED_DOCUMENTS_FILE: trustedDocuments,
      ...(isRestricted && { TENANTRY_TRUSTED_DOCUMENTS_MODE: 'enforce' }),
      ...(mail && { TENANTRY_SMTP_URL: mail.url, TENANTRY_SMTP_CA_FILE: root, TENANTRY_MAIL_FROM: 'Portal <portal@example.org>' }),
    };
    const command = [binary, 'serve', '--bind', '127.0.0.1:0', '--admin-bind', '127.0.0.1:0'];
    gateway.process = new ManagedProcess('tenantry', command, { env, cwd });
    const logLine = (message) => (line) => {
      const { fields } = JSON.parse(line);
      return fields?.message === message && fields;
    };
    const { bind } = await gateway.process.waitForLine(logLine(LISTENING));
    await gateway.process.waitForLine(logLine(KEYS_FETCHED));
    await gateway.process.waitForLine(logLine(DATABASE_READY));
    gateway.url = `http://${bind}/graphql`;
    return gateway;
  }

  /** Sends a full GraphQL document to the gateway, without the portal. */
  async execute(token, document, variables = {}) {
    const headers = { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ query: document, variables });
    const response = await fetch(this.url, { method: 'POST', headers, body });
    const { data, errors } = await response.json();
    if (errors) throw new Error(`${document}: ${JSON.stringify(errors)}`);
    return data;
  }

  async stop() {
    await this.process.stop();
  }
}
