// The servers that browsers reach: Caddy, which terminates TLS for the provider and for the built portal.

import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { RESOURCE } from './provider.mjs';
import { withFreePorts } from './database.mjs';
import { ManagedProcess } from './process.mjs';

const caddyfile = ({ portalPort, providerPort, upstreamPort, socket, certificate, key }) => `{
  admin off
  auto_https off
  servers {
    protocols h1 h2
  }
}
https://portal.localhost:${portalPort} {
  bind 127.0.0.1
  tls ${certificate} ${key}
  reverse_proxy unix/${socket}
}
https://localhost:${providerPort} {
  bind 127.0.0.1
  tls ${certificate} ${key}
  reverse_proxy 127.0.0.1:${upstreamPort}
}
`;

/** Starts Caddy. Returns the origins that it serves, and the socket on which it expects the portal. */
export function startCaddy(folder, { certificate, key, upstreamPort }) {
  return withFreePorts(2, async (portalPort, providerPort) => {
    const socket = join(folder, 'portal.sock');
    const config = join(folder, 'Caddyfile');
    await writeFile(config, caddyfile({ portalPort, providerPort, upstreamPort, socket, certificate, key }));
    const command = ['caddy', 'run', '--adapter', 'caddyfile', '--config', config];
    const caddy = new ManagedProcess('caddy (if it is missing, run scripts/fetch-caddy)', command, { cwd: folder });
    await caddy.waitForLine((line) => line.includes('serving initial configuration'));
    return {
      caddy,
      socket,
      portalOrigin: `https://portal.localhost:${portalPort}`,
      providerOrigin: `https://localhost:${providerPort}`,
    };
  });
}

/** Returns the command that starts the built portal. */
export async function portalCommand(folder) {
  const server = join(folder, '.output/server/index.mjs');
  await access(server).catch(() => {
    throw new Error('the portal tests need the built portal. Run: npm run build, in examples/portal');
  });
  return [process.execPath, server];
}

/** Starts the built portal on a Unix socket. */
export async function startPortal(folder, { socket, portalOrigin, providerOrigin, clientSecret, gatewayUrl, root }) {
  const command = await portalCommand(folder);
  const provider = {
    CLIENT_ID: 'portal',
    CLIENT_SECRET: clientSecret,
    REDIRECT_URI: `${portalOrigin}/auth/oidc/callback`,
    AUTHORIZATION_URL: `${providerOrigin}/auth`,
    TOKEN_URL: `${providerOrigin}/token`,
    OPEN_ID_CONFIGURATION: `${providerOrigin}/.well-known/openid-configuration`,
    LOGOUT_URL: `${providerOrigin}/session/end`,
    LOGOUT_REDIRECT_URI: `${portalOrigin}/`,
    AUDIENCE: 'tenantry',
    ADDITIONAL_AUTH_PARAMETERS: JSON.stringify({ resource: RESOURCE }),
    ADDITIONAL_TOKEN_PARAMETERS: JSON.stringify({ resource: RESOURCE }),
    ADDITIONAL_LOGOUT_PARAMETERS: JSON.stringify({ clientId: 'portal' }),
  };
  const env = {
    NODE_EXTRA_CA_CERTS: root,
    NITRO_UNIX_SOCKET: socket,
    NUXT_GATEWAY_URL: gatewayUrl,
    NUXT_OIDC_TOKEN_KEY: randomBytes(32).toString('base64'),
    NUXT_OIDC_SESSION_SECRET: randomBytes(32).toString('hex'),
    NUXT_OIDC_AUTH_SESSION_SECRET: randomBytes(32).toString('hex'),
  };
  for (const [name, value] of Object.entries(provider)) env[`NUXT_OIDC_PROVIDERS_OIDC_${name}`] = value;
  const portal = new ManagedProcess('the portal', command, { env });
  await portal.waitForLine((line) => line.includes('Listening on'));
  return portal;
}
