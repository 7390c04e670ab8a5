// A root that nobody trusts yet, a certificate from it, and a browser's home that trusts the root.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.mjs';

export const NAMES = ['localhost', 'portal.localhost'];

export async function makeCertificates(folder) {
  await run(['mkcert', '-cert-file', 'certificate.pem', '-key-file', 'key.pem', ...NAMES], {
    cwd: folder,
    env: { ...process.env, CAROOT: folder, HOME: folder },
  }).catch((error) => {
    throw new Error(`the chain needs mkcert. Run: scripts/fetch-oidc\n${error.message}`);
  });
  const root = join(folder, 'rootCA.pem');
  return {
    root,
    rootPem: await readFile(root, 'utf8'),
    certificate: join(folder, 'certificate.pem'),
    key: join(folder, 'key.pem'),
  };
}

/** Where Chromium on Linux looks for roots besides its own: this one, and no other is taken on trust. */
export async function makeBrowserHome(folder, root) {
  const database = join(folder, '.pki/nssdb');
  await mkdir(database, { recursive: true });
  const certutil = (...rest) => run(['certutil', '-d', `sql:${database}`, ...rest]);
  await certutil('-N', '--empty-password').catch((error) => {
    throw new Error(`the chain needs certutil. Run: scripts/fetch-caddy\n${error.message}`);
  });
  await certutil('-A', '-t', 'C,,', '-n', 'chain', '-i', root);
  return folder;
}
