// A private root certificate, a certificate that it has signed, and a browser home that trusts the root.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.mjs';

export const HOST_NAMES = ['localhost', 'portal.localhost'];

export async function createCertificates(folder) {
  await run(['mkcert', '-cert-file', 'certificate.pem', '-key-file', 'key.pem', ...HOST_NAMES], {
    cwd: folder,
    env: { ...process.env, CAROOT: folder, HOME: folder },
  }).catch((error) => {
    throw new Error(`the portal tests need mkcert. Run: scripts/fetch-oidc\n${error.message}`);
  });
  const root = join(folder, 'rootCA.pem');
  return {
    root,
    rootPem: await readFile(root, 'utf8'),
    certificate: join(folder, 'certificate.pem'),
    key: join(folder, 'key.pem'),
  };
}

/**
 * Creates a home folder whose NSS database trusts the root certificate. Chromium on Linux reads this database in
 * addition to its built-in roots, so no other certificate is accepted.
 */
export async function createBrowserHome(folder, root) {
  const database = join(folder, '.pki/nssdb');
  await mkdir(database, { recursive: true });
  const certutil = (...args) => run(['certutil', '-d', `sql:${database}`, ...args]);
  await certutil('-N', '--empty-password').catch((error) => {
    throw new Error(`the portal tests need certutil. Run: scripts/fetch-caddy\n${error.message}`);
  });
  await certutil('-A', '-t', 'C,,', '-n', 'portal-tests', '-i', root);
  return folder;
}
